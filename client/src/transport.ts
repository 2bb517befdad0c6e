import { IDEMPOTENT_OPERATIONS } from "./api.ts";
import { connectionLost, parse, readText } from "./body.ts";
import { ApiError, ConnectionError } from "./errors.ts";
import type { RequestSettings } from "./operations.ts";
import type { Tokens } from "./tokens.ts";
import { pauseBefore, sleep } from "./waiting.ts";

/** The platform's `fetch`, or one that behaves like it. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** The longest `Retry-After` that is waited for, in seconds. Limits that reset later are reported at once. */
const LONGEST_RETRY_AFTER = 30;

/** The parts of a request that an operation's options may have. */
export interface AnyOptions extends RequestSettings {
  readonly path?: object | undefined;
  readonly query?: object | undefined;
  readonly headers?: object | undefined;
  readonly body?: unknown;
  /** Whether sending it twice has the same effect as sending it once. By default, if it is a GET or has an idempotency key. */
  readonly isRepeatable?: boolean;
}

/** An answer whose body has been read. */
export interface Exchange<Data> {
  readonly status: number;
  readonly headers: Headers;
  readonly data: Data;
}

/** A stream that has been opened. */
export interface OpenStream {
  readonly response: Response;
  /** Aborted when the caller's signal is, or by `close`. */
  readonly signal: AbortSignal;
  /** Closes the connection. */
  readonly close: (reason: unknown) => void;
}

export interface TransportOptions {
  readonly baseUrl: string;
  readonly tokens: Tokens;
  readonly fetch: Fetch;
  readonly credentials: "omit" | "same-origin" | "include" | undefined;
  readonly timeoutMs: number;
  readonly retries: number;
}

/** A request in the form in which it is sent, and possibly sent again. */
interface Prepared {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | FormData | undefined;
  readonly isRepeatable: boolean;
}

/** Sends requests: with the token, within the time limit, and again where that is safe. */
export class Transport {
  readonly #options: TransportOptions;

  constructor(options: TransportOptions) {
    this.#options = options;
  }

  /** How often a request is repeated at most. */
  get retries(): number {
    return this.#options.retries;
  }

