import { DAY_MS, HOUR_MS } from "../shared/clock.ts";

const MINUTE_MS = 60_000;

/**
 * The waits after the first attempt, the second one and so on, in milliseconds. They are those that Standard Webhooks suggests, and
 * end after a day.
 */
const WAITS_MS: readonly number[] = [
  5_000,
  5 * MINUTE_MS,
  30 * MINUTE_MS,
  2 * HOUR_MS,
  5 * HOUR_MS,
  8 * HOUR_MS,
  8 * HOUR_MS,
];

/** How many attempts are made to deliver an event. */
export const MAX_ATTEMPTS = WAITS_MS.length + 1;

/** The share of a wait by which it is longer at most, so that what failed together is not tried again together. */
const JITTER = 0.2;

/** The longest wait that a receiver can ask for by `Retry-After`, in milliseconds. */
const MAX_RETRY_AFTER_MS = HOUR_MS;

/** An endpoint is disabled if nothing was delivered to it for this long, in milliseconds, and a delivery has failed for good. */
export const FAILING_MS = 5 * DAY_MS;

/**
 * Returns how long to wait after a number of failed attempts, in milliseconds, or `undefined` if no other is made. `random` is a
 * number from 0 to 1; `retryAfterMs` is what the receiver asked for.
 */
export function waitAfter(attempts: number, random: number, retryAfterMs = 0): number | undefined {
  const wait = WAITS_MS[attempts - 1];
  if (wait === undefined) return undefined;
  return Math.round(Math.max(wait * (1 + JITTER * random), Math.min(retryAfterMs, MAX_RETRY_AFTER_MS)));
}

/** Returns the wait that a `Retry-After` header states in seconds, in milliseconds; 0 for any other value. */
export const retryAfterOf = (header: string | null): number =>
  header !== null && /^\d{1,6}$/u.test(header) ? Number(header) * 1_000 : 0;
