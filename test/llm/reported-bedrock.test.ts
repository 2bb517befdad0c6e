import { EventStreamCodec } from "@smithy/eventstream-codec";
import { expect, it } from "vitest";
import type { ModelChunk, ModelMessage } from "../../src/llm/model.ts";
import { findProvider } from "../../src/llm/providers.ts";
import { bytesOf, contextOf } from "./protocols/protocol.ts";

const decoder = new TextDecoder();
const codec = new EventStreamCodec(
  (bytes) => (typeof bytes === "string" ? bytes : decoder.decode(bytes)),
  bytesOf,
);
const text = (value: string) => ({ type: "string" as const, value });
const message = (kind: string, type: string, body: object): Uint8Array =>
  codec.encode({
    headers: { [`:${kind}-type`]: text(type), ":message-type": text(kind) },
    body: bytesOf(JSON.stringify(body)),
  });
const delta = (value: object, more: object = {}) =>
  message("event", "contentBlockDelta", { delta: value, ...more });
const start = (toolUseId: string, name: string) =>
  message("event", "contentBlockStart", { start: { toolUse: { toolUseId, name } } });
const stop = message("event", "contentBlockStop", {});
const end = (stopReason: string) => message("event", "messageStop", { stopReason });
const failed = (type: string, words: string) => message("exception", type, { message: words });
const joined = (...parts: readonly Uint8Array[]) => Uint8Array.from(parts.flatMap((part) => [...part]));

const MODEL = "us.anthropic.claude-sonnet-4-20250514-v1:0";

function bedrockWith(...answers: readonly (() => Response)[]) {
  const bodies: string[] = [];
  const context = contextOf({
    fetch: async (input, init) => {
      bodies.push(await new Request(input, init).text());
      return answers[Math.min(bodies.length, answers.length) - 1]?.() ?? new Response();
    },
  });
  const credentials = { access_key: "AKIA1", secret_key: "secret", region: "us-east-1" };
  const model = findProvider("Bedrock", false)?.open(credentials, MODEL, {}, context);
  const read = async () => {
    const chunks: ModelChunk[] = [];
    const messages: readonly ModelMessage[] = [{ role: "user", content: "Hi" }];
    try {
      for await (const chunk of model?.stream({ messages, tools: [] }, new AbortController().signal) ?? [])
        chunks.push(chunk);
    } catch (error) {
      return { chunks, error };
    }
    return { chunks, error: undefined };
  };
  return { read, bodies };
}

it("reads blocks without an index, wherever the bytes are cut", async () => {
  const whole = joined(
    message("event", "messageStart", { role: "assistant" }),
    delta({ reasoningContent: { text: "H" } }),
    delta({ reasoningContent: { text: "m" } }),
    delta({ reasoningContent: { signature: "S1" } }),
    stop,
    delta({ reasoningContent: { redactedContent: "eHl6" } }),
    stop,
    delta({ text: "Ok" }),
    stop,
    start("a", "memory_add"),
    delta({ toolUse: { input: '{"line":' } }),
    delta({ toolUse: { input: '"tea"}' } }),
    stop,
    start("b", "memory_list"),
    stop,
    end("tool_use"),
    message("event", "metadata", { usage: { inputTokens: 2, outputTokens: 3 } }),
  );

  for (let at = 1; at <= whole.length; at += 5) {
    const pieces = [whole.slice(0, at), whole.slice(at)];
    const body = () =>
      new ReadableStream<Uint8Array>({
        start(controller) {
          for (const piece of pieces) controller.enqueue(piece);
          controller.close();
        },
      });
    const { chunks, error } = await bedrockWith(() => new Response(body())).read();
    expect(error).toBeUndefined();
    expect(chunks.filter(({ type }) => type !== "text" && type !== "reasoning")).toEqual([
      { type: "usage", usage: { inputTokens: 2, outputTokens: 3, cachedTokens: 0 } },
      {
        type: "provider-data",
        providerData: {
          source: `bedrock/${MODEL}`,
          data: {
            reasoning: [{ reasoningText: { text: "Hm", signature: "S1" } }, { redactedContent: "eHl6" }],
          },
        },
      },
      { type: "call", call: { id: "a", name: "memory_add", arguments: '{"line":"tea"}' } },
      { type: "call", call: { id: "b", name: "memory_list", arguments: "{}" } },
      { type: "finish", reason: "tool-calls" },
    ]);
    expect(chunks.map((chunk) => (chunk.type === "text" ? chunk.text : "")).join("")).toBe("Ok");
  }
});

it.each([
  ["modelStreamErrorException", "The system encountered an unexpected error", "provider-unavailable", 2],
  ["serviceUnavailableException", "Bedrock is unable to process your request.", "provider-unavailable", 2],
  ["throttlingException", "Too many requests", "provider-rate", 2],
  ["validationException", "Input is too long for requested model.", "provider-overflow", 1],
])("understands %s as the first event", async (type, words, code, asked) => {
  const { read, bodies } = bedrockWith(() => new Response(failed(type, words)));

  expect(await read()).toMatchObject({ chunks: [], error: { code } });
  expect(bodies).toHaveLength(asked);
});

it("keeps the text before an exception, and does not ask again", async () => {
  const bytes = joined(delta({ text: "Te" }), failed("modelStreamErrorException", "Broken"));
  const { read, bodies } = bedrockWith(() => new Response(bytes));

  expect(await read()).toMatchObject({
    chunks: [{ type: "text", text: "Te" }],
    error: { code: "provider-unavailable" },
  });
  expect(bodies).toHaveLength(1);
});

it("sends no cache points to an account that must not cache", async () => {
  const words =
    "You invoked an unsupported model or your request did not allow prompt caching. See the documentation for more information.";
  const { read, bodies } = bedrockWith(
    () =>
      Response.json(
        { message: words },
        { status: 403, headers: { "x-amzn-errortype": "AccessDeniedException" } },
      ),
    () => new Response(joined(delta({ text: "Tea" }), end("model_context_window_exceeded"))),
  );

  expect(await read()).toMatchObject({
    chunks: [
      { type: "text", text: "Tea" },
      { type: "finish", reason: "length" },
    ],
    error: undefined,
  });
  expect(bodies.map((body) => body.includes("cachePoint"))).toEqual([true, false]);
});
