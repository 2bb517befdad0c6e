import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { table } from "../support/app.ts";
import { embeddingModel } from "../support/control.ts";
import { EMBEDDINGS_KEY, withModel } from "./embedded.ts";
import { type Planted, testMemory } from "./memories.ts";

describe("a search with embeddings", () => {
  it("finds semantic matches and word matches, and counts both", async () => {
    const memory = testMemory();
    const model = embeddingModel();
    await memory.plant("My kitten sleeps", "The feline next door", "I drive to work", "The clinic");

    await withModel(memory, model.name, async ({ search, find }) => {
      expect(await search("cat")).toMatchObject({ total: 2, notes: [] });
      expect((await find("cat")).toSorted()).toEqual(["My kitten sleeps", "The feline next door"]);
      // Found both ways comes first.
      expect(await find("the cat that sleeps")).toEqual(["My kitten sleeps", "The feline next door"]);
      expect(await search("giraffe")).toMatchObject({ total: 0, notes: ["nothing-matched"] });
    });

    const [first] = await model.requests();
    expect(first?.authorization).toBe(`Bearer ${EMBEDDINGS_KEY}`);
    expect(first?.body).toMatchObject({ encoding_format: "float", dimensions: 8 });
  });

  it("pays for each memory once, and for a query once", async () => {
    const memory = testMemory();
    const model = embeddingModel();
    await memory.plant("My kitten", "My car");

    await withModel(memory, model.name, async ({ search }) => {
      await Promise.all([search("cat", 1), search("cat", 1)]);
      await search("cat", 1, 1);
    });
    await withModel(memory, model.name, async ({ find }) => {
      expect(await find("cat")).toEqual(["My kitten"]);
    });

    const texts = (await model.requests()).flatMap(({ body }) => body.input);
    expect(texts.filter((text) => text.startsWith("My")).toSorted()).toEqual(["My car", "My kitten"]);
    expect(texts.filter((text) => text === "cat").length).toBeLessThanOrEqual(3);
  });

  it("counts the embedded texts per account and day, and searches by words only beyond the limit", async () => {
    const memory = testMemory();
    const model = embeddingModel();
    await memory.plant("My kitten", "My car");
    const counted = async () =>
      (await table.query(`User#${memory.userId}`, { range: { beginsWith: "UsageEmbeddings#" } })).map(
        ({ texts }) => texts,
      );
    const limit = { EMBEDDINGS_PER_DAY: "4" };

    const found = withModel(memory, model.name, ({ search }) => search("cat"), limit);
    expect((await found).hits.map(({ content }) => content)).toEqual(["My kitten"]);
    expect(await counted()).toEqual([3]);
    const last = withModel(memory, model.name, ({ search }) => search("automobile"), limit);
    expect((await last).notes).toEqual([]);
    const asked = (await model.requests()).length;

    const beyond = await withModel(memory, model.name, ({ search }) => search("the kitten"), limit);

    expect(beyond.hits.map(({ content }) => content)).toEqual(["My kitten"]);
    expect(beyond.notes).toEqual(["embeddings-failed"]);
    expect(await counted()).toEqual([4]);
    expect((await model.requests()).length).toBe(asked);
    const free = withModel(memory, model.name, ({ search }) => search("the kitten"), {
      EMBEDDINGS_PER_DAY: "0",
    });
    expect((await free).notes).toEqual([]);
    expect(await counted()).toEqual([5]);
  });

  it("does not find what was deleted, and finds an edited memory by its new meaning", async () => {
    const memory = testMemory();
    const model = embeddingModel();
    const [kitten, car] = await memory.plant("My kitten", "My car");

    await withModel(memory, model.name, async ({ find, search }) => {
      expect(await find("cat")).toEqual(["My kitten"]);
      if (kitten) await memory.remove(kitten);
      if (car) await memory.edit(car, "My physician");

      expect(await search("cat")).toMatchObject({ hits: [], total: 0 });
      expect(await find("vehicle")).toEqual([]);
      expect(await find("doctor")).toEqual(["My physician"]);
    });
  });

  it("embeds everything again for another model", async () => {
    const memory = testMemory();
    const [old, changed] = [embeddingModel(), embeddingModel()];
    await memory.plant("My kitten");
    await withModel(memory, old.name, ({ find }) => find("cat"));

    const found = await withModel(memory, changed.name, ({ find }) => find("cat"));

    expect(found).toEqual(["My kitten"]);
    const texts = (await changed.requests()).flatMap(({ body }) => body.input);
    expect(texts).toContain("My kitten");
  });

  it.each(["8", "13"])(
    "finds old and new memories among many by vectors of %s dimensions",
    async (length) => {
      const memory = testMemory();
      const model = embeddingModel();
      const others = Array.from({ length: 600 }, (_, n) => `The clinic, ward ${n}`);
      const items = await memory.plant("My kitten", ...others, "Our feline");
      if (items[300]) await memory.remove(items[300]);

      const settings = { EMBEDDINGS_DIMENSIONS: length };
      await withModel(
        memory,
        model.name,
        async ({ search, find, alarm }) => {
          await search("cat");
          await alarm();

          expect((await find("cat")).toSorted()).toEqual(["My kitten", "Our feline"]);
        },
        settings,
      );
    },
  );

  it("returns each match once over pages, and the same total on each", async () => {
    const memory = testMemory();
    const model = embeddingModel();
    const start = Date.now() - 24 * 60 * 60 * 1000;
    const words = ["cat", "kitten", "tea"];
    await memory.plant(
      ...Array.from({ length: 180 }, (_, n): Planted => ({
        content: `${words[n % 3]} number ${n}`,
        at: start + n * 1_000,
      })),
    );

    await withModel(memory, model.name, async ({ search, alarm }) => {
      expect((await search("cat")).notes).toEqual(["embeddings-pending"]);
      await alarm();
      const { total, notes } = await search("cat tea");
      expect(notes).toEqual([]);
      expect(total).toBeGreaterThan(120);
      expect(total).toBeLessThanOrEqual(170);

      const whole = await search("cat tea", 1_000);
      const paged: string[] = [];
      for (let offset = 0; offset < total; offset += 7)
        paged.push(...(await search("cat tea", 7, offset)).hits.map(({ memoryId }) => memoryId));
      expect(new Set(paged).size).toBe(total);
      expect(paged).toEqual(whole.hits.map(({ memoryId }) => memoryId));
      const scores = whole.hits.map(({ score }) => score);
      expect(scores).toEqual(scores.toSorted((a, b) => b - a));
      expect(await search("cat tea", 7, total)).toMatchObject({ hits: [], total });
    });
  });
});

