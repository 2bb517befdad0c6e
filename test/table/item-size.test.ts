import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { itemBytes, marshal, type Value } from "../../src/table/marshal.ts";
import { anyItem } from "./values.ts";

describe("the size of an item", () => {
  // What DynamoDB's developer guide says of item sizes, name `a` (one byte) included.
  it.each<[string, Value, number]>([
    ["an empty text", "", 1],
    ["a text", "hello", 6],
    ["a text of several bytes per character", "é€😀", 1 + 2 + 3 + 4],
    ["a boolean", true, 2],
    ["null", null, 2],
    ["bytes", new Uint8Array(10), 11],
    ["a number: a byte for two digits, and one more", 1234, 1 + 2 + 1],
    ["an empty list", [], 1 + 3],
    ["an empty map", {}, 1 + 3],
    ["a list: three, and one more per element", ["ab", "c"], 1 + 3 + 2 + 3],
    ["a map: three, its names, and one more per member", { bc: "d", e: true }, 1 + 3 + 2 + 1 + 1 + 1 + 2],
    ["lists in lists", [[["a"]]], 1 + 3 + (1 + 3) + (1 + 3) + (1 + 1)],
  ])("counts %s as DynamoDB does", (_case, value, bytes) => {
    expect(itemBytes({ a: value })).toBe(bytes);
  });

  it("counts the names of all attributes in UTF-8", () => {
    expect(itemBytes({ pk: "1", sk: "22", größe: "333" })).toBe(2 + 1 + 2 + 2 + 7 + 3);
  });

  it("is never below the bytes of all names, texts and binaries", () => {
    fc.assert(
      fc.property(anyItem, (item) => {
        expect(itemBytes(item)).toBeGreaterThanOrEqual(payloadBytes(marshal(item)));
      }),
    );
  });

  it("grows with every attribute", () => {
    fc.assert(
      fc.property(anyItem, (item) => {
        expect(itemBytes({ ...item, "one more": null })).toBe(itemBytes(without(item)) + 9);
      }),
    );
  });
});

const without = (item: Record<string, Value>): Record<string, Value> =>
  Object.fromEntries(Object.entries(item).filter(([name]) => name !== "one more"));

/** The bytes of names, texts and binaries, read off the notation instead of the values. */
// The casts state the shapes of DynamoDB's notation.
function payloadBytes(notation: unknown): number {
  if (typeof notation !== "object" || notation === null) return 0;

  return Object.entries(notation).reduce((sum, [name, attribute]) => {
    const bytes = new TextEncoder().encode(name).byteLength;
    return sum + bytes + attributeBytes(attribute as Record<string, unknown>);
  }, 0);
}

function attributeBytes(attribute: Record<string, unknown>): number {
  const [[type, value] = ["", undefined]] = Object.entries(attribute);
  if (type === "S") return new TextEncoder().encode(String(value)).byteLength;
  if (type === "B") return atob(String(value)).length;
  if (type === "SS") return (value as string[]).reduce((sum, S) => sum + attributeBytes({ S }), 0);
  if (type === "L")
    return (value as Record<string, unknown>[]).reduce((sum, element) => sum + attributeBytes(element), 0);
  return type === "M" ? payloadBytes(value) : 0;
}
