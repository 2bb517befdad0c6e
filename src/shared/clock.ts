/** The source of time. Tests pass their own. */
export interface Clock {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /**
   * Returns the current time in its stored form: `2026-01-29T11:51:36.123456+00:00`. The last three digits count up within a
   * millisecond, so the timestamps of one clock are unique and sort in the order in which they were taken.
   */
  readonly timestamp: () => string;
}

/** Returns a clock over a source of milliseconds since the epoch, by default `Date.now`. */
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
        // More than a thousand timestamps in one millisecond, or a clock that was set back: use the next millisecond.
        lastMs += 1;
        count = 0;
      }

      return formatTimestamp(lastMs, count);
    },
  };
}

/** The clock of the isolate. There must be only one, or two timestamps of the same millisecond could be equal. */
export const systemClock: Clock = createClock();

/** Returns the stored form of a time: `ms` since the epoch, and microseconds (0 to 999) within the millisecond. */
export function formatTimestamp(ms: number, micros = 0): string {
  const iso = new Date(ms).toISOString();
  return `${iso.slice(0, -1)}${String(micros).padStart(3, "0")}+00:00`;
}

/**
 * Returns a timestamp for what happens after `previous`: `timestamp`, or the microsecond after `previous` if the clock of another
 * server was ahead when it wrote `previous`. Both are in the stored form.
 */
export function timestampAfter(previous: string, timestamp: string): string {
  const previousMs = Date.parse(previous);
  if (timestamp > previous || Number.isNaN(previousMs)) return timestamp;
  const micros = Number(MICROS.exec(previous)?.[1] ?? 0);
  return micros < 999 ? formatTimestamp(previousMs, micros + 1) : formatTimestamp(previousMs + 1);
}

/** The microseconds within the millisecond. Python leaves the fraction out if it is zero. */
const MICROS = /\.\d{3}(\d{3})\+00:00$/u;

/** Returns the UTC month in which usage is counted, such as `2026-01`. */
export const monthOf = (ms: number): string => new Date(ms).toISOString().slice(0, 7);

/** Returns the UTC day, such as `2026-01-31`. */
export const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

/** Returns the UTC hour in which failures are counted, such as `2026-01-31T09`. */
export const hourOf = (ms: number): string => new Date(ms).toISOString().slice(0, 13);

/** Returns the time `ms` after `nowMs` in seconds since the epoch, the unit of DynamoDB's time to live. */
export const ttlAfter = (nowMs: number, ms: number): number => Math.ceil((nowMs + ms) / 1000);

export const HOUR_MS = 60 * 60 * 1000;

export const DAY_MS = 24 * 60 * 60 * 1000;
