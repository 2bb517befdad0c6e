import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  countWords,
  cutToBytes,
  normalized,
  onOneLine,
  preview,
  sliceWhole,
  utf8Length,
} from "../../src/shared/text.ts";
import { character } from "../support/arbitrary-text.ts";

/** Any well-formed text; what is not well-formed is refused before it gets here. */
const anyText = fc.string({ unit: character, maxLength: 60 });
const wideText = fc.string({
  unit: fc.constantFrom("a", "é", "€", "😀", "\uFEFF", "\u0301", "\0"),
  maxLength: 60,
});

const encodedLength = (text: string): number => new TextEncoder().encode(text).byteLength;

/** Words counted character by character: one begins wherever something follows white space or the beginning. */
function wordsOneByOne(text: string): number {
  let words = 0;
  let inWord = false;
  for (const character of text) {
    const isSpace = character.trim() === "";
    if (!isSpace && !inWord) words++;
    inWord = !isSpace;
  }
  return words;
}

describe("counting words", () => {
  it.each([
    ["", 0],
    [" \n\t ", 0],
    ["one", 1],
    ["  two   words ", 2],
    ["a\u00a0b\u2003c\u3000d\re", 5],
    ["hyphen-ated, punctuated!", 2],
    ["日本語", 1],
    ["私は学生です", 4],
    ["我是学生", 2],
    ["ฉันเป็นนักเรียน", 3],
    ["word 我是学生。 word", 4],
    ["。。。", 1],
    ["ཁང་པ་ཆེན་པོ", 4],
    ["中 \u0301中 。 中", 4],
    ["😀 👩‍👩‍👧", 2],
  ])("counts in %j: %i", (text, words) => {
    expect(countWords(text)).toBe(words);
  });

  it("is equal to counting words one by one", () => {
    const spaced = fc.string({ unit: fc.constantFrom("a", "é", " ", "\n", "\t", "\u00a0", "\uFEFF", "😀") });
    fc.assert(
      fc.property(fc.oneof(spaced, anyText), (text) => {
        fc.pre(
          !/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}\p{Script=Tibetan}]/u.test(
            text,
          ),
        );
        expect(countWords(text)).toBe(wordsOneByOne(text));
      }),
    );
  });

  it("adds up over texts with white space between them", () => {
    fc.assert(
      fc.property(anyText, anyText, (a, b) => {
        expect(countWords(`${a} ${b}`)).toBe(countWords(a) + countWords(b));
      }),
    );
  });
});

describe("the bytes of a text", () => {
  it("are as many as in its UTF-8 encoding", () => {
    fc.assert(
      fc.property(fc.oneof(anyText, wideText), (text) => {
        expect(utf8Length(text)).toBe(encodedLength(text));
      }),
    );
  });

  it.each([
    ["\u007f", 1],
    ["\u0080", 2],
    ["\u07ff", 2],
    ["\u0800", 3],
    ["\ud7ff", 3],
    ["\ue000", 3],
    ["\uffff", 3],
    ["\u{10000}", 4],
    ["\u{10ffff}", 4],
  ])("of %j are %i", (text, bytes) => {
    expect(utf8Length(text)).toBe(bytes);
  });
});

describe("cutting a text to bytes", () => {
  it("returns the longest beginning that fits, and cuts no character in two", () => {
    fc.assert(
      fc.property(fc.oneof(anyText, wideText), fc.nat({ max: 120 }), (text, maxBytes) => {
        const cut = cutToBytes(text, maxBytes);

        expect(text.startsWith(cut)).toBe(true);
        expect(cut.isWellFormed()).toBe(true);
        expect(encodedLength(cut)).toBeLessThanOrEqual(maxBytes);
        const [next = ""] = text.slice(cut.length);
        expect(next === "" || encodedLength(cut + next) > maxBytes).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ["abc", 3, "abc"],
    ["abc", 2, "ab"],
    ["abc", 0, ""],
    ["aé", 2, "a"],
    ["a😀b", 4, "a"],
    ["a😀b", 5, "a😀"],
    ["\uFEFFabc", 4, "\uFEFFa"],
  ])("cuts %j to %i bytes: %j", (text, maxBytes, expected) => {
    expect(cutToBytes(text, maxBytes)).toBe(expected);
  });
});

describe("a preview", () => {
  it.each([
    ["", 3, ""],
    ["abc", 3, "abc"],
    ["abcd", 3, "abc..."],
    ["😀😀😀", 3, "😀😀😀"],
    ["😀😀😀😀", 3, "😀😀😀..."],
  ])("of %j has %i characters: %j", (text, max, expected) => {
    expect(preview(text, max)).toBe(expected);
  });

  it("is the text itself or a beginning of it, in whole characters", () => {
    fc.assert(
      fc.property(wideText, fc.nat({ max: 60 }), (text, max) => {
        const characters = Array.from(text);
        const expected = characters.length <= max ? text : `${characters.slice(0, max).join("")}...`;
        expect(preview(text, max)).toBe(expected);
      }),
    );
  });
});

it("puts a text on one line, and changes nothing in a text that is on one", () => {
  expect(onOneLine(" One \r\n\n  two\u2028three\n")).toBe("One two three");
  fc.assert(
    fc.property(anyText, (text) => {
      expect(onOneLine(text)).not.toMatch(/[\r\n\u2028\u2029]/u);
    }),
  );
  expect(onOneLine("a  b\tc")).toBe("a  b\tc");
});

describe("sliceWhole", () => {
  it("returns a part of the text that is well-formed and at most one unit shorter at each end", () => {
    fc.assert(
      fc.property(wideText, fc.nat(60), fc.nat(60), (text, one, other) => {
        const [start, end] = one < other ? [one, other] : [other, one];

        const part = sliceWhole(text, start, end);

        expect(part.isWellFormed()).toBe(true);
        expect(text.slice(start, end)).toContain(part);
        expect(part.length).toBeGreaterThanOrEqual(text.slice(start, end).length - 2);
      }),
    );
  });
});

describe("normalized", () => {
  it("returns what the platform returns for texts of any language", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(normalized(text, "NFC")).toBe(text.normalize("NFC"));
        expect(normalized(text, "NFKD")).toBe(text.normalize("NFKD"));
      }),
    );
  });

  it("sorts no more than thirty marks at a time", () => {
    const marks = "\u0301\u0316".repeat(50);

    expect(normalized(`a${marks}`, "NFKD").split("\u034f")).toHaveLength(4);
  });
});
