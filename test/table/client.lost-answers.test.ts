import { describe, expect, it } from "vitest";
import { TableClient } from "../../src/table/client.ts";
import { ConditionFailed, TableUnavailable, TransactionRefused } from "../../src/table/errors.ts";
import { absent, equals, present } from "../../src/table/expressions.ts";
import { marshal } from "../../src/table/marshal.ts";
import { table } from "../support/app.ts";
import { databaseRequests, injectFault } from "../support/control.ts";
import { freshKey, quickTable, rejection } from "./quick-table.ts";
import { breaksConnection, refuses, respondsWith, scriptedTransport } from "./scripted-transport.ts";

const loseAnswers = (pk: string, times = 1): Promise<void> =>
  injectFault({ match: [pk], times, fault: { kind: "lose-answer" } });

async function attemptsOf(operation: string, pk: string): Promise<number> {
  return (await databaseRequests(pk)).filter((request) => request.operation === operation).length;
}

describe("a write whose answer is lost", () => {
  it.each([1, 3])("puts an item once, on condition that it is absent, after %i losses", async (losses) => {
    const item = { ...freshKey(), list: [1, { a: new Set(["x", "y"]) }], bytes: new Uint8Array([1, 2]) };
    await loseAnswers(item.pk, losses);

    await quickTable.put(item, absent("pk"));

    expect(await attemptsOf("PutItem", item.pk)).toBe(losses + 1);
    expect(await quickTable.get(item)).toEqual(item);
  });

  it("updates an item once, although the update makes its own condition false, and returns the new item", async () => {
    const key = freshKey();
    await quickTable.put({ ...key, version: 1, kept: true, gone: 1 });
    await loseAnswers(key.pk);

    const changes = { set: { version: 2 }, remove: ["gone"] };
    const item = await quickTable.update(key, changes, equals("version", 1));

    expect(item).toEqual({ ...key, version: 2, kept: true });
    expect(await attemptsOf("UpdateItem", key.pk)).toBe(2);
    expect(await quickTable.get(key)).toEqual(item);
  });

  it("removes an item on condition that it exists", async () => {
    const key = freshKey();
    await quickTable.put({ ...key, version: 1 });
    await loseAnswers(key.pk);

    await quickTable.remove(key, equals("version", 1));

    expect(await attemptsOf("DeleteItem", key.pk)).toBe(2);
    expect(await quickTable.get(key)).toBeUndefined();
  });

  it.each([1, 3])("counts once in a transaction, after %i losses", async (losses) => {
    const key = freshKey();
    await quickTable.put({ ...key, n: 10 });
    await loseAnswers(key.pk, losses);

    await quickTable.transact([
      { update: key, changes: { add: { n: 1 } }, if: equals("n", 10) },
      { put: { ...key, sk: "guard" }, if: absent("pk") },
    ]);

    expect(await attemptsOf("TransactWriteItems", key.pk)).toBe(losses + 1);
    expect(await quickTable.query(key.pk)).toEqual([
      { ...key, sk: "guard" },
      { ...key, n: 11 },
    ]);
  });

  it("writes a batch", async () => {
    const { pk } = freshKey();
    await quickTable.put({ pk, sk: "old" });
    await loseAnswers(pk);

    await quickTable.batchWrite([{ put: { pk, sk: "new" } }, { remove: { pk, sk: "old" } }]);

    expect(await attemptsOf("BatchWriteItem", pk)).toBe(2);
    expect(await quickTable.query(pk)).toEqual([{ pk, sk: "new" }]);
  });

  it("counts as an outage if every answer is lost", async () => {
    const item = freshKey();
    await loseAnswers(item.pk, 4);

    expect(await rejection(quickTable.put(item, absent("pk")))).toBeInstanceOf(TableUnavailable);
    expect(await attemptsOf("PutItem", item.pk)).toBe(4);
  });
});

