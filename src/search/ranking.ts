/** For one word of the query: how well the memory at a place matches it. */
export type TermScores = ReadonlyMap<Place, number>;

/** Memories that were inserted one after the other stand at places one after the other. */
type Place = number;

/** How many memories before and after are looked at. */
export const REACH = 4;
/** What a word found so many memories earlier or later is worth: an answer comes after what it answers. */
const EARLIER = 0.65;
const LATER = 0.45;
/** Memories further apart than this have nothing to do with each other. */
const CLOSE_MS = 60 * 60 * 1000;

/**
 * How well a memory matches a query. Each word counts where it is found best: in the memory itself, or, for less, in one
 * that was inserted shortly before or after and is about the same time. So "How did the race go?" finds "It was so
 * rewarding!" behind "I ran a charity race", if only it shares a word with the question.
 */
export function scoreOf(
  place: Place,
  terms: readonly TermScores[],
  momentAt: ReadonlyMap<Place, number>,
): number {
  let score = 0;
  for (const scores of terms) {
    let best = scores.get(place) ?? 0;
    for (const [offset, share] of NEIGHBOURS) {
      const found = (scores.get(place + offset) ?? 0) * share;
      if (found > best && isClose(momentAt.get(place + offset), momentAt.get(place))) best = found;
    }
    score += best;
  }
  return score;
}

const NEIGHBOURS = Array.from({ length: REACH }, (_, index) => index + 1).flatMap((steps) => [
  [-steps, EARLIER ** steps] as const,
  [steps, LATER ** steps] as const,
]);

const isClose = (one: number | undefined, other: number | undefined): boolean =>
  one !== undefined && other !== undefined && Math.abs(one - other) <= CLOSE_MS;
