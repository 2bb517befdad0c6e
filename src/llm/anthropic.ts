import { AppError } from "../shared/errors.ts";
import { amend, type Amendment } from "./amendments.ts";
import { Answer, readAnswer } from "./answer.ts";
import { ANTHROPIC_FINISHES, AnthropicReader } from "./anthropic-answer.ts";
import { toAnthropicBody } from "./anthropic-body.ts";
import { providerError } from "./errors.ts";
import { JsonEventDecoder } from "./event-stream.ts";
import { exchange, fetchWithin, IN_STREAM, Refusal } from "./exchange.ts";
import { type Failure, failureError, isWebPage } from "./failures.ts";
import { objectAt, textAt } from "../shared/json.ts";
import type { ChatModel, ModelTimeouts } from "./model.ts";
import type { ModelSettings } from "./provider.ts";

export const ANTHROPIC_URL = "https://api.anthropic.com/v1";

export interface AnthropicModelOptions {
  readonly apiKey: string;
  readonly model: string;
  readonly contextTokens: number;
  readonly settings: ModelSettings;
  readonly fetch: typeof fetch;
  readonly timeouts: ModelTimeouts;
  /** What the API has refused before. Further amendments are added. */
  readonly amendments: Map<Amendment, number>;
}

/** Returns a model that calls Anthropic's messages API. */
export function anthropicModel(options: AnthropicModelOptions): ChatModel {
  const { apiKey, model, settings, fetch, timeouts, amendments } = options;
  const source = `anthropic/${model}`;

  return {
    id: model,
    contextTokens: options.contextTokens,
    stream(request, outerSignal) {
      if (request.format) throw providerError.format();
      let body = "";

      return exchange(
        (signal) => {
          body = JSON.stringify(toAnthropicBody(model, request, settings, { source, amendments }));
          const headers = { ...anthropicHeaders(apiKey), "content-type": "application/json" };
          const sent = new Request(`${ANTHROPIC_URL}/messages`, { method: "POST", headers, body });
          return fetchWithin(fetch, sent, timeouts, signal);
        },
        (response, signal) => {
          const answer = new Answer({ source, finishes: ANTHROPIC_FINISHES });
          if (amendments.has("tools") && request.tools.length > 0) answer.withoutTools();
          return readAnswer(
            response,
            answer,
            new JsonEventDecoder(new AnthropicReader(answer)),
            timeouts,
            signal,
          );
        },
        {
          timeouts,
          toAppError: anthropicError,
          amend: (cause) => cause instanceof Refusal && amend(anthropicFailure(cause), body, amendments),
        },
        outerSignal,
      );
    },
  };
}

export const anthropicHeaders = (apiKey: string): Record<string, string> => ({
  "x-api-key": apiKey,
  "anthropic-version": "2023-06-01",
});

/** Returns the `AppError` for a failed request to Anthropic. */
export function anthropicError(cause: unknown): AppError {
  if (cause instanceof AppError) return cause;
  if (!(cause instanceof Refusal)) return providerError.unavailable(cause);
  if (isWebPage(cause.text)) return providerError.webPage(cause.status);
  return failureError(anthropicFailure(cause), cause);
}

/** Returns what a refusal says. In a stream, the type of the error replaces the status. */
function anthropicFailure({ status, body }: Refusal): Failure {
  const error = objectAt(body, "error");
  const type = textAt(error, "type");
  const stated = status === IN_STREAM ? undefined : status;
  return {
    status: (Object.hasOwn(STATUS_OF, type) ? STATUS_OF[type] : undefined) ?? stated,
    codes: [],
    message: textAt(error, "message"),
  };
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
