import { describe, expect, it } from "vitest";
import { type Planted, testMemory } from "./memories.ts";

const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * HOUR_MS;

/** Memories of different days, so that none helps another. */
async function memoryOf(...contents: readonly string[]) {
  const memory = testMemory();
  const start = Date.UTC(2026, 0, 5);
  await memory.plant(...contents.map((content, index): Planted => ({ content, at: start + index * DAY_MS })));
  return memory;
}

describe("words", () => {
  it.each([
    ["another form of the word", "running", "She runs every morning"],
    ["other letter case", "TEA", "She runs on tea"],
    ["letters without their marks", "jose", "José likes cafés"],
    ["marks that the memory lacks", "résumé", "Her resume is two pages long"],
    ["a word of a question in whole sentences", "What did she say about the piano?", "The piano was sold"],
    ["a part of a sentence without spaces", "喝茶", "我喜欢喝茶"],
    ["a single character of such a script", "茶", "我喜欢喝茶"],
    ["a date in words", "in March 2024", "The wedding"],
    ["a weekday", "on a Saturday", "The wedding"],
    ["stop words, if the query has no other words", "to be or not to be", "To be, she said"],
    ["what holds no word at all", "🎉🎉", "We won 🎉🎉"],
  ])("finds %s", async (_case, query, expected) => {
    const memory = testMemory();
    await memory.plant("Completely other things", {
      content: expected,
      occurredAt: "2024-03-02T15:00:00.000000+00:00",
    });

    expect(await memory.find(query)).toEqual([expected]);
  });

  it("ignores stop words if the query has other words", async () => {
    const memory = await memoryOf("The dog is here", "A cat");

    expect(await memory.find("the cat")).toEqual(["A cat"]);
  });

  it.each([
    '"',
    '"tea',
    'tea" OR "x',
    "tea*",
    "tea AND",
    "NOT tea",
    "tea NEAR coffee",
    "NEAR(tea coffee, 2)",
    "content: tea",
    "content : {tea}",
    "-tea",
    "^tea",
    "(tea",
    "tea + ",
    "tea\u0000",
    "'; DROP TABLE memories; -- tea",
  ])("treats %j as words, not as syntax", async (query) => {
    const memory = await memoryOf("A cup of tea", "A walk");

    const { hits } = await memory.search(query);

    expect(hits.map(({ content }) => content)).toEqual(/tea/u.test(query) ? ["A cup of tea"] : []);
  });

  it("reads the beginning of a query of ten thousand words", async () => {
    const memory = await memoryOf("A cup of tea");

    const { total } = await memory.search(
      `tea ${Array.from({ length: 10_000 }, (_, index) => `w${index}`).join(" ")}`,
    );

    expect(total).toBe(1);
  });
});

describe("order", () => {
  it("ranks memories with more of the words, and with rarer ones, first", async () => {
    const filler = Array.from({ length: 8 }, (_, index) => `Note ${index} about work`);
    const memory = await memoryOf(
      ...filler,
      "Work on the garden fence",
      "The garden has many roses",
      "Work among the garden roses",
    );

    expect(await memory.find("work roses garden", 3)).toEqual([
      "Work among the garden roses",
      "The garden has many roses",
      "Work on the garden fence",
    ]);
  });

  it("puts the newest first among equals", async () => {
    const memory = await memoryOf("coffee one", "coffee two", "coffee three");

    expect(await memory.find("coffee")).toEqual(["coffee three", "coffee two", "coffee one"]);
  });

  it("lists everything, newest first, for an empty query", async () => {
    const memory = await memoryOf("one", "two", "three");

    expect(await memory.search(" ", 2)).toMatchObject({
      hits: [{ content: "three" }, { content: "two" }],
      total: 3,
      notes: [],
    });
  });

  it("prefers, among equals, the one that follows what holds the other words", async () => {
    const memory = testMemory();
    const fillers = Array.from({ length: 9 }, (_, index) => ({
      content: `filler ${index}`,
      at: index * DAY_MS,
    }));
    const talk = 100 * DAY_MS;
    await memory.plant(
      ...fillers,
      { content: "I ran a charity race", at: talk },
      { content: "It felt rewarding", at: talk + 1_000 },
      { content: "My job felt rewarding", at: talk + 30 * DAY_MS },
      { content: "So felt the rewarding end", at: talk + 60 * DAY_MS },
    );

    const found = await memory.find("how rewarding felt the charity race");

    expect(found.slice(0, 2).toSorted()).toEqual(["I ran a charity race", "It felt rewarding"]);
  });

  it("finds no memory without any of the words, however close its neighbours match", async () => {
    const memory = testMemory();
    await memory.plant("I ran a charity race", "It was wonderful");

    expect(await memory.search("charity race")).toMatchObject({
      hits: [{ content: "I ran a charity race" }],
      total: 1,
    });
  });

  it("returns each match once over pages of any size, and counts exactly", async () => {
    const memory = await memoryOf(
      ...Array.from({ length: 260 }, (_, index) => `${index % 2 ? "tea" : "tea and cake"} number ${index}`),
      ...Array.from({ length: 20 }, (_, index) => `unrelated ${index}`),
    );
    const whole = await memory.search("tea cake", 1_000);

    const paged: string[] = [];
    for (let offset = 0; offset < 260; offset += 7) {
      const { hits, total } = await memory.search("tea cake", 7, offset);
      paged.push(...hits.map(({ memoryId }) => memoryId));
      expect(total).toBe(260);
    }

    expect(whole.total).toBe(260);
    expect(paged).toEqual(whole.hits.map(({ memoryId }) => memoryId));
    expect(new Set(paged).size).toBe(260);
    const scores = whole.hits.map(({ score }) => score);
    expect(scores).toEqual(scores.toSorted((a, b) => b - a));
    expect(await memory.search("tea", 7, 260)).toMatchObject({ hits: [], total: 260 });
  });
});

describe("answer", () => {
  it("contains a memory's text and times", async () => {
    const memory = testMemory();
    const occurredAt = "2023-05-08T13:56:00.000000+00:00";
    const [item] = await memory.plant({ content: "A support group", occurredAt });

    expect(await memory.search("group")).toEqual({
      hits: [
        {
          memoryId: item?.["memory_id"],
          content: "A support group",
          createdAt: item?.["created_at"],
          occurredAt,
          score: expect.any(Number),
        },
      ],
      total: 1,
      notes: [],
      evidence: {
        matchedTerms: ["group"],
        missingTerms: [],
        considered: 1,
        newestAt: item?.["created_at"],
      },
    });
  });

  it("explains why it is empty", async () => {
    const memory = testMemory();
    expect(await memory.search("tea")).toMatchObject({ hits: [], total: 0, notes: ["nothing-stored"] });
    expect(await memory.search("")).toMatchObject({ hits: [], total: 0, notes: ["nothing-stored"] });

    await memory.plant("coffee");

    expect(await memory.search("tea")).toMatchObject({ hits: [], total: 0, notes: ["nothing-matched"] });
  });
});
