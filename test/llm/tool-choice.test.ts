import { expect, it } from "vitest";
import { toAnthropicBody } from "../../src/llm/anthropic-body.ts";
import { toBedrockBody } from "../../src/llm/bedrock-body.ts";
import type { ModelRequest, ToolChoice } from "../../src/llm/model.ts";
import { toOpenAiBody } from "../../src/llm/openai-body.ts";
import { toResponsesBody } from "../../src/llm/responses-body.ts";

const requestOf = (toolChoice: ToolChoice | undefined): ModelRequest => ({
  messages: [{ role: "user", content: "Hi" }],
  tools: [{ name: "look_up", description: "Looks up", parameters: { type: "object", properties: {} } }],
  toolChoice,
});

const CHOICES = [undefined, { name: null }, { name: "look_up" }] as const;
const COMMON = { source: "api.test/m", amendments: new Map<never, never>() };
const openAiOptions = (choice: ToolChoice | undefined) =>
  ({ ...COMMON, model: "m", request: requestOf(choice), settings: {}, dialect: "openai" }) as const;

it("sends a choice in the form of each API, and none if the model may choose", () => {
  const sent = CHOICES.map((choice) => [
    toOpenAiBody(openAiOptions(choice)).tool_choice,
    toResponsesBody(openAiOptions(choice)).tool_choice,
    toAnthropicBody("claude", requestOf(choice), {}, COMMON),
    toBedrockBody("claude", requestOf(choice), {}, COMMON),
  ]);

  expect(sent[0]?.slice(0, 2)).toEqual([undefined, undefined]);
  expect(sent[0]?.[2]).not.toHaveProperty("tool_choice");
  expect(sent[0]?.[3]).not.toHaveProperty("toolConfig.toolChoice");
  expect(sent[1]).toMatchObject([
    "required",
    "required",
    { tool_choice: { type: "any" } },
    { toolConfig: { toolChoice: { any: {} } } },
  ]);
  expect(sent[2]).toMatchObject([
    { type: "function", function: { name: "look_up" } },
    { type: "function", name: "look_up" },
    { tool_choice: { type: "tool", name: "look_up" } },
    { toolConfig: { toolChoice: { tool: { name: "look_up" } } } },
  ]);
});
