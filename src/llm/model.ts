import type { Json } from "../shared/json.ts";
import type { ModelSettings } from "./provider.ts";

/** A model's request to run a tool. `arguments` is the text that the model wrote; it may be invalid JSON. */
export interface ToolCall {
  readonly id: string;
  readonly name: string;
  readonly arguments: string;
}

/** The description of a tool for a model. `parameters` is a JSON Schema of type object. */
export interface ToolSpec {
  readonly name: string;
  readonly description: string;
  readonly parameters: Readonly<Record<string, unknown>>;
}

/**
 * What a provider has sent with an answer and expects back with it: signatures, encrypted or plain reasoning. Only its
 * adapter reads it. Without it, some models refuse the request that follows a tool call.
 */
export interface ProviderData {
  /** The server and the model that sent it. It must not be sent to any other. */
  readonly source: string;
  readonly data: Json;
}

/** A message to a model. Every tool call is followed by a message with its result. */
export type ModelMessage =
  | { readonly role: "system" | "user"; readonly content: string }
  | {
      readonly role: "assistant";
      readonly content: string;
      readonly calls: readonly ToolCall[];
      readonly providerData?: ProviderData;
    }
  | { readonly role: "tool"; readonly callId: string; readonly content: string };

/** The provider's token counts. */
export interface TokenUsage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** The part of `inputTokens` that came from the provider's cache. */
  readonly cachedTokens: number;
  /** The part of `outputTokens` spent on reasoning, if the provider reports it. */
  readonly reasoningTokens?: number;
}

/** Why an answer ended. `length`: it was cut off at a limit on tokens. */
export type FinishReason = "stop" | "length" | "content-filter" | "tool-calls" | "other";

/**
 * A piece of an answer. `finish` is the last piece of a complete answer, and always present. Before it come, each at
 * most once, `usage` and `provider-data`, and the tool calls, each complete and in one piece.
 */
export type ModelChunk =
  | { readonly type: "text"; readonly text: string }
  /** What the model thinks before it answers. It is not part of the answer. */
  | { readonly type: "reasoning"; readonly text: string }
  /** The model can't call tools, so the request was sent without them. Comes first. */
  | { readonly type: "without-tools" }
  | { readonly type: "usage"; readonly usage: TokenUsage }
  | { readonly type: "provider-data"; readonly providerData: ProviderData }
  | { readonly type: "call"; readonly call: ToolCall }
  | { readonly type: "finish"; readonly reason: FinishReason };

/** A form that an answer must have. `schema` is a JSON Schema; if absent, any JSON object is meant. */
export interface AnswerFormat {
  readonly name: string;
  readonly description?: string | undefined;
  readonly schema?: Readonly<Record<string, unknown>> | undefined;
  /** Whether the provider must keep exactly to the schema. */
  readonly isStrict: boolean;
}

/** That the model must call a tool: this one, or any if `name` is null. */
export interface ToolChoice {
  readonly name: string | null;
}

export interface ModelRequest {
  readonly messages: readonly ModelMessage[];
  /** Empty if the model must not call tools. */
  readonly tools: readonly ToolSpec[];
  /** Absent if the model may choose. Adapters whose API has no such choice ignore it. */
  readonly toolChoice?: ToolChoice | undefined;
  /** Absent for text. An adapter whose API has no such forms throws `conflict`. */
  readonly format?: AnswerFormat | undefined;
}

/** The port that every provider adapter implements. Nothing else specific to a provider leaves its files. */
export interface ChatModel {
  readonly id: string;
  /** The context window: how many tokens a request and its answer may have together. */
  readonly contextTokens: number;
  /** Absent if the server can't state the window, or a user has. */
  readonly servedWindow?: ServedWindow | undefined;
  /**
   * Streams one answer. The request is sent at the first `next()`. Ends normally only if the answer is complete.
   * Otherwise throws `AppError` with a `provider-…` code, or the signal's reason if it was aborted.
   */
  stream(request: ModelRequest, signal: AbortSignal): AsyncIterable<ModelChunk>;
}

/** The window with which a server serves a model. It may be another one than the model was trained for. */
export interface ServedWindow {
  /** The address of the server. What it states is not true of any other. */
  readonly server: string;
  /**
   * Asks the server. Returns the window in tokens, or `undefined` if the server does not state it. Throws `AppError`, or the
   * signal's reason.
   */
  ask(signal: AbortSignal): Promise<number | undefined>;
}

/** A model together with the name of its provider. */
export interface OpenModel extends ChatModel {
  /** The name of the provider. */
  readonly provider: string;
}

/** Which model to open, and with what settings and credentials. */
export interface ModelChoice {
  readonly provider: string;
  /** Null for the provider's default model. */
  readonly model: string | null;
  readonly settings: ModelSettings;
  /** What the user entered for the provider; `undefined` if nothing has been entered. */
  readonly credentials: unknown;
}

/** Opens models. */
export interface Models {
  /**
   * Returns the model, or `undefined` if the provider does not exist or its credentials are missing. Throws
   * `provider-auth` if the credentials are incomplete.
   */
  open(choice: ModelChoice): OpenModel | undefined;
}

/** Time limits of one model request, in milliseconds. */
export interface ModelTimeouts {
  /** Until the response's headers, and again until the answer begins, as long as the server shows signs of life. */
  readonly headersMs: number;
  /** Like `headersMs`, for compatible servers: a local model may have to be loaded first. */
  readonly compatibleHeadersMs: number;
  /** Between two pieces of the answer; see `IdleTimer`. */
  readonly idleMs: number;
  /** From sending the request to the last byte of the response. */
  readonly totalMs: number;
  /** The longest `Retry-After` that is obeyed. If it is longer, there is no retry. */
  readonly retryAfterMs: number;
}

export const MODEL_TIMEOUTS: ModelTimeouts = {
  headersMs: 30_000,
  compatibleHeadersMs: 120_000,
  idleMs: 60_000,
  totalMs: 10 * 60_000,
  retryAfterMs: 2_000,
};
