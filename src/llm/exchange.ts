import type { AppError } from "../shared/errors.ts";
import { BUDGETS } from "./budgets.ts";
import { textOf } from "./bytes.ts";
import { providerError } from "./errors.ts";
import { type Json, objectFrom } from "./json.ts";
import type { ModelChunk, ModelTimeouts } from "./model.ts";

/**
 * An answer of a provider that is no success. Its body may hold pieces of a key, so it is private: errors are logged,
 * and this one is only looked at to find out what it means.
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

  get text(): string {
    return this.#body;
  }

  /** The body as JSON, or an empty object where it is something else, such as a proxy's page. */
  get body(): Json {
    return objectFrom(this.#body) ?? {};
  }
}

export interface ExchangeOptions {
  readonly timeouts: ModelTimeouts;
  /** Says what a failure of this provider means. */
  readonly toAppError: (cause: unknown) => AppError;
  /** Whether a refused request has been changed so that the retry may be taken: it is then sent at once. */
  readonly amend?: (cause: unknown) => boolean;
}

/**
 * One answer within its budgets: sends the request, again if that may help and nothing has been shown, and gives what
 * `read` makes of the response. Everything it throws is an `AppError`, or the reason of `outerSignal`.
 */
export async function* exchange(
  send: (signal: AbortSignal) => Promise<Response>,
  read: (response: Response, signal: AbortSignal) => AsyncIterable<ModelChunk>,
  options: ExchangeOptions,
  outerSignal: AbortSignal,
): AsyncGenerator<ModelChunk, void, void> {
  const { timeouts, toAppError, amend } = options;
  const waitFor = (cause: unknown) =>
    amend?.(cause) ? 0 : waitBeforeRetry(cause, toAppError(cause), timeouts);
  const total = new AbortController();
  // Not `AbortSignal.timeout`, which nothing can end: its timer would outlive the request by minutes.
  const timer = setTimeout(() => total.abort(providerError.stalled()), timeouts.totalMs);
  const signal = AbortSignal.any([outerSignal, total.signal]);

  try {
    outerSignal.throwIfAborted();
    yield* read(await sendTwice(send, waitFor, signal), signal);
  } catch (cause) {
    outerSignal.throwIfAborted();
    throw total.signal.aborted ? total.signal.reason : toAppError(cause);
  } finally {
    clearTimeout(timer);
  }
}

async function sendTwice(
  send: (signal: AbortSignal) => Promise<Response>,
  retryWait: (cause: unknown) => number | undefined,
  signal: AbortSignal,
): Promise<Response> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await send(signal);
    } catch (cause) {
      const waitMs = retryWait(cause);
      if (signal.aborted || attempt === BUDGETS.attempts || waitMs === undefined) throw cause;
      await sleep(waitMs, signal);
    }
  }
}

/**
 * Sends a request and gives its response once the headers are there. Throws `Refusal` for everything but success;
 * redirects are not followed, because what they lead to was never checked.
 */
export async function fetchWithin(
  fetch: typeof globalThis.fetch,
  request: Request,
  timeouts: Pick<ModelTimeouts, "headersMs" | "idleMs">,
  signal: AbortSignal,
): Promise<Response> {
  const headers = new AbortController();
  const timer = setTimeout(() => headers.abort(providerError.stalled()), timeouts.headersMs);

  try {
    const response = await fetch(request, {
      redirect: "manual",
      signal: AbortSignal.any([signal, headers.signal]),
    });
    if (response.ok) return response;
    const body = await textOf(response, timeouts.idleMs, BUDGETS.errorBytes);
    throw new Refusal(response.status, response.headers, body);
  } catch (cause) {
    throw headers.signal.aborted ? headers.signal.reason : cause;
  } finally {
    clearTimeout(timer);
  }
}

/** Asks once for something small, such as a list, and gives its JSON. Everything it throws is as with `exchange`. */
export async function fetchJson(
  fetch: typeof globalThis.fetch,
  request: Request,
  toAppError: (cause: unknown) => AppError,
  signal: AbortSignal,
): Promise<unknown> {
  const budget = { headersMs: BUDGETS.listMs, idleMs: BUDGETS.listMs };
  try {
    const response = await fetchWithin(fetch, request, budget, signal);
    const text = await textOf(response, BUDGETS.listMs, BUDGETS.listBytes);
    return jsonFrom(text);
  } catch (cause) {
    signal.throwIfAborted();
    throw toAppError(cause);
  }
}

function jsonFrom(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw providerError.unreadable(cause);
  }
}

/** Milliseconds to wait before the one retry; nothing where that is of no use, or longer than anybody would watch nothing. */
function waitBeforeRetry(cause: unknown, error: AppError, timeouts: ModelTimeouts): number | undefined {
  if (error.code === "provider-unavailable" && error.retryable) return BUDGETS.retryWaitMs;
  // What has stalled would only stall for twice as long.
  if (error.code !== "provider-rate") return undefined;

  const headers = cause instanceof Error && "headers" in cause ? cause.headers : undefined;
  const asked =
    headers instanceof Headers ? Number(headers.get("retry-after") ?? Number.NaN) * 1000 : Number.NaN;
  if (Number.isNaN(asked)) return BUDGETS.retryWaitMs;
  return asked <= timeouts.retryAfterMs ? asked : undefined;
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
