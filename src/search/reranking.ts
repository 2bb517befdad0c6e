import { withTimeout } from "../shared/async.ts";
import { AppError } from "../shared/errors.ts";
import type { Reranker } from "../llm/rerank.ts";
import { providerError } from "../llm/errors.ts";
import { SNAPSHOT_RESULTS } from "./search-pages.ts";

/** A result in its new order: its index in the old one, and its score from 0 to 1. */
export interface Reranked {
  readonly index: number;
  readonly score: number;
}

/** Resolves to false if a search exceeds today's limit. Otherwise counts it. */
export type CountSearch = () => Promise<boolean>;

/** How many of the best results are reranked. The order of as many is kept for later pages. */
export const RERANKED_RESULTS = SNAPSHOT_RESULTS;
/** The most characters of a result that are sent, and of the query. Most models read about 500 tokens of both. */
export const RERANKED_CHARS = 1_500;
const QUERY_CHARS = 1_500;
/** How long a search waits for the server. After that, it answers in the order that it has. */
const RERANK_MS = 1_500;
/** How long a server that has failed is not called. */
const REST_MS = 10_000;

interface RerankingDeps {
  readonly reranker: Reranker;
  readonly now: () => number;
}

/** Orders the best results of a search anew. Never throws because of the reranking server. */
export class Reranking {
  readonly #reranker: Reranker;
  readonly #now: () => number;
  #restUntil = 0;

  constructor({ reranker, now }: RerankingDeps) {
    this.#reranker = reranker;
    this.#now = now;
  }

  /**
   * Returns the order of passages by how well they answer a query, best first. Passages that the server left out come last, in
   * the order that they had. Returns `undefined` if the server fails, or has just failed.
   */
  async order(query: string, passages: readonly string[]): Promise<readonly Reranked[] | undefined> {
    if (this.#now() < this.#restUntil) return undefined;

    try {
      const relevances = await withTimeout(
        RERANK_MS,
        (signal) => this.#reranker.relevances(query.slice(0, QUERY_CHARS).toWellFormed(), passages, signal),
        { reason: () => providerError.stalled() },
      );
      const scoreOf = scoring(relevances);
      return relevances
        .map((relevance, index) => ({ index, relevance: relevance ?? -Infinity }))
        .toSorted((a, b) => b.relevance - a.relevance || a.index - b.index)
        .map(({ index, relevance }) => ({ index, score: scoreOf(relevance) }));
    } catch (error) {
      this.#restUntil = this.#now() + REST_MS;
      console.warn({ message: "Results could not be reranked.", error: String(error) });
      return undefined;
    }
  }
}

/**
 * Returns the function that makes scores from 0 to 1 of these relevances. Some servers return raw outputs of the model or cosines,
 * which may be negative: the logistic function keeps their order. -Infinity has the score 0.
 */
function scoring(relevances: readonly (number | undefined)[]): (relevance: number) => number {
  const areScores = relevances.every((relevance = 0) => relevance >= 0 && relevance <= 1);
  return (relevance) => (areScores ? Math.max(0, relevance) : 1 / (1 + Math.exp(-relevance)));
}

/** Returns items in a new order with new scores. Items beyond the order follow, with scores that are not higher. */
export function reordered<Item extends { readonly score: number }>(
  items: readonly Item[],
  order: readonly Reranked[],
): readonly Item[] {
  const first = order.flatMap(({ index, score }) => {
    const item = items[index];
    return item ? [{ ...item, score }] : [];
  });
  const [top, least] = [items[0]?.score || 1, first.at(-1)?.score ?? 1];
  const rest = items
    .slice(order.length)
    .map((item) => ({ ...item, score: Math.min(least, item.score / top) }));
  return [...first, ...rest];
}

/** Wraps a reranker so that each request is counted first. Throws `limit-exceeded` if it exceeds today's limit. */
export const meteredReranker = (reranker: Reranker, count: CountSearch): Reranker => ({
  async relevances(query, documents, signal) {
    if (!(await count()))
      throw new AppError("limit-exceeded", "The account's limit of reranked searches for today is used up.");
    signal.throwIfAborted();
    return reranker.relevances(query, documents, signal);
  },
});
