import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ChatModel, ModelChunk } from "../../src/llm/model.ts";
import { memoriesOf, summaryLines, targetWords, withoutOldest } from "../../src/memory/compaction.ts";
import { summarizeBlock } from "../../src/memory/compaction-summary.ts";
import { wordsIn } from "../../src/memory/model.ts";
import { utf8Length } from "../../src/shared/text.ts";

const wordsOf = (texts: readonly string[]) => texts.flatMap((text) => text.match(/\S+/gu) ?? []).toSorted();

describe("the memories that lines become", () => {
  it("are one per distinct line, and none for an empty one", () => {
    expect(memoriesOf(["a b", "", "c", " ", "a b"])).toEqual(["a b", "c"]);
    expect(memoriesOf([])).toEqual([]);
  });

  it("combine neighbouring lines if there are very many", () => {
    const lines = Array.from({ length: 10_000 }, (_, n) => `fact ${n}`);

    const memories = memoriesOf(lines);

    expect(memories.length).toBeLessThanOrEqual(128);
    expect(memories.join("\n")).toBe(lines.join("\n"));
  });

  it("contain every word uncut, and fit into a memory", () => {
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

  it("split a word that is longer than a memory between characters", () => {
    const memories = memoriesOf([`x${"😀".repeat(40_000)}`]);

    expect(memories.length).toBe(3);
    expect(memories.every((memory) => memory.isWellFormed())).toBe(true);
    expect(memories.join("")).toBe(`x${"😀".repeat(40_000)}`);
  });
});

it("removes as few of the oldest lines as possible", () => {
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
    ["is rejected if it is empty", " \n - \n", 5, undefined],
    ["is rejected if it is one word too long", "a b c d e f", 5, undefined],
    ["is rejected if it is a refusal", "I can’t help.", 5, undefined],
    [
      "may begin like a refusal and go on",
      "I can't swim\nnor run\nnor",
      6,
      ["I can't swim", "nor run", "nor"],
    ],
    ["is rejected if it is longer than the original", "長".repeat(50), 5, undefined],
  ])("%s", (_case, text, target, lines) => {
    expect(summaryLines(text, original, target)).toEqual(lines);
  });

  it("has no line that is too long for a block", () => {
    const long = "x".repeat(10_001);
    expect(summaryLines(long, [`${long} y`], 5)).toBeUndefined();
  });

  it("has half of an odd limit, rounded down", () => {
    expect([5_000, 101, 1, 0].map(targetWords)).toEqual([2_500, 50, 0, 0]);
  });
});

describe("a model that summarizes", () => {
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
  /** A model with one answer, and the number of tokens that a request to it may have. */
  const modelOf = (
    stream: (signal: AbortSignal) => AsyncIterable<ModelChunk>,
    promptTokens = 1_000,
  ): { readonly model: ChatModel; readonly promptTokens: number } => ({
    model: { id: "test", contextTokens: 1_000, stream: (_request, signal) => stream(signal) },
    promptTokens,
  });

  it("is abandoned after its time limit, even if it is still writing", async () => {
    const slow = modelOf(async function* (signal) {
      for (;;) {
        yield { type: "text", text: "x" };
        await new Promise((resolve) => setTimeout(resolve, 5));
        signal.throwIfAborted();
      }
    });

    expect(await summarizeBlock(block, slow, 40)).toEqual({
      lines: undefined,
      usage: null,
      missing: "provider-stalled",
    });
  });

  it("is not called if the block exceeds its window", async () => {
    let isAsked = false;
    const small = modelOf(async function* () {
      isAsked = true;
      yield { type: "text", text: "one" };
    }, 10);

    expect(await summarizeBlock(block, small)).toMatchObject({
      lines: undefined,
      missing: "too-long-to-read",
    });
    expect(isAsked).toBe(false);
  });

  it("is ignored if its summary was cut off at a token limit", async () => {
    const usage = { inputTokens: 9, outputTokens: 1, cachedTokens: 0 };
    const cut = modelOf(async function* () {
      yield { type: "text", text: "one to" };
      yield { type: "usage", usage };
      yield { type: "finish", reason: "length" };
    });

    expect(await summarizeBlock(block, cut)).toEqual({ lines: undefined, usage, missing: "unusable" });
  });

  it("reports its token usage", async () => {
    const usage = { inputTokens: 9, outputTokens: 1, cachedTokens: 0 };
    const good = modelOf(async function* () {
      yield { type: "text", text: "one to nine" };
      yield { type: "usage", usage };
    });

    expect(await summarizeBlock(block, good)).toEqual({ lines: ["one to nine"], usage, missing: null });
  });
});
