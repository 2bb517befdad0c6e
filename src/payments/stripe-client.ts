import { Stripe } from "stripe";
import { sha256, toHex } from "../shared/crypto.ts";
import { AppError } from "../shared/errors.ts";
import { limitedFetch } from "../shared/limited-fetch.ts";
import { asAppError } from "./stripe-errors.ts";

/** Stripe answers most requests within a second, and expects webhooks to be answered within about ten. */
const TIMEOUT_MS = 10_000;
/** The longest list has a hundred subscriptions with their customers, at about 10 KB each. */
const MAX_ANSWER_BYTES = 8_000_000;
/** Retries carry the same idempotency key, so that nobody is charged twice after a lost answer. */
const RETRIES = 1;

const MINUTE_MS = 60_000;

export interface StripeClientOptions {
  readonly secretKey: string;
  /** Another server in place of Stripe, for tests. */
  readonly apiUrl: string | undefined;
  readonly fetch: typeof fetch;
}

/** Stripe's library, and the clock of its idempotency keys (milliseconds since the epoch). */
export interface StripeAccess {
  readonly stripe: Stripe;
  readonly now: () => number;
}

/** Returns Stripe's library with this service's limits. */
export const connectStripe = ({ secretKey, apiUrl, fetch }: StripeClientOptions): Stripe =>
  new Stripe(secretKey, {
    httpClient: Stripe.createFetchHttpClient(limitedFetch(fetch, MAX_ANSWER_BYTES)),
    timeout: TIMEOUT_MS,
    maxNetworkRetries: RETRIES,
    telemetry: false,
    ...(apiUrl !== undefined && addressOf(apiUrl)),
  });

/**
 * Returns an idempotency key that equal requests share for a minute. Stripe repeats its first answer to a key for a day,
 * even if that was a failure of its own, so a longer lifetime would keep a person from buying for that long.
 */
export async function idempotencyKeyOf(nowMs: number, ...parts: readonly string[]): Promise<string> {
  return toHex(await sha256(JSON.stringify([...parts, Math.floor(nowMs / MINUTE_MS)])));
}

/** Returns the id of the active price with a lookup key. Throws `unavailable` if Stripe has none. */
export async function priceOf(stripe: Stripe, lookupKey: string): Promise<string> {
  const page = await asAppError(() =>
    stripe.prices.list({ lookup_keys: [lookupKey], active: true, limit: 1 }),
  );
  const price = page.data[0];
  if (price) return price.id;
  throw new AppError("unavailable", "This plan cannot be bought at the moment.", {
    cause: new Error(`Stripe has no active price with the lookup key ${lookupKey}. Run the sync script.`),
    retryable: false,
  });
}

function addressOf(url: string) {
  const { protocol, hostname, port } = new URL(url);
  return {
    protocol: protocol === "http:" ? ("http" as const) : ("https" as const),
    host: hostname,
    ...(port !== "" && { port }),
  };
}
