import { expect, it } from "vitest";
import type { ModelChunk, ModelMessage, ProviderData } from "../../src/llm/model.ts";
import { findProvider } from "../../src/llm/providers.ts";
import { anthropicProtocol } from "./protocols/anthropic.ts";
import { bedrockProtocol } from "./protocols/bedrock.ts";
import { compatibleProtocol } from "./protocols/openai.ts";
import { answering, bytesOf, contextOf, type Protocol, streamed } from "./protocols/protocol.ts";

const events = (...data: readonly object[]): Uint8Array =>
  bytesOf(data.map((one) => `data: ${JSON.stringify(one)}\n\n`).join(""));
const delta = (part: object, finish_reason: string | null = null) => ({
  choices: [{ delta: part, finish_reason }],
});
const CALL = { index: 0, id: "a", function: { name: "now", arguments: "{}" } };

const at = (base_url: string): Protocol => ({
  ...compatibleProtocol,
  credentials: { api_key: "k", base_url },
});
const GEMINI = at("https://generativelanguage.googleapis.com/v1beta/openai");
const DEEPSEEK = at("https://api.deepseek.com/v1");

/** Answers once with these bytes, and then reads the request that sends the answer back. */
async function roundTrip(
  protocol: Protocol,
  bytes: Uint8Array,
  second: { model?: string; protocol?: Protocol } = {},
) {
  const asked: string[] = [];
  const context = contextOf({
    fetch: async (input: RequestInfo | URL, init?: RequestInit) => {
      asked.push(await new Request(input, init).text());
      return asked.length === 1
        ? streamed(protocol, [bytes])
        : answering(other, [{ text: "Noon." }, { stop: "answer" }]);
    },
  });
  const other = second.protocol ?? protocol;
  const ask = async ({ name, credentials, model }: Protocol, messages: readonly ModelMessage[]) => {
    const opened = findProvider(name, false)?.open(credentials, model, {}, context);
    if (!opened) throw new Error("There is no such provider.");
    return Array.fromAsync(opened.stream({ messages, tools: [] }, new AbortController().signal));
  };

  const user = { role: "user", content: "When?" } as const;
  const chunks = await ask(protocol, [user]);
  const [data] = chunks.flatMap((chunk): ProviderData[] =>
    chunk.type === "provider-data" ? [chunk.providerData] : [],
  );
  const calls = chunks.flatMap((chunk) => (chunk.type === "call" ? [chunk.call] : []));
  const answer: ModelMessage = { role: "assistant", content: "", calls, ...(data && { providerData: data }) };
  const results = calls.map(({ id }) => ({ role: "tool" as const, callId: id, content: "noon" }));
  await ask({ ...other, model: second.model ?? other.model }, [user, answer, ...results, user]);
  return { chunks, sent: JSON.parse(asked[1] ?? "{}") as { messages: Record<string, unknown>[] } };
}

const types = (chunks: readonly ModelChunk[]): readonly string[] => chunks.map(({ type }) => type);

it("returns Gemini's signatures with their calls, and a substitute for calls of others", async () => {
  const signature = { google: { thought_signature: "c2ln" } };
  const bytes = events(
    delta({ tool_calls: [{ ...CALL, extra_content: signature }] }),
    delta({}, "tool_calls"),
  );

  const { sent } = await roundTrip(GEMINI, bytes);
  expect(sent.messages[1]).toMatchObject({ tool_calls: [{ id: "a", extra_content: signature }] });

  const unsigned = await roundTrip(DEEPSEEK, events(delta({ tool_calls: [CALL] }), delta({}, "tool_calls")), {
    protocol: GEMINI,
  });
  expect(unsigned.sent.messages[1]).toMatchObject({
    tool_calls: [{ extra_content: { google: { thought_signature: "skip_thought_signature_validator" } } }],
  });
});

it("returns DeepSeek's reasoning with calls, not with a text, and never to another model", async () => {
  const thought = delta({ reasoning_content: "Hm" });
  const bytes = events(thought, delta({ tool_calls: [CALL] }), delta({}, "tool_calls"));

  const { chunks, sent } = await roundTrip(DEEPSEEK, bytes);
  expect(types(chunks)).toEqual(["reasoning", "provider-data", "call", "finish"]);
  expect(sent.messages[1]).toMatchObject({ reasoning_content: "Hm" });

  const toAnother = await roundTrip(DEEPSEEK, bytes, { model: "another" });
  expect(toAnother.sent.messages[1]).toMatchObject({ reasoning_content: "" });
  const elsewhere = await roundTrip(DEEPSEEK, bytes, { protocol: compatibleProtocol });
  expect(elsewhere.sent.messages[1]).not.toHaveProperty("reasoning_content");
  const text = await roundTrip(DEEPSEEK, events(thought, delta({ content: "Noon." }), delta({}, "stop")));
  expect(types(text.chunks)).not.toContain("provider-data");
});

it("returns OpenRouter's details, with divided ones joined", async () => {
  const part = (text: string, more: object = {}) =>
    delta({ reasoning: text, reasoning_details: [{ type: "reasoning.text", index: 0, text, ...more }] });
  const bytes = events(
    part("H"),
    part("m", { signature: "c2ln" }),
    delta({ tool_calls: [CALL] }),
    delta({}, "tool_calls"),
  );

  const { sent } = await roundTrip(compatibleProtocol, bytes);

  expect(sent.messages[1]).toMatchObject({
    reasoning_details: [{ type: "reasoning.text", index: 0, text: "Hm", signature: "c2ln" }],
  });
});

it("returns Anthropic's thinking in front of the calls, signed and redacted", async () => {
  const bytes = anthropicProtocol.encode([
    { thinking: "Hm" },
    { call: { id: "a", name: "now", arguments: "{}" } },
    { stop: "calls" },
  ]);

  const { sent } = await roundTrip(anthropicProtocol, bytes);
  expect(sent.messages[1]?.["content"]).toMatchObject([
    { type: "thinking", thinking: "Hm", signature: "c2ln" },
    { type: "tool_use" },
  ]);

  const other = await roundTrip(anthropicProtocol, bytes, { model: "claude-opus-4-6" });
  expect(other.sent.messages[1]?.["content"]).toMatchObject([{ type: "tool_use" }]);
});

it("returns Bedrock's reasoning only if it is signed", async () => {
  const call = { id: "a", name: "now", arguments: "{}" };
  const bytes = bedrockProtocol.encode([{ thinking: "Hm" }, { call }, { stop: "calls" }]);

  const { chunks, sent } = await roundTrip(bedrockProtocol, bytes);

  expect(types(chunks)).toEqual(["reasoning", "call", "finish"]);
  expect(sent.messages[1]?.["content"]).toMatchObject([{ toolUse: { name: "now" } }]);
});
