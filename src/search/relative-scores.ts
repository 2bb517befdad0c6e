/**
 * A position in search results from a cursor, and the score of the best result of all pages. Both are `undefined` on the
 * first page. Cursors that were written before scores were relative have no best score.
 */
interface MarkedPosition {
  readonly position: string | undefined;
  readonly best: number | undefined;
}

/** Separates the score of the best result from a position. `markBest` has joined them. */
export function splitBest(text: string | undefined): MarkedPosition {
  const space = text?.indexOf(" ") ?? -1;
  if (text === undefined || space < 0) return { position: text, best: undefined };
  return { position: text.slice(space + 1), best: Number(text.slice(0, space)) };
}

/** Adds the score of the best result to a position, for the cursor of the next page. */
export const markBest = (best: number, position: string): string => `${best} ${position}`;

/** Returns the score of the best result, which is the first of the first page. */
export const bestOf = (best: number | undefined, hits: readonly { readonly score: number }[]): number =>
  best ?? hits[0]?.score ?? 0;

/**
 * Returns the results with scores relative to the best one, from 0 to 1 with two decimal places. The raw scores depend
 * on the method of the search and mean nothing to people. Results without scores, such as those of an empty query, keep 0.
 */
export const relativeScores = <Hit extends { readonly score: number }>(
  hits: readonly Hit[],
  best: number,
): Hit[] =>
  hits.map((hit) => ({
    ...hit,
    score: best > 0 ? Math.round(Math.min(1, hit.score / best) * 100) / 100 : 0,
  }));
