import { expect, it } from "vitest";
import { mapConcurrent, resultWithin, sleep, turnsOf, withTimeout } from "../../src/shared/async.ts";

const never = new Promise<never>(() => undefined);

it("ends a sleep as soon as its signal is aborted", async () => {
  const abort = new AbortController();
  const asleep = sleep(60_000, abort.signal);

  abort.abort(new Error("enough"));

  await expect(asleep).rejects.toThrow("enough");
  await expect(sleep(60_000, abort.signal)).rejects.toThrow("enough");
});

it("sleeps without a signal, and to the end with one", async () => {
  await expect(sleep(1)).resolves.toBeUndefined();
  await expect(sleep(1, new AbortController().signal)).resolves.toBeUndefined();
});

it("returns what work returns in time", async () => {
  await expect(withTimeout(60_000, () => Promise.resolve("done"))).resolves.toBe("done");
});

it("rejects when work takes too long, and aborts its signal with the same error", async () => {
  let seen: AbortSignal | undefined;
  const late = withTimeout(
    1,
    (signal) => {
      seen = signal;
      return never;
    },
    { reason: () => new Error("too late") },
  );

  await expect(late).rejects.toThrow("too late");
  expect(seen?.reason).toEqual(new Error("too late"));
});

it("rejects with a TimeoutError by default", async () => {
  await expect(withTimeout(1, () => never)).rejects.toMatchObject({ name: "TimeoutError" });
});

it("passes the caller's signal on to work", async () => {
  const abort = new AbortController();
  const work = withTimeout(60_000, (signal) => sleep(60_000, signal), { signal: abort.signal });

  abort.abort(new Error("left"));

  await expect(work).rejects.toThrow("left");
});

it("rejects as soon as the caller's signal is aborted, even if work ignores it", async () => {
  const abort = new AbortController();
  const work = withTimeout(60_000, () => never, { signal: abort.signal });

  abort.abort(new Error("left"));

  await expect(work).rejects.toThrow("left");
});

it("returns undefined for a promise that takes too long, and throws its failure if it fails in time", async () => {
  await expect(resultWithin(1, never)).resolves.toBeUndefined();
  await expect(resultWithin(60_000, Promise.resolve(7))).resolves.toBe(7);
  await expect(resultWithin(60_000, Promise.reject(new Error("broken")))).rejects.toThrow("broken");
});

it("maps with at most `limit` concurrent calls, and keeps the order", async () => {
  let underWay = 0;
  let most = 0;
  const results = await mapConcurrent([5, 1, 4, 2, 3], 2, async (n) => {
    most = Math.max(most, ++underWay);
    await sleep(n);
    underWay--;
    return n * 10;
  });

  expect(results).toEqual([50, 10, 40, 20, 30]);
  expect(most).toBe(2);
});

it("starts no call after a failure, and rejects with it once the running calls have ended", async () => {
  const slow = Promise.withResolvers<void>();
  const begun: number[] = [];
  const ended: number[] = [];
  const all = mapConcurrent([1, 2, 3, 4], 2, async (n) => {
    begun.push(n);
    if (n === 1) throw new Error("first");
    await slow.promise;
    ended.push(n);
  });
  let isOver = false;
  const outcome = all.catch((error: unknown) => {
    isOver = true;
    return error;
  });

  await sleep(1);
  expect(isOver).toBe(false);
  slow.resolve();

  expect(await outcome).toEqual(new Error("first"));
  expect({ begun, ended }).toEqual({ begun: [1, 2], ended: [2] });
});

it("runs so many pieces of work at the same time, the others in the order in which they came, and goes on after failures", async () => {
  const inTurn = turnsOf(2);
  const begun: number[] = [];
  const ends = Array.from({ length: 4 }, () => Promise.withResolvers<number>());
  const results = ends.map(({ promise }, n) =>
    inTurn(() => {
      begun.push(n);
      return promise;
    }),
  );

  await sleep(0);
  expect(begun).toEqual([0, 1]);
  ends[1]?.reject(new Error("No."));
  await expect(results[1]).rejects.toThrow("No.");
  await sleep(0);
  expect(begun).toEqual([0, 1, 2]);
  for (const [n, { resolve }] of ends.entries()) resolve(n);

  expect(await Promise.all([results[0], results[2], results[3]])).toEqual([0, 2, 3]);
  expect(begun).toEqual([0, 1, 2, 3]);
});
