import { withoutTrailing } from "../../shared/text.ts";
import { normalizeEscapes } from "./escapes.ts";

/** Longer addresses are not crawled: servers and browsers refuse most of them (RFC 9110 §4.1 asks for 8,000 octets at least). */
const MAX_URL_CHARS = 2_000;
/** Deeper paths are made by programs that link to themselves. */
const MAX_PATH_SEGMENTS = 12;
/** `/a/b/a/b/a/b` is a relative link that leads to itself. */
const MAX_SEGMENT_REPEATS = 2;

/** Parameters that say where a visitor came from or who the visitor is, never which page is meant. In lower case. */
const TRACKING_NAMES = new Set([
  "_ga",
  "_gl",
  "_hsenc",
  "_hsmi",
  "dclid",
  "fbclid",
  "gbraid",
  "gclid",
  "gclsrc",
  "igshid",
  "jsessionid",
  "mc_cid",
  "mc_eid",
  "mkt_tok",
  "msclkid",
  "phpsessid",
  "sessionid",
  "srsltid",
  "ttclid",
  "twclid",
  "vero_id",
  "wbraid",
  "yclid",
]);
const TRACKING_PREFIXES = ["utm_", "mtm_", "pk_", "hsa_", "aspsessionid"];

/**
 * Returns the one spelling of an address that stands for all others with the same meaning: without fragment, tracking parameters
 * and session ids, with a sorted query. Returns `undefined` if it is not a web address, contains a user name, or is longer than
 * 2,000 characters. A relative address is resolved against `base`.
 */
export function canonicalUrl(address: string, base?: string): string | undefined {
  // The parser normalises upper case in hosts, default ports, dot segments and all spellings of IP addresses.
  const url = URL.parse(address, base);
  if (!url || !/^https?:$/u.test(url.protocol) || url.username !== "" || url.password !== "")
    return undefined;

  url.hash = "";
  url.hostname = withoutTrailing(url.hostname, ".");
  url.pathname = normalizeEscapes(withoutSessionId(url.pathname));
  const query = sortedQuery(url.search);
  // Without this question mark, one at the beginning of the query would be taken for it.
  url.search = query === "" ? "" : `?${query}`;
  return url.href.length <= MAX_URL_CHARS ? url.href : undefined;
}

/** Removes the session id that Java servers append to paths. */
function withoutSessionId(path: string): string {
  const at = path.toLowerCase().indexOf(";jsessionid=");
  return at === -1 ? path : path.slice(0, at);
}

const sortedQuery = (search: string): string =>
  search
    .slice(1)
    .split("&")
    .filter((pair) => pair !== "" && !isTracking(pair))
    .map(normalizeEscapes)
    .toSorted()
    .join("&");

function isTracking(pair: string): boolean {
  const name = (pair.split("=", 1)[0] ?? "").toLowerCase();
  return TRACKING_NAMES.has(name) || TRACKING_PREFIXES.some((prefix) => name.startsWith(prefix));
}

/** How an address looks that a program generated endless ones like. */
export type Trap = "depth" | "repeats";

/** Returns the kind of trap that an address looks like, or `undefined`. */
export function trapOf(address: string): Trap | undefined {
  const segments = new URL(address).pathname.split("/").filter((segment) => segment !== "");
  if (segments.length > MAX_PATH_SEGMENTS) return "depth";

  const counts = new Map<string, number>();
  for (const segment of segments) {
    const count = (counts.get(segment) ?? 0) + 1;
    if (count > MAX_SEGMENT_REPEATS) return "repeats";
    counts.set(segment, count);
  }
  return undefined;
}

/** Returns an address without its query, under which its variants are counted. */
export function pathOf(address: string): string {
  const { origin, pathname } = new URL(address);
  return `${origin}${pathname}`;
}

/**
 * Returns the text that the variants of an address share: with and without `www.`, with and without a slash at the end, with and
 * without TLS. They are one page if they have the same text.
 */
export function variantKey(address: string): string {
  const { host, pathname, search } = new URL(address);
  return `${withoutWww(host)}${withoutTrailing(pathname, "/")}${search}`;
}

/** Returns whether two addresses have the same host, apart from `www.`. */
export const isSameSite = (address: string, other: string): boolean =>
  withoutWww(new URL(address).host) === withoutWww(new URL(other).host);

const withoutWww = (host: string): string => (host.startsWith("www.") ? host.slice("www.".length) : host);

/**
 * Returns the canonical address that a page names for itself, if it is to be believed: on the same host, another one, and not
 * the start page, which sites name on all pages by mistake.
 */
export function namedCanonical(named: string | null, page: string): string | undefined {
  const canonical = named === null ? undefined : canonicalUrl(named, page);
  if (canonical === undefined || canonical === page) return undefined;
  const { host, pathname, search } = new URL(canonical);
  return host === new URL(page).host && (pathname !== "/" || search !== "") ? canonical : undefined;
}
