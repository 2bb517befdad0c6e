import { homeKey, spaceOfMemory } from "../end-users/model.ts";
import type { TableClient, WriteAction } from "../table/client.ts";
import { isLive } from "../table/deletion.ts";
import { ConditionFailed, TransactionRefused } from "../table/errors.ts";
import { absent, all, any, differs, equals } from "../table/expressions.ts";
import { memoryPartition } from "../table/keys.ts";
import { asDefined } from "./block-writes.ts";
import {
  type CapacityState,
  type CapacityWarning,
  type Compaction,
  compactionAttributes,
  warningAttributes,
  warningKey,
  warningsFrom,
} from "./capacity-model.ts";
import { type Block, blocksFrom, CORE_MEMORY_RANGE, definitionKey, type MemoryOwner } from "./model.ts";

/** The run whose end raises a warning, and when that is. */
interface Raise {
  readonly runId: string;
  readonly raisedAt: string;
}

/** The turns that blocks have been nearly full for, and what compactions of them are still to be told. */
export class CapacityRepository {
  readonly #table: TableClient;

  constructor(table: TableClient) {
    this.#table = table;
  }

  async read(owner: MemoryOwner): Promise<CapacityState> {
    const partition = memoryPartition(owner.agentId, owner.userId);
    const items = await this.#table.query(partition, { range: CORE_MEMORY_RANGE });
    return { blocks: blocksFrom(owner, items), warnings: warningsFrom(owner, items) };
  }

  /**
   * Counts one more turn at whose end a block is nearly full; the same turn once. False where it was counted before, or
   * where the block has been redefined or deleted since it was read, or its agent or end user.
   */
  async raise(
    owner: MemoryOwner,
    agentOwner: string,
    block: Block,
    { runId, raisedAt }: Raise,
  ): Promise<boolean> {
    try {
      await this.#table.transact([
        { check: homeKey(spaceOfMemory(owner, agentOwner), owner.agentId), if: isLive },
        { check: definitionKey(owner, block.name), if: asDefined(block) },
        {
          update: warningKey(owner, block.name),
          changes: {
            set: { ...warningAttributes(owner, block.name, raisedAt), run_id: runId },
            add: { warning_turns: 1 },
          },
          if: any(absent("run_id"), differs("run_id", runId)),
        },
      ]);
      return true;
    } catch (error) {
      if (error instanceof TransactionRefused) return false;
      throw error;
    }
  }

  /** Ends a warning, unless it has been raised since it was read, or has a compaction to tell of. */
  async reset(owner: MemoryOwner, { block, turns }: CapacityWarning): Promise<void> {
    const isAsRead = any(absent("warning_turns"), equals("warning_turns", turns));
    await this.#removed(owner, block, all(isAsRead, absent("compacted_version")));
  }

  /** Takes over telling of a compaction; false where another turn has done so. */
  claim(owner: MemoryOwner, { block, version }: Compaction): Promise<boolean> {
    return this.#removed(owner, block, equals("compacted_version", version));
  }

  async #removed(owner: MemoryOwner, block: string, condition: ReturnType<typeof equals>): Promise<boolean> {
    try {
      await this.#table.remove(warningKey(owner, block), condition);
      return true;
    } catch (error) {
      if (error instanceof ConditionFailed) return false;
      throw error;
    }
  }
}

/** Begins the count of a block anew, with a compaction that is to be told; for the transaction that saves it. */
export const noteCompaction = (owner: MemoryOwner, compaction: Compaction, at: string): WriteAction => ({
  update: warningKey(owner, compaction.block),
  changes: {
    set: {
      ...warningAttributes(owner, compaction.block, at),
      ...compactionAttributes(compaction),
      warning_turns: 0,
    },
  },
});
