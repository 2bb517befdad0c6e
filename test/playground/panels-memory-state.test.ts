import { describe, expect, test } from "vitest";
import {
  changeLabel,
  changeSentence,
  countWords,
  linesOf,
  type ShownContents,
  withContent,
  withoutBlock,
  withoutMarks,
} from "../../playground/src/panels/memory-state.ts";

const content = (lines: string[]) => ({
  block_name: "human",
  name: "human",
  lines,
  word_count: countWords(lines),
  word_limit: 100,
  capacity_percent: 1,
  is_default: true,
});

const NONE: ShownContents = new Map();
const read = (known: ShownContents, lines: string[], tag = '"1"') => withContent(known, content(lines), tag);

describe("withContent", () => {
  test("marks nothing when a block is read for the first time", () => {
    const human = read(NONE, ["Name: Ada"]).get("human");
    expect(human).toMatchObject({ lines: ["Name: Ada"], tag: '"1"', words: 2, wordLimit: 100, removed: [] });
    expect(human?.changed.size).toBe(0);
  });

  test("marks the lines that a change has added and keeps those that it has removed", () => {
    const human = read(read(NONE, ["Name: Ada", "Likes: tea"]), ["Name: Ada", "Likes: coffee"], '"2"').get(
      "human",
    );
    expect(human).toMatchObject({ changed: new Set([1]), removed: ["Likes: tea"], tag: '"2"' });
  });

  test("keeps the marks if the lines are read again and are the same", () => {
    const changed = read(read(NONE, ["a"]), ["a", "b"]);
    expect(read(changed, ["a", "b"]).get("human")?.changed).toEqual(new Set([1]));
  });

  test("does not touch other blocks", () => {
    const both = withContent(read(NONE, ["a"]), { ...content(["x"]), block_name: "jobs" }, null);
    expect([...both.keys()]).toEqual(["human", "jobs"]);
    expect(withoutBlock(both, "human").has("human")).toBe(false);
  });
});

test("withoutMarks removes all marks, and returns the same contents if there are none", () => {
  const changed = read(read(NONE, ["a"]), ["b"]);
  const plain = withoutMarks(changed);
  expect(plain.get("human")).toMatchObject({ changed: new Set(), removed: [], lines: ["b"] });
  expect(withoutMarks(plain)).toBe(plain);
});

test("changeSentence says how many lines are new and removed", () => {
  const sentenceAfter = (before: string[], after: string[]) => {
    const human = read(read(NONE, before), after).get("human");
    return human && changeSentence("human", human);
  };
  expect(sentenceAfter(["a"], ["a", "b"])).toBe("Memory block human has changed: 1 line new.");
  expect(sentenceAfter(["a", "b"], ["c"])).toBe(
    "Memory block human has changed: 1 line new, 2 lines removed.",
  );
  expect(sentenceAfter(["a"], ["a"])).toBeUndefined();
});

test("linesOf drops blank lines and the spaces around lines", () => {
  expect(linesOf("  a \n\n b\r\n")).toEqual(["a", "b"]);
});

test("changeLabel shows the numbers of added and removed lines", () => {
  expect(changeLabel(["a"], ["a", "b"])).toBe("+1");
  expect(changeLabel(["a"], ["b"])).toBe("+1 −1");
  expect(changeLabel(["a"], [])).toBe("−1");
  expect(changeLabel(["a"], ["a"])).toBe("no change");
});