  /**
   * Sends a request and reads its answer, as JSON unless it is empty. Repeats it after a lost connection, a timeout, a 429 or a
   * 503 if that is safe. Throws an `ApiError` if the API refuses it, a `ConnectionError` if there is no answer, and the
   * signal's reason if that is aborted.
   */
  async exchange(method: string, path: string, options: AnyOptions): Promise<Exchange<unknown>> {
    const { signal, timeoutMs = this.#options.timeoutMs } = options;
    const request = this.#prepare(method, path, options, "application/json");
    return await this.#repeated(request, signal, async () => {
      const limit = withTimeLimit(signal, timeoutMs);
      try {
        const response = await this.#send(request, limit.signal);
        const text = await readText(response, limit.signal);
        return {
          status: response.status,
          headers: response.headers,
          data: text === "" ? undefined : parse(text),
        };
      } finally {
        limit.clear();
      }
    });
  }

  /**
   * Opens a stream, without repeating the request. The time limit ends with the headers: who reads the stream watches over it.
   * Throws like `exchange`.
   */
  async open(method: string, path: string, options: AnyOptions): Promise<OpenStream> {
    const { signal, timeoutMs = this.#options.timeoutMs } = options;
    const request = this.#prepare(method, path, options, "text/event-stream, application/x-ndjson");
    const limit = withTimeLimit(signal, timeoutMs);
    try {
      const response = await this.#send(request, limit.signal);
      limit.clear();
      return { response, signal: limit.signal, close: limit.abort };
    } catch (error) {
      limit.abort(error);
      throw error;
    }
  }

  /**
   * Returns after how many milliseconds a request may be repeated that has failed `failures` times, or undefined if repeating it
   * does not help, or would have to wait for too long.
   */
  pauseAfter(error: unknown, failures: number): number | undefined {
    if (error instanceof ConnectionError)
      return error.reason === "unreadable" ? undefined : pauseBefore(failures);
    if (!(error instanceof ApiError) || (error.status !== 429 && error.status !== 503)) return undefined;
    // A feature that the deployment lacks does not appear by waiting.
    if (error.code === "not-configured") return undefined;

    const { retryAfter } = error;
    if (retryAfter === undefined) return error.status === 503 ? pauseBefore(failures) : undefined;
    return retryAfter > LONGEST_RETRY_AFTER ? undefined : Math.max(retryAfter * 1_000, pauseBefore(failures));
  }

  async #repeated<T>(
    request: Prepared,
    signal: AbortSignal | undefined,
    attempt: () => Promise<T>,
  ): Promise<T> {
    for (let failures = 1; ; failures += 1) {
      try {
        return await attempt();
      } catch (error) {
        if (!request.isRepeatable || failures > this.#options.retries) throw error;
        const pause = this.pauseAfter(error, failures);
        if (pause === undefined) throw error;
        await sleep(pause, signal);
      }
    }
  }

  /** Sends a request, and once more with another token if the token is refused. Returns answers that are no errors. */
  async #send(request: Prepared, signal: AbortSignal): Promise<Response> {
    const { tokens } = this.#options;
    const token = await tokens.current();
    let response = await this.#fetch(request, token, signal);
    if (response.status === 401) {
      const other = await tokens.insteadOf(token);
      if (other !== undefined) {
        await response.body?.cancel();
        response = await this.#fetch(request, other, signal);
      }
    }

    if (response.ok || response.status === 304) return response;
    throw new ApiError(response.status, response.headers, await readText(response, signal));
  }

  async #fetch(request: Prepared, token: string | undefined, signal: AbortSignal): Promise<Response> {
    const { url, method, headers, body } = request;
    const { fetch, credentials } = this.#options;
    signal.throwIfAborted();
    try {
      return await fetch(url, {
        method,
        headers: { ...headers, ...(token !== undefined && { authorization: `Bearer ${token}` }) },
        ...(body !== undefined && { body }),
        // Not every platform knows the member.
        ...(credentials !== undefined && { credentials }),
        signal,
      });
    } catch (cause) {
      if (signal.aborted) throw signal.reason;
      throw connectionLost(cause);
    }
  }

  #prepare(method: string, path: string, options: AnyOptions, accept: string): Prepared {
    const { body } = options;
    const isForm = body instanceof FormData;
    const headers = new Map<string, string>([["accept", accept]]);
    if (body !== undefined && !isForm) headers.set("content-type", "application/json");
    for (const [name, value] of entriesOf(options.headers)) headers.set(name.toLowerCase(), String(value));

    if (IDEMPOTENT_OPERATIONS.has(`${method} ${path}`) && !headers.has("idempotency-key"))
      headers.set("idempotency-key", options.idempotencyKey ?? newKey());
    return {
      url: `${this.#options.baseUrl}${fillIn(path, options.path)}${queryText(options.query)}`,
      method,
      headers: Object.fromEntries(headers),
      body: body === undefined || isForm ? body : JSON.stringify(body),
      isRepeatable: options.isRepeatable ?? (method === "GET" || headers.has("idempotency-key")),
    };
  }
}

/** Returns a new idempotency key. `crypto.randomUUID` would be missing from pages that are not served over HTTPS. */
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Replaces the parameters of a path. Throws a `TypeError` for a missing one and for those that would lead to another path:
 * `fetch` resolves `.` and `..`, even if they are encoded.
 */
function fillIn(path: string, values: object = {}): string {
  const given = new Map(entriesOf(values));
  return path.replaceAll(/\{(\w+)\}/gu, (_, name: string) => {
    const one = given.get(name);
    const value = typeof one === "string" || typeof one === "number" ? String(one) : "";
    if (value === "" || value === "." || value === "..")
      throw new TypeError(`The path needs a \`${name}\`, and "${value}" can't be one.`);
    return encodeURIComponent(value);
  });
}

function queryText(query: object | undefined): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of entriesOf(query))
    for (const one of Array.isArray(value) ? value : [value]) parameters.append(name, String(one));
  return parameters.size === 0 ? "" : `?${parameters.toString()}`;
}

const entriesOf = (values: object | undefined): [string, unknown][] =>
  Object.entries(values ?? {}).filter(([, value]) => value !== undefined && value !== null);

interface TimeLimit {
  readonly signal: AbortSignal;
  readonly abort: (reason: unknown) => void;
  /** Ends the time limit; the caller's signal still counts. */
  readonly clear: () => void;
}

/** Returns a signal that is aborted with the caller's signal, or after a time with a `ConnectionError`. */
function withTimeLimit(signal: AbortSignal | undefined, timeoutMs: number): TimeLimit {
  const controller = new AbortController();
  const abort = (reason: unknown): void => controller.abort(reason);
  const timer = setTimeout(
    () => abort(new ConnectionError("timeout", `There was no answer within ${timeoutMs / 1_000} seconds.`)),
    timeoutMs,
  );
  return {
    signal: signal ? AbortSignal.any([signal, controller.signal]) : controller.signal,
    abort,
    clear: () => clearTimeout(timer),
  };
}
