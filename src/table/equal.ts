import type { Value } from "./marshal.ts";

/** Returns whether two values are equal when stored: by content, in any order of names and set members. */
export function isSameValue(a: Value | undefined, b: Value | undefined): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (a instanceof Set || b instanceof Set) return a instanceof Set && b instanceof Set && sameMembers(a, b);
  if (Array.isArray(a) !== Array.isArray(b) || a instanceof Uint8Array !== b instanceof Uint8Array)
    return false;

  // Lists and bytes are compared as maps from position to element.
  const left = Object.entries(a);
  return (
    left.length === Object.keys(b).length &&
    left.every(([name, value]) => isSameValue(value, memberOf(b, name)))
  );
}

const sameMembers = (a: ReadonlySet<unknown>, b: ReadonlySet<unknown>): boolean =>
  a.size === b.size && [...a].every((member) => b.has(member));

const memberOf = (value: object, name: string): Value | undefined =>
  Object.getOwnPropertyDescriptor(value, name)?.value as Value | undefined;
