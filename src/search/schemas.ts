import * as z from "zod";
import type { SearchEvidence, MemorySearchCriteria, SearchCriteria } from "./model.ts";
import { rule } from "../shared/violations.ts";
import { endFrom, momentFrom, rangeOf } from "./moment-range.ts";

/** The longest query, in characters. A query is a question, not a document. */
const MAX_QUERY_CHARS = 20_000;
export const MAX_QUERIES = 4;

/** A question, or what to look for. */
export const QueryText = z.string().max(MAX_QUERY_CHARS);
/** A date or a time at which a search in time begins or ends. */
export const Moment = z
  .string()
  .refine((text) => momentFrom(text) !== undefined, {
    error: rule("must be a date or a time, such as 2024-05-31."),
  })
  .optional();

/** The query parameters of a search, apart from its page. */
export const SearchParameters = z.object({
  query: QueryText.default(""),
  queries: z.union([QueryText.transform((query) => [query]), z.array(QueryText).max(MAX_QUERIES)]).optional(),
  after: Moment,
  before: Moment,
});

/** What a search has looked at, in responses. Absent on later pages. */
export const EvidenceView = z
  .object({
    matched_terms: z.array(z.string()),
    missing_terms: z.array(z.string()),
    considered: z.number(),
    newest_at: z.string().nullable(),
  })
  .meta({ id: "SearchEvidence" });

/** Returns what the query parameters look for. */
export function criteriaFromQuery(parameters: z.infer<typeof SearchParameters>): SearchCriteria {
  const { query, queries = [], after, before } = parameters;
  const range = rangeOf(
    after === undefined ? undefined : momentFrom(after),
    before === undefined ? undefined : momentFrom(before),
  );
  const [first = "", ...further] = [query, ...queries].filter((text) => text.trim() !== "");
  return { query: first, ...(further.length > 0 && { queries: further }), ...range };
}

/** Returns the value of `as_of` in milliseconds since the epoch as a part of what a search in memories looks for. */
export const asOfField = (text: string | undefined): Pick<MemorySearchCriteria, "asOf"> => {
  const asOf = text === undefined ? undefined : endFrom(text);
  return asOf === undefined ? {} : { asOf };
};

/** Returns the evidence of an answer as a field of a response; nothing if there is none. */
export const evidenceField = (
  evidence: SearchEvidence | undefined,
): { readonly evidence?: z.infer<typeof EvidenceView> } =>
  evidence
    ? {
        evidence: {
          matched_terms: [...evidence.matchedTerms],
          missing_terms: [...evidence.missingTerms],
          considered: evidence.considered,
          newest_at: evidence.newestAt,
        },
      }
    : {};
