import type { AccountEmail, RunId } from "../shared/id-types.ts";
import { scopeOfMemory, homeKey } from "../access/access-scope.ts";
import type { TableClient } from "../table/client.ts";
import type { WriteAction } from "../table/requests.ts";
import { isLive } from "../table/deletion.ts";
import { absent, all, any, differs, equals } from "../table/expressions.ts";
import { memoryPartition } from "../table/keys.ts";
import { asDefined } from "./block-version-writes.ts";
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

/** The run whose end raises a warning, and the time. */
interface Raise {
  readonly runId: RunId;
  readonly raisedAt: string;
}

/** Counts for how many turns blocks have been nearly full, and stores compactions that are not reported yet. */
export class CapacityRepository {
  readonly #table: TableClient;

  constructor({ table }: { readonly table: TableClient }) {
    this.#table = table;
  }

  /** Returns the current blocks and their warnings. */
  async read(owner: MemoryOwner): Promise<CapacityState> {
    const partition = memoryPartition(owner.agentId, owner.userId);
    const items = await this.#table.query(partition, { range: CORE_MEMORY_RANGE });
    return { blocks: blocksFrom(owner, items), warnings: warningsFrom(owner, items) };
  }

  /**
   * Counts a turn that ended with the block nearly full. Idempotent per run. Returns false if the run was counted
   * before, the block was redefined or deleted since it was read, or its agent or end user was deleted.
   */
  async raise(
    owner: MemoryOwner,
    accountEmail: AccountEmail,
    block: Block,
    { runId, raisedAt }: Raise,
  ): Promise<boolean> {
    return await this.#table.tryTransact([
      { check: homeKey(scopeOfMemory(owner, accountEmail), owner.agentId), if: isLive },
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
  }

  /** Removes a warning, unless it was raised since it was read or has an unreported compaction. */
  async reset(owner: MemoryOwner, { block, turns }: CapacityWarning): Promise<void> {
    const isAsRead = any(absent("warning_turns"), equals("warning_turns", turns));
    await this.#table.tryRemove(warningKey(owner, block), all(isAsRead, absent("compacted_version")));
  }

  /** Claims a compaction, so that the caller reports it. Returns false if another turn has claimed it. */
  claim(owner: MemoryOwner, { block, version }: Compaction): Promise<boolean> {
    return this.#table.tryRemove(warningKey(owner, block), equals("compacted_version", version));
  }
}

/** Resets a block's count and stores the compaction to report; for the transaction that saves the compacted block. */
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
