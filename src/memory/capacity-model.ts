import { count, optionalCount, text } from "../table/fields.ts";
import { memoryPartition } from "../table/keys.ts";
import type { Item, Key } from "../table/marshal.ts";
import { type Block, blockId, type MemoryOwner } from "./model.ts";

/** What an automatic compaction did to a block. */
export interface Compaction {
  readonly block: string;
  /** The number of the version that it created. */
  readonly version: number;
  readonly wordsBefore: number;
  readonly wordsAfter: number;
}

/** The record of a block that was nearly full. */
export interface CapacityWarning {
  readonly block: string;
  /** How many consecutive turns have ended with the block nearly full. */
  readonly turns: number;
  /** The compaction that no turn has reported yet, or null. */
  readonly compaction: Compaction | null;
}

/** The current core memory, with its warnings. */
export interface CapacityState {
  readonly blocks: readonly Block[];
  readonly warnings: readonly CapacityWarning[];
}

/** A block that stays nearly full for this many turns is compacted. Fixed by the specification. */
export const TURNS_BEFORE_COMPACTION = 3;

const WARNING_PREFIX = "CapacityWarning#";

export const warningKey = (owner: MemoryOwner, block: string): Key => ({
  pk: memoryPartition(owner.agentId, owner.userId),
  sk: `${WARNING_PREFIX}${blockId(owner, block)}`,
});

/** The attributes that every write of a warning sets. */
export const warningAttributes = (owner: MemoryOwner, block: string, updatedAt: string) => ({
  agent_id: owner.agentId,
  user_id: owner.userId,
  block_id: blockId(owner, block),
  block_name: block,
  updated_at: updatedAt,
});

/** The attributes of a warning with a compaction that no turn has reported yet. */
export const compactionAttributes = ({ version, wordsBefore, wordsAfter }: Compaction) => ({
  compacted_version: version,
  words_before: wordsBefore,
  words_after: wordsAfter,
});

/** Returns the warnings among the items of `CORE_MEMORY_RANGE`. */
export const warningsFrom = (owner: MemoryOwner, items: readonly Item[]): readonly CapacityWarning[] =>
  items
    .filter((item) => text(item, "sk").startsWith(WARNING_PREFIX))
    .map((item) => {
      // The block's name is taken from the key: attributes written by others may differ.
      const block = text(item, "sk").slice(warningKey(owner, "").sk.length);
      return { block, turns: count(item, "warning_turns"), compaction: compactionFrom(block, item) };
    });

function compactionFrom(block: string, item: Item): Compaction | null {
  const version = optionalCount(item, "compacted_version");
  if (version === undefined) return null;
  return {
    block,
    version,
    wordsBefore: count(item, "words_before"),
    wordsAfter: count(item, "words_after"),
  };
}
