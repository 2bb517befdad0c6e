import type { CheckedEmbedder, EmbedderOwner } from "./checked-embedder.ts";
import { parseQuery } from "./query.ts";
import type { SemanticMatches, SemanticSearch } from "./semantic-search.ts";

/** The indexer of the texts that are searched. */
interface Indexer {
  readonly isBuilding: boolean;
  sync(): Promise<void>;
}

/** What an embedder says about questions, in their order; `undefined` for those without words, and without an embedder. */
interface Meanings {
  readonly semantic: SemanticSearch | undefined;
  readonly similar: readonly (SemanticMatches | undefined)[];
}

/**
 * Searches for the meaning of questions while the index catches up, so that most accounts, which have no embedder, do not wait for
 * the check whether there is one. Throws what `sync` throws.
 */
export async function meaningsOf(
  texts: readonly string[],
  indexer: Indexer,
  embedder: CheckedEmbedder,
  owner: EmbedderOwner,
): Promise<Meanings> {
  const begun = embedder
    .search(owner)
    .then((semantic) => ({ semantic, finds: texts.map((text) => begunSearch(semantic, text)) }));
  const [{ semantic, finds }] = await Promise.all([begun, indexer.sync()]);
  if (!indexer.isBuilding) semantic?.tidy();
  const similar = await Promise.all(finds.map((find) => find?.() ?? Promise.resolve(undefined)));
  return { semantic, similar };
}

/** Begins a semantic search; `undefined` without an embedder or words to embed. */
const begunSearch = (semantic: SemanticSearch | undefined, text: string) =>
  parseQuery(text).kind === "words" ? semantic?.begin(text) : undefined;

/** The wait until an alarm should go on, in milliseconds; `undefined` if nothing is left that an alarm should do. */
export const nextStepMs = (
  indexer: Pick<Indexer, "isBuilding">,
  semantic: SemanticSearch | undefined,
): number | undefined => (indexer.isBuilding ? 0 : semantic?.nextStepMs);
