import { expect, it } from "vitest";
import { toDialogue } from "../../src/llm/dialogue.ts";
import { toOpenAiBody } from "../../src/llm/openai-body.ts";
import type { ModelMessage } from "../../src/llm/model.ts";

const call = (id: string, name: string) => ({ id, name, arguments: "{}" });
const OPTIONS = { source: "api.test/m", amendments: new Map<never, never>() };
const MESSAGES: readonly ModelMessage[] = [
  { role: "user", content: "Go" },
  {
    role: "assistant",
    content: "",
    calls: [call("a", "one"), call("b", "two"), call("a", "three"), call("c", "four")],
  },
  // In another order than their calls, one of them missing, and two of one id.
  { role: "tool", callId: "b", content: "result of two" },
  { role: "tool", callId: "a", content: "result of one" },
  { role: "tool", callId: "a", content: "result of three" },
  { role: "tool", callId: "nobody's", content: "stray" },
  { role: "user", content: "So?" },
];

it("puts each result after its own call, and drops results without a call", () => {
  const { turns: says } = toDialogue({ messages: MESSAGES, tools: [] }, OPTIONS);

  expect(says).toEqual([
    { role: "user", results: [], texts: ["Go"] },
    {
      role: "assistant",
      texts: [],
      calls: [
        { id: "call_1", name: "one", input: {} },
        { id: "call_2", name: "two", input: {} },
        { id: "call_3", name: "three", input: {} },
        { id: "call_4", name: "four", input: {} },
      ],
      providerData: {},
    },
    {
      role: "user",
      results: [
        { id: "call_1", content: "result of one" },
        { id: "call_2", content: "result of two" },
        { id: "call_3", content: "result of three" },
        { id: "call_4", content: "(no result)" },
      ],
      texts: ["So?"],
    },
  ]);
});

it("does the same for OpenAI, and keeps the ids that OpenAI accepts", () => {
  const body = toOpenAiBody({
    model: "m",
    request: { messages: MESSAGES, tools: [] },
    settings: {},
    dialect: "openai",
    ...OPTIONS,
  });

  expect(body.messages.filter(({ role }) => role === "tool")).toEqual([
    { role: "tool", tool_call_id: "a", content: "result of one" },
    { role: "tool", tool_call_id: "b", content: "result of two" },
    { role: "tool", tool_call_id: "call_3_again", content: "result of three" },
    { role: "tool", tool_call_id: "c", content: "(no result)" },
  ]);
});
