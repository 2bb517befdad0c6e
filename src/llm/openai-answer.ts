import type { ChatCompletionChunk } from "openai/resources/chat/completions";
import type { AppError } from "../shared/errors.ts";
import { type AnswerReader, type BadFinishes, END_MARK } from "./answer.ts";
import { byStatus, providerError } from "./errors.ts";
import { isObject, type Json, textAt, valueFrom } from "./json.ts";
import type { TokenUsage } from "./model.ts";
import { ToolCalls } from "./tool-calls.ts";

export const OPENAI_BAD_FINISHES: BadFinishes = {
  content_filter: providerError.content,
  error: providerError.unavailable,
};

/** Chat completions: chunks that add to the one choice, then the usage, then the end mark. */
export class OpenAiReader implements AnswerReader<Json | typeof END_MARK> {
  readonly calls = new ToolCalls();
  usage: TokenUsage | undefined;
  finish = "";
  isOver = false;

  take(event: Json | typeof END_MARK): string {
    if (event === END_MARK) {
      this.isOver = true;
      return "";
    }
    if (event["error"]) throw errorInStream(event["error"]);

    // Every field is read as optional: servers that speak this protocol leave out what they please.
    const chunk: Partial<ChatCompletionChunk> = event;
    // Some repeat the count, growing, in every chunk; the chunk that carries it otherwise has no choices.
    if (chunk.usage) this.usage = toUsage(chunk.usage);
    const choice = chunk.choices?.[0];
    for (const { index, id, function: part } of choice?.delta?.tool_calls ?? [])
      this.calls.add(index, { id, name: part?.name, arguments: part?.arguments });
    this.finish = choice?.finish_reason ?? this.finish;
    return choice?.delta?.content || choice?.delta?.refusal || "";
  }
}

/** An error that comes as a chunk has the shape of an error answer's body; some put the status in its code. */
function errorInStream(error: unknown): AppError {
  const code = isObject(error) ? textAt(error, "code") || textAt(error, "type") : "";
  const said = new Error("The provider reported an error in its stream.");
  const status = Number(code);
  return (
    openAiErrorOf(code, said) ?? (status >= 400 ? byStatus(status, said) : providerError.unavailable(said))
  );
}

/**
 * What the body of an error says: OpenAI puts it under `error`, Google puts that in a list, and others leave it at the
 * top, or in words alone. Nothing where the body is no JSON.
 */
export function openAiErrorIn(body: string): Json | undefined {
  const parsed = valueFrom(body);
  const whole: unknown = Array.isArray(parsed) ? parsed[0] : parsed;
  if (!isObject(whole)) return undefined;

  const { error } = whole;
  if (isObject(error)) return error;
  const message = textAt(whole, "error") || textAt(whole, "message") || body;
  return { code: textAt(whole, "code"), type: textAt(whole, "type"), message };
}

/** Error codes of the protocol that say more than the status they come with. */
export function openAiErrorOf(code: string, cause: unknown): AppError | undefined {
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
