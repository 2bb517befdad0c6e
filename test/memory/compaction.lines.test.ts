import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ChatModel, ModelChunk } from "../../src/llm/model.ts";
import { memoriesOf, summaryLines, targetWords, withoutOldest } from "../../src/memory/compaction.ts";
import { summarise } from "../../src/memory/compaction-summary.ts";
import { wordsIn } from "../../src/memory/model.ts";
import { utf8Length } from "../../src/shared/text.ts";

const wordsOf = (texts: readonly string[]) => texts.flatMap((text) => text.match(/\S+/gu) ?? []).toSorted();

describe("the memories that lines become", () => {
  it("are one for each line, once, and none for an empty one", () => {
    expect(memoriesOf(["a b", "", "c", " ", "a b"])).toEqual(["a b", "c"]);
    expect(memoriesOf([])).toEqual([]);
  });

  it("hold neighbours together where there are very many", () => {
    const lines = Array.from({ length: 10_000 }, (_, n) => `fact ${n}`);

    const memories = memoriesOf(lines);

    expect(memories.length).toBeLessThanOrEqual(128);
    expect(memories.join("\n")).toBe(lines.join("\n"));
  });

  it("hold every word, none of them cut, and fit what a memory may hold", () => {
    const word = fc.oneof(
      fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 }),
      fc.constant("長い".repeat(4_000)),
    );
    const line = fc.array(word, { maxLength: 30 }).map((words) => words.join(" "));

    fc.assert(
      fc.property(fc.array(line, { maxLength: 200 }), (lines) => {
        const memories = memoriesOf(lines);

        for (const memory of memories) expect(utf8Length(memory)).toBeLessThanOrEqual(100 * 1024);
        expect(new Set(wordsOf(memories))).toEqual(new Set(wordsOf(lines)));
      }),
      { numRuns: 50 },
    );
  });

  it("cut a word that is longer than any memory between characters", () => {
    const memories = memoriesOf([`x${"😀".repeat(40_000)}`]);

    expect(memories.length).toBe(3);
    expect(memories.every((memory) => memory.isWellFormed())).toBe(true);
    expect(memories.join("")).toBe(`x${"😀".repeat(40_000)}`);
  });
});

it("takes as few of the oldest lines as it can", () => {
  const lines = fc.array(fc.array(fc.constant("w"), { maxLength: 9 }).map((words) => words.join(" ")));

  fc.assert(
    fc.property(lines, fc.nat(60), (all, target) => {
      const { moved, kept } = withoutOldest(all, target);

      expect([...moved, ...kept]).toEqual(all);
      expect(wordsIn(kept)).toBeLessThanOrEqual(target);
      if (moved.length > 0) expect(wordsIn([...moved.slice(-1), ...kept])).toBeGreaterThan(target);
    }),
  );
});

describe("a summary", () => {
  const original = ["one two three four five six", "seven eight nine ten"];

  it.each<[string, string, number, readonly string[] | undefined]>([
    [
      "is taken line by line, without marks",
      "- one two\n\n * three  \r\n• four\nfive-six",
      5,
      ["one two", "three", "four", "five-six"],
    ],
    ["is none when it is empty", " \n - \n", 5, undefined],
    ["is none when it has a word too many", "a b c d e f", 5, undefined],
    ["is none when it is a refusal", "I can’t help.", 5, undefined],
    ["may begin like one and say more", "I can't swim\nnor run\nnor", 6, ["I can't swim", "nor run", "nor"]],
    ["is none when it is longer than what it sums up", "長".repeat(50), 5, undefined],
  ])("%s", (_case, text, target, lines) => {
    expect(summaryLines(text, original, target)).toEqual(lines);
  });

  it("has no line that a block may not have", () => {
    const long = "x".repeat(10_001);
    expect(summaryLines(long, [`${long} y`], 5)).toBeUndefined();
  });

  it("leaves half of an odd limit, rounded down", () => {
    expect([5_000, 101, 1, 0].map(targetWords)).toEqual([2_500, 50, 0, 0]);
  });
});

describe("a model that sums up", () => {
  const block = {
    name: "jobs",
    description: "",
    wordLimit: 10,
    isDefault: false,
    createdAt: "",
    updatedAt: null,
    content: {
      lines: ["one two three four five", "six seven eight nine"],
      createdAt: "",
      revision: undefined,
    },
  };
  /** A model that is asked for one answer; `contextWords` is what it reads. */
  const modelOf = (
    stream: (signal: AbortSignal) => AsyncIterable<ModelChunk>,
    contextWords = 1_000,
  ): ChatModel => ({ id: "test", contextWords, stream: (_request, signal) => stream(signal) });

  it("is left when its time is over, however slowly it goes on", async () => {
    const slow = modelOf(async function* (signal) {
      for (;;) {
        yield { type: "text", text: "x" };
        await new Promise((resolve) => setTimeout(resolve, 5));
        signal.throwIfAborted();
      }
    });

    expect(await summarise(block, slow, 40)).toEqual({
      lines: undefined,
      usage: null,
      missing: "provider-stalled",
    });
  });

  it("is not asked where it can't read the block", async () => {
    let isAsked = false;
    const small = modelOf(async function* () {
      isAsked = true;
      yield { type: "text", text: "one" };
    }, 14);

    expect(await summarise(block, small)).toMatchObject({ lines: undefined, missing: "too-long-to-read" });
    expect(isAsked).toBe(false);
  });

  it("says what it has used", async () => {
    const usage = { inputTokens: 9, outputTokens: 1, cachedTokens: 0 };
    const good = modelOf(async function* () {
      yield { type: "text", text: "one to nine" };
      yield { type: "usage", usage };
    });

    expect(await summarise(block, good)).toEqual({ lines: ["one to nine"], usage, missing: null });
  });
});
