import type { FinishReason, ModelChunk, TokenUsage } from "../../src/llm/model.ts";
import type { StreamCase } from "./fixtures/stream-case.ts";
import { openWith, type Protocol, piecewise } from "./protocols/protocol.ts";

const NO_RETRY = {
  headersMs: 1_000,
  compatibleHeadersMs: 1_000,
  idleMs: 5_000,
  totalMs: 30_000,
  retryAfterMs: -1,
};

/**
 * Reads an answer whose bytes arrive in these pieces. Returns what it says, or the code of its error. Texts are joined, because where they
 * are divided is of no importance.
 */
export async function read(protocol: Protocol, pieces: readonly Uint8Array[], contentType: string) {
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

/** Returns what `read` returns for a case, which leaves the usual out. */
export const expectation = ({
  text = "",
  reasoning = "",
  calls = [],
  usage,
  error,
  finish,
}: StreamCase[2]) => ({
  text,
  reasoning,
  calls,
  error,
  ids: calls.length,
  ...(usage && { usage }),
  finish: error ? undefined : (finish ?? (calls.length > 0 ? "tool-calls" : "stop")),
});
