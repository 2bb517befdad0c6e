import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { NO_SIMILARITY } from "../../src/search/fusion.ts";
import { PassageIndex } from "../../src/search/passage-index.ts";
import type { IndexedPage, PassageHit } from "../../src/search/passage-model.ts";
import { parseQuery } from "../../src/search/query.ts";
import { rankAll } from "../../src/search/results.ts";
import { EVERYTHING } from "../../src/search/word-ranking.ts";
import { pageIdOf } from "../../src/shared/id-types.ts";

/** Runs a function with a new, empty index. */
export function withPassages<T>(use: (index: PassageIndex, storage: DurableObjectStorage) => T): Promise<T> {
  const object = env.SEARCH_INDEX.getByName(`passages/${crypto.randomUUID()}`);
  return runInDurableObject(object, (_, { storage }) =>
    use(new PassageIndex({ storage, passagesVersion: 1 }), storage),
  );
}

/** A page whose passages have these texts, and are all in one section. */
export function pageWith(
  name: string,
  texts: readonly string[],
  more: Partial<IndexedPage> = {},
): IndexedPage {
  return {
    pageId: pageIdOf(name),
    version: 1,
    url: `https://example.com/${name}`,
    title: null,
    passages: texts.map((text, index) => ({ id: `${name}-${index}`, headings: [], text })),
    ...more,
  };
}

/** Returns the best results of a search. */
export function found(index: PassageIndex, ...questions: readonly string[]): readonly PassageHit[] {
  const asked = questions.map((text) => ({ query: parseQuery(text), similarity: NO_SIMILARITY }));
  return index.hitsAt(rankAll(index, asked, 10, EVERYTHING).ranked);
}

/** A text of so many words, none of which a question has. */
export const filler = (words: number, seed = "lorem"): string =>
  Array.from({ length: words }, (_, index) => `${seed}${index}`).join(" ");
