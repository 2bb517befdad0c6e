import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, inject, it } from "vitest";
import { SearchIndex } from "../../src/search/search-index.ts";
import { accountEmailOf } from "../../src/shared/id-types.ts";
import { table } from "../support/app.ts";
import { rerankModel } from "../support/control.ts";
import type { RerankFault } from "../support/control-protocol.ts";
import { withSettings } from "./embedded.ts";
import { testMemory } from "./memories.ts";
import { testTalks } from "./talks.ts";

const settingsOf = (model: string, more: object = {}) => ({
  RERANK_URL: inject("reranking"),
  RERANK_MODEL: model,
  RERANK_API_KEY: "key-of-the-reranking-server",
  ...more,
});

const contentsOf = (answer: { readonly hits: readonly { readonly content: string }[] }) =>
  answer.hits.map(({ content }) => content);

/** Texts about tea. The index ranks them from the last to the first, and the server the other way round. */
const teas = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, n) => `Tea ${n} relevance ${(0.9 - n / 1_000).toFixed(3)}`);

describe("a search with a reranking server", () => {
  it("has its best results in the order of their relevance, which becomes their score", async () => {
    const memory = testMemory();
    const model = rerankModel();
    await memory.plant("Tea relevance 0.2", "Tea relevance 0.8", "Tea relevance 0.5", "Something else");

    const answer = await withSettings(memory, settingsOf(model.name), ({ search }) => search("tea"));

    expect(contentsOf(answer)).toEqual(["Tea relevance 0.8", "Tea relevance 0.5", "Tea relevance 0.2"]);
    expect(answer).toMatchObject({ total: 3, notes: [] });
    expect(answer.hits.map(({ score }) => score)).toEqual([0.8, 0.5, 0.2]);
    expect(await model.requests()).toEqual([
      {
        path: "/v1/rerank",
        body: { model: model.name, query: "tea", documents: expect.any(Array) },
        authorization: "Bearer key-of-the-reranking-server",
      },
    ]);
  });

  it("sends at most fifty passages, and shows the other results behind them with lower scores", async () => {
    const memory = testMemory();
    const model = rerankModel();
    await memory.plant(...teas(60), `Tea ${"and something else ".repeat(500)}`);

    const { hits, total } = await withSettings(memory, settingsOf(model.name), ({ search }) =>
      search("tea", 61),
    );

    const [request] = await model.requests();
    expect(request?.body.documents).toHaveLength(50);
    expect(Math.max(...(request?.body.documents ?? []).map(({ length }) => length))).toBeLessThan(1_520);
    expect([hits.length, total]).toEqual([61, 61]);
    expect(new Set(hits.map(({ memoryId }) => memoryId)).size).toBe(61);
    const scores = hits.map(({ score }) => score);
    expect(scores).toEqual(scores.toSorted((a, b) => b - a));
  });

  it("keeps the order for later pages and asks only once", async () => {
    const memory = testMemory();
    const model = rerankModel();
    await memory.plant(...teas(60));

    const pages = await withSettings(memory, settingsOf(model.name), async ({ search }) => {
      const first = await search("tea", 20);
      const { snapshot } = first;
      const later = [];
      for (const [offset, limit] of [
        [20, 20],
        [40, 10],
      ] as const) {
        await memory.plant("Tea relevance 0.99");
        later.push(await search("tea", limit, offset, { snapshot }));
      }
      return [first, ...later];
    });

    expect(pages.flatMap(contentsOf)).toEqual(teas(60).slice(10));
    expect(await model.requests()).toHaveLength(1);
  });

  it("does not ask for one result, nor for a list of everything or of an emoji", async () => {
    const memory = testMemory();
    const model = rerankModel();
    await memory.plant("Tea 🫖", "Coffee 🫖");

    await withSettings(memory, settingsOf(model.name), async ({ search }) => {
      expect((await search("tea")).total).toBe(1);
      expect((await search("🫖")).total).toBe(2);
      expect((await search("")).total).toBe(2);
    });

    expect(await model.requests()).toEqual([]);
  });

  it("understands the answers of Voyage", async () => {
    const memory = testMemory();
    const model = rerankModel();
    await model.setFault({ kind: "voyage" });
    await memory.plant("Tea relevance 0.8", "Tea relevance 0.5");

    const answer = await withSettings(memory, settingsOf(model.name), ({ search }) => search("tea"));

    expect(contentsOf(answer)).toEqual(["Tea relevance 0.8", "Tea relevance 0.5"]);
  });

  it("shows what the server left out behind what it returned", async () => {
    const memory = testMemory();
    const model = rerankModel();
    await model.setFault({ kind: "few", results: 1 });
    await memory.plant("Tea relevance 0.1", "Tea relevance 0.8", "Tea relevance 0.5");

    const answer = await withSettings(memory, settingsOf(model.name), ({ search }) => search("tea"));

    expect(contentsOf(answer)).toEqual(["Tea relevance 0.8", "Tea relevance 0.5", "Tea relevance 0.1"]);
    expect(answer.notes).toEqual([]);
  });

  it.each([
    ["raw", [4.5, -1.5, -9]],
    ["negative", [-0.1, -0.2, -0.3]],
  ])("shows distinct scores from 0 to 1 for relevances that are %s", async (_, relevances) => {
    const memory = testMemory();
    const model = rerankModel();
    const results = relevances.map((relevance_score, index) => ({ index, relevance_score }));
    await model.setFault({ kind: "body", body: JSON.stringify({ results }) });
    await memory.plant("Tea one", "Tea two", "Tea three");

    const { hits } = await withSettings(memory, settingsOf(model.name), ({ search }) => search("tea"));

    const scores = hits.map(({ score }) => score);
    expect(new Set(scores).size).toBe(3);
    expect(scores).toEqual(scores.toSorted((a, b) => b - a));
    for (const score of scores) expect(score > 0 && score < 1).toBe(true);
  });

  it("orders messages, and files by the passage that matches", async () => {
    const talks = testTalks();
    const model = rerankModel();
    const files = [
      { filename: "notes.txt", content: `${"Nothing. ".repeat(100)}Tea relevance 0.8`, size: 9 },
    ];
    await talks.begin(
      "Tea",
      "Tea relevance 0.3",
      { content: "See file", more: { attachments: files } },
      "Tea",
    );

    const answer = await withSettings(talks, settingsOf(model.name), ({ recall }) => recall("tea", 10));

    expect(contentsOf(answer)).toEqual(["See file", "Tea relevance 0.3", "Tea"]);
    expect(answer.notes).toEqual([]);
    const [request] = await model.requests();
    expect(Math.max(...(request?.body.documents ?? []).map(({ length }) => length))).toBeLessThan(450);
  });
});

