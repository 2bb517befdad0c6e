import OpenAI, { APIConnectionTimeoutError, APIError } from "openai";
import { AppError } from "../shared/errors.ts";
import { jsonEvents, readAnswer } from "./answer.ts";
import { BUDGETS } from "./budgets.ts";
import { textOf } from "./bytes.ts";
import { byStatus, overflowWords, providerError } from "./errors.ts";
import { exchange, Refusal } from "./exchange.ts";
import { textAt } from "./json.ts";
import type { ChatModel, ModelTimeouts } from "./model.ts";
import { OPENAI_BAD_FINISHES, openAiErrorIn, openAiErrorOf, OpenAiReader } from "./openai-answer.ts";
import { type Dialect, toOpenAiBody } from "./openai-body.ts";
import { contextWordsOf, type ModelSettings } from "./provider.ts";

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
  /** OpenAI's own names for things, or those that servers which speak its protocol agree on (the default). */
  readonly dialect?: Dialect;
}

/** A model behind OpenAI's chat completions API, or behind any server that speaks it. */
export function openAiModel(options: OpenAiModelOptions): ChatModel {
  const { model, timeouts, settings = {}, dialect = "compatible" } = options;
  const client = openAiClient(options);

  return {
    id: model,
    contextWords: contextWordsOf(options.contextTokens),
    stream(request, outerSignal) {
      let withUsage = true;

      return exchange(
        (signal) => {
          const body = toOpenAiBody({ model, request, settings, dialect, withUsage });
          return client.chat.completions.create(body, { signal }).asResponse();
        },
        (response, signal) =>
          readAnswer(jsonEvents(response, timeouts.idleMs, signal), new OpenAiReader(), OPENAI_BAD_FINISHES),
        {
          timeouts,
          toAppError: openAiError,
          amend(cause) {
            // Some servers refuse a request for the token count, and answer without it.
            const isRefused = withUsage && isRejection(cause) && cause.message.includes("stream_options");
            if (isRefused) withUsage = false;
            return isRefused;
          },
        },
        outerSignal,
      );
    },
  };
}

/** The SDK with the house's rules: it makes one attempt, follows no redirect, and logs nothing. */
function openAiClient(
  options: Pick<OpenAiModelOptions, "apiKey" | "baseUrl" | "fetch" | "timeouts">,
): OpenAI {
  const { apiKey, baseUrl, fetch, timeouts } = options;
  return new OpenAI({
    apiKey,
    ...(baseUrl !== undefined && { baseURL: baseUrl }),
    fetch: withShortErrors(fetch, timeouts),
    // The SDK would obey a `Retry-After` of a minute; the rule for retries is ours.
    maxRetries: 0,
    timeout: timeouts.headersMs,
    fetchOptions: { redirect: "manual" },
    logLevel: "off",
  });
}

/** The SDK reads an error's body to its end, which may never come. */
function withShortErrors(fetch: typeof globalThis.fetch, timeouts: ModelTimeouts): typeof globalThis.fetch {
  return async (input, init) => {
    const response = await fetch(input, init);
    if (response.ok) return response;

    const body = await textOf(response, timeouts.headersMs, BUDGETS.errorBytes);
    return new Response(body || null, { status: response.status, headers: response.headers });
  };
}

/** What a failure means. The SDK's messages quote keys, so only the status stays in `cause`. */
export function openAiError(cause: unknown): AppError {
  if (cause instanceof AppError) return cause;
  if (cause instanceof APIConnectionTimeoutError) return providerError.stalled();
  if (cause instanceof Refusal) {
    const error = openAiErrorIn(cause.text) ?? {};
    const says = {
      code: textAt(error, "code"),
      type: textAt(error, "type"),
      message: textAt(error, "message"),
    };
    return refused(cause.status, says);
  }
  if (!(cause instanceof APIError)) return providerError.unavailable(cause);
  // What our own fetch refused comes wrapped.
  if (cause.cause instanceof AppError) return cause.cause;
  if (cause.status === undefined) return providerError.unavailable(new Error("The connection failed."));
  return refused(cause.status, cause);
}

interface Says {
  readonly code?: string | null | undefined;
  readonly type?: string | undefined;
  readonly message: string;
}

function refused(status: number, { code, type, message }: Says): AppError {
  const said = new Error(`The provider answered with ${status}.`);
  // Some say in a code for rates that the request is too large for them at any rate.
  if (status === 413) return providerError.overflow(said);

  const known = openAiErrorOf(code ?? "", said) ?? openAiErrorOf(type ?? "", said);
  if (known || (status !== 400 && status !== 422)) return known ?? byStatus(status, said);
  if (overflowWords.test(message)) return providerError.overflow(said);
  // Google's way to put a 401.
  return KEY_WORDS.test(message) ? providerError.auth(said) : byStatus(status, said);
}

const KEY_WORDS = /api[ _]key (?:is )?(?:not valid|invalid|not found|expired)|invalid api[ _]key/iu;

const isRejection = (cause: unknown): cause is APIError =>
  cause instanceof APIError && (cause.status === 400 || cause.status === 422);
