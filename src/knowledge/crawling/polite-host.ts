/** How many requests to one host may be open at the same time. */
const MAX_AT_ONCE = 2;
/** How long a request may hold its place, in milliseconds: longer than the longest request takes. A crashed crawler frees it so. */
const PLACE_MS = 45_000;
/** How soon to ask again if all places are taken, in milliseconds: most answers take less than a second. */
const ASK_AGAIN_MS = 250;
/** The longest pause that a host can ask for, in milliseconds. */
export const MAX_PAUSE_MS = 2 * 60_000;

/** Decides when the next request to one host may start: at most two at once, and never sooner than the pause after the last. */
export class PoliteHost {
  readonly #now: () => number;
  /** When each place is freed at the latest, by the id of the request that holds it. */
  readonly #places = new Map<string, number>();
  #lastStart = Number.NEGATIVE_INFINITY;
  #pausedUntil = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  /**
   * Returns 0 if the request may start now, which takes a place until `leave`; otherwise the time after which to ask again, in
   * milliseconds. Repeating the call for a request that holds a place returns 0. `spacingMs` is the pause after the last start.
   */
  enter(requestId: string, spacingMs: number): number {
    const now = this.#now();
    for (const [id, until] of this.#places) if (until <= now) this.#places.delete(id);
    if (this.#places.has(requestId)) return 0;

    const startsAt = Math.max(this.#lastStart + spacingMs, this.#pausedUntil);
    if (startsAt > now) return startsAt - now;
    if (this.#places.size >= MAX_AT_ONCE) return ASK_AGAIN_MS;

    this.#places.set(requestId, now + PLACE_MS);
    this.#lastStart = now;
    return 0;
  }

  /** Frees the place of a request. `pauseMs` is how long the host asks everybody to wait, at most two minutes. */
  leave(requestId: string, pauseMs = 0): void {
    this.#places.delete(requestId);
    if (pauseMs > 0)
      this.#pausedUntil = Math.max(this.#pausedUntil, this.#now() + Math.min(pauseMs, MAX_PAUSE_MS));
  }
}
