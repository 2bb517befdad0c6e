import { expect, it } from "vitest";
import { contextTokensOf, type FactsProvider, modelFacts } from "../../src/llm/model-facts.ts";
import { MODEL_FACTS, MODEL_FACTS_DATE } from "../../src/llm/model-facts-data.ts";

it.each<[string, FactsProvider | undefined, number]>([
  ["claude-opus-4-6", "anthropic", 1_000_000],
  ["claude-haiku-4-5", "anthropic", 200_000],
  ["gpt-5-mini", "openai", 272_000],
  ["gpt-5.2-chat-latest", "openai", 128_000],
  ["gpt-5.2-chat-latest", undefined, 128_000],
  ["GPT-4o", undefined, 128_000],
  ["openai/gpt-4.1-mini", undefined, 1_047_576],
  ["anthropic/claude-opus-4-6", undefined, 1_000_000],
  ["us.anthropic.claude-haiku-4-5-20251001-v1:0", "amazon-bedrock", 200_000],
  ["deepseek-chat:free", undefined, modelFacts("deepseek-chat", "deepseek")?.contextTokens ?? 0],
  ["claude-of-next-year", "anthropic", 200_000],
  ["gpt-9", "openai", 272_000],
  ["my-own-model", undefined, 32_000],
  ["", undefined, 32_000],
  ["/", undefined, 32_000],
])("reads the window of %s at %s from the extract", (model, provider, tokens) => {
  expect(contextTokensOf(model, provider)).toBe(tokens);
});

it("has the prices and abilities of the provider itself, and no other provider's prices", () => {
  expect(modelFacts("gpt-4o-mini", "openai")).toEqual({
    contextTokens: 128_000,
    outputTokens: 16_384,
    price: { input: 0.15, output: 0.6 },
    tools: true,
    vision: true,
  });
  expect(modelFacts("gpt-4o-mini")).not.toHaveProperty("price");
  expect(modelFacts("gpt-3.5-turbo", "openai")).toMatchObject({ tools: false, vision: false });
});

it("assumes no larger window than any server of the model has", () => {
  const windows = MODEL_FACTS.split("\n")
    .filter((line) => line.startsWith("gpt-oss-120b,") || line.includes("/gpt-oss-120b,"))
    .map((line) => Number(line.split(",")[1]));

  expect(windows.length).toBeGreaterThan(1);
  expect(contextTokensOf("gpt-oss-120b")).toBe(Math.min(...windows));
});

it("has a dated extract of all providers in which every line is complete", () => {
  const lines = MODEL_FACTS.split("\n").filter((line) => !line.startsWith("#"));

  expect(MODEL_FACTS_DATE).toMatch(/^\d{4}-\d\d-\d\d$/u);
  expect(lines.length).toBeGreaterThan(250);
  expect(lines.filter((line) => !/^[^,]+,\d+,\d+,[\d.]*,[\d.]*,t?v?$/u.test(line))).toEqual([]);
});
