import { expect, it } from "vitest";
import { searchBases } from "../../src/knowledge/knowledge-search.ts";
import type { DocumentSearchAnswer } from "../../src/knowledge/search-model.ts";
import { parseQuery } from "../../src/search/query.ts";
import { rankAll } from "../../src/search/results.ts";
import { EVERYTHING } from "../../src/search/word-ranking.ts";
import { accountEmailOf, knowledgeBaseIdOf } from "../../src/shared/id-types.ts";
import { pageWith, withPassages } from "../search/passages.ts";

/** Indexes pages with one passage each, and returns what a search for the questions finds in them. */
const answerOf = (texts: readonly string[], ...questions: readonly string[]): Promise<DocumentSearchAnswer> =>
  withPassages((index) => {
    index.apply(
      texts.map((text, n) => pageWith(`page-${n}`, [text])),
      [],
      1,
    );
    const queries = questions.map((text) => parseQuery(text));
    const { ranked, total } = rankAll(
      index,
      queries.map((query) => ({ query })),
      5,
      EVERYTHING,
    );
    return {
      hits: index.hitsAt(ranked),
      total,
      evidence: index.evidence(queries),
      uses: index.termUses(queries, ranked),
      notes: [],
      indexing: null,
    };
  });

async function search(bases: Readonly<Record<string, readonly string[]>>, ...questions: readonly string[]) {
  const answers = new Map<string, DocumentSearchAnswer>();
  for (const [name, texts] of Object.entries(bases)) answers.set(name, await answerOf(texts, ...questions));
  const kbIds = Object.keys(bases).map(knowledgeBaseIdOf);
  const indexes = {
    search: ({ kbId }: { readonly kbId: string }) => {
      const found = answers.get(kbId);
      return found ? Promise.resolve(found) : Promise.reject(new Error(`There is no base ${kbId}.`));
    },
  };
  const place = { accountEmail: accountEmailOf("owner@example.com"), kbIds };
  return searchBases(indexes, place, { query: questions[0] ?? "", queries: questions.slice(1) }, 5);
}

const many = (text: string, count: number) => Array.from({ length: count }, (_, n) => `${text} number ${n}`);

it("puts the base that has the rare words of a question before one that has the frequent ones", async () => {
  const bases = {
    shop: [...many("Our price list", 30), "The price of a price is a price."],
    harbour: ["The zeppelin has a price of ten euros.", ...many("The quay", 30)],
  };

  const { hits } = await search(bases, "zeppelin price");

  expect(hits[0]).toMatchObject({ kbId: "harbour", score: 1 });
  expect(hits.find(({ kbId }) => kbId === "shop")?.score).toBeLessThan(0.6);
});

it("does not put a base last because it has a single page", async () => {
  const bases = { tiny: ["The zeppelin leaves at noon."], large: many("The ferry leaves from the quay", 40) };

  const { hits } = await search(bases, "When does the zeppelin leave?");

  expect(hits[0]).toMatchObject({ kbId: "tiny", score: 1 });
});

it("lets the bases that answer different questions of one search share the first places", async () => {
  const bases = {
    one: ["Dogs travel free.", ...many("The quay", 9)],
    two: ["The ferry leaves at noon.", ...many("The pier", 9)],
  };

  const { hits } = await search(bases, "Do dogs travel free?", "When does the ferry leave?");

  expect(
    hits
      .slice(0, 2)
      .map(({ kbId }) => kbId)
      .toSorted(),
  ).toEqual(["one", "two"]);
});

it("keeps the order within a base", async () => {
  const texts = ["Zeppelin zeppelin prices", "A zeppelin", "Prices of many other things that are sold here"];
  const alone = await search({ one: texts }, "zeppelin prices");
  const both = await search({ one: texts, two: many("zeppelin prices", 3) }, "zeppelin prices");

  const order = (hits: typeof both.hits) => hits.filter(({ kbId }) => kbId === "one").map(({ text }) => text);
  expect(order(alone.hits).slice(0, order(both.hits).length)).toEqual(order(both.hits));
});

it("finds nothing without bases", async () => {
  expect(await search({}, "zeppelin")).toMatchObject({ hits: [], total: 0, notes: [] });
});
