import type { Item, Key, Value } from "./marshal.ts";

/**
 * Readers for stored attributes. They check types and fill defaults but know no limits: the table also holds what
 * other versions and the service before have written, and one odd item must not break a list.
 */

/** Text; a number or boolean that a careless writer left there is read as its text. */
export function text(item: Item, name: string, fallback = ""): string {
  return optionalText(item, name) ?? fallback;
}

/** Text, or null where there is none. */
export function optionalText(item: Item, name: string): string | null {
  const value = item[name];
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : null;
}

/** A whole number from 0 on; digits in a text count as one. */
export function count(item: Item, name: string, fallback = 0): number {
  return optionalCount(item, name) ?? fallback;
}

/** A whole number from 0 on, or nothing where there is none. */
export function optionalCount(item: Item, name: string): number | undefined {
  const number = optionalNumber(item, name);
  return number !== undefined && Number.isInteger(number) && number >= 0 ? number : undefined;
}

/** A number, also as the text of one, or nothing where there is none. */
export function optionalNumber(item: Item, name: string): number | undefined {
  const value = item[name];
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  return typeof number === "number" && Number.isFinite(number) ? number : undefined;
}

export const flag = (item: Item, name: string): boolean => item[name] === true;

/** The texts of a list; other elements are left out. */
export function texts(item: Item, name: string): readonly string[] {
  const value = item[name];
  return Array.isArray(value)
    ? value.filter((element): element is string => typeof element === "string")
    : [];
}

/** The maps of a list; other elements are left out. */
export function maps(item: Item, name: string): readonly Item[] {
  const value = item[name];
  return Array.isArray(value) ? value.filter(isMap) : [];
}

/** A map, or nothing. */
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

/** The given members of a change under their attributes' names; absent members are left out. */
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

/** The key that an item stands under. */
export const keyOf = (item: Item): Key => ({ pk: text(item, "pk"), sk: text(item, "sk") });

/** The id that an item's sort key ends with, for items that an older writer left without the attribute. */
export const idAfter = (item: Item, prefix: string): string => text(item, "sk").slice(prefix.length);
