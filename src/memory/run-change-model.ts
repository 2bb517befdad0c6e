import { DAY_MS, ttlAfter } from "../shared/clock.ts";
import type { RunId } from "../shared/id-types.ts";
import { optionalCount, optionalText, text } from "../table/fields.ts";
import { memoryPartition } from "../table/keys.ts";
import type { Item } from "../table/marshal.ts";
import type { WriteAction } from "../table/requests.ts";
import type { RecordChange } from "./change-records.ts";
import type { MemoryOwner } from "./model.ts";

/** A change that an agent has made to its memory in a run. Privacy: what was remembered is not part of it. */
export interface RunChange {
  /** The version of a block that the change created, or the memory that it added to the archive. */
  readonly subject: { readonly block: string; readonly version: number } | { readonly memoryId: string };
  readonly createdAt: string;
}

/** As long as the records of runs. */
const LIFETIME_MS = 90 * DAY_MS;

/** The sort key prefix of a run's changes. It is outside the range of core memory, so that no turn reads them. */
export const runChangePrefix = (runId: RunId): string => `RunMemory#${runId}#`;

/**
 * Returns what records the changes of a run, so that they can be listed and taken back. The records are found although memories move
 * when they are changed, and old versions of blocks are thinned.
 */
export const recordInRun =
  (runId: RunId, clock: { readonly now: () => number; readonly timestamp: () => string }): RecordChange =>
  (owner, { subject }): readonly WriteAction[] => {
    const createdAt = clock.timestamp();
    return [
      {
        put: {
          pk: memoryPartition(owner.agentId, owner.userId),
          sk: runChangePrefix(runId) + createdAt,
          ...ownership(owner),
          run_id: runId,
          ...("block" in subject
            ? { block_name: subject.block, version: subject.version ?? 0 }
            : { memory_id: subject.memoryId }),
          created_at: createdAt,
          ttl: ttlAfter(clock.now(), LIFETIME_MS),
        },
      },
    ];
  };

const ownership = ({ agentId, userId }: MemoryOwner): Item => ({ agent_id: agentId, user_id: userId });

export function runChangeFrom(item: Item): RunChange {
  const memoryId = optionalText(item, "memory_id");
  return {
    subject:
      memoryId === null
        ? { block: text(item, "block_name"), version: optionalCount(item, "version") ?? 0 }
        : { memoryId },
    createdAt: text(item, "created_at"),
  };
}
