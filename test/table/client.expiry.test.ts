import { describe, expect, it } from "vitest";
import { freshKey, quickTable, tableAt } from "./quick-table.ts";

const ttl = 2_000_000_000;
const before = tableAt(() => ttl * 1000 - 1);
const after = tableAt(() => ttl * 1000);

describe("an item with a time to live", () => {
  it("is visible until its second begins", async () => {
    const key = freshKey();
    const item = { ...key, ttl };
    await before.put(item);

    expect(await before.get(key)).toEqual(item);
    expect(await after.get(key)).toBeUndefined();
  });

  it("is omitted from queries and batches once it has expired, unlike its neighbours", async () => {
    const { pk } = freshKey();
    const [a, b, c] = [
      { pk, sk: "a", ttl },
      { pk, sk: "b" },
      { pk, sk: "c", ttl: ttl + 1 },
    ];
    await before.batchWrite([{ put: a }, { put: b }, { put: c }]);

    expect(await before.query(pk)).toEqual([a, b, c]);
    expect(await after.query(pk)).toEqual([b, c]);
    expect(await before.batchGet([a, b, c])).toEqual([a, b, c]);
    expect(await after.batchGet([a, b, c])).toEqual([undefined, b, c]);
  });

  it("counts towards a page's limit, so that the page has fewer items and still a position to continue from", async () => {
    const { pk } = freshKey();
    await before.batchWrite([
      { put: { pk, sk: "a", ttl } },
      { put: { pk, sk: "b", ttl } },
      { put: { pk, sk: "c" } },
    ]);

    const first = await after.queryPage(pk, { limit: 2 });
    const second = await after.queryPage(pk, { limit: 2, after: first.next });

    expect(first).toEqual({ items: [], next: "b" });
    expect(second).toEqual({ items: [{ pk, sk: "c" }], next: undefined });
  });

  it("never expires if the attribute is not a number", async () => {
    const key = freshKey();
    await after.put({ ...key, ttl: "1" });

    expect(await after.get(key)).toEqual({ ...key, ttl: "1" });
  });
});

describe("removing a partition", () => {
  it("removes everything in it, expired items included, and nothing else", async () => {
    const { pk } = freshKey();
    const neighbour = { pk: `${pk}#more`, sk: "a" };
    await before.batchWrite([
      ...Array.from({ length: 60 }, (_, index) => ({ put: { pk, sk: `M#${index}` } })),
      { put: { pk, sk: "expired", ttl } },
      { put: neighbour },
    ]);

    expect(await after.removePartition(pk, 1_000)).toBe(true);

    expect(await before.query(pk)).toEqual([]);
    expect(await before.get(neighbour)).toEqual(neighbour);
  });

  it("succeeds immediately if the partition is empty", async () => {
    expect(await quickTable.removePartition(crypto.randomUUID(), 10)).toBe(true);
  });

  it("takes one call if the partition has exactly as many items as one call may remove", async () => {
    const { pk } = freshKey();
    await quickTable.batchWrite(["a", "b", "c"].map((sk) => ({ put: { pk, sk } })));

    expect(await quickTable.removePartition(pk, 3)).toBe(true);
    expect(await quickTable.query(pk)).toEqual([]);
  });

  it("returns false if the partition has more items, and finishes in the next call", async () => {
    const { pk } = freshKey();
    const text = "x".repeat(100_000);
    await quickTable.batchWrite(
      Array.from({ length: 25 }, (_, index) => ({ put: { pk, sk: String(index), text } })),
    );

    expect(await quickTable.removePartition(pk, 5)).toBe(false);
    const left = (await quickTable.query(pk)).length;
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThan(25);

    expect(await quickTable.removePartition(pk, 25)).toBe(true);
    expect(await quickTable.query(pk)).toEqual([]);
  });
});
