import { resultWithin } from "../shared/async.ts";
import type { Compaction } from "../memory/capacity-model.ts";
import type { AgentEvent } from "../architectures/events.ts";

/** How long an answer may wait, so that earlier compactions are reported before it. */
const WAIT_MS = 500;

/** Reports compactions at the beginning of a turn, or at its end if the database is slow to return them. */
export class CompactionNotes {
  readonly #taken: Promise<readonly Compaction[]>;
  #isReported = false;

  /** `taken` resolves to the compactions that this turn must report. It must not reject. */
  constructor(taken: Promise<readonly Compaction[]>) {
    this.#taken = taken;
  }

  async *atBeginning(): AsyncGenerator<AgentEvent, void, void> {
    if (await resultWithin(WAIT_MS, this.#taken)) yield* this.#report();
  }

  async *atEnd(): AsyncGenerator<AgentEvent, void, void> {
    if (!this.#isReported) yield* this.#report();
  }

  async *#report(): AsyncGenerator<AgentEvent, void, void> {
    this.#isReported = true;
    for (const compaction of await this.#taken) {
      const { block, version } = compaction;
      yield { type: "block-compacted", compaction };
      yield { type: "memory-updated", update: { block, version } };
    }
  }
}
