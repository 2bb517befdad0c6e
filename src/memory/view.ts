import * as z from "zod";
import { strongTag } from "../http/etag.ts";
import { sourcesField, SourcesView } from "../knowledge/citation-model.ts";
import { capacityPercent } from "./capacity.ts";
import { type Block, type BlockContent, wordsIn } from "./model.ts";
import type { StoredVersion } from "./version-model.ts";

/** A block in responses. */
export const BlockView = z
  .object({
    block_name: z.string(),
    name: z.string(),
    description: z.string(),
    word_limit: z.number(),
    is_default: z.boolean(),
    word_count: z.number(),
    capacity_percent: z.number(),
    created_at: z.string(),
  })
  .meta({ id: "MemoryBlock" });

/** A block's content in responses. */
export const ContentView = z
  .object({
    block_name: z.string(),
    name: z.string(),
    lines: z.array(z.string()),
    word_count: z.number(),
    word_limit: z.number(),
    capacity_percent: z.number(),
    is_default: z.boolean(),
  })
  .meta({ id: "MemoryBlockContent" });

/** The part of a block that reveals neither its purpose nor its content, for callers that may write but not read. */
export const BlockReference = BlockView.pick({ block_name: true, created_at: true }).meta({
  id: "MemoryBlockReference",
});

/** The same for a block's content, whose version is the `ETag` of the response. */
export const ContentReference = ContentView.pick({ block_name: true }).meta({
  id: "MemoryBlockContentReference",
});

/** A version of a block in responses. */
export const VersionView = z
  .object({
    version: z.number(),
    lines: z.array(z.string()),
    word_count: z.number(),
    by: z.string(),
    run_id: z.string().nullable(),
    sources: SourcesView,
    created_at: z.string(),
  })
  .meta({ id: "MemoryBlockVersion" });

export const toView = (block: Block): z.infer<typeof BlockView> => ({
  block_name: block.name,
  name: block.name,
  description: block.description,
  word_limit: block.wordLimit,
  is_default: block.isDefault,
  word_count: wordsIn(block.content.lines),
  capacity_percent: percentOf(block),
  created_at: block.createdAt,
});

export const toContentView = (block: Block): z.infer<typeof ContentView> => ({
  block_name: block.name,
  name: block.name,
  lines: [...block.content.lines],
  word_count: wordsIn(block.content.lines),
  word_limit: block.wordLimit,
  capacity_percent: percentOf(block),
  is_default: block.isDefault,
});

export const toVersionView = (version: StoredVersion): z.infer<typeof VersionView> => ({
  version: version.version,
  lines: [...version.lines],
  word_count: version.wordCount,
  by: version.by,
  run_id: version.runId,
  ...sourcesField(version.sources),
  created_at: version.createdAt,
});

/** Returns the entity tag of a block's lines: their version, or the time of the last write if they are unversioned. */
export function contentTag({ revision }: BlockContent): string {
  if (!revision) return strongTag("0");
  return strongTag(revision.version > 0 ? String(revision.version) : `0-${revision.updatedAt ?? ""}`);
}

const percentOf = ({ content, wordLimit }: Block): number =>
  capacityPercent({ wordCount: wordsIn(content.lines), wordLimit });
