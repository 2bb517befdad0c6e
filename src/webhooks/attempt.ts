import { withTimeout } from "../shared/async.ts";
import type { Vault } from "../shared/encryption.ts";
import { AddressRefused, LookUpFailed } from "../shared/guarded-fetch.ts";
import { OUT_OF_BOUNDS } from "../shared/outbound.ts";
import type { WebhookEndpoint } from "./model.ts";
import { retryAfterOf } from "./retries.ts";
import { openSecrets, signatureHeaders } from "./signing.ts";

/** How long a receiver may take to answer, in milliseconds. */
const ANSWER_MS = 10_000;

const USER_AGENT = "DynamicAgentBuilder-Webhooks/1.0";

/** What an attempt may use. */
export interface AttemptDeps {
  /** Refuses addresses that are not public, and follows no redirects; see `guardedFetch`. */
  readonly fetch: typeof fetch;
  readonly vault: Vault;
  readonly now: () => number;
  /** How long a receiver may take to answer, in milliseconds; by default ten seconds. */
  readonly answerMs?: number;
}

/** What one attempt to deliver an event has come to. */
export interface AttemptResult {
  readonly isDelivered: boolean;
  /** Whether the receiver has said, with 410, that it wants no more events. */
  readonly isGone: boolean;
  /** The status of the answer; null if there was none. */
  readonly status: number | null;
  readonly durationMs: number;
  /** Why it failed, for the endpoint's owner; null if it did not. Security: it never has anything of the answer's body. */
  readonly error: string | null;
  /** The wait that the receiver asked for, in milliseconds. */
  readonly retryAfterMs: number;
}

/** Sends an event to an endpoint once. Never throws: what went wrong is the result. */
export async function attemptDelivery(
  endpoint: WebhookEndpoint,
  event: { readonly id: string; readonly body: string },
  { fetch, vault, now, answerMs = ANSWER_MS }: AttemptDeps,
): Promise<AttemptResult> {
  const startedAt = now();
  const failed = (error: string) => ({
    isDelivered: false,
    isGone: false,
    status: null,
    durationMs: now() - startedAt,
    error,
    retryAfterMs: 0,
  });

  try {
    const secrets = await openSecrets(vault, endpoint, startedAt);
    if (secrets.length === 0) return failed("The signing secret can't be read any more. Rotate it.");

    const signed = { ...event, timestamp: Math.floor(startedAt / 1_000) };
    const headers = {
      "content-type": "application/json",
      "user-agent": USER_AGENT,
      ...(await signatureHeaders(secrets, signed)),
    };
    const response = await withTimeout(answerMs, (signal) =>
      fetch(endpoint.url, { method: "POST", headers, body: event.body, redirect: "manual", signal }),
    );
    // The status is all that counts. Closing the body unread ends an answer that would never end.
    await response.body?.cancel().catch(() => undefined);
    return { ...failed(""), ...judge(response), durationMs: now() - startedAt };
  } catch (error) {
    return failed(sentenceFor(error, answerMs));
  }
}

function judge({ ok, status, headers }: Response): Omit<AttemptResult, "durationMs"> {
  const retryAfterMs = ok ? 0 : retryAfterOf(headers.get("retry-after"));
  return {
    isDelivered: ok,
    isGone: status === 410,
    status,
    retryAfterMs,
    error: ok ? null : reasonFor(status),
  };
}

function reasonFor(status: number): string {
  if (status === 410) return "The receiver answered with 410: it wants no more events.";
  if (status >= 300 && status < 400)
    return `The receiver answered with ${status}. Redirects are not followed: enter the final address.`;
  return `The receiver answered with ${status}.`;
}

/** Security: our own sentences only. An error of the platform may describe the network. */
function sentenceFor(error: unknown, answerMs: number): string {
  if (error instanceof AddressRefused) return `The address can't be used. ${OUT_OF_BOUNDS[error.reason]}`;
  if (error instanceof LookUpFailed) return "The host could not be looked up.";
  if (error instanceof DOMException && error.name === "TimeoutError")
    return `The receiver did not answer within ${answerMs / 1_000} seconds.`;
  return "The receiver could not be reached, or closed the connection.";
}
