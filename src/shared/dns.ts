import { withTimeout } from "./async.ts";
import { limitedFetch } from "./limited-fetch.ts";
import type { ResolveHost } from "./outbound.ts";

/** Cached names: enough for the providers of all users of one isolate. */
const MAX_KNOWN = 500;
/** The size limit of an answer: a name has at most a few dozen addresses. */
const MAX_ANSWER_BYTES = 64_000;
/** The record types of addresses: A and AAAA. */
const ADDRESS_TYPES = [1, 28];

const DEFAULT_RESOLVER = "https://cloudflare-dns.com/dns-query";

export interface DnsOptions {
  readonly fetch: typeof fetch;
  /** A resolver for DNS over HTTPS with JSON answers; by default Cloudflare's. */
  readonly endpoint?: string;
  readonly now: () => number;
  readonly timeoutMs: number;
  /** How long an answer is cached, in milliseconds. */
  readonly keepMs: number;
}

/** Returns a resolver that uses DNS over HTTPS and caches answers. It throws if there is no answer in time. */
export function createResolver(options: DnsOptions): ResolveHost {
  const { endpoint = DEFAULT_RESOLVER, now, timeoutMs, keepMs } = options;
  const fetch = limitedFetch(options.fetch, MAX_ANSWER_BYTES);
  const known = new Map<string, { readonly until: number; readonly addresses: readonly string[] }>();

  async function ask(host: string, type: "A" | "AAAA", signal: AbortSignal): Promise<readonly string[]> {
    const query = new URLSearchParams({ name: host, type });
    const headers = { accept: "application/dns-json" };
    const response = await fetch(`${endpoint}?${query.toString()}`, { headers, signal });
    if (!response.ok) throw new Error(`The resolver answered with ${response.status}.`);
    return addressesIn(await response.json());
  }

  return async (host, signal) => {
    const kept = known.get(host);
    if (kept && kept.until > now()) return kept.addresses;

    const both = await withTimeout(
      timeoutMs,
      (either) => Promise.all([ask(host, "A", either), ask(host, "AAAA", either)]),
      { signal, reason: () => new Error("The resolver did not answer.") },
    );
    const addresses = both.flat();
    if (known.size >= MAX_KNOWN) known.clear();
    known.set(host, { until: now() + keepMs, addresses });
    return addresses;
  };
}

function addressesIn(body: unknown): readonly string[] {
  const isObject = typeof body === "object" && body !== null;
  const status: unknown = isObject && "Status" in body ? body.Status : undefined;
  // RFC 1035 response codes: 0 is success, 3 is "no such name". All others are failures of the resolver.
  if (status !== 0 && status !== 3) throw new Error("The resolver could not answer.");

  const answers: unknown = isObject && "Answer" in body ? body.Answer : [];
  return (Array.isArray(answers) ? answers : []).flatMap(
    ({ type, data }: { type?: unknown; data?: unknown }) =>
      ADDRESS_TYPES.some((wanted) => wanted === type) && typeof data === "string" ? [data] : [],
  );
}
