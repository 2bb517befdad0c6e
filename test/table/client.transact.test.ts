import { describe, expect, it } from "vitest";
import type { WriteAction } from "../../src/table/requests.ts";
import { TableRejected, TableUnavailable, TransactionRefused } from "../../src/table/errors.ts";
import { absent, below, equals, present } from "../../src/table/expressions.ts";
import { databaseRequests, injectFault } from "../support/control.ts";
import { freshKey, quickTable, rejection } from "./quick-table.ts";

interface Reason {
  readonly Code: string;
  readonly Item?: object;
}

/** Cancels transactions that name this partition, for these reasons, this many times. */
const cancel = (pk: string, times: number, ...reasons: readonly Reason[]): Promise<void> =>
  injectFault({
    match: [pk],
    operation: "TransactWriteItems",
    times,
    fault: {
      kind: "answer",
      status: 400,
      body: {
        __type: "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        message: "Transaction cancelled.",
        CancellationReasons: reasons,
      },
    },
  });

const attemptsOf = async (pk: string): Promise<readonly { readonly body: string }[]> =>
  (await databaseRequests(pk)).filter(({ operation }) => operation === "TransactWriteItems");

describe("a transaction", () => {
  it("makes all of its writes if every condition holds", async () => {
    const { pk } = freshKey();
    await quickTable.batchWrite(["changed", "removed", "checked"].map((sk) => ({ put: { pk, sk, n: 1 } })));

    await quickTable.transact([
      { put: { pk, sk: "new", status: "open" }, if: absent("pk") },
      {
        update: { pk, sk: "changed" },
        changes: { add: { n: 2 }, set: { name: "x" } },
        if: below("n", 2),
      },
      { remove: { pk, sk: "removed" }, if: present("pk") },
      { check: { pk, sk: "checked" }, if: equals("n", 1) },
    ]);

    expect(await quickTable.query(pk)).toEqual([
      { pk, sk: "changed", n: 3, name: "x" },
      { pk, sk: "checked", n: 1 },
      { pk, sk: "new", status: "open" },
    ]);
  });

  it("makes none of them if a condition fails, and returns the failed conditions with the existing items", async () => {
    const { pk } = freshKey();
    const existing = { pk, sk: "existing", n: 5 };
    await quickTable.put(existing);

    const error = await rejection(
      quickTable.transact([
        { put: { pk, sk: "new" } },
        { update: { pk, sk: "existing" }, changes: { set: { n: 6 } }, if: below("n", 5) },
        { put: { pk, sk: "other" }, if: absent("pk") },
        { check: { pk, sk: "missing" }, if: present("pk") },
      ]),
    );

    expect(error).toBeInstanceOf(TransactionRefused);
    expect(error).toMatchObject({ code: "conflict", status: 409 });
    expect([...(error as TransactionRefused).failed]).toEqual([
      [1, existing],
      [3, undefined],
    ]);
    expect(await quickTable.query(pk)).toEqual([existing]);
  });

  it("has 1 to 100 actions", async () => {
    const { pk } = freshKey();
    const actions = (count: number): WriteAction[] =>
      Array.from({ length: count }, (_, index) => ({ put: { pk, sk: String(index) } }));

    expect(await rejection(quickTable.transact([]))).toBeInstanceOf(RangeError);
    expect(await rejection(quickTable.transact(actions(101)))).toBeInstanceOf(RangeError);
    expect(await databaseRequests(pk)).toEqual([]);

    await quickTable.transact(actions(100));
    expect(await quickTable.query(pk)).toHaveLength(100);
  });

  it("throws `TableRejected` if the database calls it invalid", async () => {
    const { pk } = freshKey();
    const twice = quickTable.transact([{ put: { pk, sk: "a" } }, { remove: { pk, sk: "a" } }]);

    expect(await rejection(twice)).toBeInstanceOf(TableRejected);
    expect(await quickTable.query(pk)).toEqual([]);
  });

  it("loses none of many concurrent increments", async () => {
    const key = freshKey();

    await Promise.all(
      Array.from({ length: 25 }, () => quickTable.transact([{ update: key, changes: { add: { n: 1 } } }])),
    );

    expect(await quickTable.get(key)).toEqual({ ...key, n: 25 });
  });
});

describe("a transaction that was cancelled", () => {
  const None = { Code: "None" };
  const Conflict = { Code: "TransactionConflict" };

  it.each([
    ["a conflict", 9, [None, Conflict]],
    ["conflicts alone", 9, [Conflict, Conflict]],
    ["throttling", 3, [{ Code: "ThrottlingError" }, None]],
    ["throughput", 3, [None, { Code: "ProvisionedThroughputExceeded" }]],
    ["throttling and a conflict", 3, [Conflict, { Code: "ThrottlingError" }]],
  ])("by %s succeeds at the last of its attempts, with one token", async (_case, times, reasons) => {
    const { pk } = freshKey();
    await cancel(pk, times, ...reasons);

    await quickTable.transact([{ put: { pk, sk: "a" } }, { put: { pk, sk: "b" } }]);

    expect(await quickTable.query(pk)).toHaveLength(2);
    const attempts = await attemptsOf(pk);
    expect(attempts).toHaveLength(times + 1);
    expect(new Set(attempts.map(({ body }) => body)).size).toBe(1);
    expect(JSON.parse(attempts[0]?.body ?? "")).toHaveProperty("ClientRequestToken");
  });

  it.each([
    ["ten conflicts", 10, [None, Conflict]],
    ["four throttles", 4, [{ Code: "ThrottlingError" }, None]],
  ])("by %s counts as an outage", async (_case, times, reasons) => {
    const { pk } = freshKey();
    await cancel(pk, 50, ...reasons);

    const error = await rejection(quickTable.transact([{ put: { pk, sk: "a" } }, { put: { pk, sk: "b" } }]));

    expect(error).toBeInstanceOf(TableUnavailable);
    expect(error).toMatchObject({ code: "unavailable", status: 503, retryAfter: 1 });
    expect(await attemptsOf(pk)).toHaveLength(times);
  });

  it("by a condition and a conflict is refused at once, with the position of the condition only", async () => {
    const { pk } = freshKey();
    const existing = { pk: { S: pk }, sk: { S: "c" }, n: { N: "7" } };
    await cancel(pk, 1, None, Conflict, { Code: "ConditionalCheckFailed", Item: existing });

    const error = await rejection(
      quickTable.transact(["a", "b", "c"].map((sk) => ({ put: { pk, sk }, if: absent("pk") }))),
    );

    expect(error).toBeInstanceOf(TransactionRefused);
    expect([...(error as TransactionRefused).failed]).toEqual([[2, { pk, sk: "c", n: 7 }]]);
    expect(await attemptsOf(pk)).toHaveLength(1);
  });

  it.each([
    ["an invalid action beside a conflict", [{ Code: "ValidationError" }, Conflict]],
    ["an item collection that is too large", [{ Code: "ItemCollectionSizeLimitExceeded" }]],
    ["an unknown reason", [{ Code: "Unheard" }, Conflict]],
    ["no reason at all", []],
  ])("by %s throws `TableRejected` and is not retried", async (_case, reasons) => {
    const { pk } = freshKey();
    await cancel(pk, 1, ...reasons);

    expect(await rejection(quickTable.transact([{ put: { pk, sk: "a" } }]))).toBeInstanceOf(TableRejected);
    expect(await attemptsOf(pk)).toHaveLength(1);
  });
});
