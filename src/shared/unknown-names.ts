import type { Issue } from "./errors.ts";

/** Longer names are compared and quoted by their beginning. The comparison below takes quadratic time. */
const MAX_CHARS = 64;
/** More names than this are counted. */
const MAX_NAMES = 5;
/** Names with more differences than this are not suggested. */
const MAX_DISTANCE = 2;
/** Shorter names are part of too many others. */
const MIN_PART_CHARS = 4;

/**
 * Describes the names in a request that its route does not know. `unknown` has at least one. Suggests the known name that is
 * nearest to the first.
 *
 * @example describeUnknown(["persona"], ["agent_persona"]);
 * // "persona is not known here. Did you mean `agent_persona`?"
 */
export function describeUnknown(unknown: readonly string[], known: readonly string[]): string {
  const [first = "", ...others] = unknown.map(shortened);
  const listed = others.slice(0, MAX_NAMES - 1).map((name) => `\`${name}\``);
  const rest = others.length - listed.length;
  return [
    `${first} is not known here.`,
    ...suggestion(first, known),
    ...(listed.length > 0
      ? [`Not known either: ${listed.join(", ")}${rest > 0 ? ` and ${rest} more` : ""}.`]
      : []),
  ].join(" ");
}

/** Returns a sentence that suggests the known name that is nearest to a value from outside, or none. */
export function suggestion(value: unknown, known: readonly string[]): readonly string[] {
  const near = typeof value === "string" ? nearest(shortened(value), known) : undefined;
  return near === undefined ? [] : [`Did you mean \`${near}\`?`];
}

/** Returns the beginning of a name from outside. Well-formed, because half a surrogate pair cannot be sent. */
export const shortened = (name: string): string => name.slice(0, MAX_CHARS).toWellFormed();

/** Returns the violation for the names in a request that its route does not know. `unknown` has at least one. */
export const unknownNames = (unknown: readonly string[], known: readonly string[]): Issue => ({
  path: unknown.slice(0, 1).map(shortened),
  message: describeUnknown(unknown, known),
  code: "unrecognized_keys",
});

/** Returns the known name that a person most likely meant, or `undefined` if none is near. */
function nearest(name: string, known: readonly string[]): string | undefined {
  const ranked = known
    .map((candidate) => ({ candidate, rank: rankOf(bare(name), bare(candidate)) }))
    .filter(({ rank }) => rank <= MAX_DISTANCE)
    .toSorted((a, b) => a.rank - b.rank);
  return ranked[0]?.candidate;
}

/** Returns the letters and digits of a name in lower case: `agentId`, `agent-id` and `agent_id` are one name to people. */
const bare = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]/gu, "");

/** Returns how different two names are: 0 if they are equal, and `Infinity` if they can't be compared. */
function rankOf(name: string, known: string): number {
  if (name === known) return 0;
  const [short, long] = name.length < known.length ? [name, known] : [known, name];
  if (short.length >= MIN_PART_CHARS && long.includes(short)) return 1;
  return long.length > MIN_PART_CHARS ? distance(name, known) : Infinity;
}

/** The Levenshtein distance of two short texts. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, left] of Array.from(a).entries()) {
    const next = [i + 1];
    for (const [j, right] of Array.from(b).entries()) {
      const replaced = (row[j] ?? 0) + (left === right ? 0 : 1);
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? Infinity;
}
