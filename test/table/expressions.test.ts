import { describe, expect, it } from "vitest";
import { ConditionFailed } from "../../src/table/errors.ts";
import {
  absent,
  absentOrExpired,
  all,
  any,
  below,
  type Condition,
  differs,
  equals,
  present,
  queryFields,
  writeFields,
} from "../../src/table/expressions.ts";
import { freshKey, quickTable, rejection, tableAt } from "./quick-table.ts";

const RESERVED = ["status", "name", "ttl", "state", "count", "size", "year", "data", "value", "key"];

describe("a condition", () => {
  const existing = { status: "open", count: 3, name: "Ada", tags: ["a"], nothing: null };

  it.each<[string, Condition, boolean]>([
    ["present, of an existing attribute", present("name"), true],
    ["present, of one that is null", present("nothing"), true],
    ["present, of one that is missing", present("state"), false],
    ["absent, of an attribute that is missing", absent("state"), true],
    ["absent, of an existing one", absent("name"), false],
    ["equals, of the same text", equals("status", "open"), true],
    ["equals, of another text", equals("status", "closed"), false],
    ["equals, of a number's text", equals("count", "3"), false],
    ["equals, of a missing attribute", equals("state", "open"), false],
    ["equals, of a whole list", equals("tags", ["a"]), true],
    ["differs, from another text", differs("status", "closed"), true],
    ["differs, from the same text", differs("status", "open"), false],
    ["below, of a greater number", below("count", 4), true],
    ["below, of the same number", below("count", 3), false],
    ["below, of a missing attribute", below("state", 4), false],
    ["all, if each holds", all(present("name"), below("count", 4)), true],
    ["all, if one does not", all(present("name"), below("count", 3)), false],
    ["any, if one holds", any(absent("name"), below("count", 4)), true],
    ["any, if none does", any(absent("name"), below("count", 3)), false],
    ["any within all", all(any(absent("name"), present("count")), equals("status", "open")), true],
    ["all within any, grouped as written", all(any(present("name"), absent("pk")), absent("name")), false],
    ["the same attribute twice", all(present("count"), equals("count", 3)), true],
  ])("%s, holds or not", async (_case, condition, holds) => {
    const key = freshKey();
    await quickTable.put({ ...key, ...existing });

    const outcome = await quickTable
      .put({ ...key, written: true }, condition)
      .catch((error: unknown) => error);

    expect(outcome instanceof ConditionFailed).toBe(!holds);
    expect(await quickTable.get(key)).toEqual(holds ? { ...key, written: true } : { ...key, ...existing });
  });

  it.each(RESERVED)("may name %s, which DynamoDB reserves or may reserve", async (word) => {
    const key = freshKey();

    await quickTable.put({ ...key, [word]: 1 });
    await quickTable.update(key, { set: { [word]: 2 } }, all(present(word), equals(word, 1)));

    // Read at time 0, because `ttl` is one of the words, and 2 is in the past.
    expect(await tableAt(() => 0).get(key)).toEqual({ ...key, [word]: 2 });
  });

  it("never treats a value or a name as part of the expression", async () => {
    const key = freshKey();
    const name = "a) OR attribute_exists(pk";
    const value = ":v0 OR attribute_exists(pk)";

    await quickTable.put({ ...key, [name]: value });

    expect(await rejection(quickTable.put(key, equals("pk", value)))).toBeInstanceOf(ConditionFailed);
    expect(await rejection(quickTable.put(key, absent(name)))).toBeInstanceOf(ConditionFailed);
    await quickTable.put({ ...key, done: true }, equals(name, value));
    expect(await quickTable.get(key)).toEqual({ ...key, done: true });
  });
});

describe("the condition that an item is absent or expired", () => {
  const nowMs = 1_800_000_000_500;
  const nowSeconds = Math.floor(nowMs / 1000);

  it.each<[string, object | undefined, boolean]>([
    ["nothing", undefined, true],
    ["an item without a time to live", {}, false],
    ["an item whose time has long passed", { ttl: nowSeconds - 1_000 }, true],
    ["an item whose time passes this second", { ttl: nowSeconds }, true],
    ["an item whose time passes in the next second", { ttl: nowSeconds + 1 }, false],
  ])("agrees with what readers see of %s", async (_case, existing, free) => {
    const key = freshKey();
    const table = tableAt(() => nowMs);
    if (existing) await table.put({ ...key, ...existing });

    expect((await table.get(key)) === undefined).toBe(free);
    const outcome = await table
      .put({ ...key, mine: true }, absentOrExpired(nowMs))
      .catch((error: unknown) => error);

    expect(outcome instanceof ConditionFailed).toBe(!free);
    expect(await table.get(key)).toEqual(free ? { ...key, mine: true } : { ...key, ...existing });
  });
});

describe("changes", () => {
  it("set, set if absent, and remove in one write", async () => {
    const key = freshKey();
    await quickTable.put({ ...key, status: "old", name: "kept", state: "going", data: 1 });

    const item = await quickTable.update(key, {
      set: { status: "new", list: [1, { a: null }] },
      setIfAbsent: { name: "ignored", size: 5 },
      remove: ["state", "never-there"],
    });

    const expected = { ...key, status: "new", list: [1, { a: null }], name: "kept", size: 5, data: 1 };
    expect(item).toEqual(expected);
    expect(await quickTable.get(key)).toEqual(expected);
  });

  it("count from 0 if there is no number yet", async () => {
    const key = freshKey();

    await quickTable.transact([
      { update: key, changes: { add: { count: 2, size: -1 }, set: { name: "n" } } },
    ]);
    await quickTable.transact([{ update: key, changes: { add: { count: 3 } } }]);

    expect(await quickTable.get(key)).toEqual({ ...key, count: 5, size: -1, name: "n" });
  });
});

describe("the fields of a request", () => {
  it("contain names and values only in placeholders", () => {
    expect(
      writeFields(equals("status", "open"), { set: { status: "done", name: 1 }, remove: ["ttl"] }),
    ).toEqual({
      UpdateExpression: "SET #n0 = :v0, #n1 = :v1 REMOVE #n2",
      ConditionExpression: "#n0 = :v2",
      ExpressionAttributeNames: { "#n0": "status", "#n1": "name", "#n2": "ttl" },
      ExpressionAttributeValues: { ":v0": { S: "done" }, ":v1": { N: "1" }, ":v2": { S: "open" } },
    });
  });

  it("are absent without a condition and changes, and have no empty maps", () => {
    expect(writeFields(undefined)).toEqual({});
    expect(writeFields(absent("pk"))).toEqual({
      ConditionExpression: "attribute_not_exists(#n0)",
      ExpressionAttributeNames: { "#n0": "pk" },
    });
  });

  it("use placeholders for the attributes of a query, too", () => {
    expect(queryFields("p", { before: "m" }, ["sk", "name"])).toEqual({
      KeyConditionExpression: "#n0 = :v0 AND #n1 < :v1",
      ProjectionExpression: "#n1, #n2",
      ExpressionAttributeNames: { "#n0": "pk", "#n1": "sk", "#n2": "name" },
      ExpressionAttributeValues: { ":v0": { S: "p" }, ":v1": { S: "m" } },
    });
  });
});
