import { describe, expect, it } from "vitest";
import type { FinishReason, ModelChunk, TokenUsage } from "../../src/llm/model.ts";
import { ANTHROPIC_CASES } from "./fixtures/anthropic-streams.ts";
import { CALL_CASES, ERROR_CASES, REASONING_CASES, SHAPE_CASES } from "./fixtures/openai-streams.ts";
import { RESPONSES_CASES } from "./fixtures/responses-streams.ts";
import type { StreamCase } from "./fixtures/stream-case.ts";
import { anthropicProtocol } from "./protocols/anthropic.ts";
import { compatibleProtocol } from "./protocols/openai.ts";
import { responsesProtocol } from "./protocols/responses.ts";
import { bytesOf, openWith, type Protocol, piecewise } from "./protocols/protocol.ts";

/** Reads an answer that arrives in these pieces, up to the error that may end it. */
async function read(protocol: Protocol, pieces: readonly Uint8Array[], contentType: string) {
  const fetch = () =>
    Promise.resolve(new Response(piecewise(pieces), { headers: { "content-type": contentType } }));
  const model = openWith(protocol, fetch, { timeouts: NO_RETRY });
  const request = { messages: [{ role: "user", content: "Hi" }], tools: [] } as const;
  const chunks: ModelChunk[] = [];
  try {
    for await (const chunk of model.stream(request, new AbortController().signal)) chunks.push(chunk);
  } catch (error) {
    return { chunks, error: error instanceof Error && "code" in error ? error.code : String(error) };
  }
  return { chunks, error: undefined };
}

const NO_RETRY = {
  headersMs: 1_000,
  compatibleHeadersMs: 1_000,
  idleMs: 5_000,
  totalMs: 30_000,
  retryAfterMs: -1,
};

/** Sums up what was read. Texts are joined, because where they are divided is of no importance. */
function summaryOf({ chunks, error }: Awaited<ReturnType<typeof read>>) {
  const joined = (type: "text" | "reasoning") =>
    chunks.map((chunk) => (chunk.type === type ? chunk.text : "")).join("");
  const calls = chunks.flatMap((chunk) => (chunk.type === "call" ? [chunk.call] : []));
  const usage = chunks.flatMap((chunk): TokenUsage[] => (chunk.type === "usage" ? [chunk.usage] : []))[0];
  return {
    text: joined("text"),
    reasoning: joined("reasoning"),
    calls,
    ids: new Set(calls.map(({ id }) => id)).size,
    finish: chunks.flatMap((chunk): FinishReason[] => (chunk.type === "finish" ? [chunk.reason] : []))[0],
    usage: usage && [usage.inputTokens, usage.outputTokens],
    error,
  };
}

/** Completes what a case leaves out. */
function expectation({ text = "", reasoning = "", calls = [], usage, error, ...more }: StreamCase[2]) {
  const finish = error ? undefined : (more.finish ?? (calls.length > 0 ? "tool-calls" : "stop"));
  return { text, reasoning, calls, finish, error, ...(usage && { usage }), ids: calls.length };
}

const named = ([name, text, expected, contentType = "text/event-stream"]: StreamCase) => ({
  name,
  text,
  expected,
  contentType,
});

describe.each<[string, Protocol, readonly StreamCase[]]>([
  ["tool calls", compatibleProtocol, CALL_CASES],
  ["shapes and framings", compatibleProtocol, SHAPE_CASES],
  ["reasoning", compatibleProtocol, REASONING_CASES],
  ["Anthropic", anthropicProtocol, ANTHROPIC_CASES],
  ["Responses", responsesProtocol, RESPONSES_CASES],
])("%s", (_name, protocol, cases) => {
  it.each(cases.filter(([, , { error }]) => !error).map(named))(
    "reads $name, wherever the bytes are cut",
    async ({ text, expected, contentType }) => {
      const whole = bytesOf(text);
      expect(summaryOf(await read(protocol, [whole], contentType))).toMatchObject(expectation(expected));
      for (let at = 1; at < whole.length; at += 3) {
        const summary = summaryOf(await read(protocol, [whole.slice(0, at), whole.slice(at)], contentType));
        expect({ at, ...summary }).toMatchObject({ at, ...expectation(expected) });
      }
      const bytes = Array.from(whole, (byte) => Uint8Array.of(byte));
      expect(summaryOf(await read(protocol, bytes, contentType))).toMatchObject(expectation(expected));
    },
  );
});

const FAILING = (
  [
    [compatibleProtocol, ERROR_CASES],
    [anthropicProtocol, ANTHROPIC_CASES],
    [responsesProtocol, RESPONSES_CASES],
  ] as const
).flatMap(([protocol, cases]) =>
  cases.filter(([, , { error }]) => error).map((one) => ({ protocol, ...named(one) })),
);

it.each(FAILING)("reports $name with its own meaning", async ({ protocol, text, expected, contentType }) => {
  expect(summaryOf(await read(protocol, [bytesOf(text)], contentType))).toMatchObject(expectation(expected));
});
