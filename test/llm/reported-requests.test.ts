import { expect, it } from "vitest";
import type { ModelChunk, ModelMessage } from "../../src/llm/model.ts";
import { findProvider } from "../../src/llm/providers.ts";
import { contextOf } from "./protocols/protocol.ts";

const TOOL = {
  name: "memory_add",
  description: "Adds a line.",
  parameters: { type: "object", properties: { line: { type: "string" } } },
};
const HI: ModelMessage = { role: "user", content: "Hi" };
const stream = (...deltas: readonly object[]): Response =>
  new Response(
    `${deltas.map((delta) => `data: ${JSON.stringify({ choices: [{ delta }] })}\n\n`).join("")}data: ${JSON.stringify({ choices: [{ delta: {}, finish_reason: "stop" }] })}\n\ndata: [DONE]\n\n`,
  );
const refused = (message: string, status = 400): Response =>
  Response.json({ error: { message } }, { status });

/** Opens a model of a server that sends these answers in turn, and records the requests. */
function serverWith(baseUrl: string, id: string, ...answers: readonly (() => Response)[]) {
  const bodies: Record<string, unknown>[] = [];
  const requests: Request[] = [];
  const context = contextOf({
    fetch: async (input, init) => {
      const request = new Request(input, init);
      requests.push(request);
      if (request.method === "POST") bodies.push(await request.clone().json());
      return (answers[requests.length - 1] ?? (() => stream({ content: "Hi" })))();
    },
  });
  const credentials = { api_key: "sk-1", base_url: baseUrl };
  const provider = findProvider("OpenAICompatible", false);
  if (!provider) throw new Error("There is no such provider.");
  const model = provider.open(credentials, id, { maxOutputTokens: 8_192 }, context);
  const ask = async (messages: readonly ModelMessage[], tools = [TOOL]): Promise<readonly ModelChunk[]> =>
    Array.fromAsync(model.stream({ messages, tools }, new AbortController().signal));
  const list = async () => provider.listModels(credentials, context, new AbortController().signal);
  return { ask, list, bodies, requests };
}

const called = (more: object = {}): readonly ModelMessage[] => [
  HI,
  {
    role: "assistant",
    content: "",
    calls: [{ id: "call_abc_1", name: "memory_add", arguments: "{}" }],
    ...more,
  },
  { role: "tool", callId: "call_abc_1", content: "Done." },
];

it("omits the limit if vLLM only states its window, and does not shorten later answers", async () => {
  const message =
    "'max_tokens' or 'max_completion_tokens' is too large: 8192. This model's maximum context length is 8192 tokens and your request has 8100 input tokens (8192 > 8192 - 8100).";
  const { ask, bodies } = serverWith("https://vllm.example.com/v1", "qwen", () => refused(message));

  expect(await ask([HI])).toContainEqual({ type: "text", text: "Hi" });
  expect(bodies.map(({ max_tokens: limit }) => limit)).toEqual([8_192, undefined]);
});

it("forms the ids of a Mistral model under another name as it asks for", async () => {
  const message = "Tool call id was call_abc_1 but must be a-z, A-Z, 0-9, with a length of 9.";
  const { ask, bodies } = serverWith("https://azure.example.com/v1", "my-deployment", () => refused(message));

  expect(await ask(called())).toContainEqual({ type: "text", text: "Hi" });
  expect(bodies[1]).toMatchObject({
    messages: [{}, { tool_calls: [{ id: "call00001" }] }, { tool_call_id: "call00001" }],
  });
});

it("sends no signatures to a server of Gemma", async () => {
  const { ask, bodies } = serverWith("https://api.groq.com/openai/v1", "gemma2-9b-it");
  await ask(called());

  expect(JSON.stringify(bodies)).not.toContain("thought_signature");
});

it("does not send Gemini's answer back as a thought", async () => {
  const { ask } = serverWith("https://generativelanguage.googleapis.com/v1beta/openai", "gemini-3-pro", () =>
    stream(
      { content: "<thought>Hm", extra_content: { google: { thought: true } } },
      { content: "</thought>Tea", extra_content: { google: { thought_signature: "SIG" } } },
      { extra_content: { google: { thought: true } } },
    ),
  );
  const chunks = await ask([HI]);

  expect(chunks.filter(({ type }) => type === "text" || type === "provider-data")).toEqual([
    { type: "text", text: "Tea" },
    {
      type: "provider-data",
      providerData: {
        source: "generativelanguage.googleapis.com/gemini-3-pro",
        data: { extra_content: { google: { thought_signature: "SIG" } } },
      },
    },
  ]);
});

it("returns OpenRouter's reasoning in whole blocks, with the signature that came in a piece of its own", async () => {
  const format = "anthropic-claude-v1";
  const { ask } = serverWith("https://openrouter.ai/api/v1", "anthropic/claude", () =>
    stream(
      {
        reasoning: "H",
        reasoning_details: [{ type: "reasoning.text", text: "H", signature: null, format, index: 0 }],
      },
      { reasoning: "m", reasoning_details: [{ type: "reasoning.text", text: "m", format, index: 0 }] },
      { reasoning_details: [{ type: "reasoning.text", signature: "SIG", format, index: 0 }] },
      { reasoning_details: [{ type: "reasoning.text", text: "", signature: null, format, index: 0 }] },
      { reasoning_details: [{ type: "reasoning.summary", summary: "a", index: 1 }] },
      { reasoning_details: [{ type: "reasoning.summary", summary: "b", index: 1 }] },
      { reasoning_details: [{ type: "reasoning.encrypted", data: "x", index: 2 }] },
      { reasoning_details: [{ type: "reasoning.encrypted", data: "y", index: 2 }] },
      { content: "Tea" },
    ),
  );
  const chunks = await ask([HI]);

  expect(chunks.find(({ type }) => type === "provider-data")).toMatchObject({
    providerData: {
      data: {
        reasoning_details: [
          { type: "reasoning.text", text: "Hm", signature: "SIG", format, index: 0 },
          { type: "reasoning.summary", summary: "ab", index: 1 },
          { type: "reasoning.encrypted", data: "x", index: 2 },
          { type: "reasoning.encrypted", data: "y", index: 2 },
        ],
      },
    },
  });
});

