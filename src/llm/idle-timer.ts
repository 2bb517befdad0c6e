import { BUDGETS } from "./budgets.ts";
import type { ModelTimeouts } from "./model.ts";

/**
 * Limits how long to wait for the next piece of an answer. Only time spent waiting for the provider counts, so a slow
 * reader never causes a timeout.
 *
 * Until the answer begins, anything received is a sign of life and restarts the idle time, because providers with a
 * queue send comments or empty events meanwhile. That extends the wait to at most `headersMs` in all. After the first
 * piece, only further pieces restart the idle time. After the last piece, little time is left, and nothing extends it.
 */
export class IdleTimer {
  readonly #headersMs: number;
  #idleMs: number;
  #hasBegun = false;
  #hasEnded = false;
  /** Milliseconds waited in all, and since the idle time was last restarted. */
  #waited = 0;
  #idle = 0;

  constructor({ headersMs, idleMs }: Pick<ModelTimeouts, "headersMs" | "idleMs">) {
    this.#headersMs = headersMs;
    this.#idleMs = idleMs;
  }

  /** Milliseconds left to wait. At 0 or below, the answer has stalled. */
  get leftMs(): number {
    return this.#idleMs - this.#idle;
  }

  /** Call it after each read: something arrived after `waitedMs` milliseconds, or nothing did. */
  received(waitedMs: number): void {
    this.#waited += waitedMs;
    this.#idle += waitedMs;
    if (!this.#hasBegun && this.#waited < this.#headersMs) this.#idle = 0;
  }

  /** Call it if the last thing received was a piece of the answer. */
  advanced(): void {
    if (this.#hasEnded) return;
    this.#hasBegun = true;
    this.#idle = 0;
  }

  /** Call it once the answer has ended. Only the token usage may still follow. */
  ended(): void {
    if (this.#hasEnded) return;
    this.advanced();
    this.#hasEnded = true;
    this.#idleMs = Math.min(this.#idleMs, BUDGETS.usageMs);
  }
}
