import { expect, it } from "vitest";
import type { FinishReason, ModelChunk, TokenUsage } from "../../src/llm/model.ts";
import type { StreamCase } from "./fixtures/stream-case.ts";
import { anthropicProtocol } from "./protocols/anthropic.ts";
import { compatibleProtocol } from "./protocols/openai.ts";
import { findProvider } from "../../src/llm/providers.ts";
import { REFUSALS } from "./fixtures/reported-refusals.ts";
import { bytesOf, contextOf, KEY, openWith, type Protocol, piecewise } from "./protocols/protocol.ts";
import { ANTHROPIC_STREAMS } from "./fixtures/reported-anthropic-streams.ts";
import { LOCAL_STREAMS } from "./fixtures/reported-local-streams.ts";
import { COMPATIBLE_STREAMS } from "./fixtures/reported-streams.ts";

const NO_RETRY = {
  headersMs: 1_000,
  compatibleHeadersMs: 1_000,
  idleMs: 5_000,
  totalMs: 30_000,
  retryAfterMs: -1,
};

async function read(protocol: Protocol, pieces: readonly Uint8Array[], contentType: string) {
  const model = openWith(
    protocol,
    () =>
      Promise.resolve(
        new Response(piecewise(pieces), { headers: { "content-type": contentType, "retry-after": "9" } }),
      ),
    { timeouts: NO_RETRY },
  );
  const chunks: ModelChunk[] = [];
  let error: unknown;
  try {
    for await (const one of model.stream(
      { messages: [{ role: "user", content: "Hi" }], tools: [] },
      new AbortController().signal,
    ))
      chunks.push(one);
  } catch (thrown) {
    error = thrown instanceof Error && "code" in thrown ? thrown.code : String(thrown);
  }
  const joined = (type: "text" | "reasoning") =>
    chunks.map((one) => (one.type === type ? one.text : "")).join("");
  const calls = chunks.flatMap((one) => (one.type === "call" ? [one.call] : []));
  const usage = chunks.flatMap((one): TokenUsage[] => (one.type === "usage" ? [one.usage] : [])).at(-1);
  return {
    text: joined("text"),
    reasoning: joined("reasoning"),
    calls: calls.map(({ name, arguments: text }) => ({ name, arguments: text })),
    ids: new Set(calls.map(({ id }) => id)).size,
    finish: chunks.flatMap((one): FinishReason[] => (one.type === "finish" ? [one.reason] : []))[0],
    usage: usage && [usage.inputTokens, usage.outputTokens],
    error,
  };
}

const expectation = ({ text = "", reasoning = "", calls = [], usage, error, finish }: StreamCase[2]) => ({
  text,
  reasoning,
  calls,
  error,
  ids: calls.length,
  ...(usage && { usage }),
  finish: error ? undefined : (finish ?? (calls.length > 0 ? "tool-calls" : "stop")),
});

const all = [
  ...[...COMPATIBLE_STREAMS, ...LOCAL_STREAMS].map((one) => ({ protocol: compatibleProtocol, one })),
  ...ANTHROPIC_STREAMS.map((one) => ({ protocol: anthropicProtocol, one })),
].map(({ protocol, one: [name, text, expected, type = "text/event-stream"] }) => ({
  name,
  text,
  expected,
  protocol,
  type,
}));

it.each(all)("reads $name", async ({ text, expected, protocol, type }) => {
  const whole = bytesOf(text);
  expect(await read(protocol, [whole], type)).toMatchObject(expectation(expected));
  for (let at = 1; at < whole.length; at += expected.error ? whole.length : 3) {
    const pieces = [whole.slice(0, at), whole.slice(at)];
    expect({ at, ...(await read(protocol, pieces, type)) }).toMatchObject({ at, ...expectation(expected) });
  }
});

it.each(REFUSALS)("explains $name", async ({ status, body, code, says, baseUrl, asked: times }) => {
  let asked = 0;
  const provider = findProvider("OpenAICompatible", false);
  if (!provider) throw new Error("There is no such provider.");
  const model = provider.open(
    { api_key: KEY, base_url: baseUrl ?? "https://api.example.com/v1" },
    "model-9",
    { maxOutputTokens: 99 },
    contextOf({
      fetch: (input, init) => {
        const request = new Request(input, init);
        if (request.url.endsWith("/models"))
          return Promise.resolve(Response.json({ data: [{ id: "model-8" }] }));
        asked++;
        return Promise.resolve(
          new Response(typeof body === "string" ? body : JSON.stringify(body), { status }),
        );
      },
    }),
  );
  const error: unknown = await Array.fromAsync(
    model.stream({ messages: [{ role: "user", content: "Hi" }], tools: [] }, new AbortController().signal),
  ).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toMatchObject({ code, message: expect.stringMatching(says) });
  if (times) expect(asked).toBe(times);
});
