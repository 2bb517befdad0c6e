import { describe, expect, it } from "vitest";
import { retryQuota } from "../../src/table/retry-quota.ts";
import { rejection } from "./quick-table.ts";
import { answers, refuses, type Reply, says, scriptedTransport, times } from "./scripted-transport.ts";

/** How many of so many operations' requests were retries. */
async function retriesOf(operations: number, failure: Reply): Promise<number> {
  const { send, requests } = scriptedTransport([failure]);
  for (let i = 0; i < operations; i++) await rejection(send("GetItem", {}));
  return requests.length - operations;
}

describe("the retries of a failing database", () => {
  it.each<[string, Reply, number]>([
    ["50 after transient faults", says(500), 50],
    ["100 after throttles", refuses("SlowDown"), 100],
  ])("end at %s, however many operations ask", async (_case, failure, retries) => {
    expect(await retriesOf(60, failure)).toBe(retries);
  });

  it("are possible again after as many successes as a retry costs", async () => {
    const { send, requests } = scriptedTransport([
      ...times(50 + 17, says(500)),
      ...times(9, answers()),
      says(500),
      answers(),
      ...times(2, says(500)),
    ]);
    const attemptsOf = async () => {
      const before = requests.length;
      await send("GetItem", {}).catch(() => undefined);
      return requests.length - before;
    };

    // Sixteen operations make three retries each, the seventeenth two: the bucket is empty.
    for (let i = 0; i < 17; i++) await attemptsOf();
    for (let i = 0; i < 9; i++) expect(await attemptsOf()).toBe(1);
    expect(await attemptsOf()).toBe(1);
    expect(await attemptsOf()).toBe(1);
    expect(await attemptsOf()).toBe(2);
  });

  it("never run out while retries succeed", async () => {
    const { send, requests } = scriptedTransport(
      Array.from({ length: 200 }, () => [says(500), answers()]).flat(),
    );

    for (let i = 0; i < 200; i++) await send("GetItem", {});

    expect(requests).toHaveLength(400);
  });
});

describe("the bucket", () => {
  it("takes nothing where it holds too little", () => {
    const quota = retryQuota();

    expect(quota.spend(495)).toBe(true);
    expect(quota.spend(10)).toBe(false);
    expect(quota.spend(5)).toBe(true);
    expect(quota.spend(1)).toBe(false);
  });

  it("never holds more than 500", () => {
    const quota = retryQuota();
    for (let i = 0; i < 100; i++) quota.succeeded(10);

    expect(quota.spend(501)).toBe(false);
    expect(quota.spend(500)).toBe(true);
  });
});
