import { expect, it } from "vitest";
import { pageIdOf } from "../../src/shared/id-types.ts";
import { filler, found, pageWith, withPassages } from "./passages.ts";

it("ranks a passage under a matching heading before one that only mentions the words", () =>
  withPassages((index) => {
    const mention = { id: "a", headings: ["Orders"], text: "Ask the desk about refunds if in doubt." };
    const section = { id: "b", headings: ["Help", "Refunds"], text: "Money is sent back within five days." };
    index.apply(
      [pageWith("one", [], { passages: [mention] }), pageWith("two", [], { passages: [section] })],
      [],
      1,
    );

    expect(found(index, "refunds").map(({ passageId }) => passageId)).toEqual(["b", "a"]);
  }));

it("finds a page by its title if no heading has it", () =>
  withPassages((index) => {
    index.apply([pageWith("one", ["Open from nine to five."], { title: "Visiting the museum" })], [], 1);

    expect(found(index, "museum")).toMatchObject([{ headings: ["Visiting the museum"] }]);
  }));

it("shows a passage with its surroundings, up to 240 words in whole passages", () =>
  withPassages((index) => {
    const texts = [
      filler(100, "far"),
      filler(60, "near"),
      `harbour ${filler(99, "own")}`,
      filler(70, "next"),
    ];
    index.apply([pageWith("one", texts)], [], 1);

    const [hit, ...others] = found(index, "harbour");

    expect(others).toEqual([]);
    expect(hit).toMatchObject({ text: texts[2], content: [texts[1], texts[2], texts[3]].join("\n\n") });
  }));

it("takes surroundings of the same section first, and names the section where another begins", () =>
  withPassages((index) => {
    const passages = [
      { id: "a", headings: ["Boats"], text: filler(90, "boat") },
      { id: "b", headings: ["Boats"], text: `harbour ${filler(59, "own")}` },
      { id: "c", headings: ["Cranes"], text: filler(60, "crane") },
    ];
    index.apply([pageWith("one", [], { passages })], [], 1);

    expect(found(index, "harbour")[0]?.content).toBe(
      [passages[0]?.text, passages[1]?.text, "**Cranes**", passages[2]?.text].join("\n\n"),
    );
  }));

it("merges results whose surroundings overlap, so that no text is shown twice", () =>
  withPassages((index) => {
    const texts = Array.from({ length: 9 }, (_, n) => `harbour harbour${n} ${filler(78, `p${n}w`)}`);
    index.apply([pageWith("one", texts)], [], 1);

    const hits = found(index, "harbour");

    const shown = hits.flatMap(({ content }) => content.split("\n\n"));
    expect(shown.toSorted()).toEqual(texts.toSorted());
    expect(hits.length).toBeLessThan(texts.length);
  }));

it("keeps a match that does not fit beside a better one as a result of its own", () =>
  withPassages((index) => {
    const long = `harbour ${filler(239, "long")}`;
    index.apply([pageWith("one", [long, "The harbour is closed."])], [], 1);

    expect(
      found(index, "harbour")
        .map(({ text }) => text)
        .toSorted(),
    ).toEqual([long, "The harbour is closed."].toSorted());
  }));

it("puts the best answers to several questions first", () =>
  withPassages((index) => {
    const pages = ["The ferry leaves at noon.", "Dogs travel free.", "The ferry has a café."].map((text, n) =>
      pageWith(`page-${n}`, [text]),
    );
    index.apply(pages, [], 1);

    const texts = found(index, "When does the ferry leave?", "dogs").map(({ text }) => text);

    expect(texts.slice(0, 2).toSorted()).toEqual(["Dogs travel free.", "The ferry leaves at noon."]);
  }));

it("finds the words of a link, but not those of its address", () =>
  withPassages((index) => {
    index.apply([pageWith("one", ["See the [timetable](https://example.com/harbour/ferry)."])], [], 1);

    expect(found(index, "timetable")).toHaveLength(1);
    expect(found(index, "harbour ferry")).toEqual([]);
  }));

it("finds nothing for an empty query", () =>
  withPassages((index) => {
    index.apply([pageWith("one", ["Anything"])], [], 1);

    expect(found(index, "  ")).toEqual([]);
  }));

it("replaces a page without a trace of its former text", () =>
  withPassages((index, { sql }) => {
    index.apply([pageWith("one", ["The old harbour", "It stays"])], [], 1);
    index.apply([pageWith("one", ["The new pier"], { version: 2 })], [], 2);

    expect(found(index, "harbour")).toEqual([]);
    expect(found(index, "pier")).toMatchObject([{ text: "The new pier" }]);
    expect(index).toMatchObject({ stored: 1, pages: 1, changesUntil: 2 });
    expect(sql.exec("SELECT COUNT(*) AS n FROM passage_words").one()).toEqual({ n: 1 });
  }));

