import { describe, expect, test } from "vitest";
import {
  changedLines,
  countChanges,
  diffLines,
  diffWords,
  shownLines,
} from "../../playground/src/panels/line-diff.ts";

const short = (before: string, after: string): string =>
  diffLines(before.split(""), after.split(""))
    .map(({ kind, text }) => ({ same: "=", removed: "-", added: "+" })[kind] + text)
    .join(" ");

describe("diffLines", () => {
  test("keeps the lines that both texts have", () => {
    expect(short("abc", "abc")).toBe("=a =b =c");
    expect(short("", "")).toBe("");
  });

  test("shows a line that was added at the end, the beginning or between others", () => {
    expect(short("ab", "abc")).toBe("=a =b +c");
    expect(short("bc", "abc")).toBe("+a =b =c");
    expect(short("ac", "abc")).toBe("=a +b =c");
  });

  test("shows removed lines before those that replace them", () => {
    expect(short("axc", "ayc")).toBe("=a -x +y =c");
    expect(short("abc", "")).toBe("-a -b -c");
  });

  test("finds the fewest changes between texts that differ in several places", () => {
    expect(countChanges(diffLines("abcabba".split(""), "cbabac".split("")))).toEqual({
      added: 2,
      removed: 3,
    });
  });

  test("restores both texts for any two texts", () => {
    let seed = 7;
    const random = (below: number) => (seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648) % below;
    for (let round = 0; round < 300; round += 1) {
      const text = () => Array.from({ length: random(12) }, () => "abc"[random(3)] ?? "");
      const [before, after] = [text(), text()];
      const lines = diffLines(before, after);
      const without = (kind: string) => lines.filter((line) => line.kind !== kind).map((line) => line.text);
      expect(without("added")).toEqual(before);
      expect(without("removed")).toEqual(after);
    }
  });

  test("replaces everything between the common ends if there are more changes than it looks for", () => {
    const numbered = (prefix: string) => Array.from({ length: 5_000 }, (_, index) => `${prefix}${index}`);
    const lines = diffLines(["first", ...numbered("a"), "last"], ["first", ...numbered("b"), "last"]);
    expect(countChanges(lines)).toEqual({ added: 5_000, removed: 5_000 });
    expect(lines[0]).toEqual({ kind: "same", text: "first" });
    expect(lines.at(-1)).toEqual({ kind: "same", text: "last" });
  });
});

test("changedLines returns the positions of new lines in the later text", () => {
  expect(changedLines(["a", "b", "c"], ["a", "x", "c", "y"])).toEqual(new Set([1, 3]));
  expect(changedLines(["a", "b"], ["a"])).toEqual(new Set());
});

test("diffWords marks the words that differ and keeps the spaces", () => {
  expect(diffWords("Lives in Rome", "Lives in Paris")).toEqual([
    { kind: "same", text: "Lives" },
    { kind: "same", text: " " },
    { kind: "same", text: "in" },
    { kind: "same", text: " " },
    { kind: "removed", text: "Rome" },
    { kind: "added", text: "Paris" },
  ]);
});

describe("shownLines", () => {
  test("sets each removed line against the line that replaces it", () => {
    const shown = shownLines(diffLines(["a", "b", "c"], ["x", "y", "c"]));
    expect(shown).toEqual([
      { kind: "removed", text: "a", partner: "x" },
      { kind: "removed", text: "b", partner: "y" },
      { kind: "added", text: "x", partner: "a" },
      { kind: "added", text: "y", partner: "b" },
      { kind: "same", text: "c", partner: undefined },
    ]);
  });

  test("leaves out lines far from every change and says how many", () => {
    const before = Array.from({ length: 10 }, (_, index) => `line ${index}`);
    const shown = shownLines(diffLines(before, [...before, "new"]));
    expect(shown.map((line) => (line.kind === "folded" ? line.count : line.text))).toEqual([
      8,
      "line 8",
      "line 9",
      "new",
    ]);
  });

  test("shows a single line in place of a note that one line is left out", () => {
    const shown = shownLines(diffLines(["a", "b", "c"], ["a", "b", "c", "new"]));
    expect(shown.map(({ kind }) => kind)).toEqual(["same", "same", "same", "added"]);
  });
});
