import type { AgentEvent } from "../architectures/events.ts";
import type { RunId } from "../shared/id-types.ts";
import { AppError } from "../shared/errors.ts";
import type { KeyUse, LoggedRun } from "./run-log.ts";

/** A caller's idempotency key, and the hash of the request that it was sent with. */
export interface IdempotencyKey {
  readonly key: string;
  readonly bodyHash: string;
  /**
   * Whether the key is free again after a run that was not completed. So it is for keys that the service derives from what the caller
   * wants done: a caller that wants it again has no other key.
   */
  readonly untilCompleted?: boolean;
}

/** The parts of the log that `IdempotencyKeys` needs. */
interface KeyLog {
  findKey(key: string, now: number): KeyUse | undefined;
  hasKey(runId: RunId, now: number): boolean;
  find(runId: RunId): Pick<LoggedRun, "state"> | undefined;
  /** Returns the terminal event of a run that has ended. */
  endOf(runId: RunId): AgentEvent | undefined;
}

/** Finds the runs of idempotency keys. A request without a key has no known run. */
export class IdempotencyKeys {
  readonly #log: KeyLog;
  readonly #now: () => number;

  constructor({ log, now }: { readonly log: KeyLog; readonly now: () => number }) {
    this.#log = log;
    this.#now = now;
  }

  /** Whether the key belongs to a run, of any request. */
  isUsed(key: IdempotencyKey | null): boolean {
    return this.#useOf(key) !== undefined;
  }

  /** Returns the run of the key, if any. Throws `idempotency-mismatch` if the key was used with a different request. */
  runOf(key: IdempotencyKey | null): RunId | undefined {
    const use = this.#useOf(key);
    if (key && use && use.bodyHash !== key.bodyHash)
      throw new AppError("idempotency-mismatch", "This idempotency key was used with another request.");
    return use?.runId;
  }

  /** Whether the key belongs to a run that has been neither accepted nor refused yet. Throws like `runOf`. */
  isOpening(key: IdempotencyKey | null): boolean {
    const runId = this.runOf(key);
    return runId !== undefined && this.#log.find(runId)?.state === "opening";
  }

  /** Whether the run was begun with a key that is still known. */
  isOfRun(runId: RunId | null): boolean {
    return runId !== null && this.#log.hasKey(runId, this.#now());
  }

  #useOf(key: IdempotencyKey | null): KeyUse | undefined {
    const use = key ? this.#log.findKey(key.key, this.#now()) : undefined;
    if (!use || key?.untilCompleted !== true) return use;
    const end = this.#log.endOf(use.runId);
    return end === undefined || end.type === "completed" ? use : undefined;
  }
}