it("ignores an older version of a page that arrives late", () =>
  withPassages((index) => {
    index.apply([pageWith("one", ["The new pier"], { version: 5 })], [], 5);
    index.apply([pageWith("one", ["The old harbour"], { version: 3 })], [], 5);

    expect(found(index, "pier")).toHaveLength(1);
    expect(found(index, "harbour")).toEqual([]);
  }));

it("keeps the vector of a passage whose text stays when the page changes around it", () =>
  withPassages((index, { sql }) => {
    const stays = { id: "same", headings: ["Prices"], text: "A ticket costs five euros." };
    const goes = { id: "gone", headings: ["Prices"], text: "Children go free." };
    index.apply([pageWith("one", [], { passages: [goes, stays] })], [], 1);
    for (const { id } of [stays, goes])
      sql.exec(
        "INSERT INTO vectors SELECT passage_id, place, 1, x'01' FROM passages WHERE passage_id = ?",
        id,
      );

    index.apply([pageWith("one", [], { version: 2, title: "Tickets", passages: [stays] })], [], 2);

    expect(
      sql.exec("SELECT sort_key, passage_id FROM vectors JOIN passages USING (place)").toArray(),
    ).toEqual([{ sort_key: "same", passage_id: "same" }]);
  }));

it("removes a page with its words and vectors", () =>
  withPassages((index, { sql }) => {
    index.apply([pageWith("one", ["The harbour"]), pageWith("two", ["The pier"])], [], 2);
    index.apply([], [pageIdOf("one")], 3);

    expect(found(index, "harbour")).toEqual([]);
    expect(found(index, "pier")).toHaveLength(1);
    expect(sql.exec("SELECT COUNT(*) AS n FROM passages").one()).toEqual({ n: 1 });
  }));

it("reads a page on from a position, at least one passage and no more than asked for", () =>
  withPassages((index) => {
    index.apply([pageWith("one", ["First", "Second", "Third"], { title: "Steps" })], [], 1);

    expect(index.read(pageIdOf("one"), 1, 1)).toMatchObject({
      title: "Steps",
      total: 3,
      passages: [{ position: 1, text: "Second" }],
    });
    expect(index.read(pageIdOf("one"), 0, 11)?.passages).toHaveLength(2);
    expect(index.read(pageIdOf("one"), 3, 100)?.passages).toEqual([]);
    expect(index.read(pageIdOf("two"), 0, 100)).toBeUndefined();
  }));

it("says which words of a question no page has, and how much was searched", () =>
  withPassages((index) => {
    index.apply([pageWith("one", ["The harbour is open."])], [], 1);

    const [question] = [
      {
        kind: "words",
        terms: [
          { match: '"harbour"', word: "harbour" },
          { match: '"zeppelin"', word: "zeppelin" },
        ],
        weak: undefined,
        words: [],
        text: "",
      },
    ] as const;
    expect(index.evidence([question])).toMatchObject({
      matchedTerms: ["harbour"],
      missingTerms: ["zeppelin"],
      considered: 1,
    });
  }));

it("indexes a page in parts, and says of a part how long the page is", () =>
  withPassages((index) => {
    const page = pageWith("one", ["The harbour", "The pier", "The crane"]);

    expect(index.applyPart(page, 2, 7)).toBe(1);
    expect(index.changesUntil).toBe(0);
    expect(index.read(page.pageId, 0, 1_000)).toMatchObject({ total: 3, passages: [{}, {}] });
    expect(index.read(page.pageId, 2, 1_000)).toMatchObject({ total: 3, passages: [] });
    expect(found(index, "crane")).toEqual([]);
    expect(index.applyPart(page, 2, 7)).toBe(0);

    expect(index.changesUntil).toBe(7);
    expect(index.partial).toBeUndefined();
    expect(found(index, "crane")).toMatchObject([
      { position: 2, content: "The harbour\n\nThe pier\n\nThe crane" },
    ]);
  }));

it("removes more passages than one statement takes", () =>
  withPassages((index) => {
    const page = pageWith(
      "one",
      Array.from({ length: 11_000 }, (_, n) => `crane${n}`),
    );
    index.apply([page], [], 1);
    expect(index.stored).toBe(11_000);

    index.apply([], [page.pageId], 2);

    expect(index.stored).toBe(0);
    expect(found(index, "crane10999")).toEqual([]);
  }));
