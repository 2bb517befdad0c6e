/** Where time comes from; tests hand in their own. */
export interface Clock {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /**
   * The present as it is stored: `2026-01-29T11:51:36.123456+00:00`. The last three digits count up within a
   * millisecond, so two stamps of one clock never tie and sort in the order they were taken.
   */
  readonly timestamp: () => string;
}

/** A clock over a source of milliseconds; `Date.now` unless told. */
export function createClock(now: () => number = Date.now): Clock {
  let lastMs = 0;
  let count = 0;

  return {
    now,
    timestamp() {
      const ms = now();

      if (ms > lastMs) {
        lastMs = ms;
        count = 0;
      } else if (++count > 999) {
        // More than a thousand stamps in one millisecond, or a clock set back: borrow from the next millisecond.
        lastMs += 1;
        count = 0;
      }

      return formatTimestamp(lastMs, count);
    },
  };
}

/** The isolate's own clock: one, because the stamps of one millisecond count up from the same number. */
export const systemClock: Clock = createClock();

/** The stored form of a moment: milliseconds since the epoch, and microseconds (0 to 999) within them. */
export function formatTimestamp(ms: number, micros = 0): string {
  const iso = new Date(ms).toISOString();
  return `${iso.slice(0, -1)}${String(micros).padStart(3, "0")}+00:00`;
}

/** The month that usage is counted in, by UTC: `2026-01`. */
export const monthOf = (ms: number): string => new Date(ms).toISOString().slice(0, 7);

/** Seconds since the epoch after `ms`, as DynamoDB's time to live wants them. */
export const ttlAfter = (nowMs: number, ms: number): number => Math.ceil((nowMs + ms) / 1000);

export const DAY_MS = 24 * 60 * 60 * 1000;
