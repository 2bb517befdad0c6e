/** What providers send is read member by member, every one as optional: they leave out, and add, what they please. */
export type Json = Readonly<Record<string, unknown>>;

/** A JSON object, or nothing where the text is anything else. */
export function objectFrom(text: string): Json | undefined {
  const parsed = valueFrom(text);
  return isObject(parsed) ? parsed : undefined;
}

/** What a text says in JSON; nothing where it is none. */
export function valueFrom(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The object under a name; an empty one where there is none. */
export const objectAt = (json: Json, name: string): Json => {
  const value = json[name];
  return isObject(value) ? value : {};
};

/** The text under a name, a number as text too; empty where there is none. */
export const textAt = (json: Json, name: string): string => {
  const value = json[name];
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
};

export const numberAt = (json: Json, name: string): number | undefined => {
  const value = json[name];
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
};

/** The objects of the list under a name; none where there is no list. */
export const objectsAt = (json: Json, name: string): readonly Json[] => {
  const value = json[name];
  return Array.isArray(value) ? value.filter(isObject) : [];
};
