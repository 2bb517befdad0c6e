import { describe, expect, test } from "vitest";
import { passageParts, safeLink } from "../../playground/src/panels/passage-parts.ts";
import { excerptOf, markTerms, noteSentences } from "../../playground/src/panels/search-marks.ts";

const marked = (text: string, ...terms: string[]): string =>
  markTerms(text, terms)
    .map(({ text, isMatch }) => (isMatch ? `[${text}]` : text))
    .join("");

describe("markTerms", () => {
  test("marks words whatever their case and accents", () => {
    expect(marked("Café in Köln", "cafe", "koln")).toBe("[Café] in [Köln]");
  });

  test("marks other endings of a word, but not words that merely begin alike", () => {
    expect(marked("The cats ate. A category.", "cat")).toBe("The [cats] ate. A category.");
    expect(marked("He works at work", "working")).toBe("He works at [work]");
  });

  test("marks short words as a whole only", () => {
    expect(marked("a ant at", "a")).toBe("[a] ant at");
  });

  test("returns the text as it is without terms, and nothing for an empty text", () => {
    expect(markTerms("Hello", [])).toEqual([{ text: "Hello", isMatch: false }]);
    expect(markTerms("", ["a"])).toEqual([]);
  });

  test("loses no character", () => {
    const text = "“Ada’s” cat — 3 cats, 𝒜da & co.";
    const pieces = markTerms(text, ["cat", "ada's"]);
    expect(pieces.map((piece) => piece.text).join("")).toBe(text);
  });
});

describe("excerptOf", () => {
  const long = `${"word ".repeat(200)}needle ${"word ".repeat(200)}`.trim();

  test("shows a short text as a whole", () => {
    expect(excerptOf("Short.", [])).toEqual({ text: "Short.", isCutBefore: false, isCutAfter: false });
  });

  test("shows the part around the first word that was searched for", () => {
    const excerpt = excerptOf(long, ["needle"]);
    expect(excerpt.text).toContain("needle");
    expect(excerpt.text.length).toBeLessThanOrEqual(360);
    expect(excerpt).toMatchObject({ isCutBefore: true, isCutAfter: true });
    expect(excerpt.text.startsWith("word")).toBe(true);
  });

  test("shows the beginning if no word is found", () => {
    expect(excerptOf(long, ["absent"])).toMatchObject({ isCutBefore: false, isCutAfter: true });
  });

  test("shows the end of a text whose match is there, without a cut behind it", () => {
    expect(excerptOf(`${"word ".repeat(200)}needle`, ["needle"])).toMatchObject({ isCutAfter: false });
  });
});

test("noteSentences explains notes, leaves out what the list says, and keeps notes that are new", () => {
  expect(noteSentences(["index-building", "nothing-matched", "brand-new"])).toEqual([
    "The index is still being built, so some results may be missing.",
    "brand-new",
  ]);
});

describe("passageParts", () => {
  test("divides the surroundings at the passage", () => {
    expect(passageParts("Before.\n\nThe passage.\n\nAfter.", "The passage.")).toEqual({
      before: "Before.",
      cited: "The passage.",
      after: "After.",
    });
  });

  test("shows the passage alone if the surroundings lack it", () => {
    expect(passageParts("Other text", "The passage.")).toEqual({
      before: "",
      cited: "The passage.",
      after: "",
    });
  });
});

test("safeLink accepts web addresses only, and keeps text fragments as they are", () => {
  expect(safeLink("https://a.example/b#:~:text=On%20Saturdays")).toBe(
    "https://a.example/b#:~:text=On%20Saturdays",
  );
  for (const url of [
    "javascript:alert(1)",
    "data:text/html,x",
    "//a.example",
    "https://",
    " https://a.example",
    null,
  ])
    expect(safeLink(url)).toBeUndefined();
});
