import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { passagesInTurns, passagesOf } from "../../src/knowledge/passages.ts";
import { pageIdOf } from "../../src/shared/id-types.ts";
import { countWords } from "../../src/shared/text.ts";

const PAGE = pageIdOf("page");
const textsOf = (markdown: string) => passagesOf(markdown, PAGE).map(({ text }) => text);
const sentence = (words: number) => `W${Array.from({ length: words }, (_, at) => at).join(" w")}.`;

describe("passages", () => {
  it("consist of whole paragraphs of one section, with the headings above them", () => {
    const passages = passagesOf("# A\n\nOne.\n\nTwo.\n\n## B\n\nThree.\n\n# C\n\nFour.", PAGE);

    expect(passages.map(({ headings, text }) => [headings, text])).toEqual([
      [["A"], "One.\n\nTwo."],
      [["A", "B"], "Three."],
      [["C"], "Four."],
    ]);
    expect(passages.map(({ index }) => index)).toEqual([0, 1, 2]);
  });

  it("repeat the beginning of a very long heading only, whose whole text they contain once", () => {
    const heading = Array.from({ length: 400 }, (_, at) => `word${at}`).join(" ");
    const markdown = `# ${heading}\n\n${[100, 110].map(sentence).join("\n\n")}`;

    const passages = passagesOf(markdown, PAGE);

    const beginning = heading.slice(0, 300);
    expect(new Set(passages.map(({ headings }) => headings.join()))).toEqual(new Set([beginning]));
    const text = passages.map((passage) => passage.text).join(" ");
    expect(text.split("word399")).toHaveLength(2);
    expect(text).toContain(sentence(110));
  });

  it("have at most 120 words", () => {
    expect(textsOf([60, 60, 1].map(sentence).join("\n\n"))).toEqual([
      [60, 60].map(sentence).join("\n\n"),
      sentence(1),
    ]);
  });

  it("divide a long paragraph at sentences, and a long sentence between words", () => {
    const paragraph = [70, 70, 300].map(sentence).join(" ");
    const texts = textsOf(paragraph);

    expect(texts[0]).toBe(sentence(70));
    expect(texts[1]?.startsWith(`${sentence(70)} W0 w1`)).toBe(true);
    expect(Math.max(...texts.map(countWords))).toBeLessThanOrEqual(120);
    expect(texts.join(" ")).toBe(paragraph);
  });

  it("count the words of scripts without spaces", () => {
    const texts = textsOf("これは日本語の文章です。".repeat(100));

    expect(texts.length).toBeGreaterThan(3);
    expect(Math.max(...texts.map(countWords))).toBeLessThanOrEqual(120);
    expect(texts.join("")).toBe("これは日本語の文章です。".repeat(100));
  });

  it("divide a run without white space after 4,000 characters, and no character", () => {
    const texts = textsOf("😀".repeat(5_000));

    expect(Math.max(...texts.map(({ length }) => length))).toBeLessThanOrEqual(4_000);
    expect(texts.join("")).toBe("😀".repeat(5_000));
  });

  it("repeat the header of a table in each part of it", () => {
    const rows = Array.from({ length: 40 }, (_, at) => `| row ${at} | ${at} |`);
    const texts = textsOf(["| Name | Number |", "| --- | --- |", ...rows].join("\n"));

    expect(texts.length).toBeGreaterThan(1);
    for (const text of texts) expect(text).toMatch(/^\| Name \| Number \|\n\| --- \| --- \|\n\| row/u);
    expect(texts.flatMap((text) => text.split("\n").slice(2))).toEqual(rows);
  });

  it("keep code whole up to 240 words, and fence each part of longer code", () => {
    const code = (lines: number) => Array.from({ length: lines }, (_, at) => `call(${at}, now)`).join("\n");

    expect(textsOf(`\`\`\`js\n${code(100)}\n\`\`\``)).toEqual([`\`\`\`js\n${code(100)}\n\`\`\``]);
    const parts = textsOf(`\`\`\`js\n${code(300)}\n\`\`\``);
    expect(parts.length).toBeGreaterThan(1);
    for (const part of parts) expect(part).toMatch(/^```js\ncall[\s\S]*\n```$/u);
  });

  it("do not take a comment in code for a heading", () => {
    expect(passagesOf("# A\n\n```sh\n# not a heading\nls\n```", PAGE)).toMatchObject([{ headings: ["A"] }]);
  });

  it("contain headings without text", () => {
    expect(
      passagesOf("# A\n\n## B\n\n## C\n\nText.", PAGE).map(({ headings, text }) => [headings, text]),
    ).toEqual([
      [["A"], "B"],
      [["A", "C"], "Text."],
    ]);
  });

  it("have headings without the addresses of links", () => {
    expect(passagesOf("## [Setup](https://a.example/b) ##\n\nText.", PAGE)).toMatchObject([
      { headings: ["Setup"] },
    ]);
  });

  it("keep their ids when another section changes", () => {
    const before = passagesOf("# A\n\nOne.\n\n# B\n\nTwo.", PAGE);
    const after = passagesOf("# A\n\nOne has changed.\n\nAnd grown.\n\n# B\n\nTwo.", PAGE);

    expect(after.at(-1)?.id).toBe(before.at(-1)?.id);
    expect(after[0]?.id).not.toBe(before[0]?.id);
  });

  it("have different ids if their texts are equal", () => {
    const ids = passagesOf("# A\n\nSame.\n\n# B\n\nSame.\n\n# A\n\nSame.\n\n# A\n\nSame.", PAGE).map(
      ({ id }) => id,
    );

    expect(new Set(ids).size).toBe(4);
    for (const id of ids) expect(id).toMatch(/^[\w-]{1,128}$/u);
  });
});

