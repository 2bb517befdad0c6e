import type { SearchEvidence, MemorySearchCriteria, SearchCriteria } from "./model.ts";
import { type Question, rankAll, type SearchedIndex } from "./results.ts";
import { type Reranked, RERANKED_RESULTS, reordered } from "./reranking.ts";
import { type RankedPage, type SearchPages, SNAPSHOT_RESULTS } from "./search-pages.ts";
import { EVERYTHING, type Filter } from "./word-ranking.ts";

/** What is asked for: texts, and the page of them. As in `MemorySearchRequest`. */
interface AskedPage extends MemorySearchCriteria {
  readonly offset: number;
  readonly limit: number;
  readonly snapshot?: string | undefined;
}

/** A page of results, as in `MemorySearchAnswer`, before there are notes on it. */
interface AnsweredPage<Hit> {
  readonly hits: readonly Hit[];
  readonly total: number;
  readonly notes: readonly string[];
  readonly evidence?: SearchEvidence;
  readonly snapshot?: string;
}

/** Returns the distinct questions of a search. */
export const textsOf = ({ query, queries = [] }: SearchCriteria): readonly string[] => [
  ...new Set([query, ...queries]),
];

interface PageOptions {
  readonly pages: SearchPages;
  /** The places of texts to leave out. */
  readonly excluded: readonly number[];
}

/** Returns the order in which results answer a text best, or `undefined` if that can't be found out now. */
export type Rerank<Hit> = (text: string, hits: readonly Hit[]) => Promise<readonly Reranked[] | undefined>;

/**
 * Returns a page of results, ranked now. Keeps their order in `pages` if it is the first of several pages. Leaves out
 * the texts at the places `excluded`. With `rerank`, the first page has the best results in the order that it returns, and
 * the note `reranking-failed` if it returns none.
 */
export async function rankedPage<Hit extends { readonly score: number }>(
  index: SearchedIndex<Hit>,
  questions: readonly Question[],
  request: AskedPage,
  { pages, excluded, rerank }: PageOptions & { readonly rerank: Rerank<Hit> | undefined },
): Promise<AnsweredPage<Hit>> {
  const { offset, limit } = request;
  const filter = filterOf(request, excluded);
  const isFirst = offset === 0;
  const end = isFirst ? Math.max(limit, SNAPSHOT_RESULTS) : offset + limit;
  const { ranked, total } = rankAll(index, questions, end, filter);
  const queries = questions.map(({ query }) => query);
  const text = textsOf(request).join("\n");
  const isReranked = rerank && isFirst && ranked.length > 1 && queries.some(({ kind }) => kind === "words");

  // Everything is read before the wait, because the index may change meanwhile.
  const evidence = isFirst ? { evidence: index.evidence(queries, filter) } : {};
  const ids = isFirst && total > limit ? index.idsAt(ranked) : undefined;
  const shown = isReranked ? Math.max(limit, RERANKED_RESULTS) : limit;
  const hits = index.hitsAt(ranked.slice(offset, offset + shown), text);
  const order = isReranked ? await rerank(text, hits.slice(0, RERANKED_RESULTS)) : undefined;
  return {
    hits: (order ? reordered(hits, order) : hits).slice(0, limit),
    total,
    notes: isReranked && !order ? ["reranking-failed"] : [],
    ...evidence,
    ...(ids && { snapshot: pages.keep(order ? reordered(ids, order) : ids, total) }),
  };
}

/** Returns a page that the kept order of a search did not reach yet, or `undefined` if no order is kept. */
export const laterPage = <Hit>(
  index: SearchedIndex<Hit>,
  questions: readonly Question[],
  request: AskedPage,
  { pages, excluded }: PageOptions,
): Promise<RankedPage | undefined> =>
  pages.extended(request.snapshot, request.offset, request.limit, (end) => {
    const { ranked, total } = rankAll(index, questions, end, filterOf(request, excluded));
    return { ranked: index.idsAt(ranked), total };
  });

/** Returns which texts take part in a search. */
const filterOf = (
  { from = EVERYTHING.from, to = EVERYTHING.to, asOf }: AskedPage,
  excluded: readonly number[],
): Filter => ({ excluded, from, to, asOf });

/** Returns a page of an order that was kept for an earlier page. While an index is built, results may be missing. */
export const snapshotPage = <Hit>(
  hits: readonly Hit[],
  total: number,
  { snapshot }: AskedPage,
  isBuilding: boolean,
) => ({
  hits,
  total,
  notes: isBuilding ? ["index-building"] : [],
  ...(snapshot !== undefined && { snapshot }),
});

/** An index with its indexer. */
interface Announced {
  readonly indexer: { readonly isBuilding: boolean };
  /** Whether the next complete answer announces that the index was rebuilt. */
  isRebuilt: boolean;
}

/** Returns the notes on an answer with `total` results from `stored` texts. Announces a rebuilt index once. */
export function notesOf(searched: Announced, total: number, stored: number): readonly string[] {
  const { isRebuilt } = searched;
  const { isBuilding } = searched.indexer;
  searched.isRebuilt &&= isBuilding;
  return [
    ...(isBuilding ? ["index-building"] : []),
    ...(isRebuilt ? ["index-rebuilt"] : []),
    ...(total > 0 ? [] : [stored === 0 ? "nothing-stored" : "nothing-matched"]),
  ];
}
