import { runInDurableObject } from "cloudflare:test";
import { expect, it } from "vitest";
import type { Embedder } from "../../src/llm/embeddings.ts";
import { FullTextIndex } from "../../src/search/full-text-index.ts";
import { semanticSearchOf } from "../../src/search/semantic-search.ts";
import { embeddingModel } from "../support/control.ts";
import { withModel } from "./embedded.ts";
import { testMemory } from "./memories.ts";

/** A memory with more texts than one request embeds, all embedded with `old`. Its oldest text is about a cat. */
async function embeddedMemory() {
  const memory = testMemory();
  const [old, changed] = [embeddingModel(), embeddingModel()];
  await memory.plant("My feline", ...Array.from({ length: 150 }, (_, n) => `The clinic, ward ${n}`));
  await withModel(memory, old.name, async ({ search, alarm, status }) => {
    await search("cat");
    await alarm();
    expect(await status()).toMatchObject({ embedded: 151 });
  });
  return { memory, old, changed };
}

const textsOf = async (model: ReturnType<typeof embeddingModel>) =>
  (await model.requests()).flatMap(({ body }) => body.input);

it("uses the vectors of the former model until all memories are embedded with the new one", async () => {
  const { memory, old, changed } = await embeddedMemory();

  await withModel(memory, changed.name, async ({ search, alarm, status, find }) => {
    expect(await search("cat")).toMatchObject({
      hits: [{ content: "My feline" }],
      notes: ["embeddings-pending"],
    });
    expect(await textsOf(changed)).not.toContain("cat");
    expect(await status()).toMatchObject({ embedded: 96, model: expect.stringContaining(changed.name) });

    await alarm();
    const asked = (await old.requests()).length;
    expect(await status()).toMatchObject({ embedded: 151 });
    expect(await search("pet")).toMatchObject({ hits: [{ content: "My feline" }], notes: [] });
    expect(await find("pet")).toEqual(["My feline"]);
    expect((await old.requests()).length).toBe(asked);
  });

  expect((await textsOf(changed)).filter((text) => text === "My feline")).toHaveLength(1);
  await runInDurableObject(memory.index(), (_, { storage }) => {
    expect(storage.sql.exec("SELECT COUNT(*) AS n FROM former_vectors").one()).toEqual({ n: 0 });
  });
});

it("uses the new vectors, as far as there are any, if the server no longer has the former model", async () => {
  const { memory, old, changed } = await embeddedMemory();
  await old.setFault({ kind: "status", status: 404 });
  await memory.plant("Our kitten");

  await withModel(memory, changed.name, async ({ search }) => {
    expect(await search("cat")).toMatchObject({
      hits: [{ content: "Our kitten" }],
      notes: ["embeddings-pending"],
    });
  });
});

it("pays for no memory again if the model is changed back", async () => {
  const { memory, old, changed } = await embeddedMemory();
  await withModel(memory, changed.name, ({ search }) => search("cat"));
  const before = (await textsOf(old)).filter((text) => text !== "cat").length;

  const found = await withModel(memory, old.name, ({ search }) => search("cat"));

  expect(found).toMatchObject({ hits: [{ content: "My feline" }], notes: [] });
  expect((await textsOf(old)).filter((text) => text !== "cat").length).toBe(before);
});

it("removes the former vectors if no server offers their model", async () => {
  const { memory } = await embeddedMemory();

  await runInDurableObject(memory.index(), async (_, { storage }) => {
    const embedder: Embedder = {
      id: "other/8",
      embed: (texts) => Promise.resolve(texts.map(() => new Float32Array(8).fill(1))),
    };
    const search = semanticSearchOf(storage, new FullTextIndex({ storage }), embedder, Date.now);
    await search.step();

    expect(search.status).toMatchObject({ embedded: 151 });
    expect(storage.sql.exec("SELECT COUNT(*) AS n FROM former_vectors").one()).toEqual({ n: 0 });
  });
});

it("stores no vector of a model that was replaced while it was asked, and asks it for no more", async () => {
  const memory = testMemory();
  await memory.plant(...Array.from({ length: 150 }, (_, n) => `The clinic, ward ${n}`));
  await memory.search("clinic");

  await runInDurableObject(memory.index(), async (_, { storage }) => {
    const index = new FullTextIndex({ storage });
    const held = Promise.withResolvers<undefined>();
    const asked: number[] = [];
    const vectorsOf = (texts: readonly string[], length: number) =>
      texts.map(() => new Float32Array(length).fill(1));
    const replaced: Embedder = {
      id: "replaced/4",
      async embed(texts) {
        asked.push(texts.length);
        await held.promise;
        return vectorsOf(texts, 4);
      },
    };
    const current: Embedder = { id: "current/8", embed: (texts) => Promise.resolve(vectorsOf(texts, 8)) };

    const step = semanticSearchOf(storage, index, replaced, Date.now).step();
    const search = semanticSearchOf(storage, index, current, Date.now);
    held.resolve(undefined);
    await step;

    expect(asked).toEqual([96]);
    expect(search.status).toMatchObject({ embedded: 0 });
    await search.step();
    expect(search.status).toMatchObject({ embedded: 150, lastError: null });
  });
});

it("does not wait for the new model longer than a search may last if the former one fails late", async () => {
  const memory = testMemory();
  await memory.plant("The clinic");
  await memory.search("clinic");

  await runInDurableObject(memory.index(), async (_, { storage }) => {
    const index = new FullTextIndex({ storage });
    const signals: AbortSignal[] = [];
    const held = Promise.withResolvers<never>();
    const former: Embedder = { id: "former/8", embed: () => Promise.reject(new Error("It is gone.")) };
    const current: Embedder = {
      id: "current/8",
      ofModel: () => former,
      embed(_texts, signal) {
        signals.push(signal);
        return held.promise;
      },
    };
    let now = 0;
    semanticSearchOf(storage, index, former, () => now);
    const find = semanticSearchOf(storage, index, current, () => now).begin("clinic");
    now += 2_000;

    expect(await find()).toMatchObject({ notes: ["embeddings-failed"] });

    // The batch of memories, and the query. Both may go on for the next search.
    expect(signals.map(({ aborted }) => aborted)).toEqual([false, false]);
    held.reject(new Error("The test is over."));
  });
});

it("blames no failure on a model that has replaced the failing one", async () => {
  const memory = testMemory();
  await memory.plant("The clinic");
  await memory.search("clinic");

  await runInDurableObject(memory.index(), async (_, { storage }) => {
    const index = new FullTextIndex({ storage });
    const held = Promise.withResolvers<never>();
    const replaced: Embedder = { id: "replaced/4", embed: () => held.promise };
    const current: Embedder = {
      id: "current/8",
      embed: () => Promise.resolve([new Float32Array(8).fill(1)]),
    };

    const step = semanticSearchOf(storage, index, replaced, Date.now).step();
    const search = semanticSearchOf(storage, index, current, Date.now);
    held.reject(new Error("The server is down."));
    await step;

    expect(search.status).toMatchObject({ embedded: 0, lastError: null });
  });
});

it("does not find what was deleted during the change", async () => {
  const { memory, changed } = await embeddedMemory();
  const [kitten] = await memory.plant("Our kitten");

  await withModel(memory, changed.name, async ({ search }) => {
    await search("cat");
    if (kitten) await memory.remove(kitten);
    expect(await search("cat")).toMatchObject({ hits: [{ content: "My feline" }], total: 1 });
  });
});
