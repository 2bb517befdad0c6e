import type { AppError } from "../shared/errors.ts";
import type { AnswerReader, BadFinishes } from "./answer.ts";
import { byStatus, overflowWords, providerError } from "./errors.ts";
import { type Json, numberAt, objectAt, textAt } from "./json.ts";
import type { TokenUsage } from "./model.ts";
import { ToolCalls } from "./tool-calls.ts";

export const ANTHROPIC_BAD_FINISHES: BadFinishes = { refusal: providerError.content };

/** The messages API: blocks that start, grow and stop. Thinking is passed over, the answer is what comes beside it. */
export class AnthropicReader implements AnswerReader<Json | string> {
  readonly calls = new ToolCalls();
  finish = "";
  isOver = false;
  #counts: Json = {};
  /** Inputs that came whole with the start of their block, as some proxies send them. */
  readonly #inputs = new Map<number, string>();

  take(event: Json | string): string {
    if (typeof event === "string") return "";
    const index = numberAt(event, "index") ?? 0;

    switch (textAt(event, "type")) {
      case "message_start":
        this.#count(objectAt(objectAt(event, "message"), "usage"));
        return "";
      case "content_block_start":
        return this.#start(index, objectAt(event, "content_block"));
      case "content_block_delta":
        return this.#grow(index, objectAt(event, "delta"));
      case "content_block_stop":
        // A call without arguments may come without a piece of them.
        if (this.calls.at(index)?.arguments === "")
          this.calls.add(index, { arguments: this.#inputs.get(index) });
        return "";
      case "message_delta":
        this.#count(objectAt(event, "usage"));
        this.finish = textAt(objectAt(event, "delta"), "stop_reason") || this.finish;
        return "";
      case "message_stop":
        this.isOver = true;
        return "";
      case "error":
        throw errorInStream(objectAt(event, "error"));
      default:
        return "";
    }
  }

  #start(index: number, block: Json): string {
    if (textAt(block, "type") === "tool_use") {
      this.calls.add(index, { id: textAt(block, "id"), name: textAt(block, "name") });
      this.#inputs.set(index, JSON.stringify(objectAt(block, "input")));
    }
    return textAt(block, "type") === "text" ? textAt(block, "text") : "";
  }

  #grow(index: number, delta: Json): string {
    const isInput = textAt(delta, "type") === "input_json_delta" && this.calls.at(index) !== undefined;
    if (isInput) this.calls.add(index, { arguments: textAt(delta, "partial_json") });
    return textAt(delta, "type") === "text_delta" ? textAt(delta, "text") : "";
  }

  /** Counts come at the start and again, grown, at the end; a null says nothing. */
  #count(counts: Json): void {
    const given = Object.entries(counts).filter(([, value]) => value !== null);
    this.#counts = { ...this.#counts, ...Object.fromEntries(given) };
  }

  /** What is in the cache, or goes there, is counted beside the rest of the input. */
  get usage(): TokenUsage | undefined {
    const count = (name: string) => numberAt(this.#counts, name) ?? 0;
    const cachedTokens = count("cache_read_input_tokens");
    const thinking = numberAt(objectAt(this.#counts, "output_tokens_details"), "thinking_tokens");
    if (!Object.hasOwn(this.#counts, "output_tokens")) return undefined;

    return {
      inputTokens: count("input_tokens") + cachedTokens + count("cache_creation_input_tokens"),
      outputTokens: count("output_tokens"),
      cachedTokens,
      ...(thinking !== undefined && { reasoningTokens: thinking }),
    };
  }
}

function errorInStream(error: Json): AppError {
  const said = new Error("The provider reported an error in its stream.");
  return anthropicErrorOf(error, said) ?? providerError.unavailable(said);
}

/** What the error of an answer or of a stream means, where it says more than the status. */
export function anthropicErrorOf(error: Json, cause: unknown): AppError | undefined {
  const message = textAt(error, "message");
  if (/credit balance/iu.test(message)) return providerError.quota(cause);

  const type = textAt(error, "type");
  if (type === "invalid_request_error") {
    if (overflowWords.test(message)) return providerError.overflow(cause);
    if (/content filtering/iu.test(message)) return providerError.content(cause);
  }
  const status = Object.hasOwn(STATUS_OF, type) ? STATUS_OF[type] : undefined;
  return status === undefined ? undefined : byStatus(status, cause);
}

const STATUS_OF: Readonly<Record<string, number>> = {
  invalid_request_error: 400,
  authentication_error: 401,
  billing_error: 402,
  permission_error: 403,
  not_found_error: 404,
  request_too_large: 413,
  rate_limit_error: 429,
  api_error: 500,
  timeout_error: 504,
  overloaded_error: 529,
};