describe("a search whose reranking server fails", () => {
  const faults: readonly (readonly [string, RerankFault])[] = [
    ["refuses the key", { kind: "status", status: 401 }],
    ["is overloaded", { kind: "status", status: 429 }],
    ["redirects", { kind: "status", status: 302 }],
    ["answers with a web page", { kind: "body", body: "<html>" }],
    ["answers without results", { kind: "body", body: '{"results":[]}' }],
    ["answers with null", { kind: "body", body: "null" }],
    ["returns an unknown index", { kind: "body", body: '{"results":[{"index":2,"relevance_score":1}]}' }],
    ["returns a text as index", { kind: "body", body: '{"results":[{"index":"0","relevance_score":1}]}' }],
    ["returns no relevance", { kind: "body", body: '{"results":[{"index":0}]}' }],
    ["answers with too much", { kind: "padded", megabytes: 2 }],
    ["does not answer", { kind: "stall" }],
  ];

  it.each(faults)("keeps its order and says so if the server %s", async (_, fault) => {
    const memory = testMemory();
    const model = rerankModel();
    await model.setFault(fault);
    await memory.plant("Tea relevance 0.8", "Tea relevance 0.5");

    const answer = await withSettings(memory, settingsOf(model.name), ({ search }) => search("tea"));

    expect(contentsOf(answer)).toEqual(["Tea relevance 0.5", "Tea relevance 0.8"]);
    expect(answer.notes).toEqual(["reranking-failed"]);
  });

  it("does not ask the server again at once", async () => {
    const memory = testMemory();
    const model = rerankModel();
    await model.setFault({ kind: "status", status: 500 });
    await memory.plant("Tea relevance 0.8", "Tea relevance 0.5");

    await withSettings(memory, settingsOf(model.name), async ({ search }) => {
      await search("tea");
      expect((await search("tea")).notes).toEqual(["reranking-failed"]);
    });

    expect(await model.requests()).toHaveLength(1);
  });
});

it("stores nothing if the memory is deleted while its search waits for the server", async () => {
  const memory = testMemory();
  const model = rerankModel();
  await model.setFault({ kind: "stall" });
  await memory.plant("Tea 1", "Tea 2");

  const left = await runInDurableObject(memory.index(), async (_, state) => {
    const index = new SearchIndex(state, { ...env, ...settingsOf(model.name) });
    const { agentId, userId } = memory;
    const accountEmail = accountEmailOf(userId);
    const searched = index.search({ agentId, userId, accountEmail, query: "tea", limit: 1, offset: 0 });
    await expect.poll(model.requests).toHaveLength(1);
    await index.forget();
    expect(await searched).toMatchObject({ answer: { total: 2, notes: ["reranking-failed"] } });
    return state.storage.list();
  });

  expect(left.size).toBe(0);
});

describe("the daily limit of reranking", () => {
  it("is counted by account, and keeps the order of the index once it is reached", async () => {
    const memory = testMemory();
    const model = rerankModel();
    await memory.plant("Tea relevance 0.8", "Tea relevance 0.5");
    const counted = async () =>
      (await table.query(`User#${memory.userId}`, { range: { beginsWith: "UsageRerankings#" } })).map(
        ({ searches }) => searches,
      );
    const settings = settingsOf(model.name, { RERANK_PER_DAY: "1" });

    const within = await withSettings(memory, settings, ({ search }) => search("tea"));
    const beyond = await withSettings(memory, settings, ({ search }) => search("tea"));

    expect([within.notes, beyond.notes]).toEqual([[], ["reranking-failed"]]);
    expect(contentsOf(beyond)).toEqual(["Tea relevance 0.5", "Tea relevance 0.8"]);
    expect(await counted()).toEqual([1]);
    expect(await model.requests()).toHaveLength(1);
  });

  it("does not exist if it is 0", async () => {
    const memory = testMemory();
    const model = rerankModel();
    await memory.plant("Tea relevance 0.8", "Tea relevance 0.5");
    const settings = settingsOf(model.name, { RERANK_PER_DAY: "0" });

    const answer = await withSettings(memory, settings, ({ search }) => search("tea"));

    expect(answer.notes).toEqual([]);
  });
});

it.each([{ RERANK_URL: "" }, { RERANK_MODEL: "" }])(
  "refuses to work with half of its settings: %j",
  async (lacking) => {
    const memory = testMemory();

    const answer = withSettings(memory, settingsOf("model", lacking), ({ search }) => search("tea"));

    await expect(answer).rejects.toThrow("The service is not configured.");
  },
);