it("reads reasoning with ever new members without copying it for each piece", async () => {
  const pieces = Array.from({ length: 20_000 }, (_, index) => ({
    reasoning_details: [{ type: "reasoning.text", text: "x", index: 0, [`k${index}`]: 1 }],
  }));
  const { ask } = serverWith("https://openrouter.ai/api/v1", "m", () => stream(...pieces));

  expect((await ask([HI])).at(-1)).toEqual({ type: "finish", reason: "stop" });
});

it("retries a request without tools that is refused by the first event, and reports the lack once", async () => {
  const busy = () =>
    new Response(`data: ${JSON.stringify({ error: { code: 502, message: "Overloaded" } })}\n\n`);
  const { ask, requests } = serverWith(
    "https://ollama.example.com/v1",
    "gemma",
    () => refused("gemma does not support tools"),
    busy,
  );

  const chunks = await ask([HI]);
  expect(requests).toHaveLength(3);
  expect(chunks.map(({ type }) => type)).toEqual(["without-tools", "text", "finish"]);
});

it.each([
  ["https://ours.openai.azure.com", "https://ours.openai.azure.com/openai/models?api-version=2024-10-21"],
  ["https://ours.openai.azure.com/openai/v1", "https://ours.openai.azure.com/openai/v1/models"],
])("lists the models of Azure at %s", async (baseUrl, url) => {
  const { list, requests } = serverWith(baseUrl, "gpt", () => Response.json({ data: [{ id: "gpt-4.1" }] }));

  expect(await list()).toEqual([{ id: "gpt-4.1", name: "gpt-4.1" }]);
  expect(requests[0]?.url).toBe(url);
  expect(requests[0]?.headers.get("api-key")).toBe("sk-1");
  expect(requests[0]?.headers.get("authorization")).toBeNull();
});

it.each([
  ["Missing `reasoning_content` field in the assistant message at message index 1"],
  ["thinking is enabled but reasoning_content is missing in assistant tool call message at index 1"],
])("sends empty reasoning with the calls of another model if a server says: %s", async (message) => {
  const { ask, bodies } = serverWith("https://api.moonshot.ai/v1", "kimi-k2-thinking", () =>
    refused(message),
  );

  expect(await ask(called())).toContainEqual({ type: "text", text: "Hi" });
  expect(bodies[0]).not.toMatchObject({ messages: [{}, { reasoning_content: "" }, {}] });
  expect(bodies[1]).toMatchObject({ messages: [{}, { reasoning_content: "" }, {}] });
});

it.each([
  ["property 'messages.1.reasoning_content' is unsupported", { reasoning_content: "Hm" }],
  ["Extra inputs are not permitted, field: 'messages[1].reasoning_content'", { reasoning_content: "Hm" }],
  ["Thought signature is not valid.", { calls: [{ google: { thought_signature: "S" } }] }],
])("continues without a provider's own data if it says: %s", async (message, data) => {
  const { ask, bodies } = serverWith("https://api.example.com/v1", "m", () => refused(message));
  const providerData = { source: "api.example.com/m", data };

  expect(await ask(called({ providerData }))).toContainEqual({ type: "text", text: "Hi" });
  expect(bodies).toHaveLength(2);
  expect(JSON.stringify(bodies[0])).toMatch(/Hm|thought_signature/u);
  expect(JSON.stringify(bodies[1])).not.toMatch(/Hm|thought_signature/u);
});

it("continues without Claude's thinking if its signature has become invalid", async () => {
  const bodies: string[] = [];
  const context = contextOf({
    fetch: async (input, init) => {
      bodies.push(await new Request(input, init).text());
      return bodies.length === 1
        ? refused("messages.1.content.0: Invalid `signature` in `thinking` block")
        : Response.json({
            type: "message",
            content: [{ type: "text", text: "Hi" }],
            stop_reason: "end_turn",
          });
    },
  });
  const model = findProvider("Anthropic", false)?.open({ api_key: "sk-1" }, "claude-sonnet-4-6", {}, context);
  const thinking = [{ type: "thinking", thinking: "Hm", signature: "SIG" }];
  const providerData = { source: "anthropic/claude-sonnet-4-6", data: { thinking } };
  const request = { messages: called({ providerData }), tools: [TOOL] };

  const chunks = model && (await Array.fromAsync(model.stream(request, new AbortController().signal)));
  expect(chunks).toContainEqual({ type: "text", text: "Hi" });
  expect(bodies.map((body) => body.includes("SIG"))).toEqual([true, false]);
});

it("does not suggest the model that was refused", async () => {
  const { ask } = serverWith(
    "https://api.x.ai/v1",
    "grok-4",
    () => refused("The model grok-4 does not exist or your team does not have access to it.", 404),
    () => Response.json({ data: [{ id: "grok-4" }, { id: "grok-3" }] }),
  );

  await expect(ask([HI])).rejects.toMatchObject({
    message: expect.stringMatching(/Similar models: grok-3\.$/u),
  });
});
