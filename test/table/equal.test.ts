import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isSameValue } from "../../src/table/equal.ts";
import { marshalValue, unmarshal, type Value } from "../../src/table/marshal.ts";
import { anyValue } from "./values.ts";

const byText = (a: string, b: string): number => (a < b ? -1 : 1);

/** A value's notation as text, with names and set members in order. */
const canonical = (value: Value): string =>
  JSON.stringify(marshalValue(value), (name, member: unknown) => {
    if (Array.isArray(member))
      return name === "SS" || name === "NS" ? member.map(String).toSorted(byText) : member;
    return typeof member === "object" && member !== null
      ? Object.entries(member).toSorted(([a], [b]) => byText(a, b))
      : member;
  });

const copyOf = (value: Value): Value | undefined => unmarshal({ value: marshalValue(value) })["value"];

describe("comparing values", () => {
  it("finds a stored copy equal to its original", () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        expect(isSameValue(copyOf(value), value)).toBe(true);
      }),
    );
  });

  it("distinguishes values exactly if their notations differ", () => {
    const small = fc.oneof(anyValue, fc.constantFrom<Value[]>(0, "0", [], {}, [0], new Set([0]), null));
    fc.assert(
      fc.property(small, small, (a, b) => {
        expect(isSameValue(a, b)).toBe(canonical(a) === canonical(b));
      }),
      { numRuns: 1_000 },
    );
  });

  it("ignores the order of names and of set members", () => {
    expect(isSameValue({ a: 1, b: new Set(["x", "y"]) }, { b: new Set(["y", "x"]), a: 1 })).toBe(true);
  });

  it.each<[string, Value | undefined, Value | undefined]>([
    ["lists in another order", [1, 2], [2, 1]],
    ["a longer list", [1], [1, 2]],
    ["a map with an additional member", { a: 1 }, { a: 1, b: 2 }],
    ["a map with another name", { a: 1 }, { b: 1 }],
    ["an empty list and an empty map", [], {}],
    ["bytes and a list of the same numbers", new Uint8Array([1]), [1]],
    ["other bytes", new Uint8Array([1, 2]), new Uint8Array([1, 3])],
    ["a set and a list", new Set(["a"]), ["a"]],
    ["sets of other members", new Set(["a"]), new Set(["b"])],
    ["a number and its text", 1, "1"],
    ["null and nothing", null, undefined],
    ["a member that only the prototype has", { toString: {} }, { a: 1 }],
  ])("distinguishes %s", (_case, a, b) => {
    expect(isSameValue(a, b)).toBe(false);
    expect(isSameValue(b, a)).toBe(false);
  });
});
