import { isObject, type Json, numberAt, objectAt, textAt, tokensAt } from "../shared/json.ts";
import type { Answer, FinishReasons } from "./answer.ts";
import type { AwsEvent, AwsEvents } from "./aws-event-stream.ts";
import { providerError } from "./errors.ts";
import { refusalInStream } from "./exchange.ts";
import type { TokenUsage } from "./model.ts";

export const BEDROCK_FINISHES: FinishReasons = {
  end_turn: "stop",
  stop_sequence: "stop",
  max_tokens: "length",
  model_context_window_exceeded: "length",
  tool_use: "tool-calls",
  content_filtered: providerError.content,
  guardrail_intervened: providerError.content,
  malformed_model_output: providerError.unreadable,
  malformed_tool_use: providerError.unreadableCall,
};

/** Reads answers of Bedrock's Converse API: blocks that start, grow and stop, then the stop reason, then the usage. */
export class BedrockReader implements AwsEvents {
  readonly #answer: Answer;
  /** Reasoning blocks, by the index of their block. */
  readonly #reasoning = new Map<number, { text: string; signature: string; redacted: string }>();

  /** How many blocks have stopped. Blocks without an index are numbered by it. */
  #stopped = 0;

  constructor(answer: Answer) {
    this.#answer = answer;
    answer.expectBack(() => this.#expectedBack());
  }

  take({ kind, type, body }: AwsEvent): void {
    if (kind !== "event") throw refusalInStream({ ...body, __type: type });
    // Some models omit the index. The pieces then belong to the last block.
    const index = numberAt(body, "contentBlockIndex");

    switch (type) {
      case "contentBlockStart":
        return this.#start(index, objectAt(objectAt(body, "start"), "toolUse"));
      case "contentBlockDelta":
        return this.#grow(index, objectAt(body, "delta"));
      case "contentBlockStop":
        this.#stopped++;
        // A call without arguments has no delta.
        if (this.#answer.calls.at(index)?.arguments === "")
          this.#answer.calls.add(index, { arguments: "{}" });
        return undefined;
      case "messageStop":
        this.#answer.finish = textAt(body, "stopReason");
        this.#answer.hasAdvanced = true;
        break;
      case "metadata":
        this.#answer.usage = toUsage(objectAt(body, "usage"));
        break;
    }
    // The usage is the last event. The stream is not always closed right after it.
    this.#answer.isOver = this.#answer.finish !== "" && this.#answer.usage !== undefined;
    return undefined;
  }

  #start(index: number | undefined, { toolUseId: id, name }: Json): void {
    if (typeof id !== "string" || typeof name !== "string") return;
    this.#answer.calls.add(index, { id, name });
    this.#answer.hasAdvanced = true;
  }

  #grow(index: number | undefined, delta: Json): void {
    this.#answer.text(textAt(delta, "text"));
    if (isObject(delta["reasoningContent"])) this.#think(index, delta["reasoningContent"]);
    const input = textAt(objectAt(delta, "toolUse"), "input");
    if (input === "" || !this.#answer.calls.at(index)) return;
    this.#answer.calls.add(index, { arguments: input });
    this.#answer.hasAdvanced = true;
  }

  #think(index: number | undefined, piece: Json): void {
    const block = index ?? -1 - this.#stopped;
    const known = this.#reasoning.get(block) ?? { text: "", signature: "", redacted: "" };
    this.#reasoning.set(block, {
      text: known.text + textAt(piece, "text"),
      signature: known.signature + textAt(piece, "signature"),
      redacted: known.redacted + textAt(piece, "redactedContent"),
    });
    this.#answer.reasoning(textAt(piece, "text"));
    this.#answer.hasAdvanced = true;
  }

  /** Reasoning has to go back with the calls that it led to. Without a signature it would be refused. */
  #expectedBack(): Json | undefined {
    if (this.#answer.calls.isEmpty) return undefined;
    const reasoning = [...this.#reasoning.values()].flatMap(({ text, signature, redacted }): Json[] => {
      if (redacted !== "") return [{ redactedContent: redacted }];
      return signature === "" ? [] : [{ reasoningText: { text, signature } }];
    });
    return reasoning.length > 0 ? { reasoning } : undefined;
  }
}

/** Bedrock's `inputTokens` excludes tokens read from or written to the cache, so they are added. */
function toUsage(counts: Json): TokenUsage {
  const cachedTokens = tokensAt(counts, "cacheReadInputTokens") ?? 0;
  const written = tokensAt(counts, "cacheWriteInputTokens") ?? 0;
  return {
    inputTokens: (tokensAt(counts, "inputTokens") ?? 0) + cachedTokens + written,
    outputTokens: tokensAt(counts, "outputTokens") ?? 0,
    cachedTokens,
  };
}
