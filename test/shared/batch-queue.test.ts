import { expect, it } from "vitest";
import { BatchQueue } from "../../src/shared/batch-queue.ts";

const late = () => new Error("It is late.");
/** Longer than any test. */
const PATIENT = { patienceMs: 60_000, late };

/** A queue whose work waits for the test. Batches have at most three numbers. */
function heldQueue(patience = PATIENT) {
  const batches: {
    readonly batch: readonly number[];
    readonly end: (outcomes: readonly string[]) => void;
    readonly fail: (error: Error) => void;
  }[] = [];
  const queue = new BatchQueue<number, string>({
    ...patience,
    next: (waiting) => waiting.slice(0, 3),
    work: (batch) => {
      const { promise, resolve, reject } = Promise.withResolvers<readonly string[]>();
      batches.push({ batch, end: resolve, fail: reject });
      return promise;
    },
  });
  const underWay = async (count: number) => {
    await expect.poll(() => batches).toHaveLength(count);
    return batches.at(-1);
  };
  return { queue, underWay };
}

it("processes a request at once, and those that arrive meanwhile as one batch", async () => {
  const { queue, underWay } = heldQueue();
  const outcomes = [1, 2, 3, 4, 5].map((number) => queue.add(number));

  const first = await underWay(1);
  expect(first?.batch).toEqual([1]);
  first?.end(["one"]);
  const second = await underWay(2);
  expect(second?.batch).toEqual([2, 3, 4]);
  second?.end(["two", "three", "four"]);
  const third = await underWay(3);
  expect(third?.batch).toEqual([5]);
  third?.end(["five"]);

  expect(await Promise.all(outcomes)).toEqual(["one", "two", "three", "four", "five"]);
  const later = queue.add(6);
  (await underWay(4))?.end(["six"]);
  expect(await later).toBe("six");
});

it("rejects only the requests of a failed batch", async () => {
  const { queue, underWay } = heldQueue();
  const outcomes = Promise.allSettled([1, 2, 3].map((number) => queue.add(number)));

  (await underWay(1))?.fail(new Error("No."));
  (await underWay(2))?.end(["two", "three"]);

  expect((await outcomes).map(({ status }) => status)).toEqual(["rejected", "fulfilled", "fulfilled"]);
});

it("rejects requests that have waited for too long, and never processes them", async () => {
  const { queue, underWay } = heldQueue({ patienceMs: 1, late });
  const first = queue.add(1);
  const others = await Promise.allSettled([queue.add(2), queue.add(3)]);

  expect(others).toEqual([2, 3].map(() => ({ status: "rejected", reason: late() })));
  // The first one has waited no longer than the others, but its batch is under way.
  (await underWay(1))?.end(["one"]);
  expect(await first).toBe("one");
  const later = queue.add(4);
  expect((await underWay(2))?.batch).toEqual([4]);
  (await underWay(2))?.end(["four"]);
  expect(await later).toBe("four");
});

it("fails a request without an outcome instead of letting it wait forever", async () => {
  const { queue, underWay } = heldQueue();
  const outcome = queue.add(1);

  (await underWay(1))?.end([]);

  await expect(outcome).rejects.toThrow("no outcome");
});

it.each<[string, () => readonly number[]]>([
  [
    "fails",
    () => {
      throw new Error("This number can't be selected.");
    },
  ],
  ["is empty", () => []],
])("rejects the first request only, without processing it, if the selection %s", async (_what, select) => {
  const worked: number[] = [];
  const queue = new BatchQueue<number, string>({
    ...PATIENT,
    next: (waiting) => (waiting[0] === 13 ? select() : waiting.slice(0, 1)),
    work: async (batch) => {
      worked.push(...batch);
      return batch.map(String);
    },
  });

  const [first, second, third] = await Promise.allSettled([12, 13, 14].map((number) => queue.add(number)));

  expect([first?.status, second?.status, third?.status]).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect(worked).toEqual([12, 14]);
  expect(await queue.add(15)).toBe("15");
});
