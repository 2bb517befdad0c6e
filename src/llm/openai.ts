import OpenAI, { APIConnectionTimeoutError, APIError } from "openai";
import type {
  ChatCompletionChunk,
  ChatCompletionCreateParamsStreaming,
  ChatCompletionMessageParam,
  ChatCompletionTool,
} from "openai/resources/chat/completions";
import { AppError } from "../shared/errors.ts";
import { providerError } from "./errors.ts";
import { eventData } from "./event-stream.ts";
import type {
  ChatModel,
  ModelChunk,
  ModelMessage,
  ModelRequest,
  ModelTimeouts,
  TokenUsage,
  ToolCall,
  ToolSpec,
} from "./model.ts";
import type { ModelSettings } from "./provider.ts";

/** One retry, and only before the first byte of the answer. */
const ATTEMPTS = 2;
const RETRY_WAIT_MS = 500;
/** What is kept of one call's arguments; the rest is cut off, which makes them unreadable and tells the model so. */
const MAX_ARGUMENT_CHARS = 100_000;
/** The same for all calls of one answer together: a run keeps its calls in memory until it ends. */
const MAX_ALL_ARGUMENT_CHARS = 400_000;
/** Calls beyond these in one answer are not even collected. */
const MAX_CALLS = 256;
/** Three quarters of a word per token is the usual rule of thumb for English. */
const WORDS_PER_TOKEN = 0.75;

export interface OpenAiModelOptions {
  readonly apiKey: string;
  /** Ends in `/v1`; OpenAI's own where nothing is said. */
  readonly baseUrl?: string;
  readonly model: string;
  /** How many tokens the model reads at most. */
  readonly contextTokens: number;
  readonly fetch: typeof fetch;
  readonly timeouts: ModelTimeouts;
  readonly settings?: ModelSettings;
}

/** A model behind OpenAI's chat completions API, or behind any server that speaks it. */
export function openAiModel(options: OpenAiModelOptions): ChatModel {
  const { model, timeouts } = options;
  const client = new OpenAI({
    apiKey: options.apiKey,
    ...(options.baseUrl !== undefined && { baseURL: options.baseUrl }),
    fetch: options.fetch,
    // The SDK would obey a `Retry-After` of a minute; the rule for retries is ours.
    maxRetries: 0,
    timeout: timeouts.headersMs,
    fetchOptions: { redirect: "manual" },
  });

  return {
    id: model,
    contextWords: Math.floor(options.contextTokens * WORDS_PER_TOKEN),
    async *stream(request, outerSignal) {
      const total = new AbortController();
      // Not `AbortSignal.timeout`, which nothing can end: its timer would outlive the request by minutes.
      const timer = setTimeout(() => total.abort(providerError.stalled()), timeouts.totalMs);
      const signal = AbortSignal.any([outerSignal, total.signal]);
      try {
        const response = await open(client, toBody(model, request), signal, timeouts.retryAfterMs);
        yield* readAnswer(response, timeouts.idleMs);
      } catch (cause) {
        outerSignal.throwIfAborted();
        throw total.signal.aborted ? total.signal.reason : toAppError(cause);
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

async function open(
  client: OpenAI,
  body: ChatCompletionCreateParamsStreaming,
  signal: AbortSignal,
  retryAfterMs: number,
): Promise<Response> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await client.chat.completions.create(body, { signal }).asResponse();
    } catch (cause) {
      const waitMs = retryWait(cause, retryAfterMs);
      if (signal.aborted || attempt === ATTEMPTS || waitMs === undefined) throw cause;
      await sleep(waitMs, signal);
    }
  }
}

/** How long to wait before trying again, or nothing where trying again is of no use. */
function retryWait(cause: unknown, retryAfterMs: number): number | undefined {
  // Thirty seconds without headers are enough; the next attempt would only double them.
  if (!(cause instanceof APIError) || cause instanceof APIConnectionTimeoutError) return undefined;
  if (cause.status === undefined || cause.status >= 500 || cause.status === 408) return RETRY_WAIT_MS;
  if (cause.status !== 429 || cause.code === "insufficient_quota") return undefined;

  const asked = Number(cause.headers?.get("retry-after") ?? Number.NaN) * 1000;
  if (Number.isNaN(asked)) return RETRY_WAIT_MS;
  return asked <= retryAfterMs ? asked : undefined;
}

async function* readAnswer(response: Response, idleMs: number): AsyncGenerator<ModelChunk, void, void> {
  const isStream = response.headers.get("content-type")?.includes("text/event-stream") ?? false;
  if (!response.body || !isStream)
    throw providerError.unreadable(new Error("The answer is not an event stream."));

  const calls = new Map<number, ToolCall>();
  let finish: string | undefined;
  let done = false;

  try {
    for await (const data of eventData(response.body, idleMs)) {
      done = data.trim() === "[DONE]";
      if (done) break;

      const chunk = parseChunk(data);
      if (chunk.usage) yield { type: "usage", usage: toUsage(chunk.usage) };
      // The chunk that carries the usage has no choices.
      const choice = chunk.choices?.[0];
      if (choice?.delta?.content) yield { type: "text", text: choice.delta.content };
      for (const part of choice?.delta?.tool_calls ?? []) merge(calls, part);
      finish = choice?.finish_reason ?? finish;
    }
  } catch (cause) {
    // A connection that breaks behind the end has cost nothing but the token count.
    if (finish === undefined) throw cause;
  }

  if (finish === "content_filter") throw providerError.content(new Error("finish_reason content_filter"));
  if (finish === undefined && !done && !areWhole(calls)) throw providerError.truncated();
  for (const call of calls.values()) yield { type: "call", call };
}

function parseChunk(data: string): Partial<ChatCompletionChunk> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(data);
  } catch (cause) {
    throw providerError.unreadable(cause);
  }
  if (typeof parsed !== "object" || parsed === null)
    throw providerError.unreadable(new Error("A chunk is no object."));
  if ("error" in parsed && parsed.error) throw errorInStream(parsed.error);

  // Every field is read as optional: servers that speak this protocol leave out what they please.
  return parsed;
}

