import { sleep, withTimeout } from "../shared/async.ts";
import type { AppError } from "../shared/errors.ts";
import { BUDGETS } from "./budgets.ts";
import { textOf } from "./bytes.ts";
import { providerError } from "./errors.ts";
import { isWebPage } from "./failures.ts";
import { type Json, objectFrom } from "../shared/json.ts";
import type { ModelChunk, ModelTimeouts } from "./model.ts";

/**
 * An unsuccessful response of a provider. Security: errors are logged and the body may contain parts of a key, so it is
 * kept in a private field. It is read only to classify the error.
 */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly status: number;
  readonly headers: Headers;
  readonly #body: string;

  constructor(status: number, headers: Headers, body: string) {
    super(`The provider answered with ${status}.`);
    this.status = status;
    this.headers = headers;
    this.#body = body;
  }

  /** The body as text. It must not be logged. */
  get text(): string {
    return this.#body;
  }

  /** The body as a JSON object, or an empty object if it is anything else, such as a proxy's HTML page. */
  get body(): Json {
    return objectFrom(this.#body) ?? {};
  }
}

/** The status of an error that was reported in a stream. */
export const IN_STREAM = 0;

/** Returns the refusal that an event reports, so that it is treated like one that came with a status. */
export const refusalInStream = (event: Json): Refusal =>
  new Refusal(IN_STREAM, new Headers(), JSON.stringify(event));

export interface ExchangeOptions {
  readonly timeouts: ModelTimeouts;
  /** Converts a failure of this provider. */
  readonly toAppError: (cause: unknown) => AppError;
  /** Changes a refused request. Returns whether it did; the request is then sent again at once. */
  readonly amend?: (cause: unknown) => boolean;
}

/** A request that is refused for ever new reasons is given up. */
const MAX_AMENDMENTS = 4;

/**
 * Requests one answer within its time limits and yields the chunks that `read` finds in the response. A request that
 * fails, or is refused by its status or by the first event of the response, is sent once more if that may help, and a
 * refused one also whenever it can be amended. Throws only `AppError`, or the reason of `outerSignal`.
 */
export async function* exchange(
  send: (signal: AbortSignal) => Promise<Response>,
  read: (response: Response, signal: AbortSignal) => AsyncIterable<readonly ModelChunk[]>,
  { timeouts, toAppError, amend }: ExchangeOptions,
  outerSignal: AbortSignal,
): AsyncGenerator<ModelChunk, void, void> {
  const total = new AbortController();
  // `withTimeout` bounds a promise, not a generator. `AbortSignal.timeout` can't be cancelled, so its timer would
  // outlive the request by minutes.
  const timer = setTimeout(() => total.abort(providerError.stalled()), timeouts.totalMs);
  const signal = AbortSignal.any([outerSignal, total.signal]);
  const retries = { attempts: 1, amendments: 0 };
  let hasBegun = false;

  try {
    for (;;) {
      let response: Response | undefined;
      try {
        outerSignal.throwIfAborted();
        response = await send(signal);
        for await (const chunks of read(response, signal)) {
          hasBegun = true;
          for (const chunk of chunks) yield chunk;
        }
        return;
      } catch (cause) {
        outerSignal.throwIfAborted();
        if (total.signal.aborted) throw total.signal.reason;
        // A response that breaks off is final: its request may have been charged for.
        const isFinal = hasBegun || (response && !(cause instanceof Refusal));
        const waitMs = isFinal ? undefined : waitBeforeRetry(cause, retries);
        if (waitMs === undefined) throw toAppError(cause);
        await sleep(waitMs, signal);
      }
    }
  } catch (cause) {
    outerSignal.throwIfAborted();
    throw total.signal.aborted ? total.signal.reason : cause;
  } finally {
    clearTimeout(timer);
  }

  /** Returns the wait in milliseconds, or `undefined` if the failure is final. */
  function waitBeforeRetry(cause: unknown, { attempts, amendments }: typeof retries): number | undefined {
    if (amendments < MAX_AMENDMENTS && amend?.(cause)) {
      retries.amendments++;
      return 0;
    }
    if (attempts >= BUDGETS.attempts) return undefined;
    retries.attempts++;
    return retryWait(cause, toAppError(cause), timeouts);
  }
}

/**
 * Sends a request and returns the response as soon as its headers arrive. Throws `Refusal` for any unsuccessful status,
 * `provider-stalled` after `headersMs`, and the signal's reason. Security: redirects are not followed, because their
 * targets have not been checked.
 */
export async function fetchWithin(
  fetch: typeof globalThis.fetch,
  request: Request,
  timeouts: Pick<ModelTimeouts, "headersMs" | "idleMs">,
  signal: AbortSignal,
): Promise<Response> {
  return withTimeout(
    timeouts.headersMs,
    async (within) => {
      const response = await fetch(request, { redirect: "manual", signal: within });
      if (response.ok) return response;
      const body = await textOf(response, { ms: timeouts.idleMs, maxBytes: BUDGETS.errorBytes, signal });
      throw new Refusal(response.status, response.headers, body);
    },
    { signal, reason: providerError.stalled },
  );
}

/**
 * Requests something small, such as a list, without a retry, and returns its JSON. Throws only `AppError`, or the
 * signal's reason.
 */
export async function fetchJson(
  fetch: typeof globalThis.fetch,
  request: Request,
  toAppError: (cause: unknown) => AppError,
  signal: AbortSignal,
): Promise<unknown> {
  const budget = { headersMs: BUDGETS.listMs, idleMs: BUDGETS.listMs };
  try {
    const response = await fetchWithin(fetch, request, budget, signal);
    const text = await textOf(response, { ms: BUDGETS.listMs, maxBytes: BUDGETS.listBytes, signal });
    if (isWebPage(text)) throw providerError.webPage();
    return jsonFrom(text);
  } catch (cause) {
    signal.throwIfAborted();
    throw toAppError(cause);
  }
}

/** Parses JSON. Throws `provider-unavailable` if the text is invalid, for example because it was cut off. */
export function jsonFrom(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw providerError.unreadable(cause);
  }
}

/**
 * Returns the wait before the one retry in milliseconds, or `undefined` if a retry is pointless or the wait would be
 * too long for the user.
 */
function retryWait(cause: unknown, error: AppError, timeouts: ModelTimeouts): number | undefined {
  const isPassing = error.code === "provider-unavailable" && error.retryable;
  // A stalled request is not repeated: it would double the user's wait.
  if (!isPassing && error.code !== "provider-rate") return undefined;

  const askedMs = retryAfterMs(headersOf(cause), Date.now());
  if (askedMs === undefined) return BUDGETS.retryWaitMs;
  return askedMs <= timeouts.retryAfterMs ? askedMs : undefined;
}

const headersOf = (cause: unknown): Headers | undefined => {
  const inner = cause instanceof Error && cause.cause instanceof Refusal ? cause.cause : cause;
  return inner instanceof Refusal ? inner.headers : undefined;
};

/** Returns how long a response asks to wait, in milliseconds: a number of either unit, or a date. */
export function retryAfterMs(headers: Headers | undefined, now: number): number | undefined {
  const inMs = headers?.get("retry-after-ms");
  if (inMs) return atLeastZero(Number(inMs));
  const value = headers?.get("retry-after");
  if (!value) return undefined;
  const seconds = Number(value);
  return atLeastZero(Number.isNaN(seconds) ? Date.parse(value) - now : seconds * 1_000);
}

const atLeastZero = (ms: number): number | undefined => (Number.isNaN(ms) ? undefined : Math.max(0, ms));
