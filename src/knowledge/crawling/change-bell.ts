import { resultWithin } from "../../shared/async.ts";

/** Tells those who wait that something has changed. */
export class ChangeBell {
  #revision = 0;
  #rung = Promise.withResolvers<void>();

  /** The number of changes so far. */
  get revision(): number {
    return this.#revision;
  }

  ring(): void {
    this.#revision++;
    this.#rung.resolve();
    this.#rung = Promise.withResolvers();
  }

  /** Waits until there is a change after `revision`, for at most `ms` milliseconds. Returns the number of changes so far. */
  async changed(revision: number, ms: number): Promise<number> {
    if (revision === this.#revision) await resultWithin(ms, this.#rung.promise);
    return this.#revision;
  }
}
