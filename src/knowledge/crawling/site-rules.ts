import { isSameSite, type Trap, trapOf } from "./canonical-url.ts";
import { readBounded } from "./bounded-body.ts";
import type { Frontier, StoredRobots } from "./frontier.ts";
import type { PoliteFetcher } from "./polite-fetcher.ts";
import { ALLOW_ALL, FORBID_ALL, parseRobots, type Robots } from "./robots.ts";

const MAX_ROBOTS_BYTES = 500 * 1024;
/** How often a robots.txt is requested that can't be read. */
const ROBOTS_ATTEMPTS = 2;

/** Why an address was refused because its robots.txt could not be read. */
const ROBOTS_UNREADABLE =
  "The site's robots.txt could not be read. Until it can, nothing may be read from the site.";

const TRAP_REASONS: Readonly<Record<Trap, string>> = {
  depth: "The address looks endless: its path has more than 12 levels.",
  repeats: "The address looks endless: its path repeats itself.",
};

interface SiteRulesDeps {
  readonly frontier: Frontier;
  readonly fetcher: Pick<PoliteFetcher, "fetch">;
  /** The crawler's name in robots.txt. */
  readonly productToken: string;
  /** The job's pause between two requests to one host, in milliseconds. */
  readonly rateLimitMs: number;
  /** Replaces all pauses; only in local development. */
  readonly pauseMs: number | undefined;
  readonly timeoutMs: number;
}

/** Knows which addresses a job may request, and how often. */
export class SiteRules {
  readonly #deps: SiteRulesDeps;
  readonly #robots = new Map<string, Promise<Robots>>();

  constructor(deps: SiteRulesDeps) {
    this.#deps = deps;
  }

  /** Returns why an address must not be requested, or `undefined`. `site` is an address of the site that is crawled, if it is known. */
  async refusal(url: string, site: string | null, signal: AbortSignal): Promise<string | undefined> {
    if (site !== null && !isSameSite(url, site)) return "It leads to another site.";
    const trap = trapOf(url);
    if (trap !== undefined) return TRAP_REASONS[trap];

    const robots = await this.#robotsOf(url, signal);
    if (robots.allows(url)) return undefined;
    return robots === FORBID_ALL ? ROBOTS_UNREADABLE : "The site's robots.txt forbids it.";
  }

  /** Returns the pause between two requests to the host of an address, in milliseconds. */
  async spacingMs(url: string, signal: AbortSignal): Promise<number> {
    const { pauseMs, rateLimitMs } = this.#deps;
    return pauseMs ?? Math.max(rateLimitMs, (await this.#robotsOf(url, signal)).crawlDelayMs);
  }

  #robotsOf(url: string, signal: AbortSignal): Promise<Robots> {
    const { origin } = new URL(url);
    const known = this.#robots.get(origin) ?? this.#readRobots(origin, signal);
    this.#robots.set(origin, known);
    // An aborted request says nothing about the site.
    known.catch(() => this.#robots.delete(origin));
    return known;
  }

  async #readRobots(origin: string, signal: AbortSignal): Promise<Robots> {
    const { frontier, productToken } = this.#deps;
    let stored = frontier.robots(origin);
    if (!stored) {
      stored = await this.#fetchRobots(origin, signal);
      frontier.keepRobots(origin, stored);
    }
    if (stored.kind === "text") return parseRobots(stored.text, productToken);
    return stored.kind === "allow" ? ALLOW_ALL : FORBID_ALL;
  }

  /** Fetches a robots.txt. As RFC 9309 says, a site without one allows everything, and one that fails forbids everything. */
  async #fetchRobots(origin: string, signal: AbortSignal): Promise<StoredRobots> {
    const { fetcher, pauseMs, rateLimitMs, timeoutMs } = this.#deps;
    for (let attempt = 1; attempt <= ROBOTS_ATTEMPTS; attempt++) {
      const fetched = await fetcher.fetch({
        url: `${origin}/robots.txt`,
        accept: "text/plain, */*;q=0.1",
        spacingMs: pauseMs ?? rateLimitMs,
        timeoutMs,
        signal,
        read: async ({ body }) => (await readBounded(body, MAX_ROBOTS_BYTES)).bytes,
      });
      if (fetched.kind === "content")
        return { kind: "text", text: new TextDecoder().decode(fetched.content) };
      const isAbsent =
        fetched.kind === "failed" && ["gone", "forbidden", "redirects"].includes(fetched.failure);
      if (isAbsent) return { kind: "allow", text: "" };
    }
    return { kind: "forbid", text: "" };
  }
}
