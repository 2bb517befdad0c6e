import { describe, expect, it } from "vitest";
import { endFrom, momentFrom } from "../../src/search/moment-range.ts";
import { beginArchive } from "../memory/archive.ts";
import { type Planted, testMemory } from "./memories.ts";
import { testTalks } from "./talks.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
const START = Date.UTC(2024, 4, 1);

/** Memories of consecutive days from 1 May 2024 on. */
async function memoryOf(...contents: readonly string[]) {
  const memory = testMemory();
  await memory.plant(...contents.map((content, n): Planted => ({ content, at: START + n * DAY_MS })));
  return memory;
}

const contents = ({ hits }: { readonly hits: readonly { readonly content: string }[] }) =>
  hits.map(({ content }) => content);

describe("several questions", () => {
  const filler = Array.from({ length: 20 }, (_, n) => `Tea number ${n} with lemon`);

  it("have the best result of each at the top, and no result twice", async () => {
    const memory = await memoryOf(
      ...filler,
      "Her dog is called Bruno",
      "The car is red",
      "Lemon tea and a dog",
    );

    const answer = await memory.search("lemon tea", 5, 0, {
      queries: ["name of the dog", "colour of the car", "lemon tea"],
    });

    expect(contents(answer)).toEqual(
      expect.arrayContaining(["Lemon tea and a dog", "Her dog is called Bruno", "The car is red"]),
    );
    const whole = await memory.search("lemon tea", 100, 0, { queries: ["name of the dog"] });
    expect(new Set(contents(whole)).size).toBe(whole.total);
    expect(whole.total).toBe(22);
  });

  it("have pages that neither overlap nor skip", async () => {
    const memory = await memoryOf(...filler, "Her dog is called Bruno");
    const whole = await memory.search("lemon", 100, 0, { queries: ["dog", "tea"] });

    const paged: string[] = [];
    for (let offset = 0; offset < whole.total; offset += 4)
      paged.push(...contents(await memory.search("lemon", 4, offset, { queries: ["dog", "tea"] })));

    expect(paged).toEqual(contents(whole));
  });

  it("are answered from conversations, too", async () => {
    const talks = testTalks();
    await talks.begin("Pets", "My dog is called Bruno");
    await talks.begin("Car", "The car is red");

    const answer = await talks.search("dog", 10, 0, { queries: ["car"] });

    expect(contents(answer).toSorted()).toEqual(["My dog is called Bruno", "The car is red"]);
  });
});

describe("a range of time", () => {
  const range = { from: START + DAY_MS, to: START + 2 * DAY_MS };

  it.each([
    ["words", "tea"],
    ["no words", ""],
    ["signs", "🍵"],
  ])("limits a search by %s", async (_case, query) => {
    const memory = await memoryOf("tea one 🍵", "tea two 🍵", "tea three 🍵", "tea four 🍵");

    const answer = await memory.search(query, 10, 0, range);

    expect(contents(answer).toSorted()).toEqual(["tea three 🍵", "tea two 🍵"]);
    expect(answer).toMatchObject({ total: 2, evidence: { considered: 2 } });
  });

  it("is about the time of the event, if a memory has one", async () => {
    const memory = testMemory();
    await memory.plant(
      { content: "tea", at: START, occurredAt: "2020-01-01" },
      { content: "more tea", at: START },
    );

    expect(contents(await memory.search("tea", 10, 0, { to: Date.UTC(2021, 0) }))).toEqual(["tea"]);
  });

  it.each([
    ["words", "tea"],
    ["signs", "🍵"],
  ])("limits a search in conversations by %s", async (_case, query) => {
    const talks = testTalks();
    const said = ["one", "two", "three"].map((word, n) => ({
      content: `tea ${word} 🍵`,
      at: START + n * DAY_MS,
    }));
    await talks.begin("Tea", ...said);

    const answer = await talks.search(query, 10, 0, { from: START + DAY_MS, to: START + DAY_MS });

    expect(contents(answer)).toEqual(["tea two 🍵"]);
  });

  it.each([
    ["2024", "2024-01-01T00:00:00Z"],
    ["2024-05", "2024-05-01T00:00:00Z"],
    ["2024-05-31", "2024-05-31T00:00:00Z"],
    ["2024-05-31T10:00", "2024-05-31T10:00:00Z"],
    ["2024-05-31 10:00:30.5", "2024-05-31T10:00:30.500Z"],
    ["2024-05-31T10:00+02:00", "2024-05-31T08:00:00Z"],
    ["31.5.2024", undefined],
    ["2024-13-01", undefined],
    ["yesterday", undefined],
    ["", undefined],
    ["2024-02-30", undefined],
    ["2023-02-29T10:00Z", undefined],
    ["2024-02-29", "2024-02-29T00:00:00Z"],
  ])("may begin at %j", (text, expected) => {
    expect(momentFrom(text)).toBe(expected === undefined ? undefined : Date.parse(expected));
  });

  it.each([
    ["2023", "2023-12-31T23:59:59.999Z"],
    ["2024-02", "2024-02-29T23:59:59.999Z"],
    ["2024-12-31", "2024-12-31T23:59:59.999Z"],
    [" 2024-05-31 ", "2024-05-31T23:59:59.999Z"],
    ["2024-05-31T10:00+02:00", "2024-05-31T08:00:00Z"],
    ["2024-02-30", undefined],
    ["yesterday", undefined],
  ])("may end at %j", (text, expected) => {
    expect(endFrom(text)).toBe(expected === undefined ? undefined : Date.parse(expected));
  });
});

