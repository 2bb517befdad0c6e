import { expect, it } from "vitest";
import { MAX_ATTEMPTS, retryAfterOf, waitAfter } from "../../src/webhooks/retries.ts";

const HOUR_MS = 3_600_000;

/** The waits after each failed attempt. */
const waits = (random: number, retryAfterMs?: number) =>
  Array.from({ length: MAX_ATTEMPTS }, (_, index) => waitAfter(index + 1, random, retryAfterMs));

it("retries for about a day, and ever more rarely", () => {
  const planned = waits(0);

  expect(planned.at(-1)).toBeUndefined();
  const made = planned.filter((wait) => wait !== undefined);
  expect(made).toHaveLength(MAX_ATTEMPTS - 1);
  expect(made).toEqual(made.toSorted((a, b) => a - b));
  const total = made.reduce((sum, wait) => sum + wait, 0);
  expect(total / HOUR_MS).toBeGreaterThan(23);
  expect(total / HOUR_MS).toBeLessThanOrEqual(24);
});

it("makes waits longer by up to a fifth, at random", () => {
  for (const [index, wait] of waits(0).entries()) {
    if (wait === undefined) continue;
    expect(waitAfter(index + 1, 0.5)).toBe(Math.round(wait * 1.1));
    expect(waitAfter(index + 1, 1)).toBe(Math.round(wait * 1.2));
  }
});

it("waits as long as the receiver asks for, but at most an hour", () => {
  expect(waitAfter(1, 0, 60_000)).toBe(60_000);
  expect(waitAfter(1, 0, 100 * HOUR_MS)).toBe(HOUR_MS);
  expect(waitAfter(5, 0, 60_000)).toBe(5 * HOUR_MS);
});

it.each([
  ["120", 120_000],
  ["0", 0],
  [null, 0],
  ["-5", 0],
  ["1e9", 0],
  ["Wed, 21 Oct 2026 07:28:00 GMT", 0],
  ["99999999999999999999", 0],
])("reads %j as a wait of %i ms", (header, ms) => {
  expect(retryAfterOf(header)).toBe(ms);
});
