import type { Clock } from "../shared/clock.ts";
import type { AccountEmail, RunId } from "../shared/id-types.ts";
import { scopeOfMemory } from "../access/access-scope.ts";
import type { WriteAction } from "../table/requests.ts";
import { newEvent, recordEvent, type WantedEvents } from "../webhooks/event-model.ts";
import type { MemoryOwner } from "./model.ts";

/** A change of a memory. Privacy: what was remembered is not part of it. */
interface MemoryChange {
  readonly action: "added" | "updated" | "removed";
  /** The block of core memory, with the version that the change has created if there is one, or the memory in the archive. */
  readonly subject: { readonly block: string; readonly version?: number } | { readonly memoryId: string };
  readonly by: string;
  readonly runId: RunId | null;
}

/** Returns the writes that belong into the transaction of a change, so that the account's webhooks learn of it. */
export type RecordChange = (owner: MemoryOwner, change: MemoryChange) => readonly WriteAction[];

/** For accounts whose webhooks do not want to know. */
export const NO_RECORD: RecordChange = () => [];

const EVENT = "memory.changed";

/** Returns how changes of an account's memories are recorded. */
export function changeRecorder(
  accountEmail: AccountEmail,
  { types }: Pick<WantedEvents, "types">,
  clock: Clock,
): RecordChange {
  if (!types.includes(EVENT)) return NO_RECORD;
  return (owner, { action, subject, by, runId }) => {
    const data = {
      agent_id: owner.agentId,
      end_user_id: scopeOfMemory(owner, accountEmail).endUser?.id ?? null,
      action,
      block_name: "block" in subject ? subject.block : null,
      memory_id: "memoryId" in subject ? subject.memoryId : null,
      by,
      run_id: runId,
    };
    return [recordEvent(accountEmail, newEvent(EVENT, data, clock))];
  };
}

interface ChangeRecordsDeps {
  readonly webhooks: { wanted(accountEmail: AccountEmail): Promise<WantedEvents> };
  /** Sends recorded events of an account. Never throws. */
  readonly sender: { nudge(accountEmail: AccountEmail): Promise<void> };
  readonly clock: Clock;
  /** Keeps a request alive for work that continues after its answer. */
  readonly later: (work: Promise<void>) => void;
}

/** Records changes that requests of the account's owner make. */
export class ChangeRecords {
  readonly #deps: ChangeRecordsDeps;

  constructor({ webhooks, sender, clock, later }: ChangeRecordsDeps) {
    this.#deps = { webhooks, sender, clock, later };
  }

  /** Returns how changes of an account's memories are recorded. Reads which events its webhooks want. */
  async of(accountEmail: AccountEmail): Promise<RecordChange> {
    const { webhooks, clock } = this.#deps;
    return changeRecorder(accountEmail, await webhooks.wanted(accountEmail), clock);
  }

  /** Has recorded changes sent, after the answer. */
  send(accountEmail: AccountEmail, record: RecordChange): void {
    const { sender, later } = this.#deps;
    if (record !== NO_RECORD) later(sender.nudge(accountEmail));
  }
}
