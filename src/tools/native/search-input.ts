import * as z from "zod";
import type { SearchEvidence, MemorySearchCriteria, SearchCriteria } from "../../search/model.ts";
import { endFrom, momentFrom, rangeOf } from "../../search/moment-range.ts";
import { relativeDates } from "../../search/relative-dates.ts";
import { inParentheses, onOneLine, preview } from "../../shared/text.ts";

const MAX_QUERIES = 4;
/** More results than this hold few further answers: the first 15 answer 86 % of the questions of LoCoMo. */
const MAX_LIMIT = 15;
/** The most words that are named as found or missing, and the most characters of each. */
const SHOWN_TERMS = 8;
const TERM_CHARS = 40;

/** Further questions of one search. */
export const Queries = z
  .array(z.string())
  .max(MAX_QUERIES)
  .optional()
  .describe(
    `Up to ${MAX_QUERIES} further questions, answered together with \`query\`. Ask one for each fact that you need.`,
  );

export const After = z
  .string()
  .optional()
  .describe("Only what is of this date or later, such as 2024-05-31 or 2024-05.");

export const Before = z
  .string()
  .optional()
  .describe("Only what is from before this date, such as 2024-06-01.");

export const AsOf = z
  .string()
  .optional()
  .describe(
    "The memories as they stood at the end of this date, or at this time: only what was stored by then, with the text that it had then.",
  );

/** How many results a page has. Numbers out of range are moved into it. */
export const limitOf = (usual: number) =>
  z.coerce
    .number()
    .int()
    .default(usual)
    .transform((limit) => Math.min(Math.max(limit, 1), MAX_LIMIT))
    .describe(`Results per page, up to ${MAX_LIMIT}. Take more if you must be sure that you miss nothing.`);

/** Returns what a search looks for, or a sentence about what is wrong with its input. */
export function criteriaFromInput(input: {
  readonly query: string;
  readonly queries?: readonly string[] | undefined;
  readonly after?: string | undefined;
  readonly before?: string | undefined;
  readonly as_of?: string | undefined;
}): MemorySearchCriteria | string {
  for (const name of ["after", "before", "as_of"] as const) {
    const text = input[name];
    if (text !== undefined && momentFrom(text) === undefined) return notADate(name);
  }
  const queries = [input.query, ...(input.queries ?? [])].map((query) => query.trim().toWellFormed());
  const [query = "", ...further] = queries.filter((text) => text !== "");
  const after = input.after === undefined ? undefined : momentFrom(input.after);
  const before = input.before === undefined ? undefined : momentFrom(input.before);
  const asOf = input.as_of === undefined ? undefined : endFrom(input.as_of);
  return {
    query,
    ...(further.length > 0 && { queries: further }),
    ...rangeOf(after, before),
    ...(asOf !== undefined && { asOf }),
  };
}

/** Returns the sentence about an argument that is not a date. */
export const notADate = (name: string): string => `Error: \`${name}\` has to be a date such as 2024-05-31.`;

/** Returns a text that is about a day (`YYYY-MM-DD…`), followed by what its words about relative dates mean. */
export function dated(text: string, day: string): string {
  const dates = relativeDates(text, day);
  return dates.length > 0 ? `${text} (${dates.join("; ")})` : text;
}

/** Returns all questions of a search as one text. */
export const questionsOf = ({ query, queries = [] }: SearchCriteria): string =>
  [query, ...queries].join(" | ");

/**
 * Returns a line about what was searched, so that a model can say with reason that it does not know. Returns none if the
 * search has results and each of its words was found. The last argument names what was searched, in the singular and the
 * plural.
 */
export function evidenceOf(
  evidence: SearchEvidence | undefined,
  total: number,
  [one, many]: readonly [string, string],
): readonly string[] {
  if (!evidence || evidence.considered === 0) return [];

  const { considered, newestAt, matchedTerms, missingTerms } = evidence;
  if (total > 0 && missingTerms.length === 0) return [];
  const number = considered.toLocaleString("en-US");
  const newest = newestAt === null ? "" : `, the newest of ${newestAt.slice(0, 10)}`;
  const missing = missingTerms.length > 0 ? ` No ${one} has ${listed(missingTerms)}.` : "";
  const found = matchedTerms.length > 0 ? ` Words that were found: ${listed(matchedTerms)}.` : "";
  return [`(Searched ${number} ${considered === 1 ? one : many}${newest}.${missing}${found})`];
}

const listed = (terms: readonly string[]): string => {
  const shown = terms
    .slice(0, SHOWN_TERMS)
    .map((term) => `"${inParentheses(preview(onOneLine(term), TERM_CHARS))}"`);
  return [...shown, ...(terms.length > SHOWN_TERMS ? ["..."] : [])].join(", ");
};
