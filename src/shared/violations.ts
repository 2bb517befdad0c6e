import type * as z from "zod";
import { describeUnknown, shortened, suggestion } from "./unknown-names.ts";

type RawIssue = z.core.$ZodRawIssue;

/** What a value of a type is called in a sentence. Other types cannot be sent. */
const TYPES: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "an object",
  record: "an object",
};

const FORMATS: Readonly<Record<string, string>> = {
  date: "a date such as 2026-06-01",
  datetime: "a date and time such as 2026-06-01T12:00:00Z",
  email: "an e-mail address",
};

/** The units in which the sizes of texts and lists are counted. Numbers have none. */
const UNITS: Readonly<Record<string, string>> = { string: "characters", array: "elements", set: "elements" };

/** Returns the name of the member that an issue is about, or `fallback` if it is about the whole. Long names are cut. */
export const nameIn = ({ path = [] }: Pick<RawIssue, "path">, fallback = "It"): string =>
  path.length === 0 ? fallback : path.map((member) => shortened(String(member))).join(".");

/** Whether an issue says that a member is missing. */
const isMissing = ({ path = [], input }: RawIssue): boolean => input === undefined && path.length > 0;

/**
 * Describes what a schema objects to in a sentence for people, which names the member and never its value. An error map for
 * zod's parse functions, whose own words are for programmers. A schema's own message takes precedence.
 *
 * @example schema.safeParse(body, { error: describeViolation })
 */
export function describeViolation(issue: RawIssue): string {
  const name = nameIn(issue);
  if (issue.code === "unrecognized_keys") return describeUnknown(issue.keys, knownTo(issue));
  if (isMissing(issue)) return `${name} is required.`;

  switch (issue.code) {
    case "invalid_type":
      return TYPES[issue.expected]
        ? `${name} must be ${TYPES[issue.expected]}.`
        : `${name} has the wrong type.`;
    case "too_big":
      return `${name} must ${limit(issue.origin, "at most", issue.maximum)}.`;
    case "too_small":
      return issue.origin === "string" && issue.minimum === 1
        ? `${name} must not be empty.`
        : `${name} must ${limit(issue.origin, "at least", issue.minimum)}.`;
    case "invalid_value":
      return [
        `${name} must be one of: ${issue.values.map(String).join(", ")}.`,
        ...suggestion(issue.input, issue.values.map(String)),
      ].join(" ");
    case "invalid_key":
      return [`${name} is not a valid name.`, ...issue.issues.map(({ message }) => message)].join(" ");
    case "invalid_format":
      return FORMATS[issue.format]
        ? `${name} must be ${FORMATS[issue.format]}.`
        : `${name} does not have the expected form.`;
    default:
      return `${name} is not valid.`;
  }
}

/** For numbers with both bounds, whose issues know only one: `limit must be a whole number between 1 and 100.` */
export const describeRange =
  (kind: string, min: number, max: number) =>
  (issue: RawIssue): string | undefined =>
    isMissing(issue) ? undefined : `${nameIn(issue)} must be ${kind} between ${min} and ${max}.`;

/**
 * For rules that a schema checks itself: puts the name of the member before the rest of the sentence.
 *
 * @example schema.refine(isOneLine, { error: rule("must be one line of text.") })
 * // "subject must be one line of text."
 */
export const rule =
  (predicate: string) =>
  (issue: Pick<RawIssue, "path">): string =>
    `${nameIn(issue)} ${predicate}`;

function limit(origin: string, bound: string, size: number | bigint): string {
  const unit = UNITS[origin];
  return unit === undefined ? `be ${bound} ${size}` : `have ${bound} ${size} ${unit}`;
}

/** The names of the members of the object that an issue is about. */
function knownTo({ inst }: RawIssue): string[] {
  const shape: unknown = inst && "shape" in inst ? inst.shape : undefined;
  return typeof shape === "object" && shape !== null ? Object.keys(shape) : [];
}
