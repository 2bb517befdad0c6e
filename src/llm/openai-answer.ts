import { isObject, type Json, numberAt, objectAt, objectsAt, textAt, tokensAt } from "../shared/json.ts";
import type { Answer, FinishReasons } from "./answer.ts";
import { providerError } from "./errors.ts";
import type { JsonEvents } from "./event-stream.ts";
import { refusalInStream } from "./exchange.ts";
import { isErrorEvent } from "./openai-errors.ts";
import type { TokenUsage } from "./model.ts";

/** In lower case, because Google's are in capitals. */
export const OPENAI_FINISHES: FinishReasons = {
  stop: "stop",
  end_turn: "stop",
  // Together, and servers with Hugging Face's text-generation-inference.
  eos: "stop",
  eos_token: "stop",
  stop_sequence: "stop",
  length: "length",
  max_tokens: "length",
  // Mistral's reason for an answer that reaches the end of the context window.
  model_length: "length",
  tool_calls: "tool-calls",
  function_call: "tool-calls",
  tool_use: "tool-calls",
  content_filter: providerError.content,
  safety: providerError.content,
  recitation: providerError.content,
  prohibited_content: providerError.content,
  blocklist: providerError.content,
  spii: providerError.content,
  refusal: providerError.content,
  // Sent by vLLM and SGLang if they have aborted the request.
  abort: providerError.truncated,
  error: providerError.unavailable,
  // DeepSeek's reason if its servers are overloaded.
  insufficient_system_resource: providerError.unavailable,
  // Gemini has written a call that nobody can read.
  malformed_function_call: providerError.unreadableCall,
  unexpected_tool_call: providerError.unreadableCall,
  function_call_filter: providerError.unreadableCall,
};

/** Members of a delta that hold reasoning as text. The first one counts: OpenRouter sends the same in several. */
const REASONING = ["reasoning_content", "reasoning", "reasoning_text", "thinking"] as const;

/**
 * Reads answers of the chat completions API, as OpenAI and all others send them: chunks that extend one choice, whole
 * answers, and the answers of Cloudflare and Ollama, which have no choices. Members of another type than expected are
 * read as far as possible.
 */
export class OpenAiReader implements JsonEvents {
  readonly #answer: Answer;
  /** Whether the answer has come in pieces. A whole message behind them only repeats it. */
  #hasPieces = false;
  #reasoning = "";
  readonly #details: Record<string, unknown>[] = [];
  readonly #callExtras: (Json | null)[] = [];
  #extra: Json | undefined;
  /** Whether the last piece of text was marked as a thought. */
  #wasThought = false;

  constructor(answer: Answer) {
    this.#answer = answer;
    answer.expectBack(() => this.#expectedBack());
  }

  take(event: Json): void {
    // Cloudflare's own API wraps the answer.
    const body = isObject(event["result"]) ? event["result"] : event;
    const choice = firstChoice(body) ?? body;
    const groq = objectAt(body, "x_groq");
    const failed = [choice, groq].find(({ error }) => error);
    if (failed || isErrorEvent(event)) throw refusalInStream(failed ?? event);

    // Usually a last chunk without choices holds the usage. Some servers send a growing count in every chunk.
    // Ollama has its counts beside the message.
    const own = body["eval_count"] === undefined ? undefined : body;
    const usage = [body["usage"], choice["usage"], groq["usage"], own].find(isObject);
    if (usage) this.#answer.usage = toUsage(usage);

    const delta = objectAt(choice, "delta");
    if (holdsAny(delta)) {
      this.#hasPieces = true;
      this.#read(delta);
    } else if (!this.#hasPieces) this.#read(isObject(choice["message"]) ? choice["message"] : choice);
    this.#noteFinish(
      textAt(choice, "finish_reason") || (choice["done"] === true ? textAt(choice, "done_reason") : ""),
    );
  }

  end(): void {
    this.#answer.isOver = true;
  }

  #noteFinish(reason: string): void {
    if (reason === "") return;
    // Google puts the exact reason behind: `content_filter: RECITATION`.
    const [kind = ""] = reason.toLowerCase().split(":", 1);
    this.#answer.finish = kind;
    this.#answer.hasAdvanced = true;
  }

