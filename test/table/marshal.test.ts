import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { marshal, marshalValue, UnsupportedValue, unmarshal, type Value } from "../../src/table/marshal.ts";
import { freshKey, quickTable, rejection } from "./quick-table.ts";
import { anyItem, nested } from "./values.ts";

describe("writing an item in DynamoDB's notation", () => {
  it("uses a notation of its own for every type", () => {
    const item = {
      nothing: null,
      flag: false,
      whole: -7,
      part: 1.5,
      text: "né",
      bytes: new Uint8Array([0, 255]),
      names: new Set(["a"]),
      numbers: new Set([1, 2]),
      list: [1, "a"],
      map: { in: true },
    };

    expect(marshal(item)).toEqual({
      nothing: { NULL: true },
      flag: { BOOL: false },
      whole: { N: "-7" },
      part: { N: "1.5" },
      text: { S: "né" },
      bytes: { B: "AP8=" },
      names: { SS: ["a"] },
      numbers: { NS: ["1", "2"] },
      list: { L: [{ N: "1" }, { S: "a" }] },
      map: { M: { in: { BOOL: true } } },
    });
  });

  it("restores any item of the supported types", () => {
    fc.assert(
      fc.property(anyItem, (item) => {
        expect(unmarshal(marshal(item))).toEqual(item);
      }),
      { numRuns: 500 },
    );
  });

  it("treats __proto__ as an attribute like any other", () => {
    // A literal would set the prototype; parsed JSON has the name as data.
    const item = JSON.parse('{"__proto__":{"admin":true},"in":{"__proto__":1}}') as Record<string, Value>;

    const back = unmarshal(marshal(item));

    expect(Object.keys(back)).toEqual(["__proto__", "in"]);
    expect(JSON.stringify(back)).toBe(JSON.stringify(item));
    expect("admin" in back).toBe(false);
  });

  it("allows at most 31 lists and maps around a value", () => {
    expect(() => marshal({ deep: nested(31, "x") })).not.toThrow();
    expect(() => marshal({ deep: nested(31, []) })).not.toThrow();
    expect(() => marshal({ deep: nested(32, "x") })).toThrow(UnsupportedValue);
    expect(() => marshal({ deep: nested(32, []) })).toThrow(UnsupportedValue);
    expect(() => marshal({ deep: nested(10_000, "x") })).toThrow(UnsupportedValue);
  });

  it.each<[string, unknown]>([
    ["undefined", undefined],
    ["a date", new Date()],
    ["a function", () => 1],
    ["a class instance", new URL("https://example.com")],
    ["a Map", new Map([["a", 1]])],
    ["an array buffer", new ArrayBuffer(1)],
    ["NaN", Number.NaN],
    ["infinity", Number.POSITIVE_INFINITY],
    ["minus infinity", Number.NEGATIVE_INFINITY],
    ["2^53", 2 ** 53],
    ["-2^53", -(2 ** 53)],
    ["a magnitude above DynamoDB's", 1e300],
    ["a magnitude below DynamoDB's", 9.9e-131],
    ["a negative magnitude below DynamoDB's", -9.9e-131],
    ["a bigint", 1n],
    ["a symbol", Symbol("a")],
    ["an empty set", new Set()],
    ["a set of two kinds", new Set(["a", 1])],
    ["a set of booleans", new Set([true])],
    ["a set with 2^53", new Set([2 ** 53])],
    ["half a surrogate pair", "a\ud83d"],
    ["half a surrogate pair in a set", new Set(["\ude00"])],
    ["half a surrogate pair in a name", { "\ud83d": 1 }],
  ])("refuses %s, at any depth", (_case, value) => {
    // The compiler would stop most of these; what comes from JSON or a cast it can't see.
    const unsupported = value as Value;

    expect(() => marshal({ value: unsupported })).toThrow(UnsupportedValue);
    expect(() => marshal({ list: [{ in: unsupported }] })).toThrow(UnsupportedValue);
    expect(() => marshalValue(unsupported)).toThrow(UnsupportedValue);
  });

  it("refuses half a surrogate pair in an attribute's name", () => {
    expect(() => marshal({ "a\udc00": 1 })).toThrow(UnsupportedValue);
  });
});

describe("reading an item in DynamoDB's notation", () => {
  it.each([
    ["a whole number beyond 2^53", { N: "9007199254740993" }],
    ["a negative whole number beyond 2^53", { N: "-9007199254740993" }],
    ["a number beyond every double", { N: "1e400" }],
    ["such a number in a set", { NS: ["1", "9007199254740992"] }],
    ["such a number in a list", { L: [{ N: "9007199254740992" }] }],
    ["binary sets, which this service never writes", { BS: ["AA=="] }],
    ["a value without a type", {}],
    ["a value of two types", { S: "1", N: "1" }],
  ])("refuses %s", (_case, value) => {
    expect(() => unmarshal({ value })).toThrow(UnsupportedValue);
  });

  it("reads the largest exact numbers", () => {
    expect(unmarshal({ value: { NS: ["9007199254740991", "-9007199254740991"] } })).toEqual({
      value: new Set([9007199254740991, -9007199254740991]),
    });
  });
});

describe("the database and the notation", () => {
  it("keep any item of the supported types unchanged", async () => {
    await fc.assert(
      fc.asyncProperty(anyItem, async (attributes) => {
        const key = freshKey();
        const item = { ...attributes, ...key };

        await quickTable.put(item);

        expect(await quickTable.get(key)).toEqual(item);
      }),
      { numRuns: 150 },
    );
  });

  it("accept the deepest value that is written, and refuse a deeper one", async () => {
    const key = freshKey();
    const deepest = { ...key, deep: nested(31, "x") };

    await quickTable.put(deepest);

    expect(await quickTable.get(key)).toEqual(deepest);
    expect(await rejection(quickTable.put({ ...key, deep: nested(32, "x") }))).toBeInstanceOf(
      UnsupportedValue,
    );
  });
});
