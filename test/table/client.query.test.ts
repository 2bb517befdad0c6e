import { describe, expect, it } from "vitest";
import type { SortKeyRange } from "../../src/table/expressions.ts";
import { databaseRequests } from "../support/control.ts";
import { quickTable } from "./quick-table.ts";

/** Puts items with these sort keys into a partition of their own. */
async function partitionWith(sortKeys: readonly string[], attributes = {}): Promise<string> {
  const pk = crypto.randomUUID();
  await quickTable.batchWrite(sortKeys.map((sk) => ({ put: { pk, sk, ...attributes } })));
  return pk;
}

const sortKeysOf = (items: readonly { readonly sk?: unknown }[]): unknown[] => items.map(({ sk }) => sk);

describe("a query", () => {
  it("returns a partition's items by ascending or by descending sort key", async () => {
    const pk = await partitionWith(["b", "a", "B", "ä", "aa", "10", "9"]);
    const ascending = ["10", "9", "B", "a", "aa", "b", "ä"];

    expect(sortKeysOf(await quickTable.query(pk))).toEqual(ascending);
    expect(sortKeysOf(await quickTable.query(pk, { newestFirst: true }))).toEqual(ascending.toReversed());
  });

  it("returns an empty list for an empty partition", async () => {
    expect(await quickTable.query(crypto.randomUUID())).toEqual([]);
  });

  it.each<[string, SortKeyRange, string[]]>([
    ["a beginning", { beginsWith: "M#" }, ["M#1", "M#2", "M#3"]],
    ["a beginning without items", { beginsWith: "M#4" }, []],
    ["both ends, included", { between: ["M#1", "M#2"] }, ["M#1", "M#2"]],
    ["everything before a sort key, excluding it", { before: "M#2" }, ["A#1", "M#1"]],
  ])("reads a range of %s", async (_case, range, expected) => {
    const pk = await partitionWith(["A#1", "M#1", "M#2", "M#3", "N#1"]);

    expect(sortKeysOf(await quickTable.query(pk, { range }))).toEqual(expected);
  });

  it("returns only the requested attributes", async () => {
    const pk = await partitionWith(["a"], { name: "Ada", status: 1, text: "long" });

    expect(await quickTable.query(pk, { attributes: ["sk", "name", "missing"] })).toEqual([
      { sk: "a", name: "Ada" },
    ]);
  });

  // Scenario 15.
  it("reads all pages of a partition that is larger than one, in order and consistently", async () => {
    const sortKeys = Array.from({ length: 25 }, (_, index) => `M#${String(index).padStart(2, "0")}`);
    const pk = await partitionWith(sortKeys, { text: "x".repeat(100_000) });

    expect(sortKeysOf(await quickTable.query(pk))).toEqual(sortKeys);

    const requests = (await databaseRequests(pk)).filter(({ operation }) => operation === "Query");
    expect(requests.length).toBeGreaterThan(2);
    for (const { body } of requests) expect(JSON.parse(body)).toMatchObject({ ConsistentRead: true });
  });

  it("yields its pages one by one, and reads only those that are consumed", async () => {
    const sortKeys = Array.from({ length: 25 }, (_, index) => `M#${String(index).padStart(2, "0")}`);
    const pk = await partitionWith(sortKeys, { text: "x".repeat(100_000) });

    const { value: first } = await quickTable.pages(pk).next();

    const taken = sortKeysOf(first ?? []);
    expect(taken.length).toBeGreaterThan(0);
    expect(taken).toEqual(sortKeys.slice(0, taken.length));
    const requests = (await databaseRequests(pk)).filter(({ operation }) => operation === "Query");
    expect(requests).toHaveLength(1);
  });
});

describe("a page of a query", () => {
  const sortKeys = ["1", "2", "3", "4", "5"];

  it("has at most the requested number of items, and the position of the next page", async () => {
    const pk = await partitionWith(sortKeys);

    const first = await quickTable.queryPage(pk, { limit: 2 });
    const second = await quickTable.queryPage(pk, { limit: 2, after: first.next });
    const third = await quickTable.queryPage(pk, { limit: 2, after: second.next });

    expect(first).toEqual({
      items: [
        { pk, sk: "1" },
        { pk, sk: "2" },
      ],
      next: "2",
    });
    expect(second).toEqual({
      items: [
        { pk, sk: "3" },
        { pk, sk: "4" },
      ],
      next: "4",
    });
    expect(third).toEqual({ items: [{ pk, sk: "5" }], next: undefined });
  });

  it("reads in descending order if the newest come first", async () => {
    const pk = await partitionWith(sortKeys);

    const first = await quickTable.queryPage(pk, { limit: 2, newestFirst: true });
    const second = await quickTable.queryPage(pk, { limit: 9, newestFirst: true, after: first.next });

    expect(sortKeysOf(first.items)).toEqual(["5", "4"]);
    expect(first.next).toBe("4");
    expect(second).toEqual({ items: ["3", "2", "1"].map((sk) => ({ pk, sk })), next: undefined });
  });

  it("continues after a sort key that no longer exists", async () => {
    const pk = await partitionWith(sortKeys);
    await quickTable.remove({ pk, sk: "3" });

    expect(sortKeysOf((await quickTable.queryPage(pk, { limit: 9, after: "3" })).items)).toEqual(["4", "5"]);
  });

  it("contains only items in its range", async () => {
    const pk = await partitionWith(["A#1", "M#1", "M#2", "M#3", "N#1"]);
    const range = { beginsWith: "M#" };

    const first = await quickTable.queryPage(pk, { range, limit: 2, newestFirst: true });
    const second = await quickTable.queryPage(pk, { range, limit: 2, newestFirst: true, after: first.next });

    expect(sortKeysOf(first.items)).toEqual(["M#3", "M#2"]);
    expect(second).toEqual({ items: [{ pk, sk: "M#1" }], next: undefined });
  });
});
