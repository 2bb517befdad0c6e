import { type PlaceValues, spread, withNeighbours } from "./ranking.ts";
import type { Scored } from "./word-ranking.ts";

/** How similar the texts of a memory are to a query, according to their vectors. */
export interface Similarity {
  /** The texts that are similar enough to be found without a word of the query, best first, with their cosines. */
  readonly near: readonly Scored[];
  /** By how many standard deviations the cosine of each text differs from the mean of all texts of the memory. */
  readonly deviations: PlaceValues;
}

/** No text is similar, because there are no vectors. */
export const NO_SIMILARITY: Similarity = { near: [], deviations: new Map() };

/** Texts count if their cosine is this many standard deviations above the mean. */
const STANDS_OUT = 1;
/** What a further standard deviation is worth, if the best word match is worth 1. Measured; see decision 0023. */
const WEIGHT = 0.2;

/** The number of the best word matches by which the weight of the vectors is decided. */
const SAMPLE = 20;
/** The deviation of one imaginary match in the sample, so that vectors have their full weight if there are few matches. */
const PRIOR = 1;
/** Mean deviations of the sample at which vectors have no weight, and their full weight. That of random vectors is 0 ± 0.2. */
const NO_WEIGHT_AT = 0.25;
const FULL_WEIGHT_AT = 0.75;

/**
 * Ranks word matches and similar texts together, best first. Word scores become shares of the best one. What is similar also lifts
 * its neighbours by the moments at their places; without moments, it does not.
 */
export function fuseRankings(
  matches: readonly Scored[],
  { near, deviations }: Similarity,
  momentAt: ReadonlyMap<number, number> | undefined,
): readonly Scored[] {
  const best = matches[0]?.score ?? 1;
  const words = new Map(matches.map(({ place, score }) => [place, score / best]));
  const cosines = new Map(near.map(({ place, score }) => [place, score]));
  const cosineAt = (place: number) => cosines.get(place) ?? 0;
  const standsOut = (place: number) => Math.max(0, (deviations.get(place) ?? 0) - STANDS_OUT);
  const outstanding = new Map(Array.from(momentAt?.keys() ?? [], (place) => [place, standsOut(place)]));
  const meaningAt = (place: number) => (momentAt ? spread(place, outstanding, momentAt) : standsOut(place));
  const weight = WEIGHT * confidenceIn(deviations, matches);
  return [...new Set([...words.keys(), ...cosines.keys()])]
    .map((place) => ({
      place,
      score: (words.get(place) ?? 0) + weight * meaningAt(place),
    }))
    .toSorted((a, b) => b.score - a.score || cosineAt(b.place) - cosineAt(a.place) || b.place - a.place);
}

/** Returns the places whose moments `fuseRankings` needs. */
export const candidatePlaces = (matches: readonly Scored[], near: readonly Scored[]): readonly number[] =>
  withNeighbours([...matches, ...near].map(({ place }) => place));

/**
 * Returns the confidence in the vectors, from 0 to 1. Texts with the words of a query are semantically closer to it than
 * others. If the vectors do not show that, their model is weak, or wrong for the language.
 */
function confidenceIn(deviations: PlaceValues, matches: readonly Scored[]): number {
  const sample = matches.slice(0, SAMPLE).map(({ place }) => deviations.get(place) ?? 0);
  const mean = sample.reduce((sum, deviation) => sum + deviation, PRIOR) / (sample.length + 1);
  return Math.min(1, Math.max(0, (mean - NO_WEIGHT_AT) / (FULL_WEIGHT_AT - NO_WEIGHT_AT)));
}
