import OpenAI from "openai";
import { amend, type Amendment, type Amendments, isAboutCaller } from "./amendments.ts";
import { Answer, type FinishReasons, readAnswer } from "./answer.ts";
import { BUDGETS } from "./budgets.ts";
import { textOf } from "./bytes.ts";
import { JsonEventDecoder, type JsonEvents } from "./event-stream.ts";
import { exchange, Refusal } from "./exchange.ts";
import type { ChatModel, ModelRequest, ModelTimeouts, ServedWindow } from "./model.ts";
import { OPENAI_FINISHES, OpenAiReader } from "./openai-answer.ts";
import { type Dialect, type OpenAiBodyOptions, toOpenAiBody } from "./openai-body.ts";
import { openAiError, openAiRefusal } from "./openai-errors.ts";
import type { ModelSettings } from "./provider.ts";
import { RESPONSES_FINISHES, ResponsesReader } from "./responses-answer.ts";
import { toResponsesBody } from "./responses-body.ts";

export interface OpenAiModelOptions {
  readonly apiKey: string;
  /** The API's base URL, usually ending in `/v1`. OpenAI's own by default. */
  readonly baseUrl?: string;
  /** Sent in addition to the usual headers. Null leaves a usual one out. */
  readonly headers?: Readonly<Record<string, string | null>>;
  readonly query?: Readonly<Record<string, string>>;
  /** The base URL of the Responses API, if it is another one. The query is not sent there. */
  readonly responsesUrl?: string;
  /** Whether the model does not exist in the chat completions API. */
  readonly isOnlyInResponses?: boolean;
  readonly model: string;
  /** The context window, in tokens. */
  readonly contextTokens: number;
  readonly servedWindow?: ServedWindow | undefined;
  readonly fetch: typeof fetch;
  readonly timeouts: ModelTimeouts;
  readonly settings?: ModelSettings;
  /** What is special about the server; by default nothing but that it is not OpenAI's. */
  readonly dialect?: Dialect;
  /** What the server has refused before. Further amendments are added. */
  readonly amendments?: Map<Amendment, number>;
}

/** Returns a model that calls OpenAI's chat completions or Responses API, or any compatible server. */
export function openAiModel(options: OpenAiModelOptions): ChatModel {
  const { model, timeouts, isOnlyInResponses = false } = options;
  const remembered = options.amendments ?? new Map<Amendment, number>();
  const chat = openAiClient(options);
  const responses = responsesClient(options, chat);

  return {
    id: model,
    contextTokens: options.contextTokens,
    servedWindow: options.servedWindow,
    stream(request, outerSignal) {
      let amendments = remembered;
      let sent = compose();

      function compose(): OpenAiRequest {
        const needsResponses = isOnlyInResponses || amendments.has("responses");
        const parts = { request, options, amendments };
        return needsResponses ? responsesRequest(responses, parts) : chatRequest(chat, parts);
      }

      return exchange(
        (signal) => {
          // The headers of a whole answer come when it is complete.
          const timeout = amendments.has("stream") ? timeouts.totalMs : timeouts.headersMs;
          return sent.send({ signal, timeout });
        },
        (response, signal) => {
          const answer = new Answer({ source: sent.source, finishes: sent.finishes });
          if (amendments.has("tools") && request.tools.length > 0) answer.withoutTools();
          return readAnswer(response, answer, new JsonEventDecoder(sent.reader(answer)), timeouts, signal);
        },
        {
          timeouts,
          toAppError: (cause) => openAiError(cause, options.baseUrl),
          amend(cause) {
            const failure = openAiRefusal(cause);
            if (failure && isAboutCaller(failure)) amendments = new Map(amendments);
            const isAmended = amend(failure, JSON.stringify(sent.body), amendments);
            if (isAmended) sent = compose();
            return isAmended;
          },
        },
        outerSignal,
      );
    },
  };
}

/** A request to one of OpenAI's two APIs. */
interface OpenAiRequest {
  readonly body: object;
  /** The API, the server and the model, as in `ProviderData`. */
  readonly source: string;
  readonly finishes: FinishReasons;
  send(options: RequestOptions): Promise<Response>;
  reader(answer: Answer): JsonEvents;
}

type RequestOptions = { readonly signal: AbortSignal; readonly timeout: number };

interface RequestParts {
  readonly request: ModelRequest;
  readonly options: OpenAiModelOptions;
  readonly amendments: Amendments;
}

function chatRequest(client: OpenAI, parts: RequestParts): OpenAiRequest {
  const source = `${new URL(client.baseURL).host}/${parts.options.model}`;
  const body = toOpenAiBody(bodyOptions(source, parts));
  return {
    body,
    source,
    finishes: OPENAI_FINISHES,
    send: (options) => client.chat.completions.create(body, options).asResponse(),
    reader: (answer) => new OpenAiReader(answer),
  };
}

function responsesRequest(client: OpenAI, parts: RequestParts): OpenAiRequest {
  const source = `${new URL(client.baseURL).host}/responses/${parts.options.model}`;
  const body = toResponsesBody(bodyOptions(source, parts));
  return {
    body,
    source,
    finishes: RESPONSES_FINISHES,
    send: (options) => client.responses.create(body, options).asResponse(),
    reader: (answer) => new ResponsesReader(answer),
  };
}

function bodyOptions(source: string, { request, options, amendments }: RequestParts): OpenAiBodyOptions {
  const { model, settings = {}, dialect = "compatible" } = options;
  return { model, request, settings, dialect, source, amendments };
}

/** Returns the client for the Responses API, which has an address of its own at some servers. */
function responsesClient({ query: _query, ...options }: OpenAiModelOptions, chat: OpenAI): OpenAI {
  return options.responsesUrl === undefined
    ? chat
    : openAiClient({ ...options, baseUrl: options.responsesUrl });
}

/** Returns an SDK client that makes one attempt, follows no redirect, and logs nothing. */
function openAiClient(options: OpenAiModelOptions): OpenAI {
  const { apiKey, baseUrl, headers, query, fetch, timeouts } = options;
  return new OpenAI({
    apiKey,
    ...(baseUrl !== undefined && { baseURL: baseUrl }),
    ...(headers && { defaultHeaders: headers }),
    ...(query && { defaultQuery: query }),
    fetch: withRefusals(fetch, timeouts),
    // The SDK would obey a `Retry-After` of a minute. `exchange` retries instead.
    maxRetries: 0,
    timeout: timeouts.headersMs,
    fetchOptions: { redirect: "manual" },
    logLevel: "off",
  });
}

/**
 * Throws a `Refusal` for an unsuccessful response. Anti-DoS: the SDK would read its body to the end, and it may be
 * endless.
 */
function withRefusals(fetch: typeof globalThis.fetch, timeouts: ModelTimeouts): typeof globalThis.fetch {
  return async (input, init) => {
    const response = await fetch(input, init);
    if (response.ok) return response;
    const body = await textOf(response, { ms: timeouts.headersMs, maxBytes: BUDGETS.errorBytes });
    throw new Refusal(response.status, response.headers, body);
  };
}
