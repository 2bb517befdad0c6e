import type { ModelSettings } from "./provider.ts";

/** A request by the model to run a tool; `arguments` is the text it wrote, which need not be valid JSON. */
export interface ToolCall {
  readonly id: string;
  readonly name: string;
  readonly arguments: string;
}

/** What a model is told of a tool; `parameters` is a JSON Schema of type object. */
export interface ToolSpec {
  readonly name: string;
  readonly description: string;
  readonly parameters: Readonly<Record<string, unknown>>;
}

/** One message of what the model reads. Every tool call is followed by the message of its result. */
export type ModelMessage =
  | { readonly role: "system" | "user"; readonly content: string }
  | { readonly role: "assistant"; readonly content: string; readonly calls: readonly ToolCall[] }
  | { readonly role: "tool"; readonly callId: string; readonly content: string };

/** Tokens as the provider counted them. */
export interface TokenUsage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** The part of `inputTokens` that the provider had in its cache. */
  readonly cachedTokens: number;
  /** The part of `outputTokens` that went into thinking, where the provider tells. */
  readonly reasoningTokens?: number;
}

/** A piece of an answer. A tool call comes once, whole; usage at most once, and some providers send none. */
export type ModelChunk =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "call"; readonly call: ToolCall }
  | { readonly type: "usage"; readonly usage: TokenUsage };

export interface ModelRequest {
  readonly messages: readonly ModelMessage[];
  /** None withholds tools from the model. */
  readonly tools: readonly ToolSpec[];
}

/** The port that every provider adapter implements; nothing else of a provider leaks out of its file. */
export interface ChatModel {
  readonly id: string;
  /** How many words of context may be counted on; a cautious three quarters of the model's tokens. */
  readonly contextWords: number;
  /**
   * Streams one answer. The request leaves at the first `next()`. Ends normally only when the answer is whole; throws
   * `AppError` with a `provider-…` code otherwise, and the signal's reason when it was aborted.
   */
  stream(request: ModelRequest, signal: AbortSignal): AsyncIterable<ModelChunk>;
}

/** A model that was opened, and whose it is. */
export interface OpenModel extends ChatModel {
  /** The name of the provider. */
  readonly provider: string;
}

/** The model that somebody wants to talk to, and what opens it. */
export interface ModelChoice {
  readonly provider: string;
  /** The provider's own choice where nothing is said. */
  readonly model: string | null;
  readonly settings: ModelSettings;
  /** What the user entered for the provider; nothing where that was never done. */
  readonly credentials: unknown;
}

/** Opens models; nothing where the provider is not there or wants credentials that were never entered. */
export interface Models {
  open(choice: ModelChoice): OpenModel | undefined;
}

/** The bounds of one model request, in milliseconds. */
export interface ModelTimeouts {
  /** Until the response's headers. */
  readonly headersMs: number;
  /** Between two pieces of the stream. */
  readonly idleMs: number;
  /** From the first byte sent to the last one read. */
  readonly totalMs: number;
  /** The longest `Retry-After` that is waited for before the one retry. */
  readonly retryAfterMs: number;
}

export const MODEL_TIMEOUTS: ModelTimeouts = {
  headersMs: 30_000,
  idleMs: 60_000,
  totalMs: 10 * 60_000,
  retryAfterMs: 2_000,
};
