/** A JSON object from outside. Every member is read as optional, because senders add and omit members freely. */
export type Json = Readonly<Record<string, unknown>>;

/** Parses a JSON object. Returns `undefined` if the text is anything else. */
export function objectFrom(text: string): Json | undefined {
  const parsed = valueFrom(text);
  return isObject(parsed) ? parsed : undefined;
}

/** Parses any JSON. Returns `undefined` if the text is invalid. */
export function valueFrom(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Returns whether a value consists of at most `limit` values, itself included. Does not recurse, and ends at the limit. */
export function hasFewValues(value: unknown, limit: number): boolean {
  const rest = [value];
  for (let count = 1; rest.length > 0; count++) {
    if (count > limit) return false;
    const next = rest.pop();
    if (typeof next === "object" && next !== null) for (const inner of Object.values(next)) rest.push(inner);
  }
  return true;
}

/** Returns the object under a name, or an empty object if there is none. */
export const objectAt = (json: Json, name: string): Json => {
  const value = json[name];
  return isObject(value) ? value : {};
};

/** Returns the text under a name, or a number as text. Returns an empty string if there is neither. */
export const textAt = (json: Json, name: string): string => {
  const value = json[name];
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
};

/** Returns the finite number under a name, or `undefined` if there is none. */
export const numberAt = (json: Json, name: string): number | undefined => {
  const value = json[name];
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
};

/** More tokens than any model reads or writes for one answer. */
const MAX_TOKENS = 1_000_000_000;

/**
 * Returns the token count under a name, or `undefined` if the value is not plausible. Counts are stored and added up.
 */
export const tokensAt = (json: Json, name: string): number | undefined => {
  const found = json[name];
  // Some servers send their counts as text.
  const value = typeof found === "string" && /^\d{1,10}$/u.test(found) ? Number(found) : numberAt(json, name);
  return value !== undefined && Number.isInteger(value) && value >= 0 && value <= MAX_TOKENS
    ? value
    : undefined;
};

/** Returns the objects in the list under a name, or an empty list if there is no list. */
export const objectsAt = (json: Json, name: string): readonly Json[] => {
  const value = json[name];
  return Array.isArray(value) ? value.filter(isObject) : [];
};
