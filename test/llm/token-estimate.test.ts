import { encode } from "gpt-tokenizer/encoding/o200k_base";
import { describe, expect, it } from "vitest";
import { beginningWithin, endWithin, estimateTokens } from "../../src/llm/token-estimate.ts";
import { SAMPLES } from "./token-samples.ts";

/** The share by which the estimate differs from what `o200k_base` counts. */
function errorOf(text: string): number {
  const counted = encode(text).length;
  return Math.abs(estimateTokens(text) - counted) / counted;
}

describe("against o200k_base", () => {
  it("errs by at most 10 % on average over all scripts and kinds of text", () => {
    const errors = Object.values(SAMPLES).map(errorOf);

    expect(errors.reduce((sum, error) => sum + error, 0) / errors.length).toBeLessThanOrEqual(0.1);
  });

  it.each(Object.entries(SAMPLES))("errs by at most 22 %% for %s", (_name, text) => {
    expect(errorOf(text)).toBeLessThanOrEqual(0.22);
  });
});

it("counts an empty text as no tokens", () => {
  expect(estimateTokens("")).toBe(0);
});

it("counts encoded text by its characters, and names in code by their words", () => {
  expect(estimateTokens("a0".repeat(500))).toBeGreaterThan(500);
  expect(estimateTokens("conversationSummaryRepository")).toBeLessThan(10);
});

it.each([
  ["a lone surrogate", "\ud800"],
  ["a control character", "\u0000"],
  ["an ideograph outside the basic plane", "𠀀"],
])("counts %s", (_name, text) => {
  expect(estimateTokens(text)).toBeGreaterThan(0);
});

it("stops reading above the limit", () => {
  expect(estimateTokens("one two three ".repeat(1_000), 10)).toBeLessThan(20);
});

describe("cuts a text to a number of tokens", () => {
  const texts = [
    ...Object.entries(SAMPLES).map(([name, text]) => [name, text.repeat(20)] as const),
    ["one character", "字".repeat(5_000)] as const,
    ["one word", "x".repeat(5_000)] as const,
  ];

  it.each(texts)("%s, at its beginning", (_name, text) => {
    const beginning = beginningWithin(text, 100);

    expect(text.startsWith(beginning)).toBe(true);
    expect(estimateTokens(beginning)).toBeLessThanOrEqual(100);
    expect(estimateTokens(beginning)).toBeGreaterThan(60);
  });

  it.each(texts)("%s, at its end", (_name, text) => {
    const end = endWithin(text, 100);

    expect(text.endsWith(end)).toBe(true);
    expect(estimateTokens(end)).toBeLessThanOrEqual(120);
    expect(estimateTokens(end)).toBeGreaterThan(60);
  });

  it("between two words if it can", () => {
    expect(beginningWithin("one two three four five six seven", 4)).toMatch(/^one( two| three| four)*$/u);
    expect(endWithin("one two three four five six seven", 4)).toMatch(/^([a-z]+ )*seven$/u);
  });

  it("returns a text that fits as it is", () => {
    expect(beginningWithin(SAMPLES.thai, 1_000)).toBe(SAMPLES.thai);
    expect(endWithin(SAMPLES.thai, 1_000)).toBe(SAMPLES.thai);
  });

  it("returns nothing for no tokens", () => {
    expect(beginningWithin("one two", 0)).toBe("");
    expect(endWithin("one two", 0)).toBe("");
  });
});

it.each([10, 50, 51, 500])("cuts no emoji in half within %i tokens", (limit) => {
  for (const text of ["😀".repeat(2_000), `x${"😀".repeat(2_000)}`, "👨‍👩‍👧‍👦".repeat(500)])
    expect(beginningWithin(text, limit) + endWithin(text, limit)).not.toContain("\ufffd");
});