describe("an embeddings server", () => {
  it.each([
    { kind: "status", status: 500 },
    { kind: "status", status: 429 },
    { kind: "status", status: 401 },
    { kind: "status", status: 400 },
    { kind: "html" },
    { kind: "padded", megabytes: 20, gzip: false },
    { kind: "padded", megabytes: 20, gzip: true },
    { kind: "too-few" },
    { kind: "length", length: 3 },
    { kind: "stall" },
  ] as const)("that fails leaves a search by words, with a note: %j", async (fault) => {
    const memory = testMemory();
    const model = embeddingModel();
    await model.setFault(fault);
    await memory.plant("My kitten", "The cat");

    await withModel(memory, model.name, async ({ search }) => {
      expect(await search("cat")).toMatchObject({
        hits: [{ content: "The cat" }],
        total: 1,
        notes: ["embeddings-failed"],
      });

      // It is left alone for a while.
      const asked = (await model.requests()).length;
      expect((await search("cat")).notes).toEqual(["embeddings-failed"]);
      if (fault.kind !== "status" || fault.status !== 400)
        expect((await model.requests()).length).toBe(asked);
    });

    await model.setFault(null);
    await withModel(memory, model.name, async ({ search }) => {
      expect(await search("cat")).toMatchObject({ total: 2, notes: [] });
    });
  });

  it("that changes the length of its vectors does not damage the stored ones", async () => {
    const memory = testMemory();
    const model = embeddingModel();
    await memory.plant("My kitten");
    await withModel(memory, model.name, ({ search }) => search("cat"));
    await model.setFault({ kind: "length", length: 5 });
    await memory.plant("The feline");

    await withModel(memory, model.name, async ({ search }) => {
      expect(await search("cat")).toMatchObject({
        total: 0,
        notes: ["nothing-matched", "embeddings-failed"],
      });
    });
    await model.setFault(null);
    expect((await withModel(memory, model.name, ({ find }) => find("cat"))).toSorted()).toEqual([
      "My kitten",
      "The feline",
    ]);
  });

  it("that refuses one text embeds the others, and the one is found by its words", async () => {
    const memory = testMemory();
    const model = embeddingModel();
    await model.setFault({ kind: "refuse", text: "poison" });
    await memory.plant("My kitten", "poison cat", "The feline", "");

    await withModel(memory, model.name, async ({ search }) => {
      const { hits, notes } = await search("cat");
      expect(hits.map(({ content }) => content).toSorted()).toEqual([
        "My kitten",
        "The feline",
        "poison cat",
      ]);
      expect(notes).toEqual([]);
      const asked = (await model.requests()).length;
      await search("cat");
      expect((await model.requests()).length).toBe(asked);
    });
  });

  it("is not called for an empty query or a query without words", async () => {
    const memory = testMemory();
    const model = embeddingModel();
    await memory.plant("My kitten 🎉");

    await withModel(memory, model.name, async ({ search }) => {
      expect(await search("")).toMatchObject({ total: 1, notes: [] });
      expect(await search("🎉")).toMatchObject({ total: 1, notes: [] });
    });
    expect((await model.requests()).filter(({ body }) => body.input.includes("🎉"))).toEqual([]);
  });
});

it("keeps vectors when an index is rebuilt, except those of deleted memories", async () => {
  const memory = testMemory();
  const model = embeddingModel();
  const [, car] = await memory.plant("My kitten", "My car");
  await withModel(memory, model.name, ({ search }) => search("cat"));
  await runInDurableObject(memory.index(), (_, { storage }) => {
    storage.sql.exec("UPDATE state SET value = '0' WHERE name = 'version'");
  });
  if (car) await memory.remove(car);

  const found = await withModel(memory, model.name, ({ find }) => find("cat"));

  expect(found).toEqual(["My kitten"]);
  const texts = (await model.requests()).flatMap(({ body }) => body.input);
  expect(texts.filter((text) => text === "My kitten")).toHaveLength(1);
  await runInDurableObject(memory.index(), (_, { storage }) => {
    expect(storage.sql.exec("SELECT COUNT(*) AS n FROM vectors").one()).toEqual({ n: 1 });
  });
});
