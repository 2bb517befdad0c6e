/** A number for the text at each place, such as how well it matches one word of the query. Absent means 0. */
export type PlaceValues = ReadonlyMap<Place, number>;

/** The position of a text. Texts that were inserted one after the other have consecutive places. */
type Place = number;

/** How many neighbours before and after a text count. */
const REACH = 4;
/**
 * The weight of a value per step to an earlier or later neighbour. Earlier ones weigh more: answers follow questions.
 */
const EARLIER = 0.65;
const LATER = 0.45;
/** Texts further apart in time than this are unrelated. */
const CLOSE_MS = 60 * 60 * 1000;

/**
 * Returns how well the text at a place matches a query: the sum over its words, each spread to neighbours. So "How did
 * the race go?" finds "It was so rewarding!" after "I ran a charity race", because the neighbour shares a word with the
 * question.
 */
export function scoreOf(
  place: Place,
  terms: readonly PlaceValues[],
  momentAt: ReadonlyMap<Place, number>,
): number {
  let score = 0;
  for (const values of terms) score += spread(place, values, momentAt);
  return score;
}

/**
 * Returns the largest of a place's own value and, with less weight, the values of neighbours that are close in order and
 * in time.
 */
export function spread(place: Place, values: PlaceValues, momentAt: ReadonlyMap<Place, number>): number {
  let best = values.get(place) ?? 0;
  for (const [offset, share] of NEIGHBOURS) {
    const found = (values.get(place + offset) ?? 0) * share;
    if (found > best && isClose(momentAt.get(place + offset), momentAt.get(place))) best = found;
  }
  return best;
}

/** Returns the places and their neighbours that count. */
export const withNeighbours = (places: readonly Place[]): readonly Place[] => [
  ...new Set(
    places.flatMap((place) => Array.from({ length: 2 * REACH + 1 }, (_, index) => place - REACH + index)),
  ),
];

const NEIGHBOURS = Array.from({ length: REACH }, (_, index) => index + 1).flatMap((steps) => [
  [-steps, EARLIER ** steps] as const,
  [steps, LATER ** steps] as const,
]);

const isClose = (one: number | undefined, other: number | undefined): boolean =>
  one !== undefined && other !== undefined && Math.abs(one - other) <= CLOSE_MS;