/** An error that comes as a chunk has the shape of an error answer's body, without its status. */
function errorInStream(error: unknown): AppError {
  const code = typeof error === "object" && error !== null && "code" in error ? String(error.code) : "";
  return byCode(code, error) ?? providerError.unavailable(error);
}

/** Adds a piece of a tool call: the first piece has id and name, the following ones more of the arguments. */
function merge(calls: Map<number, ToolCall>, part: ChatCompletionChunk.Choice.Delta.ToolCall): void {
  // Servers that send whole calls leave out the index; an id then begins a new call.
  const index = part.index ?? (part.id ? calls.size : calls.size - 1);
  const known = calls.get(index);
  if (!known && calls.size >= MAX_CALLS) return;

  const written = known?.arguments ?? "";
  const taken = [...calls.values()].reduce((sum, call) => sum + call.arguments.length, 0);
  const room = Math.min(MAX_ARGUMENT_CHARS - written.length, MAX_ALL_ARGUMENT_CHARS - taken);
  calls.set(index, {
    id: known?.id || part.id || `call_${crypto.randomUUID()}`,
    name: known?.name || part.function?.name || "",
    arguments: written + (part.function?.arguments ?? "").slice(0, Math.max(0, room)),
  });
}

/** Whether the calls stand complete: some servers end after them without a finish reason. */
function areWhole(calls: ReadonlyMap<number, ToolCall>): boolean {
  return calls.size > 0 && [...calls.values()].every((call) => isJson(call.arguments));
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

const toUsage = (usage: NonNullable<ChatCompletionChunk["usage"]>): TokenUsage => ({
  inputTokens: usage.prompt_tokens ?? 0,
  outputTokens: usage.completion_tokens ?? 0,
  cachedTokens: usage.prompt_tokens_details?.cached_tokens ?? 0,
});

const toBody = (model: string, { messages, tools }: ModelRequest): ChatCompletionCreateParamsStreaming => ({
  model,
  stream: true,
  stream_options: { include_usage: true },
  messages: messages.map(toWireMessage),
  ...(tools.length > 0 && { tools: tools.map(toWireTool) }),
});

function toWireMessage(message: ModelMessage): ChatCompletionMessageParam {
  if (message.role === "tool")
    return { role: "tool", tool_call_id: message.callId, content: message.content };
  if (message.role !== "assistant") return { role: message.role, content: message.content };

  const calls = message.calls.map(({ id, name, arguments: text }) => ({
    id,
    type: "function" as const,
    function: { name, arguments: text },
  }));
  return { role: "assistant", content: message.content, ...(calls.length > 0 && { tool_calls: calls }) };
}

const toWireTool = ({ name, description, parameters }: ToolSpec): ChatCompletionTool => ({
  type: "function",
  function: { name, description, parameters },
});

function toAppError(cause: unknown): AppError {
  if (cause instanceof AppError) return cause;
  if (cause instanceof APIConnectionTimeoutError) return providerError.stalled(cause);
  if (!(cause instanceof APIError) || cause.status === undefined) return providerError.unavailable(cause);

  const known = byCode(cause.code ?? "", cause);
  if (known) return known;
  if (cause.status === 401 || cause.status === 403) return providerError.auth(cause);
  if (cause.status === 402) return providerError.quota(cause);
  if (cause.status === 404) return providerError.unknownModel(cause);
  if (cause.status === 429) return providerError.rate(cause);
  if (cause.status === 413) return providerError.overflow(cause);
  return cause.status >= 500 || cause.status === 408
    ? providerError.unavailable(cause)
    : providerError.rejected(cause);
}

/** Error codes of the protocol that say more than the status they come with. */
function byCode(code: string, cause: unknown): AppError | undefined {
  if (code === "insufficient_quota") return providerError.quota(cause);
  if (code === "context_length_exceeded") return providerError.overflow(cause);
  if (code === "content_filter" || code === "content_policy_violation") return providerError.content(cause);
  if (code === "model_not_found") return providerError.unknownModel(cause);
  if (code === "invalid_api_key") return providerError.auth(cause);
  if (code === "rate_limit_exceeded") return providerError.rate(cause);
  return undefined;
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}
