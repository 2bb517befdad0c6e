import { describe, expect, it } from "vitest";
import { TableClient } from "../../src/table/client.ts";
import { TableRejected, TableUnavailable } from "../../src/table/errors.ts";
import type { Send } from "../../src/table/transport.ts";
import { databaseRequests, injectFault } from "../support/control.ts";
import { freshKey, quickTable, rejection } from "./quick-table.ts";

const itemsOf = (pk: string, count: number) =>
  Array.from({ length: count }, (_, index) => ({ pk, sk: String(index).padStart(3, "0"), index }));

/** A client of an endpoint that leaves everything unprocessed. */
function busyTable() {
  const waits: number[] = [];
  let requests = 0;
  const send: Send = async (_operation, input) => {
    requests++;
    // Unprocessed requests are returned in the shape in which they were sent.
    const { RequestItems: undone } = input as { RequestItems: unknown };
    return { Responses: {}, UnprocessedItems: undone, UnprocessedKeys: undone };
  };
  const table = new TableClient({ send, table: "t", now: () => 0, sleep: async (ms) => void waits.push(ms) });
  return { table, waits, requests: () => requests };
}

describe("getting many items", () => {
  it("returns them in the order of the keys, with `undefined` for absent items and repeats for repeated keys", async () => {
    const { pk } = freshKey();
    const [a, b] = [
      { pk, sk: "a", is: 1 },
      { pk, sk: "b", is: 2 },
    ];
    await quickTable.batchWrite([{ put: a }, { put: b }]);

    expect(await quickTable.batchGet([b, { pk, sk: "c" }, a, b, { pk, sk: "c" }])).toEqual([
      b,
      undefined,
      a,
      b,
      undefined,
    ]);
  });

  it("requests each key once, at most a hundred per request", async () => {
    const { pk } = freshKey();
    const items = itemsOf(pk, 230);
    await quickTable.batchWrite(items.map((put) => ({ put })));

    expect(await quickTable.batchGet([...items, ...items])).toEqual([...items, ...items]);

    const requests = (await databaseRequests(pk)).filter(({ operation }) => operation === "BatchGetItem");
    const sizes = requests.map(({ body }) => body.split('"sk"').length - 1);
    expect(sizes).toEqual([100, 100, 30]);
    for (const { body } of requests) expect(body).toContain('"ConsistentRead":true');
  });

  it("distinguishes keys whose parts read alike when joined", async () => {
    const { pk } = freshKey();
    const items = [
      { pk: `${pk}#a`, sk: "b" },
      { pk, sk: "a#b" },
    ];
    await quickTable.batchWrite(items.map((put) => ({ put })));

    expect(await quickTable.batchGet(items)).toEqual(items);
  });

  it("sends no request without keys", async () => {
    const { table, requests } = busyTable();

    expect(await table.batchGet([])).toEqual([]);
    expect(requests()).toBe(0);
  });

  it("requests unprocessed keys again until all are read", async () => {
    const { pk } = freshKey();
    const items = itemsOf(pk, 100);
    await quickTable.batchWrite(items.map((put) => ({ put })));
    await injectFault({
      match: [pk],
      operation: "BatchGetItem",
      times: 6,
      fault: { kind: "half-batch" },
    });

    expect(await quickTable.batchGet(items)).toEqual(items);

    const requests = (await databaseRequests(pk)).filter(({ operation }) => operation === "BatchGetItem");
    expect(requests.map(({ body }) => body.split('"sk"').length - 1)).toEqual([100, 50, 25, 12, 6, 3, 1]);
  });
});

describe("writing many items", () => {
  it("puts and removes at most 25 items per request", async () => {
    const { pk } = freshKey();
    const items = itemsOf(pk, 60);
    await quickTable.batchWrite(items.map((put) => ({ put })));

    await quickTable.batchWrite([
      ...items.slice(10).map((remove) => ({ remove })),
      { put: { pk, sk: "new" } },
    ]);

    expect(await quickTable.query(pk)).toEqual([...items.slice(0, 10), { pk, sk: "new" }]);
    const requests = await databaseRequests(pk);
    const sizes = requests
      .filter(({ operation }) => operation === "BatchWriteItem")
      .map(({ body }) => body.split('"sk"').length - 1);
    expect(sizes.toSorted((a, b) => b - a)).toEqual([25, 25, 25, 25, 10, 1]);
  });

  it("sends at most four batches at a time, so that other requests have connections", async () => {
    let open = 0;
    let most = 0;
    const send: Send = async () => {
      most = Math.max(most, ++open);
      await Promise.resolve();
      open--;
      return {};
    };
    const table = new TableClient({ send, table: "t", now: () => 0 });

    await table.batchWrite(itemsOf("p", 300).map((put) => ({ put })));

    expect(most).toBe(4);
  });

  it("sends unprocessed writes again until all are done", async () => {
    const { pk } = freshKey();
    const items = itemsOf(pk, 50);
    await injectFault({ match: [pk], operation: "BatchWriteItem", times: 8, fault: { kind: "half-batch" } });

    await quickTable.batchWrite(items.map((put) => ({ put })));

    expect(await quickTable.query(pk)).toEqual(items);
  });

  // Scenario 14.
  it("removes a whole partition although the database leaves half of each batch unprocessed", async () => {
    const { pk } = freshKey();
    await quickTable.batchWrite(itemsOf(pk, 120).map((put) => ({ put })));
    await injectFault({ match: [pk], operation: "BatchWriteItem", times: 20, fault: { kind: "half-batch" } });

    expect(await quickTable.removePartition(pk, 1_000)).toBe(true);
    expect(await quickTable.query(pk)).toEqual([]);
  });

  it("throws `TableRejected` if the database calls the batch invalid", async () => {
    const { pk } = freshKey();

    const twice = quickTable.batchWrite([{ put: { pk, sk: "a" } }, { remove: { pk, sk: "a" } }]);

    expect(await rejection(twice)).toBeInstanceOf(TableRejected);
  });
});

describe("a database that never processes a batch", () => {
  it.each<[string, (table: TableClient) => Promise<unknown>]>([
    ["reading", (table) => table.batchGet(itemsOf("p", 3))],
    ["writing", (table) => table.batchWrite(itemsOf("p", 3).map((put) => ({ put })))],
    ["removing", (table) => table.batchWrite(itemsOf("p", 3).map((remove) => ({ remove })))],
  ])("counts as an outage when %s, after eight attempts with growing waits", async (_case, use) => {
    const { table, waits, requests } = busyTable();

    const error = await rejection(use(table));

    expect(error).toBeInstanceOf(TableUnavailable);
    expect((error as TableUnavailable).cause).toMatchObject({
      message: expect.stringContaining("left 3 requests undone") as string,
    });
    expect(requests()).toBe(8);
    const caps = [100, 200, 400, 800, 1_600, 2_000, 2_000];
    expect(waits).toHaveLength(caps.length);
    waits.forEach((wait, index) => expect(wait).toBeLessThan(caps[index] ?? 0));
  });

  it("counts as an outage over the wire, too, and leaves nothing written", async () => {
    const { pk } = freshKey();
    const undone = { "test-table": [{ PutRequest: { Item: { pk: { S: pk }, sk: { S: "a" } } } }] };
    await injectFault({
      match: [pk],
      operation: "BatchWriteItem",
      times: 100,
      fault: { kind: "answer", status: 200, body: { UnprocessedItems: undone } },
    });

    expect(await rejection(quickTable.batchWrite([{ put: { pk, sk: "a" } }]))).toBeInstanceOf(
      TableUnavailable,
    );
    expect(await quickTable.query(pk)).toEqual([]);
  });
});
