import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findIllFormed } from "../../src/shared/text.ts";
import { character } from "../support/arbitrary-text.ts";

const HALF = "a\ud83d";

/** A value inside the given number of nested lists. */
function nested(levels: number, value: unknown): unknown {
  let outer = value;
  for (let level = 0; level < levels; level++) outer = [outer];
  return outer;
}

describe("looking for text that is not well-formed", () => {
  it.each<[string, unknown, (string | number)[] | undefined]>([
    ["a text alone", HALF, []],
    ["the other half alone", "\ude00a", []],
    ["a member", { a: "fine", b: HALF }, ["b"]],
    ["an element", ["fine", HALF], [1]],
    ["a place deep within", { a: [{ b: [0, { c: HALF }] }] }, ["a", 0, "b", 1, "c"]],
    ["a name, with the path of the object that has it", { a: { [HALF]: 1 } }, ["a"]],
    ["nothing in whole pairs", { a: ["😀", "é", "\uFFFD"], b: "" }, undefined],
    ["nothing without text", [1, null, true, {}, []], undefined],
    ["nothing in nothing", undefined, undefined],
    ["a name of digits in a map, which remains a name", { 1: HALF }, ["1"]],
  ])("finds %s", (_case, value, path) => {
    expect(findIllFormed(value)).toEqual(path);
  });

  it("finds exactly the ill-formed text in any JSON, with its path", () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: character }), fc.boolean(), (value, spoil) => {
        const whole = spoil ? { rest: value, list: [value, { here: HALF }] } : value;

        expect(findIllFormed(whole)).toEqual(spoil ? ["list", 1, "here"] : undefined);
      }),
    );
  });

  it("does not follow a prototype", () => {
    expect(findIllFormed(JSON.parse('{"__proto__":{"a":"\\ud83d"}}'))).toEqual(["__proto__", "a"]);
  });

  it.each([
    ["at the bottom of", HALF],
    ["nowhere in", "fine"],
  ])("does not recurse if it is %s 500,000 nested lists", (_case, innermost) => {
    const path = findIllFormed(nested(500_000, innermost));

    expect(path?.length).toBe(innermost === HALF ? 500_000 : undefined);
  });

  it("finds it in the last of 500,000 elements", () => {
    expect(findIllFormed([...Array<string>(500_000).fill("fine"), HALF])).toEqual([500_000]);
  });
});
