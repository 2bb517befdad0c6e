import type { Scored } from "./word-ranking.ts";

/** The usual constant of reciprocal rank fusion: how little the first place is worth more than the second. */
const K = 60;

/**
 * Two rankings as one, by reciprocal rank fusion: what stands high in both comes first. Scores are sums of 1 / (60 + rank).
 * Where one is empty, the other one stands as it is, with its own scores.
 */
export function fused(matches: readonly Scored[], near: readonly Scored[]): readonly Scored[] {
  if (near.length === 0) return matches;

  const scores = new Map<number, number>();
  for (const ranking of [matches, near])
    for (const { place, score } of byRank(ranking, 0)) scores.set(place, (scores.get(place) ?? 0) + score);
  return [...scores]
    .map(([place, score]) => ({ place, score }))
    .toSorted((a, b) => b.score - a.score || b.place - a.place);
}

/** The same ranking with the scores of the fusion; so many stand before it. */
export const byRank = (ranking: readonly Scored[], before: number): readonly Scored[] =>
  ranking.map(({ place }, index) => ({ place, score: 1 / (K + before + index + 1) }));
