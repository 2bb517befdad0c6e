import { type RunId, runIdOf } from "../shared/id-types.ts";
import type { Item, Key, Value } from "./marshal.ts";

/**
 * Readers for stored attributes. They check types and apply defaults but no limits: the table also holds items of other versions
 * and of the legacy Python service, and one malformed item must not break a list.
 */

/** Returns text. A stored number or boolean is converted to text. */
export function text(item: Item, name: string, fallback = ""): string {
  return optionalText(item, name) ?? fallback;
}

/** Like `text`, but returns null if the attribute is absent. */
export function optionalText(item: Item, name: string): string | null {
  const value = item[name];
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : null;
}

/** Returns a whole number from 0 on, which may be stored as text. */
export function count(item: Item, name: string, fallback = 0): number {
  return optionalCount(item, name) ?? fallback;
}

/** Like `count`, but returns `undefined` if the attribute is absent or invalid. */
export function optionalCount(item: Item, name: string): number | undefined {
  const number = optionalNumber(item, name);
  return number !== undefined && Number.isInteger(number) && number >= 0 ? number : undefined;
}

/** Returns a number, which may be stored as text, or `undefined` if the attribute is absent or invalid. */
export function optionalNumber(item: Item, name: string): number | undefined {
  const value = item[name];
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  return typeof number === "number" && Number.isFinite(number) ? number : undefined;
}

export const flag = (item: Item, name: string): boolean => item[name] === true;

/** Returns the texts in a list; other elements are omitted. */
export function texts(item: Item, name: string): readonly string[] {
  const value = item[name];
  return Array.isArray(value)
    ? value.filter((element): element is string => typeof element === "string")
    : [];
}

/** Returns the maps in a list; other elements are omitted. */
export function maps(item: Item, name: string): readonly Item[] {
  const value = item[name];
  return Array.isArray(value) ? value.filter(isMap) : [];
}

/** Returns a map, or `undefined` if the attribute is not one. */
export function map(item: Item, name: string): Item | undefined {
  const value = item[name];
  return isMap(value) ? value : undefined;
}

const isMap = (value: unknown): value is Item =>
  typeof value === "object" &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof Set) &&
  !(value instanceof Uint8Array);

/** Returns the members of a change under the names of their attributes; absent members are omitted. */
export function renamed<Member extends string>(
  changes: { readonly [member in Member]?: Value | undefined },
  names: Readonly<Record<Member, string>>,
): Item {
  const attributes: Record<string, Value> = {};
  for (const member in names) {
    const value = changes[member];
    if (value !== undefined) attributes[names[member]] = value;
  }
  return attributes;
}

/** Returns the key of an item. */
export const keyOf = (item: Item): Key => ({ pk: text(item, "pk"), sk: text(item, "sk") });

/** Returns the run that made an item, or null if none did. */
export function runIdIn(item: Item): RunId | null {
  const id = optionalText(item, "run_id");
  return id === null ? null : runIdOf(id);
}

/** Returns the id at the end of an item's sort key, for items of older versions without an id attribute. */
export const idAfter = (item: Item, prefix: string): string => text(item, "sk").slice(prefix.length);
