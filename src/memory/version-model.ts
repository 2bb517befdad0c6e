import { type KnowledgeSource, sourcesField, sourcesFrom } from "../knowledge/citation-model.ts";
import type { RunId } from "../shared/id-types.ts";
import { count, optionalText, runIdIn, text, texts } from "../table/fields.ts";
import { memoryPartition } from "../table/keys.ts";
import type { Item, Key } from "../table/marshal.ts";
import { blockId, type MemoryOwner, wordsIn } from "./model.ts";

/** Who changed a block. Content of the legacy Python service counts as `import`. */
export interface Author {
  readonly by: "user" | "agent" | "compaction" | "restore" | "import";
  /** The run in which an agent made the change. */
  readonly runId?: RunId;
  /** The pages of knowledge bases that the agent had read in this run before it made the change. */
  readonly sources?: readonly KnowledgeSource[];
}

/** A block's content after one change. */
export interface BlockVersion {
  /** Increases by one with each change under a name, even if the block is deleted and created again. */
  readonly version: number;
  readonly lines: readonly string[];
  readonly author: Author;
  readonly createdAt: string;
  /** The version whose lines the change restored. */
  readonly restores?: number | undefined;
}

/** A version as stored. Its author is any text, because other writers may store theirs. */
export interface StoredVersion extends Pick<BlockVersion, "version" | "lines" | "createdAt"> {
  readonly wordCount: number;
  readonly by: string;
  readonly runId: RunId | null;
  readonly sources: readonly KnowledgeSource[];
}

/** The properties that decide whether an old version is kept. */
export interface VersionMark {
  readonly version: number;
  /** The UTC day on which it was created: `2026-01-31`. */
  readonly day: string;
  /** Whether it was ever restored. */
  readonly wasRestored: boolean;
}

/** How far a block's old versions have been thinned: the last version that was examined, and its day. */
export interface Thinned {
  readonly version: number;
  readonly day: string | undefined;
}

/** The attribute of a version that has been restored. */
export const RESTORED = "restored_at";

/** Version numbers are padded to this many digits, so that they sort correctly as text. */
const DIGITS = 6;

/** The sort key prefix of a block's versions. It is outside the range of core memory, so that no turn reads them. */
export const versionPrefix = (owner: MemoryOwner, name: string): string =>
  `BlockVersion#${blockId(owner, name)}#`;

export const versionKey = (owner: MemoryOwner, name: string, version: number): Key => ({
  pk: memoryPartition(owner.agentId, owner.userId),
  sk: `${versionPrefix(owner, name)}${String(version).padStart(DIGITS, "0")}`,
});

export const versionItem = (
  owner: MemoryOwner,
  name: string,
  { version, lines, author, createdAt, restores }: BlockVersion,
): Item => ({
  ...versionKey(owner, name, version),
  agent_id: owner.agentId,
  user_id: owner.userId,
  block_id: blockId(owner, name),
  block_name: name,
  version,
  lines,
  word_count: wordsIn(lines),
  by: author.by,
  ...(author.runId !== undefined && { run_id: author.runId }),
  ...sourcesField(author.sources),
  ...(restores !== undefined && { restores }),
  created_at: createdAt,
});

/** The key of a block's thinning progress. It is outside the versions and outside the range that a turn reads. */
export const thinnedKey = (owner: MemoryOwner, name: string): Key => ({
  pk: memoryPartition(owner.agentId, owner.userId),
  sk: `BlockVersionsThinned#${blockId(owner, name)}`,
});

export const thinnedFrom = (item: Item | undefined): Thinned => ({
  version: count(item ?? {}, "version"),
  day: optionalText(item ?? {}, "day") ?? undefined,
});

/** The attributes that `markFrom` reads. */
export const MARK_ATTRIBUTES = ["sk", "version", "created_at", RESTORED] as const;

export const markFrom = (item: Item): VersionMark => ({
  version: count(item, "version"),
  day: text(item, "created_at").slice(0, "2026-01-31".length),
  wasRestored: optionalText(item, RESTORED) !== null,
});

export function versionFrom(item: Item): StoredVersion {
  const lines = texts(item, "lines");
  return {
    version: count(item, "version"),
    lines,
    wordCount: wordsIn(lines),
    by: text(item, "by"),
    runId: runIdIn(item),
    sources: sourcesFrom(item),
    createdAt: text(item, "created_at"),
  };
}
