import { expect, it } from "vitest";
import { extractOf } from "../../scripts/models.ts";

const linesOf = (parsed: unknown): readonly string[] =>
  extractOf(parsed)
    .data.split("\n")
    .filter((line) => !line.startsWith("#"));

/** A model as models.dev describes it. */
const model = (more: object = {}) => ({
  limit: { context: 128_000, output: 16_384 },
  cost: { input: 2.5, output: 10 },
  tool_call: true,
  modalities: { input: ["text", "image"] },
  ...more,
});

it("extracts window, output, prices and abilities, sorted by id", () => {
  const models = {
    b: model(),
    a: model({ cost: undefined, tool_call: false, modalities: { input: ["text"] } }),
  };

  expect(linesOf({ mistral: { models } })).toEqual(["a,128000,16384,,,", "b,128000,16384,2.5,10,tv"]);
});

it("has a section for each provider, in a fixed order, and omits all others", () => {
  const { data } = extractOf({
    xai: { models: { grok: model() } },
    openai: {},
    unknown: { models: { m: model() } },
  });

  expect(data.split("\n").filter((line) => line.startsWith("#"))).toHaveLength(13);
  expect(data.split("\n")[0]).toBe("#openai");
  expect(data).toContain("#xai\ngrok,");
  expect(data).not.toContain("\nm,");
});

it.each([
  [
    "a stated limit of the input",
    "mistral",
    "m",
    { context: 400_000, input: 100_000, output: 8_000 },
    100_000,
  ],
  [
    "OpenAI's reasoning models, whose output shares it",
    "openai",
    "gpt-5",
    { context: 400_000, output: 128_000 },
    272_000,
  ],
  [
    "OpenAI's models with a small window",
    "openai",
    "gpt-5-chat",
    { context: 128_000, output: 16_384 },
    128_000,
  ],
  ["the same id at another provider", "groq", "gpt-5", { context: 400_000, output: 128_000 }, 400_000],
])("states how many tokens a model reads: %s", (_case, provider, id, limit, tokens) => {
  const [line] = linesOf({ [provider]: { models: { [id]: model({ limit }) } } });

  expect(line?.split(",")[1]).toBe(String(tokens));
});

it("lists a model of Bedrock once, without its area", () => {
  const models = { "eu.anthropic.x": model(), "us.anthropic.x": model(), "amazon.nova": model() };

  expect(linesOf({ "amazon-bedrock": { models } }).map((line) => line.split(",")[0])).toEqual([
    "amazon.nova",
    "anthropic.x",
  ]);
});

it("omits models that do not chat", () => {
  const models = { embed: model({ limit: { context: 8_000, output: 0 } }), chat: model() };

  expect(linesOf({ mistral: { models } })).toHaveLength(1);
});

it("reads a reduction of the download, with the day that its source names", () => {
  const reduced = {
    context: 8_000,
    output: 1_000,
    price: { input: 1, output: 2 },
    tools: true,
    vision: false,
  };
  const parsed = { source: "models.dev, 2026-11-20", providers: { mistral: { m: reduced } } };

  expect(linesOf(parsed)).toEqual(["m,8000,1000,1,2,t"]);
  expect(extractOf(parsed).day).toBe("2026-11-20");
  expect(extractOf({ mistral: { models: { m: model() } } }).day).toBeUndefined();
});

it("refuses a file without models, and one whose extract is too large for the bundle", () => {
  const many = Array.from({ length: 2_000 }, () => [crypto.randomUUID(), model()]);

  expect(() => extractOf({ error: "Not found" })).toThrow("no models");
  expect(() => extractOf({ mistral: { models: Object.fromEntries(many) } })).toThrow("at most 4096");
});
