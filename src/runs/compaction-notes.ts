import type { Compaction } from "../memory/capacity-model.ts";
import type { AgentEvent } from "./events.ts";

/** As long as an answer may wait, so that what happened before it is told before it. */
const PATIENCE_MS = 500;

/** What a turn tells of compactions: at its beginning, or where the database is slow to say which, at its end. */
export class CompactionNotes {
  readonly #taken: Promise<readonly Compaction[]>;
  #isTold = false;

  /** `taken` are those that are this turn's to tell of; it does not fail. */
  constructor(taken: Promise<readonly Compaction[]>) {
    this.#taken = taken;
  }

  async *atBeginning(): AsyncGenerator<AgentEvent, void, void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const patience = new Promise<false>((resolve) => {
      timer = setTimeout(() => resolve(false), PATIENCE_MS);
    });
    const isKnown = await Promise.race([this.#taken.then(() => true), patience]);
    clearTimeout(timer);
    if (isKnown) yield* this.#tell();
  }

  async *atEnd(): AsyncGenerator<AgentEvent, void, void> {
    if (!this.#isTold) yield* this.#tell();
  }

  async *#tell(): AsyncGenerator<AgentEvent, void, void> {
    this.#isTold = true;
    for (const compaction of await this.#taken) {
      const { block, version } = compaction;
      yield { type: "block-compacted", compaction };
      yield { type: "memory-updated", update: { block, version } };
    }
  }
}
