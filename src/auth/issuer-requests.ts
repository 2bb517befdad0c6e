import * as oauth from "oauth4webapi";
import { AppError } from "../shared/errors.ts";
import { SignInRefused } from "./refusals.ts";

/** One attempt, the answer read to its end. */
const TIMEOUT_MS = 5_000;

/** Answers that are none: a proxy's page, a server's own failure, half a body. */
const NO_ANSWER = new Set<unknown>([
  oauth.RESPONSE_IS_NOT_JSON,
  oauth.RESPONSE_IS_NOT_CONFORM,
  oauth.PARSE_ERROR,
]);
/** What an issuer says of a registration that is wrong; the person can't help it. */
const OUR_FAULT = new Set(["invalid_client", "unauthorized_client"]);

/**
 * Asks the issuer; up to `attempts` times where no answer came, or a failure of the server's own. Redirects are not
 * followed: what is sent may hold the client's secret.
 */
export async function askIssuer(
  fetch: typeof globalThis.fetch,
  url: string,
  init: Omit<RequestInit, "redirect" | "signal">,
  attempts: number,
): Promise<Response> {
  for (let left = attempts; ; left--) {
    try {
      const signal = AbortSignal.timeout(TIMEOUT_MS);
      const response = await fetch(url, { ...init, redirect: "manual", signal });
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

/** A failed exchange with the issuer as "not answering" or "refused". */
export function exchangeError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  if (error instanceof oauth.ResponseBodyError)
    return error.status >= 500 || error.status === 429 || OUR_FAULT.has(error.error)
      ? issuerUnavailable(new Error(`The issuer answered ${error.status} ${error.error}.`))
      : new SignInRefused("auth_failed", withoutSecrets(error));

  const isNoAnswer = error instanceof oauth.OperationProcessingError && NO_ANSWER.has(error.code);
  return isNoAnswer ? issuerUnavailable(error) : new SignInRefused("auth_failed", withoutSecrets(error));
}

/** Errors of the libraries carry tokens, claims and codes with them; only their words go into the log. */
export const withoutSecrets = (error: unknown): Error =>
  new Error(error instanceof Error ? `${error.name}: ${error.message}` : "Something else was thrown.");
