import { describe, expect, it } from "vitest";
import { assertFits } from "../../src/table/client.ts";
import { ConditionFailed, ItemTooLarge, TableRejected } from "../../src/table/errors.ts";
import { absent, equals, present } from "../../src/table/expressions.ts";
import { databaseRequests } from "../support/control.ts";
import { freshKey, quickTable, rejection } from "./quick-table.ts";

const MAX_BYTES = 400 * 1024;

describe("getting an item", () => {
  it("returns `undefined` for an absent item", async () => {
    expect(await quickTable.get(freshKey())).toBeUndefined();
  });

  it("returns only the item with that key", async () => {
    const key = freshKey("a");
    await quickTable.put({ ...key, is: "a" });
    await quickTable.put({ ...key, sk: "b", is: "b" });

    expect(await quickTable.get(key)).toEqual({ ...key, is: "a" });
  });

  it("reads consistently", async () => {
    const key = freshKey();

    await quickTable.get(key);

    const [request] = await databaseRequests(key.pk);
    expect(JSON.parse(request?.body ?? "")).toMatchObject({ ConsistentRead: true });
  });
});

describe("putting an item", () => {
  it("replaces the whole item", async () => {
    const key = freshKey();
    await quickTable.put({ ...key, a: 1, b: 2 });

    await quickTable.put({ ...key, a: 3 });

    expect(await quickTable.get(key)).toEqual({ ...key, a: 3 });
  });

  it("replaces the item if its condition holds", async () => {
    const key = freshKey();

    await quickTable.put({ ...key, version: 1 }, absent("pk"));
    await quickTable.put({ ...key, version: 2 }, equals("version", 1));

    expect(await quickTable.get(key)).toEqual({ ...key, version: 2 });
  });

  it("under a condition that fails, changes nothing and returns the existing item", async () => {
    const key = freshKey();
    const existing = { ...key, version: 1, list: [new Set(["x"])] };
    await quickTable.put(existing);

    const error = await rejection(quickTable.put({ ...key, version: 2 }, absent("pk")));

    expect(error).toBeInstanceOf(ConditionFailed);
    expect(error).toMatchObject({ code: "conflict", status: 409, item: existing });
    expect(await quickTable.get(key)).toEqual(existing);
  });

  it("fails if its condition requires an item and there is none", async () => {
    const key = freshKey();

    const error = await rejection(quickTable.put({ ...key, a: 1 }, present("pk")));

    expect(error).toBeInstanceOf(ConditionFailed);
    expect(error).toHaveProperty("item", undefined);
    expect(await quickTable.get(key)).toBeUndefined();
  });

  it("fails the second time if its condition requires that there is no item, even for an equal item", async () => {
    const key = freshKey();
    await quickTable.put({ ...key, a: 1 }, absent("pk"));

    expect(await rejection(quickTable.put({ ...key, a: 1 }, absent("pk")))).toBeInstanceOf(ConditionFailed);
  });

  it("throws `TableRejected` if the database calls the item invalid, without the database's words", async () => {
    const error = await rejection(quickTable.put({ pk: "", sk: "a" }));

    expect(error).toBeInstanceOf(TableRejected);
    expect(error).toMatchObject({
      code: "internal",
      status: 500,
      message: "Something went wrong on our side.",
    });
    expect((error as TableRejected).cause).toMatchObject({
      message: expect.stringContaining("ValidationException") as string,
    });
  });
});

describe("updating an item", () => {
  it("returns the whole changed item", async () => {
    const key = freshKey();
    await quickTable.put({ ...key, kept: [1], changed: "old" });

    const item = await quickTable.update(key, { set: { changed: "new" } });

    expect(item).toEqual({ ...key, kept: [1], changed: "new" });
  });

  it("creates an absent item unless a condition forbids it", async () => {
    const key = freshKey();

    expect(await quickTable.update(key, { set: { a: 1 } })).toEqual({ ...key, a: 1 });
    expect(await quickTable.get(key)).toEqual({ ...key, a: 1 });
  });

  it("under a condition that fails, changes nothing and returns the existing item", async () => {
    const key = freshKey();
    await quickTable.put({ ...key, version: 5 });

    const error = await rejection(quickTable.update(key, { set: { version: 6 } }, equals("version", 4)));

    expect(error).toBeInstanceOf(ConditionFailed);
    expect(error).toMatchObject({ item: { ...key, version: 5 } });
    expect(await quickTable.get(key)).toEqual({ ...key, version: 5 });
  });

  it("creates nothing if its condition requires an item", async () => {
    const key = freshKey();

    const error = await rejection(quickTable.update(key, { set: { a: 1 } }, present("pk")));

    expect(error).toBeInstanceOf(ConditionFailed);
    expect(error).toHaveProperty("item", undefined);
    expect(await quickTable.get(key)).toBeUndefined();
  });
});

describe("removing an item", () => {
  it("removes that item, and leaves its neighbours", async () => {
    const key = freshKey("a");
    await quickTable.put(key);
    await quickTable.put({ ...key, sk: "b" });

    await quickTable.remove(key);

    expect(await quickTable.query(key.pk)).toEqual([{ ...key, sk: "b" }]);
  });

  it("succeeds if there is no item", async () => {
    await expect(quickTable.remove(freshKey())).resolves.toBeUndefined();
  });

  it("fails if its condition requires an item and there is none", async () => {
    const error = await rejection(quickTable.remove(freshKey(), present("pk")));

    expect(error).toBeInstanceOf(ConditionFailed);
    expect(error).toHaveProperty("item", undefined);
  });

  it("keeps the item and returns it in the error if its condition fails", async () => {
    const key = freshKey();
    await quickTable.put({ ...key, version: 1 });

    const error = await rejection(quickTable.remove(key, equals("version", 2)));

    expect(error).toBeInstanceOf(ConditionFailed);
    expect(error).toMatchObject({ item: { ...key, version: 1 } });
    expect(await quickTable.get(key)).toEqual({ ...key, version: 1 });
  });
});

// Scenario 16.
describe("an item over 400 KB", () => {
  const key = freshKey();
  const tooLarge = { ...key, text: "x".repeat(MAX_BYTES) };

  it.each([
    ["put", () => quickTable.put(tooLarge)],
    ["put in a transaction", () => quickTable.transact([{ put: tooLarge }])],
    ["put in a batch", () => quickTable.batchWrite([{ put: { ...key, sk: "small" } }, { put: tooLarge }])],
  ])("is refused before anything is sent when it is %s", async (_case, write) => {
    const error = await rejection(write());

    expect(error).toBeInstanceOf(ItemTooLarge);
    expect(error).toMatchObject({ code: "payload-too-large", status: 413 });
    expect(await databaseRequests(key.pk)).toEqual([]);
  });

  it("begins one byte above the largest item that the database accepts", async () => {
    const key = freshKey();
    const rest = 2 + key.pk.length + 2 + key.sk.length + "text".length;
    const largest = { ...key, text: "x".repeat(MAX_BYTES - rest) };

    await quickTable.put(largest);

    expect(await quickTable.get(key)).toEqual(largest);
    expect(() => assertFits(largest)).not.toThrow();
    expect(() => assertFits({ ...largest, text: `${largest.text}x` })).toThrow(ItemTooLarge);
  });
});
