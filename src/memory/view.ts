import * as z from "zod";
import { strongTag } from "../http/etag.ts";
import { capacityPercent } from "./capacity.ts";
import { type Block, type BlockContent, wordsIn } from "./model.ts";
import type { StoredVersion } from "./version-model.ts";

/** A block as callers see it in a list. */
export const BlockView = z
  .object({
    block_name: z.string(),
    description: z.string(),
    word_limit: z.number(),
    is_default: z.boolean(),
    word_count: z.number(),
    capacity_percent: z.number(),
    created_at: z.string(),
  })
  .meta({ id: "MemoryBlock" });

/** What stands in a block, as callers see it. */
export const ContentView = z
  .object({
    block_name: z.string(),
    lines: z.array(z.string()),
    word_count: z.number(),
    word_limit: z.number(),
    capacity_percent: z.number(),
    is_default: z.boolean(),
  })
  .meta({ id: "MemoryBlockContent" });

/** What a block held after one change, as callers see it. */
export const VersionView = z
  .object({
    version: z.number(),
    lines: z.array(z.string()),
    word_count: z.number(),
    by: z.string().describe("`user`, `agent`, `compaction`, `restore` or `import`."),
    run_id: z.string().nullable().describe("The run in which an agent made the change."),
    created_at: z.string(),
  })
  .meta({ id: "MemoryBlockVersion" });

export const toView = (block: Block): z.infer<typeof BlockView> => ({
  block_name: block.name,
  description: block.description,
  word_limit: block.wordLimit,
  is_default: block.isDefault,
  word_count: wordsIn(block.content.lines),
  capacity_percent: percentOf(block),
  created_at: block.createdAt,
});

export const toContentView = (block: Block): z.infer<typeof ContentView> => ({
  block_name: block.name,
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
  created_at: version.createdAt,
});

/** The tag of a block's lines: their version, and where none tells of them the time at which they were written. */
export function contentTag({ revision }: BlockContent): string {
  if (!revision) return strongTag("0");
  return strongTag(revision.version > 0 ? String(revision.version) : `0-${revision.updatedAt ?? ""}`);
}

const percentOf = ({ content, wordLimit }: Block): number =>
  capacityPercent({ wordCount: wordsIn(content.lines), wordLimit });
