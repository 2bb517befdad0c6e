import { describe, expect, it } from "vitest";
import { retryQuota } from "../../src/table/retry-quota.ts";
import { rejection } from "./quick-table.ts";
import {
  answers,
  refuses,
  type Reply,
  respondsWith,
  scriptedTransport,
  times,
} from "./scripted-transport.ts";

/** The number of retries among the requests of this many operations. */
async function retriesOf(operations: number, failure: Reply): Promise<number> {
  const { send, requests } = scriptedTransport([failure]);
  for (let i = 0; i < operations; i++) await rejection(send("GetItem", {}));
  return requests.length - operations;
}

describe("the retries of a failing database", () => {
  // The bucket holds 500 tokens, and each operation adds two.
  it.each<[string, Reply, number, number]>([
    ["50 and a fifth of the operations after transient faults", respondsWith(500), 200, 50 + 200 / 5],
    ["50 and a fifth of the operations after throttles", refuses("SlowDown"), 200, 50 + 200 / 5],
    [
      "500 and two for each operation after conflicts",
      refuses("TransactionConflictException"),
      200,
      500 + 200 * 2,
    ],
  ])("end at %s", async (_case, failure, operations, retries) => {
    // The bucket is full at first, so the tokens of the first operation are lost.
    expect(Math.abs((await retriesOf(operations, failure)) - retries)).toBeLessThanOrEqual(2);
  });

  it("are limited even if each of them succeeds", async () => {
    const { send, requests } = scriptedTransport(
      Array.from({ length: 200 }, () => [respondsWith(500), answers()]).flat(),
    );

    const outcomes = await outcomesOf(200, () => send("GetItem", {}));

    const retries = requests.length - 200;
    expect(outcomes.filter((isAnswered) => !isAnswered).length).toBeGreaterThan(0);
    expect(retries).toBeLessThanOrEqual(50 + 200 / 5);
  });

  it("are possible again after five operations for each retry", async () => {
    const { send, requests } = scriptedTransport([
      ...times(300, respondsWith(500)),
      ...times(5, answers()),
      respondsWith(500),
    ]);
    while (requests.length < 300) await rejection(send("GetItem", {}));
    for (let i = 0; i < 5; i++) await send("GetItem", {});

    const before = requests.length;
    await rejection(send("GetItem", {}));

    expect(requests.length - before).toBe(2);
  });
});

async function outcomesOf(operations: number, send: () => Promise<unknown>): Promise<readonly boolean[]> {
  const outcomes: boolean[] = [];
  for (let i = 0; i < operations; i++)
    outcomes.push(
      await send().then(
        () => true,
        () => false,
      ),
    );
  return outcomes;
}

describe("the bucket", () => {
  it("spends nothing if it holds too little", () => {
    const quota = retryQuota();

    expect(quota.spend(495)).toBe(true);
    expect(quota.spend(10)).toBe(false);
    expect(quota.spend(5)).toBe(true);
    expect(quota.spend(1)).toBe(false);
  });

  it("never holds more than 500", () => {
    const quota = retryQuota();
    for (let i = 0; i < 100; i++) quota.began();

    expect(quota.spend(501)).toBe(false);
    expect(quota.spend(500)).toBe(true);
  });
});