  /** Reads a delta, a message, or an object with the same members. */
  #read(part: Json): void {
    this.#readReasoning(part);
    for (const member of ["content", "response", "text", "refusal"]) {
      const value = part[member];
      if (value === undefined || value === null || value === "") continue;
      // Cloudflare sends an object for an answer that has to match a schema.
      const isDocument = member === "response" && isObject(value);
      const isReasoning = isThought(part);
      this.#readContent(isDocument ? JSON.stringify(value) : this.#untagged(value, isReasoning), isReasoning);
      break;
    }
    const calls = part["tool_calls"];
    if (Array.isArray(calls)) for (const call of calls) if (isObject(call)) this.#readCall(call);
    if (isObject(part["function_call"])) this.#readCall({ function: part["function_call"], index: 0 });
    if (isObject(part["extra_content"])) this.#addExtra(part["extra_content"]);
  }

  /** Removes the tags around a thought that is marked as well. Its closing tag is in the next piece, which is unmarked. */
  #untagged(content: unknown, isThought: boolean): unknown {
    const isNear = isThought || this.#wasThought;
    this.#wasThought = isThought;
    if (!isNear || typeof content !== "string") return content;
    return content.replace(isThought ? /^<thought>|<\/thought>$/giu : /^\s*<\/thought>\s*/iu, "");
  }

  /** The mark of a thought belongs to a piece. Sent back with the answer, it would turn that into a thought. */
  #addExtra(extra: Json): void {
    const { thought: _thought, ...google } = objectAt(extra, "google");
    const { google: _google, ...others } = extra;
    const back = { ...others, ...(Object.keys(google).length > 0 && { google }) };
    if (Object.keys(back).length > 0) this.#extra = back;
  }

  #readReasoning(part: Json): void {
    const name = REASONING.find((member) => typeof part[member] === "string" && part[member] !== "");
    const text = name === undefined ? "" : textAt(part, name);
    const details = objectsAt(part, "reasoning_details");
    if (text === "" && details.length === 0) return;

    this.#answer.reasoning(
      text || details.map((detail) => textAt(detail, "text") || textAt(detail, "summary")).join(""),
    );
    this.#answer.hasAdvanced = true;
    if (name === "reasoning_content") this.#reasoning += text;
    for (const detail of details) addDetail(this.#details, detail);
  }

  /** Reads text, or a list of parts, some of which hold reasoning. Anything else is ignored. */
  #readContent(content: unknown, isReasoning: boolean): void {
    if (typeof content === "string" || typeof content === "number") {
      if (isReasoning) this.#answer.reasoning(String(content));
      else this.#answer.text(String(content));
    } else if (Array.isArray(content))
      for (const part of content) if (isObject(part)) this.#readPart(part, isReasoning);
  }

  #readPart(part: Json, isReasoning: boolean): void {
    if (part["thinking"] !== undefined) this.#readContent(part["thinking"], true);
    else if (typeof part["text"] === "string")
      this.#readContent(part["text"], isReasoning || /think|reason/u.test(textAt(part, "type")));
  }

  #readCall(call: Json): void {
    const part = isObject(call["function"]) ? call["function"] : call;
    const index =
      numberAt(call, "index") ?? (typeof call["index"] === "string" ? Number(call["index"]) : undefined);
    const at = this.#answer.calls.add(Number.isInteger(index) ? index : undefined, {
      id: textAt(call, "id"),
      name: textAt(part, "name"),
      arguments: argumentsIn(part),
    });
    this.#answer.hasAdvanced = true;
    if (at !== undefined && isObject(call["extra_content"])) this.#callExtras[at] = call["extra_content"];
  }

  /**
   * Plain reasoning is expected back with tool calls only. DeepSeek refuses the next request without it, and its earlier
   * models refuse it with any other answer.
   */
  #expectedBack(): Json | undefined {
    const hasCalls = !this.#answer.calls.isEmpty;
    const data = {
      ...(hasCalls && this.#reasoning !== "" && { reasoning_content: this.#reasoning }),
      ...(this.#details.length > 0 && { reasoning_details: this.#details }),
      ...(this.#extra && { extra_content: this.#extra }),
      ...(this.#callExtras.length > 0 && { calls: Array.from(this.#callExtras, (extra) => extra ?? null) }),
    };
    return Object.keys(data).length > 0 ? data : undefined;
  }
}

/**
 * Joins a piece of reasoning with the one that it continues: OpenRouter numbers them, streams their texts, and sends the
 * signature in a piece of its own.
 */
function addDetail(details: Record<string, unknown>[], piece: Json): void {
  const last = details.at(-1);
  const isSame = last?.["type"] === piece["type"] && last?.["index"] === piece["index"];
  const grown = ["text", "summary"].filter((member) => typeof piece[member] === "string");
  if (!last || !isSame || (grown.length === 0 && typeof piece["signature"] !== "string"))
    return void details.push({ ...piece });
  const known = Object.entries(piece).filter(([, value]) => value !== null);
  const joined = grown.map((member) => [member, textAt(last, member) + textAt(piece, member)]);
  // In place: a copy for each piece would take quadratic time.
  Object.assign(last, Object.fromEntries([...known, ...joined]));
}

/** Returns the first choice. Azure's first chunk has none, and other servers send null. */
function firstChoice(body: Json): Json | undefined {
  const choices = body["choices"];
  const first: unknown = Array.isArray(choices) ? choices[0] : undefined;
  return isObject(first) ? first : undefined;
}

/** Gemini marks its thoughts, which are otherwise like its text. */
const isThought = (part: Json): boolean =>
  objectAt(objectAt(part, "extra_content"), "google")["thought"] === true;

/** Whether a delta has anything besides the role. The last chunks of some servers have empty ones. */
function holdsAny(delta: Json): boolean {
  for (const name in delta) {
    const value = delta[name];
    if (name !== "role" && value !== null && value !== "" && value !== undefined) return true;
  }
  return false;
}

/** Returns the arguments as text. Some servers send them already parsed. */
const argumentsIn = (part: Json): string => {
  const value = part["arguments"] ?? part["parameters"];
  return isObject(value) ? JSON.stringify(value) : typeof value === "string" ? value : "";
};

/**
 * Returns the token counts of a usage object of either of OpenAI's APIs, or of the last line of Ollama's. Counts that are
 * missing are 0.
 */
export function toUsage(usage: Json): TokenUsage {
  const firstOf = (...names: readonly string[]): number =>
    names.map((name) => tokensAt(usage, name)).find((tokens) => tokens !== undefined) ?? 0;
  const inputTokens = firstOf("prompt_tokens", "input_tokens", "prompt_eval_count");
  const written = firstOf("completion_tokens", "output_tokens", "eval_count");
  const reasoningTokens =
    tokensAt(objectAt(usage, "completion_tokens_details"), "reasoning_tokens") ??
    tokensAt(objectAt(usage, "output_tokens_details"), "reasoning_tokens");
  // Google and xAI count reasoning in the total only.
  const rest = (tokensAt(usage, "total_tokens") ?? 0) - inputTokens;
  return {
    inputTokens,
    outputTokens: Math.max(written, rest),
    cachedTokens:
      tokensAt(objectAt(usage, "prompt_tokens_details"), "cached_tokens") ??
      tokensAt(objectAt(usage, "input_tokens_details"), "cached_tokens") ??
      tokensAt(usage, "prompt_cache_hit_tokens") ??
      0,
    ...(reasoningTokens !== undefined && { reasoningTokens }),
  };
}