describe("for any Markdown", () => {
  const word = fc.stringMatching(/^[\p{Ll}]{1,9}$/u);
  const line = fc.array(word, { minLength: 1, maxLength: 200 }).map((words) => words.join(" "));
  const block = fc.oneof(
    line,
    fc.tuple(fc.integer({ min: 1, max: 6 }), word).map(([level, text]) => `${"#".repeat(level)} ${text}`),
    fc
      .array(line, { minLength: 1, maxLength: 9 })
      .map((items) => items.map((item) => `- ${item}`).join("\n")),
    fc.array(line, { minLength: 1, maxLength: 5 }).map((lines) => `\`\`\`\n${lines.join("\n")}\n\`\`\``),
  );
  const document = fc.array(block, { maxLength: 12 }).map((blocks) => blocks.join("\n\n"));
  const wordsOf = (text: string) => text.match(/\p{Ll}+/gu) ?? [];

  it("passages lose no word and keep the order", () => {
    fc.assert(
      fc.property(document, (markdown) => {
        const found: string[] = [];
        let path: readonly string[] = [];
        for (const { headings, text } of passagesOf(markdown, PAGE)) {
          const from = headings.findIndex((heading, at) => heading !== path[at]);
          // A path that goes on below another one repeats the headings that both have in common.
          if (from !== -1) found.push(...headings.slice(from));
          path = headings;
          found.push(...wordsOf(text));
        }
        expect(new Set(found)).toEqual(new Set(wordsOf(markdown)));
      }),
    );
  });

  it("passages are the same each time, numbered from 0, and at most 240 words long", () => {
    fc.assert(
      fc.property(document, (markdown) => {
        const passages = passagesOf(markdown, PAGE);
        expect(passagesOf(markdown, PAGE)).toEqual(passages);
        expect(passages.map(({ index }) => index)).toEqual(passages.map((_, at) => at));
        expect(new Set(passages.map(({ id }) => id)).size).toBe(passages.length);
        for (const { text } of passages) expect(countWords(text)).toBeLessThanOrEqual(242);
      }),
    );
  });

  it("the text of passages has the same words again when it is divided once more", () => {
    fc.assert(
      fc.property(document, (markdown) => {
        for (const text of textsOf(markdown)) expect(wordsOf(textsOf(text).join(" "))).toEqual(wordsOf(text));
      }),
    );
  });

  it("accepts any text, and returns texts of at most 4,000 characters and what fences it", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 500 }), (text) => {
        for (const passage of textsOf(text)) expect(passage.length).toBeLessThan(5_000);
      }),
    );
  });
});

it("lets other work have its turn while it divides a long text, with the same passages", async () => {
  const text = Array.from({ length: 2_000 }, (_, n) => `# Section ${n}\n\nWord ${n} of many.`).join("\n\n");
  let turns = 0;
  const other = setInterval(() => turns++, 0);

  const passages = await passagesInTurns(text, pageIdOf("page"));

  clearInterval(other);
  expect(turns).toBeGreaterThan(0);
  expect(passages).toEqual(passagesOf(text, pageIdOf("page")));
  expect(passages).toHaveLength(2_000);
});
