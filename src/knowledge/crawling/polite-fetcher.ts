import { withTimeout } from "../../shared/async.ts";
import { AddressRefused, LookUpFailed } from "../../shared/guarded-fetch.ts";
import { canonicalUrl } from "./canonical-url.ts";
import { MAX_PAUSE_MS } from "./polite-host.ts";

const MAX_REDIRECTS = 5;
/** How long to wait for a busy site that does not say, in milliseconds. */
const DEFAULT_PAUSE_MS = 5_000;

/**
 * Why a request brought nothing. Security: the person who reads it may have chosen the address, so the list is fixed, and nothing
 * in it tells a closed port from a host that does not exist.
 */
export type FetchFailure =
  | "address"
  | "unreachable"
  | "slow"
  | "redirects"
  | "gone"
  | "forbidden"
  | "busy"
  | "server-error"
  | "content-type"
  | "refused";

/** The end of a fetch. `url` is the last address, after all redirects, in its canonical form. */
export type Fetched<Content> =
  | { readonly kind: "content"; readonly url: string; readonly content: Content }
  /** The page has not changed since the validators were received. */
  | { readonly kind: "unchanged"; readonly url: string }
  | Failed;

export interface Failed {
  readonly kind: "failed";
  readonly failure: FetchFailure;
  readonly url: string;
  /** A sentence for people. */
  readonly reason: string;
}

/** Validators of an earlier response. */
export interface Validators {
  readonly etag: string | null;
  readonly lastModified: string | null;
}

/** Starts and ends requests politely; see `PoliteHost`. */
export interface HostGate {
  /** Waits until a request to the host of this address may start. `spacingMs` is the pause after the request before. */
  enter(url: string, requestId: string, spacingMs: number, signal: AbortSignal): Promise<void>;
  /** Must be called when the request has ended. `pauseMs` is how long the host asks to wait. */
  leave(url: string, requestId: string, pauseMs: number): Promise<void>;
}

interface PoliteFetcherDeps {
  /** A guarded `fetch` that follows no redirects. */
  readonly fetch: typeof fetch;
  readonly gate: HostGate;
  readonly userAgent: string;
}

/** What to fetch. */
export interface FetchRequest<Content> {
  readonly url: string;
  readonly accept: string;
  readonly spacingMs: number;
  /** How long each request may take, header and body together, in milliseconds. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly validators?: Validators | undefined;
  /** Returns why an address must not be requested, or `undefined`. Asked before every request, also after redirects. */
  readonly refusal?: (url: string) => Promise<string | undefined>;
  /** Reads the body of a successful answer, or says why it is not read. */
  readonly read: (response: Response, url: string) => Promise<Content | Failed>;
}

/** The result of one request: an end, or the address that it redirects to. */
type Hop<Content> = Fetched<Content> | { readonly kind: "redirect"; readonly location: string };

/** Fetches documents for a crawl: through redirects one request after the other, each with its own time limit, without cookies. */
export class PoliteFetcher {
  readonly #fetch: typeof fetch;
  readonly #gate: HostGate;
  readonly #userAgent: string;

  constructor({ fetch, gate, userAgent }: PoliteFetcherDeps) {
    this.#fetch = fetch;
    this.#gate = gate;
    this.#userAgent = userAgent;
  }

  /** Fetches a document. Never throws for what the site does; throws the signal's reason if it is aborted. */
  async fetch<Content>(request: FetchRequest<Content>): Promise<Fetched<Content>> {
    let { url } = request;
    for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
      const reason = await request.refusal?.(url);
      if (reason !== undefined) return failed("refused", url, reason);

      // The validators are those of the first address, whatever it has come to redirect to.
      const hop = await this.#request(url, hops === 0 ? request : { ...request, validators: undefined });
      if (hop.kind !== "redirect") return hop;
      const next = canonicalUrl(hop.location, url);
      if (next === undefined)
        return failed("redirects", url, "It redirects to something that is not a web address.");
      url = next;
    }
    return failed("redirects", url, `It redirects more than ${MAX_REDIRECTS} times.`);
  }

  async #request<Content>(url: string, request: FetchRequest<Content>): Promise<Hop<Content>> {
    const { spacingMs, signal, timeoutMs } = request;
    const requestId = crypto.randomUUID();
    await this.#gate.enter(url, requestId, spacingMs, signal);
    let pauseMs = 0;
    try {
      return await withTimeout(
        timeoutMs,
        async (either) => {
          const headers = this.#headers(request);
          const response = await this.#fetch(url, { headers, signal: either });
          pauseMs = pauseOf(response);
          return toHop(url, response, request.read);
        },
        { signal },
      );
    } catch (error) {
      signal.throwIfAborted();
      return failureOf(error, url);
    } finally {
      await this.#gate.leave(url, requestId, pauseMs);
    }
  }

  #headers<Content>({ accept, validators }: FetchRequest<Content>): Record<string, string> {
    const { etag = null, lastModified = null } = validators ?? {};
    return {
      "user-agent": this.#userAgent,
      accept,
      ...(etag !== null && { "if-none-match": etag }),
      ...(lastModified !== null && { "if-modified-since": lastModified }),
    };
  }
}

async function toHop<Content>(
  url: string,
  response: Response,
  read: FetchRequest<Content>["read"],
): Promise<Hop<Content>> {
  if (response.ok) {
    const content = await read(response, url);
    return isFailed(content) ? content : { kind: "content", url, content };
  }

  // Closes the connection: nobody reads the rest.
  await response.body?.cancel();
  const location = response.headers.get("location");
  if (location !== null && [301, 302, 303, 307, 308].includes(response.status))
    return { kind: "redirect", location };
  return response.status === 304 ? { kind: "unchanged", url } : statusFailure(response.status, url);
}

const isFailed = (content: unknown): content is Failed =>
  typeof content === "object" && content !== null && "kind" in content && content.kind === "failed";

export const failed = (failure: FetchFailure, url: string, reason: string): Failed => ({
  kind: "failed",
  failure,
  url,
  reason,
});

function statusFailure(status: number, url: string): Failed {
  if (status === 404 || status === 410) return failed("gone", url, `The page does not exist (${status}).`);
  if (status === 429 || status === 503)
    return failed("busy", url, `The site asked the crawler to slow down (${status}).`);
  if (status >= 400 && status < 500)
    return failed("forbidden", url, `The site refused the request (${status}).`);
  return failed("server-error", url, `The site failed (${status}).`);
}

function failureOf(error: unknown, url: string): Failed {
  if (error instanceof AddressRefused) return failed("address", url, "Its host is not public.");
  if (error instanceof DOMException && error.name === "TimeoutError")
    return failed("slow", url, "The site took too long.");
  // Security: a host that can't be looked up and a closed port look the same to the person who chose the address.
  if (error instanceof LookUpFailed || error instanceof Error)
    return failed("unreachable", url, "The site could not be reached.");
  throw error;
}

/** How long a busy site asks to wait, in milliseconds, at most two minutes; 0 if it is not busy. */
function pauseOf({ status, headers }: Response): number {
  if (status !== 429 && status !== 503) return 0;
  const value = headers.get("retry-after") ?? "";
  const ms = /^\d{1,9}$/u.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Math.min(Number.isFinite(ms) && ms > 0 ? ms : DEFAULT_PAUSE_MS, MAX_PAUSE_MS);
}
