import { describe, expect, it } from "vitest";
import type { Value } from "../../src/table/marshal.ts";
import {
  count,
  flag,
  idAfter,
  keyOf,
  map,
  maps,
  optionalCount,
  optionalText,
  renamed,
  text,
  texts,
} from "../../src/table/fields.ts";

describe("reading stored attributes", () => {
  it.each<[string, Value | undefined, string | null]>([
    ["text", "a", "a"],
    ["empty text", "", ""],
    ["a number", 1.5, "1.5"],
    ["a boolean", false, "false"],
    ["null", null, null],
    ["a list", ["a"], null],
    ["nothing", undefined, null],
  ])("reads %s as text or as absent", (_case, value, expected) => {
    const item = value === undefined ? {} : { a: value };

    expect(optionalText(item, "a")).toBe(expected);
    expect(text(item, "a", "fallback")).toBe(expected ?? "fallback");
  });

  it.each<[string, Value | undefined, number | undefined]>([
    ["a whole number", 7, 7],
    ["zero", 0, 0],
    ["digits in a text", " 12 ", 12],
    ["a negative number", -1, undefined],
    ["a fraction", 1.5, undefined],
    ["an empty text", "", undefined],
    ["blanks", "  ", undefined],
    ["words", "seven", undefined],
    ["true", true, undefined],
    ["nothing", undefined, undefined],
  ])("reads %s as a count or as absent", (_case, value, expected) => {
    const item = value === undefined ? {} : { a: value };

    expect(optionalCount(item, "a")).toBe(expected);
    expect(count(item, "a", 3)).toBe(expected ?? 3);
  });

  it("reads only `true` as a set flag", () => {
    const item = { yes: true, no: false, text: "true", one: 1 };

    expect(Object.keys({ ...item, missing: 0 }).filter((name) => flag(item, name))).toEqual(["yes"]);
  });

  it("omits the elements of a list that have another type", () => {
    const item = { list: ["a", 1, { b: 2 }, null, ["c"], new Set(["d"]), new Uint8Array(1), "e"], text: "a" };

    expect(texts(item, "list")).toEqual(["a", "e"]);
    expect(maps(item, "list")).toEqual([{ b: 2 }]);
    expect([texts(item, "text"), maps(item, "text"), texts(item, "missing")]).toEqual([[], [], []]);
  });

  it("reads only maps as maps, not lists, sets or bytes", () => {
    const item = { map: { a: 1 }, list: [1], set: new Set(["a"]), bytes: new Uint8Array(1), nothing: null };

    expect(map(item, "map")).toEqual({ a: 1 });
    for (const name of ["list", "set", "bytes", "nothing", "missing"])
      expect(map(item, name)).toBeUndefined();
  });

  it("returns an item's key, and the id after a prefix", () => {
    const item = { pk: "User#a", sk: "AGENT#1", other: true };

    expect(keyOf(item)).toEqual({ pk: "User#a", sk: "AGENT#1" });
    expect(idAfter(item, "AGENT#")).toBe("1");
  });

  it("renames the members of a change, and omits those that are not changed", () => {
    const names = { title: "conversation_title", note: "n", gone: "g" };

    expect(renamed({ title: "a", note: undefined, gone: null }, names)).toEqual({
      conversation_title: "a",
      g: null,
    });
  });
});
