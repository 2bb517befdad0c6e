import { toBase64 } from "../shared/crypto.ts";
import { utf8Length } from "../shared/text.ts";

/** A value in an item. The table does not store `undefined`, dates or class instances. */
export type Value =
  | null
  | boolean
  | number
  | string
  | Uint8Array
  | ReadonlySet<string>
  | ReadonlySet<number>
  | readonly Value[]
  | { readonly [name: string]: Value };

/** An item: attribute names mapped to values, including the key. */
export type Item = { readonly [name: string]: Value };

/** The key of an item in the single table. */
export interface Key {
  readonly pk: string;
  readonly sk: string;
}

/** A value in DynamoDB's wire format, such as `{ "S": "text" }`. */
export type AttributeValue = { readonly [type: string]: unknown };
export type AttributeMap = { readonly [name: string]: AttributeValue };

/** A value that the table can't store without loss: a bug, or an item written by other software. */
export class UnsupportedValue extends TypeError {
  override readonly name = "UnsupportedValue";
}

/** DynamoDB's limit on nesting. The attribute is the first level, so a value may be inside at most 31 lists and maps. */
const MAX_DEPTH = 32;
/** The smallest magnitude that DynamoDB stores besides 0. Its largest is far above 2^53, the limit of exact numbers here. */
const SMALLEST = 1e-130;

/** Converts an item to DynamoDB's wire format. Throws `UnsupportedValue` if a value would be dropped or changed. */
export function marshal(item: Item): AttributeMap {
  return marshalMembers(item, 0);
}

/** Converts DynamoDB's wire format to an item. Throws `UnsupportedValue` for numbers that JavaScript would round. */
export function unmarshal(attributes: AttributeMap): Item {
  return mapValues(attributes, unmarshalValue);
}

/** Converts one value to DynamoDB's wire format; `depth` is the number of lists and maps around it. */
export function marshalValue(value: Value, depth = 0): AttributeValue {
  if (depth >= MAX_DEPTH) throw new UnsupportedValue(`Values nest at most ${MAX_DEPTH} deep.`);

  if (value === null) return { NULL: true };
  if (typeof value === "boolean") return { BOOL: value };
  if (typeof value === "number") return { N: numberText(value) };
  if (typeof value === "string") return { S: wellFormed(value) };
  if (value instanceof Uint8Array) return { B: toBase64(value) };
  if (value instanceof Set) return marshalSet(value);
  if (isList(value)) return { L: value.map((element) => marshalValue(element, depth + 1)) };
  if (isPlainObject(value)) return { M: marshalMembers(value, depth + 1) };

  throw new UnsupportedValue(`The table holds no ${describe(value)}.`);
}

function marshalMembers(record: Item, depth: number): AttributeMap {
  Object.keys(record).forEach(wellFormed);
  return mapValues(record, (value) => marshalValue(value, depth));
}

function unmarshalValue(attribute: AttributeValue): Value {
  const [entry, ...more] = Object.entries(attribute);
  if (!entry || more.length > 0) throw new UnsupportedValue("An attribute has exactly one type.");

  const [type, value] = entry;
  // The casts below follow DynamoDB's wire format: the type determines the shape of the value.
  switch (type) {
    case "NULL":
      return null;
    case "BOOL":
      return value === true;
    case "N":
      return exactNumber(value as string);
    case "S":
      return value as string;
    case "B":
      return bytes(value as string);
    case "SS":
      return new Set(value as string[]);
    case "NS":
      return new Set((value as string[]).map(exactNumber));
    case "L":
      return (value as AttributeValue[]).map(unmarshalValue);
    case "M":
      return mapValues(value as AttributeMap, unmarshalValue);
    default:
      throw new UnsupportedValue(`Attributes of type ${type} are not read here.`);
  }
}

function marshalSet(set: ReadonlySet<unknown>): AttributeValue {
  const members = [...set];
  if (members.length === 0) throw new UnsupportedValue("DynamoDB has no empty sets.");
  if (members.every((member) => typeof member === "string")) return { SS: members.map(wellFormed) };
  if (members.every((member) => typeof member === "number")) return { NS: members.map(numberText) };
  throw new UnsupportedValue("A set holds strings or numbers, all of one kind.");
}

function numberText(value: number): string {
  if (!Number.isFinite(value)) throw new UnsupportedValue("The table holds no NaN and no infinity.");
  if (Number.isInteger(value) && !Number.isSafeInteger(value))
    throw new UnsupportedValue("Whole numbers beyond 2^53 are not exact.");
  if (value !== 0 && Math.abs(value) < SMALLEST)
    throw new UnsupportedValue("DynamoDB stores no magnitudes below 1e-130.");

  return String(value);
}

function exactNumber(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value)))
    throw new UnsupportedValue("A stored number is beyond 2^53 and would be rounded.");

  return value;
}

function wellFormed(text: string): string {
  if (!text.isWellFormed())
    throw new UnsupportedValue("Text with half a surrogate pair would be changed by UTF-8.");
  return text;
}

const isList = (value: unknown): value is readonly Value[] => Array.isArray(value);

function isPlainObject(value: unknown): value is { readonly [name: string]: Value } {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

const describe = (value: unknown): string =>
  typeof value === "object" ? (value?.constructor?.name ?? "such object") : typeof value;

/** Applies `map` to each member. Security: `__proto__` is treated as data, because the result is built from entries. */
function mapValues<From, To>(
  record: { readonly [name: string]: From },
  map: (value: From) => To,
): { [name: string]: To } {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, map(value)]));
}

const bytes = (text: string): Uint8Array =>
  Uint8Array.from(atob(text), (character) => character.charCodeAt(0));

/**
 * Returns the size of an item in bytes as DynamoDB counts it: names and texts in UTF-8, about one byte per two digits of a number,
 * one for a boolean or null, three more for each list and map, and one for each of their elements.
 */
export function itemBytes(item: Item): number {
  return Object.entries(item).reduce((sum, [name, value]) => sum + utf8Length(name) + valueBytes(value), 0);
}

function valueBytes(value: Value): number {
  if (value === null || typeof value === "boolean") return 1;
  if (typeof value === "number") return Math.ceil(String(value).length / 2) + 1;
  if (typeof value === "string") return utf8Length(value);
  if (value instanceof Uint8Array) return value.byteLength;
  if (isPlainObject(value)) return 3 + itemBytes(value) + Object.keys(value).length;

  let sum = 3;
  for (const element of value as Iterable<Value>) sum += 1 + valueBytes(element);
  return sum;
}