describe("the evidence of a search", () => {
  it("names the words that no memory has, and how many were searched", async () => {
    const memory = await memoryOf("My trip to Rome", "The weather");

    expect(await memory.search("trip to Lisbon in 京都市")).toMatchObject({
      total: 1,
      evidence: {
        matchedTerms: ["trip"],
        missingTerms: ["lisbon", "京都市"],
        considered: 2,
        newestAt: expect.stringContaining("2024-05-02"),
      },
    });
  });

  it("is about the range of time that was asked for", async () => {
    const memory = await memoryOf("tea one", "tea two", "tea three");
    const talks = testTalks();
    const said = ["one", "two", "three"].map((content, n) => ({ content, at: START + n * DAY_MS }));
    await talks.begin("Numbers", ...said);

    const second = { from: START + DAY_MS, to: START + DAY_MS };
    const none = { to: START - DAY_MS };
    const ofSecond = { considered: 1, newestAt: expect.stringContaining("2024-05-02") };
    const ofNone = { considered: 0, newestAt: null };

    expect((await memory.search("tea", 10, 0, second)).evidence).toMatchObject(ofSecond);
    expect((await memory.search("tea", 10, 0, none)).evidence).toMatchObject(ofNone);
    expect((await talks.search("two", 10, 0, second)).evidence).toMatchObject(ofSecond);
    expect((await talks.search("two", 10, 0, none)).evidence).toMatchObject(ofNone);
  });

  it("omits the run that searches", async () => {
    const talks = testTalks();
    await talks.begin("Now", { content: "Where is Lisbon?", runId: "now" });
    await talks.begin("Before", { content: "My trip to Rome", at: START });

    const { evidence } = await talks.search("Lisbon", 10, 0, { except: { runId: "now" as never } });

    expect(evidence).toMatchObject({
      matchedTerms: [],
      missingTerms: ["lisbon"],
      considered: 1,
      newestAt: expect.stringContaining("2024-05-01"),
    });
  });
});

describe("over HTTP", () => {
  it("a search takes further questions and dates, and says what it has looked at", async () => {
    const { client, path } = await beginArchive();
    const items = [
      { content: "My dog is called Bruno", occurred_at: "2024-05-01" },
      { content: "The car is red", occurred_at: "2024-05-02" },
      { content: "The dog has a car", occurred_at: "2024-06-01" },
    ];
    await client("POST", `${path}/batch`, { items });

    const found = await client("GET", `${path}/search?query=dog&queries=car&queries=boat&before=2024-06-01`);

    expect(found).toMatchObject({
      status: 200,
      body: {
        total: 2,
        evidence: {
          matched_terms: ["dog", "car"],
          missing_terms: ["boat"],
          considered: 2,
          newest_at: expect.any(String),
        },
      },
    });
    expect(
      await client("GET", `${path}/search?query=dog&queries=car&after=2024-05-02&before=2024-05-03`),
    ).toMatchObject({
      body: { items: [{ content: "The car is red" }], total: 1 },
    });
    expect((await client("GET", `${path}/search?query=dog&after=May`)).status).toBe(422);
  });
});
