import { describe, expect, it } from "vitest";
import { assertFits } from "../../src/table/client.ts";
import { ConditionFailed, ItemTooLarge, TableRejected } from "../../src/table/errors.ts";
import { absent, equals, present } from "../../src/table/expressions.ts";
import { databaseRequests } from "../support/control.ts";
import { freshKey, quickTable, rejection } from "./quick-table.ts";

const MAX_BYTES = 400 * 1024;

describe("getting an item", () => {
  it("gives nothing where nothing is", async () => {
    expect(await quickTable.get(freshKey())).toBeUndefined();
  });

  it("gives the item of that key and no other", async () => {
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
  it("replaces the whole item that stood there", async () => {
    const key = freshKey();
    await quickTable.put({ ...key, a: 1, b: 2 });

    await quickTable.put({ ...key, a: 3 });

    expect(await quickTable.get(key)).toEqual({ ...key, a: 3 });
  });

  it("under a condition that holds, is done", async () => {
    const key = freshKey();

    await quickTable.put({ ...key, version: 1 }, absent("pk"));
    await quickTable.put({ ...key, version: 2 }, equals("version", 1));

    expect(await quickTable.get(key)).toEqual({ ...key, version: 2 });
  });

  it("under a condition that fails, changes nothing and gives the item in the way", async () => {
    const key = freshKey();
    const standing = { ...key, version: 1, list: [new Set(["x"])] };
    await quickTable.put(standing);

    const error = await rejection(quickTable.put({ ...key, version: 2 }, absent("pk")));

    expect(error).toBeInstanceOf(ConditionFailed);
    expect(error).toMatchObject({ code: "conflict", status: 409, item: standing });
    expect(await quickTable.get(key)).toEqual(standing);
  });

  it("that wants an item where there is none fails without one", async () => {
    const key = freshKey();

    const error = await rejection(quickTable.put({ ...key, a: 1 }, present("pk")));

    expect(error).toBeInstanceOf(ConditionFailed);
    expect(error).toHaveProperty("item", undefined);
    expect(await quickTable.get(key)).toBeUndefined();
  });

  it("twice under the condition that it is absent fails, even if it is the same item", async () => {
    const key = freshKey();
    await quickTable.put({ ...key, a: 1 }, absent("pk"));

    expect(await rejection(quickTable.put({ ...key, a: 1 }, absent("pk")))).toBeInstanceOf(ConditionFailed);
  });

  it("that the database calls invalid is our mistake, and its words are not for the caller", async () => {
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
  it("gives the whole item as it then is", async () => {
    const key = freshKey();
    await quickTable.put({ ...key, kept: [1], changed: "old" });

    const item = await quickTable.update(key, { set: { changed: "new" } });

    expect(item).toEqual({ ...key, kept: [1], changed: "new" });
  });

  it("makes an absent item where no condition forbids it", async () => {
    const key = freshKey();

    expect(await quickTable.update(key, { set: { a: 1 } })).toEqual({ ...key, a: 1 });
    expect(await quickTable.get(key)).toEqual({ ...key, a: 1 });
  });

  it("under a condition that fails, changes nothing and gives the item in the way", async () => {
    const key = freshKey();
    await quickTable.put({ ...key, version: 5 });

    const error = await rejection(quickTable.update(key, { set: { version: 6 } }, equals("version", 4)));

    expect(error).toBeInstanceOf(ConditionFailed);
    expect(error).toMatchObject({ item: { ...key, version: 5 } });
    expect(await quickTable.get(key)).toEqual({ ...key, version: 5 });
  });

  it("that must be there makes none", async () => {
    const key = freshKey();

    const error = await rejection(quickTable.update(key, { set: { a: 1 } }, present("pk")));

    expect(error).toBeInstanceOf(ConditionFailed);
    expect(error).toHaveProperty("item", undefined);
    expect(await quickTable.get(key)).toBeUndefined();
  });
});

describe("removing an item", () => {
  it("leaves nothing, and its neighbours", async () => {
    const key = freshKey("a");
    await quickTable.put(key);
    await quickTable.put({ ...key, sk: "b" });

    await quickTable.remove(key);

    expect(await quickTable.query(key.pk)).toEqual([{ ...key, sk: "b" }]);
  });

  it("that is not there is no error", async () => {
    await expect(quickTable.remove(freshKey())).resolves.toBeUndefined();
  });

  it("that is not there is an error where the condition asks for it", async () => {
    const error = await rejection(quickTable.remove(freshKey(), present("pk")));

    expect(error).toBeInstanceOf(ConditionFailed);
    expect(error).toHaveProperty("item", undefined);
  });

  it("under a condition that fails, leaves it and gives it", async () => {
    const key = freshKey();
    await quickTable.put({ ...key, version: 1 });

    const error = await rejection(quickTable.remove(key, equals("version", 2)));

    expect(error).toBeInstanceOf(ConditionFailed);
    expect(error).toMatchObject({ item: { ...key, version: 1 } });
    expect(await quickTable.get(key)).toEqual({ ...key, version: 1 });
  });
});

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

  it("begins one byte above the largest that the database takes", async () => {
    const key = freshKey();
    const rest = 2 + key.pk.length + 2 + key.sk.length + "text".length;
    const largest = { ...key, text: "x".repeat(MAX_BYTES - rest) };

    await quickTable.put(largest);

    expect(await quickTable.get(key)).toEqual(largest);
    expect(() => assertFits(largest)).not.toThrow();
    expect(() => assertFits({ ...largest, text: `${largest.text}x` })).toThrow(ItemTooLarge);
  });
});
