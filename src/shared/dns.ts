import type { ResolveHost } from "./outbound.ts";

/** Names that are kept at a time: enough for the providers of everybody on one isolate. */
const MAX_KNOWN = 500;
/** The types of record that hold an address: A and AAAA. */
const ADDRESS_TYPES = [1, 28];

const DEFAULT_RESOLVER = "https://cloudflare-dns.com/dns-query";

export interface DnsOptions {
  readonly fetch: typeof fetch;
  /** A resolver that answers DNS over HTTPS with JSON; Cloudflare's where nothing is said. */
  readonly endpoint?: string;
  readonly now: () => number;
  readonly timeoutMs: number;
  /** How long an answer is believed. */
  readonly keepMs: number;
}

/** Looks hosts up over HTTPS. Throws where the resolver does not answer in time. */
export function createResolver(options: DnsOptions): ResolveHost {
  const { fetch, endpoint = DEFAULT_RESOLVER, now, timeoutMs, keepMs } = options;
  const known = new Map<string, { readonly until: number; readonly addresses: readonly string[] }>();

  async function ask(host: string, type: "A" | "AAAA", signal: AbortSignal): Promise<readonly string[]> {
    const query = new URLSearchParams({ name: host, type });
    const headers = { accept: "application/dns-json" };
    const response = await fetch(`${endpoint}?${query.toString()}`, { headers, signal, redirect: "manual" });
    if (!response.ok) throw new Error(`The resolver answered with ${response.status}.`);
    return addressesIn(await response.json());
  }

  return async (host, signal) => {
    const kept = known.get(host);
    if (kept && kept.until > now()) return kept.addresses;

    const timeout = new AbortController();
    const timer = setTimeout(() => timeout.abort(new Error("The resolver did not answer.")), timeoutMs);
    const either = signal ? AbortSignal.any([signal, timeout.signal]) : timeout.signal;
    try {
      const addresses = (await Promise.all([ask(host, "A", either), ask(host, "AAAA", either)])).flat();
      if (known.size >= MAX_KNOWN) known.clear();
      known.set(host, { until: now() + keepMs, addresses });
      return addresses;
    } finally {
      clearTimeout(timer);
    }
  };
}

function addressesIn(body: unknown): readonly string[] {
  const isObject = typeof body === "object" && body !== null;
  const status: unknown = isObject && "Status" in body ? body.Status : undefined;
  // 0 is an answer, 3 that there is no such name; everything else is the resolver's trouble.
  if (status !== 0 && status !== 3) throw new Error("The resolver could not answer.");

  const answers: unknown = isObject && "Answer" in body ? body.Answer : [];
  return (Array.isArray(answers) ? answers : []).flatMap(
    ({ type, data }: { type?: unknown; data?: unknown }) =>
      ADDRESS_TYPES.some((wanted) => wanted === type) && typeof data === "string" ? [data] : [],
  );
}
