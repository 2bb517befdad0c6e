import { beginningWithin, estimateTokens } from "../../llm/token-estimate.ts";
import { sliceWhole } from "../../shared/text.ts";

/** One page of rows. Pages are numbered from 1. */
export interface PageOfRows {
  readonly rows: readonly string[];
  readonly page: number;
  readonly pages: number;
}

/** The least that a page holds of a row, in characters, so that dividing a row always gets on. */
const LEAST_CHARS = 40;
/** More than any text has, except for white space. */
const MOST_CHARS_PER_TOKEN = 16;

/**
 * Returns a page of rows. Each page has at most `maxTokens`; a row that is longer is divided among several pages. A page
 * number out of range counts as the nearest page.
 */
export function pageOfRows(rows: readonly string[], wanted: number, maxTokens: number): PageOfRows {
  const pages: string[][] = [[]];
  let remaining = maxTokens;
  for (const part of rows.flatMap((row) => partsOf(row, maxTokens))) {
    const tokens = estimateTokens(part) + 1;
    if (tokens > remaining && pages.at(-1)?.length !== 0) {
      pages.push([]);
      remaining = maxTokens;
    }
    pages.at(-1)?.push(part);
    remaining -= tokens;
  }
  const page = Math.min(Math.max(1, wanted), pages.length);
  return { rows: pages[page - 1] ?? [], page, pages: pages.length };
}

/** Divides a text into parts of at most `maxTokens`. */
export function partsOf(text: string, maxTokens: number): readonly string[] {
  const parts: string[] = [];
  let rest = text;
  while (rest !== "") {
    // Only as much is read as a part can hold, so that the work is linear.
    const beginning = beginningWithin(sliceWhole(rest, 0, maxTokens * MOST_CHARS_PER_TOKEN), maxTokens);
    const part = beginning.length < LEAST_CHARS ? wellFormedStart(rest, LEAST_CHARS) : beginning;
    parts.push(part);
    rest = rest.slice(part.length);
  }
  return parts;
}

/** Returns the first `length` characters, or one more if they would end within a pair of surrogates. */
const wellFormedStart = (text: string, length: number): string =>
  text.slice(0, length + (text.slice(0, length).isWellFormed() ? 0 : 1));

/** Returns the line that says how to go on; none if there is only one page. */
export const pageNote = (page: number, pages: number): readonly string[] => {
  if (pages === 1) return [];
  const next = page < pages ? ` Use page=${page + 1} for more.` : "";
  return [`(Page ${page} of ${pages}.${next})`];
};
