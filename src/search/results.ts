import { NO_SIMILARITY, type Similarity } from "./fusion.ts";
import type { SearchEvidence } from "./model.ts";
import type { Query } from "./query.ts";
import type { Ranked } from "./search-pages.ts";
import type { Filter, Matched, Scored } from "./word-ranking.ts";

/** One question of a search, with what an embedder says about it. */
export interface Question {
  readonly query: Query;
  readonly similarity?: Similarity | undefined;
}

/** An index whose texts have places. */
export interface SearchedIndex<Hit> {
  /** Returns the best `end` matches. */
  rank(query: Query, end: number, filter: Filter, similarity: Similarity): Matched;
  /** Returns the texts at these places, in the same order. `text` is the query, for parts of a text that match. */
  hitsAt(ranked: readonly Scored[], text: string): readonly Hit[];
  /** Returns what identifies the texts at these places, in the same order. */
  idsAt(ranked: readonly Scored[]): readonly Ranked[];
  /** Returns what a search looks at. */
  evidence(queries: readonly Query[], filter: Filter): SearchEvidence;
}

/** How many results of each question are merged, if there are several. Nobody reads more pages than that. */
const MERGED = 60;
/** What a match of a further question adds to the best score of a text, which is at most 1. */
const FURTHER = 0.2;

/**
 * Ranks what answers one question or several, and returns the best `end` matches. Several questions are usually about
 * several facts, so the best results of each come first, and those of two questions a little before.
 */
export function rankAll<Hit>(
  index: Pick<SearchedIndex<Hit>, "rank">,
  questions: readonly Question[],
  end: number,
  filter: Filter,
): Matched {
  const rank = ({ query, similarity = NO_SIMILARITY }: Question, count: number) =>
    index.rank(query, count, filter, similarity);
  const [only, ...further] = questions;
  if (!only) return { ranked: [], total: 0 };
  if (further.length === 0) return rank(only, end);

  const merged = mergedRankings(questions.map((question) => rank(question, MERGED).ranked));
  return { ranked: merged.slice(0, end), total: merged.length };
}

function mergedRankings(rankings: readonly (readonly Scored[])[]): readonly Scored[] {
  const scores = new Map<number, { best: number; sum: number }>();
  for (const ranked of rankings) {
    // A literal or empty query has no scores. All of its results are equally good.
    const top = ranked[0]?.score || 1;
    for (const { place, score } of ranked) {
      const share = score === 0 ? 1 : score / top;
      const known = scores.get(place) ?? { best: 0, sum: 0 };
      scores.set(place, { best: Math.max(known.best, share), sum: known.sum + share });
    }
  }
  return [...scores]
    .map(([place, { best, sum }]) => ({ place, score: best + FURTHER * (sum - best) }))
    .toSorted((a, b) => b.score - a.score || b.place - a.place);
}
