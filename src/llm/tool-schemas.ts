import { isObject, type Json } from "../shared/json.ts";

/** Keywords that every server reads. Others are left out: some servers refuse them, and none needs them to call a tool. */
const KEYWORDS: readonly string[] = [
  "type",
  "description",
  "properties",
  "required",
  "items",
  "enum",
  "minimum",
  "maximum",
  "minLength",
  "maxLength",
  "minItems",
  "maxItems",
];

/** Deeper schemas are cut off. */
const MAX_DEPTH = 16;

/**
 * Returns a JSON Schema in the subset that servers agree on: single types, no unions with null, no numbers beyond 32 bits,
 * and only the keywords above. The tools check what they get, so nothing depends on the rest.
 */
export function portableSchema(schema: Json, depth = MAX_DEPTH): Json {
  const plain = withoutUnion(schema);
  const kept = Object.entries(plain).flatMap(([name, value]): [string, unknown][] => {
    if (!KEYWORDS.includes(name) || isBeyondInt32(value)) return [];
    if (name === "properties" && isObject(value)) {
      const properties = Object.entries(value).map(
        ([key, member]) => [key, portable(member, depth)] as const,
      );
      return [[name, Object.fromEntries(properties)]];
    }
    return [[name, name === "items" ? portable(value, depth) : value]];
  });
  return { ...Object.fromEntries(kept), type: typeOf(plain) };
}

/** Returns a schema without empty `properties`, or `undefined` if it describes no arguments. Google refuses such objects. */
export function withoutEmptyProperties(schema: Json): Json | undefined {
  return isObject(schema["properties"]) && Object.keys(schema["properties"]).length > 0 ? schema : undefined;
}

const portable = (value: unknown, depth: number): unknown =>
  isObject(value) && depth > 0 ? portableSchema(value, depth - 1) : { type: "string" };

/** Returns the first alternative that is not null, with the description of the whole. */
function withoutUnion(schema: Json): Json {
  const { anyOf, oneOf, ...rest } = schema;
  const union = [anyOf, oneOf].find(Array.isArray) ?? [];
  const first = union.find((option) => isObject(option) && option["type"] !== "null");
  return isObject(first) ? { ...first, ...rest } : rest;
}

function typeOf(schema: Json): unknown {
  const { type } = schema;
  if (Array.isArray(type)) return type.find((one) => one !== "null") ?? "string";
  if (type !== undefined) return type;
  return isObject(schema["properties"]) ? "object" : "string";
}

const isBeyondInt32 = (value: unknown): boolean => typeof value === "number" && Math.abs(value) > 2 ** 31;
