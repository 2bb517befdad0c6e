import type { ChatCompletionChunk } from "openai/resources/chat/completions";
import type { AppError } from "../shared/errors.ts";
import { byStatus, providerError } from "./errors.ts";
import { eventData } from "./event-stream.ts";
import { isObject, objectFrom, textAt } from "./json.ts";
import type { ModelChunk, TokenUsage } from "./model.ts";
import { ToolCalls } from "./tool-calls.ts";

/** Reads the stream of one answer. It is whole with a finish reason, with the end mark, or with tool calls that are. */
export async function* readOpenAiAnswer(
  response: Response,
  idleMs: number,
): AsyncGenerator<ModelChunk, void, void> {
  const isStream = response.headers.get("content-type")?.includes("text/event-stream") ?? false;
  if (!response.body || !isStream)
    throw providerError.unreadable(new Error("The answer is not an event stream."));

  const calls = new ToolCalls();
  let usage: TokenUsage | undefined;
  let finish: string | undefined;
  let done = false;

  try {
    for await (const data of eventData(response.body, idleMs)) {
      done = data.trim() === "[DONE]";
      if (done) break;

      const chunk = parseChunk(data);
      // Some servers repeat the count, growing, in every chunk.
      if (chunk.usage) usage = toUsage(chunk.usage);
      // The chunk that carries the usage has no choices.
      const choice = chunk.choices?.[0];
      const text = choice?.delta?.content || choice?.delta?.refusal;
      if (text) yield { type: "text", text };
      for (const { index, id, function: part } of choice?.delta?.tool_calls ?? [])
        calls.add(index, { id, name: part?.name, arguments: part?.arguments });
      finish = choice?.finish_reason ?? finish;
    }
  } catch (cause) {
    // A connection that breaks behind the end has cost nothing but the token count.
    if (finish === undefined) throw cause;
  }

  if (usage) yield { type: "usage", usage };
  if (finish === "content_filter") throw providerError.content(new Error("finish_reason content_filter"));
  if (finish === "error") throw providerError.unavailable(new Error("finish_reason error"));
  if (finish === undefined && !done && !calls.areWhole()) throw providerError.truncated();
  for (const call of calls.all()) yield { type: "call", call };
}

function parseChunk(data: string): Partial<ChatCompletionChunk> {
  const parsed = objectFrom(data);
  if (!parsed) throw providerError.unreadable(new Error("A chunk is no object."));
  if (parsed["error"]) throw errorInStream(parsed["error"]);

  // Every field is read as optional: servers that speak this protocol leave out what they please.
  return parsed;
}

/** An error that comes as a chunk has the shape of an error answer's body; some put the status in its code. */
function errorInStream(error: unknown): AppError {
  const code = isObject(error) ? textAt(error, "code") || textAt(error, "type") : "";
  const said = new Error("The provider reported an error in its stream.");
  const status = Number(code);
  return (
    errorOfCode(code, said) ?? (status >= 400 ? byStatus(status, said) : providerError.unavailable(said))
  );
}

/** Error codes of the protocol that say more than the status they come with. */
export function errorOfCode(code: string, cause: unknown): AppError | undefined {
  if (code === "insufficient_quota" || code === "billing_hard_limit_reached")
    return providerError.quota(cause);
  if (code === "context_length_exceeded") return providerError.overflow(cause);
  if (code === "content_filter" || code === "content_policy_violation") return providerError.content(cause);
  if (code === "model_not_found") return providerError.unknownModel(cause);
  if (code === "invalid_api_key") return providerError.auth(cause);
  if (code === "rate_limit_exceeded") return providerError.rate(cause);
  return undefined;
}

function toUsage(usage: NonNullable<ChatCompletionChunk["usage"]>): TokenUsage {
  const reasoningTokens = usage.completion_tokens_details?.reasoning_tokens;
  return {
    inputTokens: usage.prompt_tokens ?? 0,
    outputTokens: usage.completion_tokens ?? 0,
    cachedTokens: usage.prompt_tokens_details?.cached_tokens ?? 0,
    ...(reasoningTokens !== undefined && { reasoningTokens }),
  };
}
