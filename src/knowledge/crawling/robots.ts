import { normalizeEscapes } from "./escapes.ts";

/** What a site's robots.txt says to one crawler. */
export interface Robots {
  /** Whether the crawler may request this address of the site. */
  allows(url: string): boolean;
  /** The pause between two requests that the site asks for, in milliseconds; 0 if it asks for none. */
  readonly crawlDelayMs: number;
  /** The addresses of the site's sitemaps, as they are written. */
  readonly sitemaps: readonly string[];
}

/** The part of a robots.txt that is read (RFC 9309 §2.5 asks for at least this much), in characters. */
const MAX_CHARS = 500 * 1024;
/** Longer pauses are cut: a site that asks for an hour would keep a job busy for months. */
const MAX_DELAY_MS = 30_000;
const MAX_SITEMAPS = 100;

/** The robots.txt of a site that has none. */
export const ALLOW_ALL: Robots = { allows: () => true, crawlDelayMs: 0, sitemaps: [] };

/** The robots.txt of a site that can't be asked (RFC 9309 §2.3.1.4). */
export const FORBID_ALL: Robots = { allows: () => false, crawlDelayMs: 0, sitemaps: [] };

interface Rule {
  readonly isAllowed: boolean;
  /** The literal texts between the wildcards `*`. */
  readonly parts: readonly string[];
  /** Whether the pattern ends with `$`. */
  readonly isAnchored: boolean;
  /** The length of the pattern: the longest matching pattern decides. */
  readonly length: number;
}

/** The groups that name a crawler, merged (RFC 9309 §2.2.1). */
interface Group {
  isNamed: boolean;
  readonly rules: Rule[];
  delayMs: number;
}

/**
 * Reads a robots.txt by RFC 9309 for the crawler with this product token. Anti-DoS: reads at most 500 KB and takes linear time;
 * patterns never become regular expressions.
 */
export function parseRobots(text: string, productToken: string): Robots {
  const own: Group = { isNamed: false, rules: [], delayMs: 0 };
  const everyone: Group = { isNamed: false, rules: [], delayMs: 0 };
  const sitemaps: string[] = [];
  // The groups that the current lines belong to, and whether the next `User-agent` line begins new ones.
  let current = new Set<Group>();
  let hasRules = false;

  for (const [key, value] of linesOf(text)) {
    if (key === "sitemap") {
      if (sitemaps.length < MAX_SITEMAPS && value !== "") sitemaps.push(value);
    } else if (key === "user-agent") {
      if (hasRules) current = new Set();
      hasRules = false;
      if (/^\*(?:\s|$)/u.test(value)) current.add(everyone);
      if (productOf(value) === productToken.toLowerCase()) current.add(own);
      for (const group of current) group.isNamed = true;
    } else if (key === "allow" || key === "disallow") {
      hasRules = true;
      // An empty pattern matches nothing.
      if (value !== "") for (const { rules } of current) rules.push(ruleOf(value, key === "allow"));
    } else if (key === "crawl-delay") {
      for (const group of current) group.delayMs = delayOf(value);
    }
  }

  const { rules, delayMs } = own.isNamed ? own : everyone;
  return { allows: (url) => isAllowed(url, rules), crawlDelayMs: delayMs, sitemaps };
}

function* linesOf(text: string): Generator<readonly [key: string, value: string], void, void> {
  const readable = text.slice(0, MAX_CHARS).replace(/^\uFEFF/u, "");
  for (const line of readable.split(/[\r\n]/u)) {
    const [content = ""] = line.split("#", 1);
    const colon = content.indexOf(":");
    if (colon > 0) yield [content.slice(0, colon).trim().toLowerCase(), content.slice(colon + 1).trim()];
  }
}

/** The product token at the beginning of a `User-agent` value, in lower case. */
const productOf = (value: string): string => /^[a-z_-]*/iu.exec(value)?.[0].toLowerCase() ?? "";

function delayOf(value: string): number {
  const seconds = Number(value);
  return Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds * 1000, MAX_DELAY_MS) : 0;
}

function ruleOf(value: string, allowed: boolean): Rule {
  const isAnchored = value.endsWith("$");
  const pattern = isAnchored ? value.slice(0, -1) : value;
  // Patterns without a slash at the beginning are common mistakes; what they mean is clear.
  const rooted = pattern.startsWith("/") || pattern.startsWith("*") ? pattern : `/${pattern}`;
  const parts = rooted.split("*").map((part) => literal(part));
  return { isAllowed: allowed, parts, isAnchored, length: normalizeEscapes(value).length };
}

/** `*` and `$` are special in patterns only, where their literal forms are `%2A` and `%24`. */
const literal = (text: string): string =>
  normalizeEscapes(text).replaceAll("*", "%2A").replaceAll("$", "%24");

function isAllowed(address: string, rules: readonly Rule[]): boolean {
  const { pathname, search } = new URL(address);
  if (pathname === "/robots.txt") return true;

  const path = literal(`${pathname}${search}`);
  let best: Rule | undefined;
  for (const rule of rules) {
    const isBetter =
      !best ||
      rule.length > best.length ||
      (rule.length === best.length && rule.isAllowed && !best.isAllowed);
    if (isBetter && matches(path, rule)) best = rule;
  }
  return best?.isAllowed ?? true;
}

/** Finds each part behind the one before it, as far to the left as possible, so that no position is tried twice. */
function matches(path: string, { parts: [first = "", ...rest], isAnchored }: Rule): boolean {
  if (!path.startsWith(first)) return false;
  const last = rest.pop();
  if (last === undefined) return !isAnchored || path.length === first.length;

  let at = first.length;
  for (const part of rest) {
    const found = path.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  return isAnchored ? path.length - last.length >= at && path.endsWith(last) : path.includes(last, at);
}
