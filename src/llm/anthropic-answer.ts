import { type Json, numberAt, objectAt, textAt, tokensAt } from "../shared/json.ts";
import type { Answer, FinishReasons } from "./answer.ts";
import { providerError } from "./errors.ts";
import type { JsonEvents } from "./event-stream.ts";
import { refusalInStream } from "./exchange.ts";
import type { TokenUsage } from "./model.ts";

export const ANTHROPIC_FINISHES: FinishReasons = {
  end_turn: "stop",
  stop_sequence: "stop",
  max_tokens: "length",
  model_context_window_exceeded: "length",
  tool_use: "tool-calls",
  refusal: providerError.content,
};

/** The members of a usage object that are read. All others are ignored. */
const COUNTED = [
  "input_tokens",
  "output_tokens",
  "cache_read_input_tokens",
  "cache_creation_input_tokens",
  "output_tokens_details",
] as const;

/** A block of reasoning. It goes back unchanged: its signature covers the text. */
type Thinking =
  | { type: "thinking"; thinking: string; signature: string }
  | { type: "redacted_thinking"; data: string };

/** Reads answers of Anthropic's messages API, which sends blocks that start, grow and stop. */
export class AnthropicReader implements JsonEvents {
  readonly #answer: Answer;
  readonly #counts: Record<string, unknown> = {};
  /** Tool inputs that arrived complete in `content_block_start`, as some proxies send them. */
  readonly #inputs = new Map<number | undefined, string>();
  readonly #thinking: Thinking[] = [];

  constructor(answer: Answer) {
    this.#answer = answer;
    answer.expectBack(() => this.#expectedBack());
  }

  take(event: Json): void {
    const index = numberAt(event, "index");

    switch (textAt(event, "type")) {
      case "message_start":
        return this.#count(objectAt(objectAt(event, "message"), "usage"));
      case "content_block_start":
        return this.#start(index, objectAt(event, "content_block"));
      case "content_block_delta":
        return this.#grow(index, objectAt(event, "delta"));
      case "content_block_stop":
        // A call without arguments may have no `input_json_delta`.
        if (this.#answer.calls.at(index)?.arguments === "")
          this.#answer.calls.add(index, { arguments: this.#inputs.get(index) });
        return undefined;
      case "message_delta":
        this.#count(objectAt(event, "usage"));
        this.#noteFinish(objectAt(event, "delta"));
        return undefined;
      case "message_stop":
        return this.end();
      // A whole message, from a server that does not stream.
      case "message":
        return this.#readMessage(event);
      case "error":
        throw refusalInStream(event);
      default:
        if (event["error"]) throw refusalInStream(event);
        return undefined;
    }
  }

  end(): void {
    this.#answer.isOver = true;
  }

  #readMessage(message: Json): void {
    this.#count(objectAt(message, "usage"));
    const blocks: unknown = message["content"];
    if (Array.isArray(blocks))
      for (const [index, block] of blocks.entries()) {
        this.take({ type: "content_block_start", index, content_block: block });
        this.take({ type: "content_block_stop", index });
      }
    this.#noteFinish(message);
  }

  #noteFinish(part: Json): void {
    const reason = textAt(part, "stop_reason");
    if (reason === "") return;
    this.#answer.finish = reason;
    this.#answer.hasAdvanced = true;
  }

  #start(index: number | undefined, block: Json): void {
    switch (textAt(block, "type")) {
      case "tool_use":
        this.#answer.calls.add(index, { id: textAt(block, "id"), name: textAt(block, "name") });
        this.#inputs.set(index, JSON.stringify(objectAt(block, "input")));
        this.#answer.hasAdvanced = true;
        break;
      case "thinking":
        this.#thinking.push({ type: "thinking", thinking: "", signature: "" });
        this.#think(textAt(block, "thinking"), textAt(block, "signature"));
        break;
      case "redacted_thinking":
        this.#thinking.push({ type: "redacted_thinking", data: textAt(block, "data") });
        this.#answer.hasAdvanced = true;
        break;
      case "text":
        this.#answer.text(textAt(block, "text"));
    }
  }

  #grow(index: number | undefined, delta: Json): void {
    switch (textAt(delta, "type")) {
      case "text_delta":
        return this.#answer.text(textAt(delta, "text"));
      case "thinking_delta":
        return this.#think(textAt(delta, "thinking"), "");
      case "signature_delta":
        return this.#think("", textAt(delta, "signature"));
      case "input_json_delta":
        if (!this.#answer.calls.at(index)) return undefined;
        this.#answer.calls.add(index, { arguments: textAt(delta, "partial_json") });
        if (textAt(delta, "partial_json") !== "") this.#answer.hasAdvanced = true;
    }
    return undefined;
  }

  #think(text: string, signature: string): void {
    const block = this.#thinking.at(-1);
    if (block?.type !== "thinking") return;
    block.thinking += text;
    block.signature += signature;
    this.#answer.reasoning(text);
  }

  /** Reasoning has to go back with the calls that it led to. Without a signature it would be refused. */
  #expectedBack(): Json | undefined {
    if (this.#thinking.length === 0 || this.#answer.calls.isEmpty) return undefined;
    const signed = this.#thinking.filter((block) => block.type !== "thinking" || block.signature !== "");
    return { thinking: signed };
  }

  /** Counts arrive at the start and again, larger, at the end. A null must not overwrite an earlier count. */
  #count(counts: Json): void {
    for (const name of COUNTED) if ((counts[name] ?? null) !== null) this.#counts[name] = counts[name];
    this.#answer.usage = usageOf(this.#counts) ?? this.#answer.usage;
  }
}

/** Anthropic's `input_tokens` excludes tokens read from or written to the cache, so they are added. */
function usageOf(counts: Json): TokenUsage | undefined {
  const count = (name: string) => tokensAt(counts, name) ?? 0;
  const cachedTokens = count("cache_read_input_tokens");
  const thinking = tokensAt(objectAt(counts, "output_tokens_details"), "thinking_tokens");
  if (!Object.hasOwn(counts, "output_tokens")) return undefined;

  return {
    inputTokens: count("input_tokens") + cachedTokens + count("cache_creation_input_tokens"),
    outputTokens: count("output_tokens"),
    cachedTokens,
    ...(thinking !== undefined && { reasoningTokens: thinking }),
  };
}