describe("a repeated write that meets another's item", () => {
  const key = { pk: "p", sk: "s" };
  const meets = (item: object | undefined) => {
    const body = item && { Item: marshal({ ...key, ...item }) };
    const { send } = scriptedTransport([
      breaksConnection,
      refuses("ConditionalCheckFailedException", body ? { body } : {}),
    ]);
    return new TableClient({ send, table: "t", now: () => 0 });
  };

  it.each<[string, object | undefined, (table: TableClient) => Promise<unknown>]>([
    ["a put, another item", { mine: false }, (t) => t.put({ ...key, mine: true }, absent("pk"))],
    ["a put, more than it put", { a: 1, b: 2 }, (t) => t.put({ ...key, a: 1 }, absent("pk"))],
    ["a put, nothing", undefined, (t) => t.put({ ...key, a: 1 }, present("pk"))],
    ["an update, another value", { a: 2 }, (t) => t.update(key, { set: { a: 1 } }, absent("a"))],
    [
      "an update, a value that it removes",
      { a: 1, b: 1 },
      (t) => t.update(key, { set: { a: 1 }, remove: ["b"] }),
    ],
    ["an update, nothing", undefined, (t) => t.update(key, { set: { a: 1 } }, present("pk"))],
    ["an update, nothing to remove from", undefined, (t) => t.update(key, { remove: ["a"] }, present("pk"))],
    ["a remove, an item that still exists", { a: 1 }, (t) => t.remove(key, equals("a", 2))],
  ])("fails its condition: %s", async (_case, item, write) => {
    const error = await rejection(write(meets(item)));

    expect(error).toBeInstanceOf(ConditionFailed);
    expect(error).toHaveProperty("item", item && { ...key, ...item });
  });

  it("fails its condition if the first attempt never arrived", async () => {
    const item = freshKey();
    await quickTable.put({ ...item, owner: "another" });
    await injectFault({ match: [item.pk], operation: "PutItem", fault: { kind: "refuse" } });

    const error = await rejection(quickTable.put({ ...item, owner: "me" }, absent("pk")));

    expect(error).toBeInstanceOf(ConditionFailed);
    expect(error).toMatchObject({ item: { ...item, owner: "another" } });
  });

  it("is refused in a transaction", async () => {
    const item = freshKey();
    await quickTable.put({ ...item, owner: "another" });
    await injectFault({ match: [item.pk], operation: "TransactWriteItems", fault: { kind: "refuse" } });

    const error = await rejection(quickTable.transact([{ put: { ...item, owner: "me" }, if: absent("pk") }]));

    expect(error).toBeInstanceOf(TransactionRefused);
    expect([...(error as TransactionRefused).failed]).toEqual([[0, { ...item, owner: "another" }]]);
  });
});

describe("faults of the database", () => {
  it("are retried by the app's own table client, with its real waits", async () => {
    const item = { ...freshKey(), n: 1 };
    const fail = (operation: string, status: number, body: unknown) =>
      injectFault({ match: [item.pk], operation, times: 2, fault: { kind: "answer", status, body } });
    await fail("PutItem", 500, { __type: "InternalServerError", message: "Try again." });
    await injectFault({ match: [item.pk], operation: "GetItem", times: 2, fault: { kind: "refuse" } });
    await fail("Query", 200, "<html>not JSON</html>");

    await table.put(item, absent("pk"));

    expect(await table.get(item)).toEqual(item);
    expect(await table.query(item.pk)).toEqual([item]);
    expect(await databaseRequests(item.pk)).toHaveLength(9);
  });

  it("that throttle the first two attempts of every call cost only attempts", async () => {
    const key = freshKey();
    for (const operation of ["PutItem", "GetItem", "UpdateItem", "TransactWriteItems", "DeleteItem"])
      await injectFault({
        match: [key.pk],
        operation,
        times: 2,
        fault: {
          kind: "answer",
          status: 400,
          body: { __type: "com.amazon.coral.availability#ThrottlingException" },
        },
      });

    await quickTable.put({ ...key, n: 1 }, absent("pk"));
    await quickTable.update(key, { set: { name: "x" } }, present("pk"));
    await quickTable.transact([{ update: key, changes: { add: { n: 1 } } }]);
    expect(await quickTable.get(key)).toEqual({ ...key, n: 2, name: "x" });
    await quickTable.remove(key, present("pk"));

    const requests = await databaseRequests(key.pk);
    expect(requests).toHaveLength(5 * 3);
  });

  it("that last count as an outage of every operation, with the time of the next attempt", async () => {
    const { send } = scriptedTransport([respondsWith(503)], () => 0);
    const down = new TableClient({ send, table: "t", now: () => 0, sleep: async () => {} });
    const key = { pk: "p", sk: "s" };

    const errors = await Promise.all(
      [
        down.get(key),
        down.put(key),
        down.update(key, { set: { a: 1 } }),
        down.remove(key),
        down.query("p"),
        down.queryPage("p", { limit: 1 }),
        down.batchGet([key]),
        down.batchWrite([{ remove: key }]),
        down.transact([{ put: key }]),
        down.removePartition("p", 1),
      ].map(rejection),
    );

    for (const error of errors) {
      expect(error).toBeInstanceOf(TableUnavailable);
      expect(error).toMatchObject({ code: "unavailable", status: 503, retryAfter: 1 });
    }
  });
});
