import * as fc from "fast-check";
import type { Item, Value } from "../../src/table/marshal.ts";
import { character } from "../support/arbitrary-text.ts";

/** Any code points, NUL and the byte order mark among them, but no half surrogate pairs. */
const text = fc.string({ unit: character, maxLength: 20 });
const name = fc.oneof(fc.constantFrom("__proto__", "constructor", "status", "a.b", "#n0", ":v0"), text);

/** Numbers that the table can store; it has no negative zero. */
const number = fc
  .oneof(
    fc.maxSafeInteger(),
    fc.double({ min: -(2 ** 53), max: 2 ** 53, noNaN: true }),
    fc.constantFrom(0, 1e-130, -1e-130, 5e-7, 0.1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER),
  )
  .filter((value) => Object.is(value, 0) || (Math.abs(value) >= 1e-130 && Math.abs(value) < 2 ** 53));

const { value } = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: "small" },
    fc.constant(null),
    fc.boolean(),
    number,
    text,
    fc.uint8Array({ maxLength: 40 }),
    fc.uniqueArray(text, { minLength: 1, maxLength: 4 }).map((members) => new Set(members)),
    fc.uniqueArray(number, { minLength: 1, maxLength: 4 }).map((members) => new Set(members)),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(name, tie("value"), { maxKeys: 4 }),
  ),
}));

/** Any item of the supported types, without a key and without a time to live. */
export const anyItem: fc.Arbitrary<Item> = fc.dictionary(
  name.filter((name) => !["", "pk", "sk", "ttl"].includes(name)),
  value,
  { maxKeys: 6 },
);

export { value as anyValue };

/** A value inside this many nested lists and maps. */
export function nested(levels: number, value: Value): Value {
  let outer = value;
  for (let level = 0; level < levels; level++) outer = level % 2 === 0 ? [outer] : { in: outer };
  return outer;
}
