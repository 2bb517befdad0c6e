import { count, optionalText, text, texts } from "../table/fields.ts";
import { memoryPartition } from "../table/keys.ts";
import type { Item, Key } from "../table/marshal.ts";
import { blockId, type MemoryOwner, wordsIn } from "./model.ts";

/** Who made a change of a block. What the service before had left in it counts as imported. */
export interface Author {
  readonly by: "user" | "agent" | "compaction" | "restore" | "import";
  /** The run in which an agent made it. */
  readonly runId?: string;
}

/** What a block held after one change of it. */
export interface BlockVersion {
  /** Rises by one per name, also when a block is deleted and made again. */
  readonly version: number;
  readonly lines: readonly string[];
  readonly author: Author;
  readonly createdAt: string;
}

/** A version as it was stored, whoever says to have made it. */
export interface StoredVersion extends Pick<BlockVersion, "version" | "lines" | "createdAt"> {
  readonly wordCount: number;
  readonly by: string;
  readonly runId: string | null;
}

/** With so many digits, numbers sort as texts. */
const DIGITS = 6;

/** What the sort keys of a block's versions begin with; below the range of core memory, so that no turn reads them. */
export const versionPrefix = (owner: MemoryOwner, name: string): string =>
  `BlockVersion#${blockId(owner, name)}#`;

export const versionKey = (owner: MemoryOwner, name: string, version: number): Key => ({
  pk: memoryPartition(owner.agentId, owner.userId),
  sk: `${versionPrefix(owner, name)}${String(version).padStart(DIGITS, "0")}`,
});

export const versionItem = (
  owner: MemoryOwner,
  name: string,
  { version, lines, author, createdAt }: BlockVersion,
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
  created_at: createdAt,
});

export function versionFrom(item: Item): StoredVersion {
  const lines = texts(item, "lines");
  return {
    version: count(item, "version"),
    lines,
    wordCount: wordsIn(lines),
    by: text(item, "by"),
    runId: optionalText(item, "run_id"),
    createdAt: text(item, "created_at"),
  };
}
