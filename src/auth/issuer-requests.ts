import * as oauth from "oauth4webapi";
import { AppError } from "../shared/errors.ts";
import { limitedFetch } from "../shared/limited-fetch.ts";
import { SignInRefused } from "./refusals.ts";

/** For one attempt, including the whole answer. */
const TIMEOUT_MS = 5_000;
/** Google's longest document has 3 KB; other issuers publish dozens of keys with their certificates. */
const MAX_ANSWER_BYTES = 1_000_000;

/** Errors that mean the issuer gave no usable answer: a proxy's page, a server error, a truncated body. */
const NO_ANSWER = new Set<unknown>([
  oauth.RESPONSE_IS_NOT_JSON,
  oauth.RESPONSE_IS_NOT_CONFORM,
  oauth.PARSE_ERROR,
]);
/** OAuth errors about this service's registration. The user can't fix them. */
const OUR_FAULT = new Set(["invalid_client", "unauthorized_client"]);

/**
 * Sends a request to the issuer, up to `attempts` times if there is no answer, a 429 or a server error. Answers are limited in
 * time and size. Redirects are not followed, because the request may contain the client secret. Throws `unavailable` if the
 * last attempt gets no answer.
 */
export async function askIssuer(
  fetch: typeof globalThis.fetch,
  url: string,
  init: Omit<RequestInit, "redirect" | "signal">,
  attempts: number,
): Promise<Response> {
  const ask = limitedFetch(fetch, MAX_ANSWER_BYTES);
  for (let left = attempts; ; left--) {
    try {
      const signal = AbortSignal.timeout(TIMEOUT_MS);
      const response = await ask(url, { ...init, signal });
      if (left <= 1 || (response.status < 500 && response.status !== 429)) return response;
      await response.body?.cancel();
    } catch (error) {
      if (left <= 1) throw issuerUnavailable(error);
    }
  }
}

export const issuerUnavailable = (cause: unknown): AppError =>
  new AppError("unavailable", "The sign-in service is not answering at the moment. Please try again.", {
    cause: withoutSecrets(cause),
    retryAfter: 5,
  });

/** Converts a failed exchange with the issuer into `unavailable` or `SignInRefused`. */
export function exchangeError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  if (error instanceof oauth.ResponseBodyError)
    return error.status >= 500 || error.status === 429 || OUR_FAULT.has(error.error)
      ? issuerUnavailable(new Error(`The issuer answered ${error.status} ${error.error}.`))
      : new SignInRefused("auth_failed", withoutSecrets(error));

  const isNoAnswer = error instanceof oauth.OperationProcessingError && NO_ANSWER.has(error.code);
  return isNoAnswer ? issuerUnavailable(error) : new SignInRefused("auth_failed", withoutSecrets(error));
}

/** Returns an error that is safe to log: the libraries' errors also carry tokens, claims and codes. */
export const withoutSecrets = (error: unknown): Error =>
  new Error(
    error instanceof Error ? `${error.name}: ${error.message}` : "A value that is not an error was thrown.",
  );
