import { AppError } from "../shared/errors.ts";
import { ANTHROPIC_BAD_FINISHES, anthropicErrorOf, AnthropicReader } from "./anthropic-answer.ts";
import { toAnthropicBody } from "./anthropic-body.ts";
import { jsonEvents, readAnswer } from "./answer.ts";
import { byStatus, providerError } from "./errors.ts";
import { exchange, fetchWithin, Refusal } from "./exchange.ts";
import { objectAt } from "./json.ts";
import type { ChatModel, ModelTimeouts } from "./model.ts";
import { contextWordsOf, type ModelSettings } from "./provider.ts";

export const ANTHROPIC_URL = "https://api.anthropic.com/v1";

export interface AnthropicModelOptions {
  readonly apiKey: string;
  readonly model: string;
  readonly contextTokens: number;
  readonly settings: ModelSettings;
  readonly fetch: typeof fetch;
  readonly timeouts: ModelTimeouts;
}

/** A model behind Anthropic's messages API. */
export function anthropicModel(options: AnthropicModelOptions): ChatModel {
  const { apiKey, model, settings, fetch, timeouts } = options;

  return {
    id: model,
    contextWords: contextWordsOf(options.contextTokens),
    stream: (request, outerSignal) =>
      exchange(
        (signal) => {
          const body = JSON.stringify(toAnthropicBody(model, request, settings));
          const headers = { ...anthropicHeaders(apiKey), "content-type": "application/json" };
          const sent = new Request(`${ANTHROPIC_URL}/messages`, { method: "POST", headers, body });
          return fetchWithin(fetch, sent, timeouts, signal);
        },
        (response, signal) =>
          readAnswer(
            jsonEvents(response, timeouts.idleMs, signal),
            new AnthropicReader(),
            ANTHROPIC_BAD_FINISHES,
          ),
        { timeouts, toAppError: anthropicError },
        outerSignal,
      ),
  };
}

export const anthropicHeaders = (apiKey: string): Record<string, string> => ({
  "x-api-key": apiKey,
  "anthropic-version": "2023-06-01",
});

/** What a failure of a request means. */
export function anthropicError(cause: unknown): AppError {
  if (cause instanceof AppError) return cause;
  if (!(cause instanceof Refusal)) return providerError.unavailable(cause);
  return anthropicErrorOf(objectAt(cause.body, "error"), cause) ?? byStatus(cause.status, cause);
}
