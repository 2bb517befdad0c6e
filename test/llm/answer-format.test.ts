import { expect, it } from "vitest";
import { anthropicModel } from "../../src/llm/anthropic.ts";
import { bedrockModel } from "../../src/llm/bedrock.ts";
import { type AnswerFormat, MODEL_TIMEOUTS } from "../../src/llm/model.ts";
import { toOpenAiBody } from "../../src/llm/openai-body.ts";
import { toResponsesBody } from "../../src/llm/responses-body.ts";

const schema = { type: "object", properties: { name: { type: "string" } } };
const CAT: AnswerFormat = { name: "cat", description: "A cat", schema, isStrict: true };
const ANY: AnswerFormat = { name: "answer", isStrict: false };

const bodyOptions = (format?: AnswerFormat) => ({
  model: "gpt-4.1",
  request: { messages: [{ role: "user", content: "Hello" } as const], tools: [], ...(format && { format }) },
  settings: {},
  dialect: "openai" as const,
  source: "api.test/m",
  amendments: new Map<never, never>(),
});

it("is sent to the chat completions API", () => {
  expect(toOpenAiBody(bodyOptions(CAT)).response_format).toEqual({
    type: "json_schema",
    json_schema: { name: "cat", description: "A cat", schema, strict: true },
  });
  expect(toOpenAiBody(bodyOptions(ANY)).response_format).toEqual({ type: "json_object" });
  expect(toOpenAiBody(bodyOptions())).not.toHaveProperty("response_format");
});

it("is sent to the Responses API", () => {
  expect(toResponsesBody(bodyOptions(CAT)).text).toEqual({
    format: { type: "json_schema", name: "cat", description: "A cat", schema, strict: true },
  });
  expect(toResponsesBody(bodyOptions(ANY)).text).toEqual({ format: { type: "json_object" } });
  expect(toResponsesBody(bodyOptions())).not.toHaveProperty("text");
});

it("is refused for APIs that have no such answers, and nothing is sent", () => {
  const options = {
    model: "claude",
    contextTokens: 100_000,
    settings: {},
    timeouts: MODEL_TIMEOUTS,
    amendments: new Map<never, never>(),
    fetch: () => Promise.reject(new Error("Nothing may be sent.")),
  };
  const models = [
    anthropicModel({ ...options, apiKey: "sk" }),
    bedrockModel({
      ...options,
      region: "us-east-1",
      credentials: { accessKeyId: "a", secretAccessKey: "b" },
    }),
  ];
  const { request } = bodyOptions(CAT);

  for (const model of models)
    expect(() => model.stream(request, new AbortController().signal)).toThrow("no JSON answers");
});
