import { describe, expect, it } from "vitest";
import { signUp } from "../support/app.ts";
import { beginArchive } from "../memory/archive.ts";
import { testMemory } from "./memories.ts";

const FACT = "The harbour master drinks green tea";
const words = (count: number) => Array.from({ length: count }, (_, n) => `word${n}`).join(" ");

describe("a search for", () => {
  it.each([
    ["operators", 'NEAR(tea green, 2) AND "tea" OR NOT ^tea* content:tea {content date}: -tea + tea'],
    ["an open quotation mark", 'tea"'],
    ["quotation marks of other languages", "«tea» „tea“ 「tea」 “tea”"],
    ["full-width operators", "ＮＥＡＲ（ｔｅａ） ＡＮＤ ＊ ＂ ＾ ：tea"],
    ["the word after 10,000 stop words", `${"the of and ".repeat(1_000).slice(0, 9_000)} tea`],
    ["mixed scripts", "tea чай 茶 ชา שתייה تشاي चाय 차"],
    ["a word with thousands of marks", `tea ${"a\u0301\u0316".repeat(3_000)}`],
    ["a null character", "tea\u0000"],
    ["private characters", "tea \ue000cap"],
    ["a comment and a statement", "tea'; DROP TABLE memories; --"],
  ])("%s finds the memory that has a word of it", async (_case, query) => {
    const memory = testMemory();
    await memory.plant(FACT);

    expect((await memory.search(query)).hits.map(({ content }) => content)).toEqual([FACT]);
    expect(await memory.find("harbour")).toEqual([FACT]);
  });

  it.each([
    ["signs only", 'NEAR( " * ^ : ) -', 0],
    ["signs only", '" * ^ : ( ) - + { } ~', 0],
    ["10,000 words", words(1_200), 0],
    ["long words", "x".repeat(9_000), 0],
    ["marks only", "\u0301\u0316".repeat(3_000), 0],
    ["half of an emoji of another", "😀", 0],
    ["a script newer than the index", "𞤀𞤣𞤤𞤢𞤥", 0],
    ["rare ideographs", "𠮷野家", 0],
  ])("%s finds nothing and fails nowhere: %#", async (_case, query, total) => {
    const memory = testMemory();
    await memory.plant(FACT);

    expect((await memory.search(query)).total).toBe(total);
  });

  it.each(["𠮷野家", "𞤀𞤣𞤤𞤢𞤥", "ᏣᎳᎩ", "ⲁⲛⲟⲕ", "👨‍👩‍👧‍👦", "\u0001 bell", "C++"])(
    "%s finds the memory that has it",
    async (text) => {
      const memory = testMemory();
      await memory.plant(
        { content: `A ${text} note`, at: Date.UTC(2026, 0, 5) },
        { content: FACT, at: Date.UTC(2026, 3, 5) },
      );

      expect(await memory.find(text)).toEqual([`A ${text} note`]);
    },
  );

  it("the words behind a null character finds them", async () => {
    const memory = testMemory();
    await memory.plant(`before\u0000between ${FACT}`);

    expect(await memory.find("between")).toHaveLength(1);
    expect(await memory.find("harbour")).toHaveLength(1);
  });

  it("a page that is far out finds nothing", async () => {
    const memory = testMemory();
    await memory.plant(FACT);

    for (const offset of [1e9, 2 ** 31, Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER * 15])
      expect(await memory.search("tea", 15, offset)).toMatchObject({ hits: [], total: 1 });
  });
});

it("never finds, reads, changes or removes a memory by the agent or the cursor of another account", async () => {
  const mine = await beginArchive();
  const theirs = await beginArchive();
  const stranger = await signUp();
  const items = Array.from({ length: 4 }, (_, n) => ({ content: `Tea ${n}` }));
  const { body } = await mine.client("POST", `${mine.path}/batch`, { items });
  const id = body.items[0].memory_id;
  await theirs.client("POST", `${theirs.path}/batch`, { items });
  const page = (await mine.client("GET", `${mine.path}/search?query=tea&limit=2`)).body;
  const cursor = encodeURIComponent(page.next_cursor);

  const denied = await Promise.all([
    stranger("GET", `${mine.path}/search?query=tea`),
    stranger("GET", `${mine.path}/${id}`),
    stranger("PATCH", `${mine.path}/${id}`, { content: "Mine" }),
    theirs.client("GET", `${theirs.path}/search?query=tea&limit=2&cursor=${cursor}`),
    mine.client("GET", `${mine.path}/search?query=coffee&limit=2&cursor=${cursor}`),
    mine.client("GET", `${mine.path}/search?query=tea&limit=2&cursor=${cursor.slice(0, -3)}abc`),
  ]);

  expect(denied.map(({ status }) => status)).toEqual([404, 404, 404, 400, 400, 400]);
  expect((await mine.client("GET", `${mine.path}/search?query=tea&limit=2&cursor=${cursor}`)).status).toBe(
    200,
  );
});
