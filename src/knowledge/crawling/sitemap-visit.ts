import { sitemapFrom } from "./crawl-result.ts";
import type { Frontier } from "./frontier.ts";
import { MAX_READINGS } from "./page-judge.ts";
import type { PoliteFetcher } from "./polite-fetcher.ts";
import { readSitemap, type Sitemap } from "./sitemap.ts";

/** Reading 50 MB may take longer than reading a page. */
const SITEMAP_TIMEOUT_FACTOR = 3;
const ACCEPT = "application/xml, text/xml, text/plain;q=0.9, */*;q=0.5";
const UNREADABLE = "Reading the sitemap failed three times.";

interface SitemapVisitDeps {
  readonly frontier: Frontier;
  readonly fetcher: Pick<PoliteFetcher, "fetch">;
  /** Waits until what was written to the frontier can't be lost any more. */
  readonly flush: () => Promise<void>;
  /** The pause between requests to the host of an address, in milliseconds. */
  readonly spacingMs: (url: string) => Promise<number>;
  /** Returns why an address must not be requested, or `undefined`. */
  readonly refusal: (url: string) => Promise<string | undefined>;
  /** How long reading a page may take, in milliseconds. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/**
 * Fetches and reads a sitemap. Returns what it names, or a warning why it can't be read, and its address after all redirects. Throws
 * the signal's reason if it is aborted. Anti-DoS: a sitemap may end the process that reads it. So each attempt is stored before it
 * begins, and forgotten when it ends.
 */
export async function visitSitemap(
  { url, depth }: { readonly url: string; readonly depth: number },
  { frontier, fetcher, flush, spacingMs, refusal, timeoutMs, signal }: SitemapVisitDeps,
): Promise<{ readonly url: string; readonly found: Sitemap }> {
  if (frontier.unendedReadings(url) >= MAX_READINGS)
    return { url, found: { pages: [], sitemaps: [], warning: UNREADABLE } };

  const fetched = await fetcher.fetch<Sitemap>({
    url,
    accept: ACCEPT,
    spacingMs: await spacingMs(url),
    timeoutMs: timeoutMs * SITEMAP_TIMEOUT_FACTOR,
    signal,
    refusal,
    async read({ body }) {
      frontier.beginReading(url);
      await flush();
      try {
        return await readSitemap(body ?? new Response("").body ?? new ReadableStream());
      } finally {
        frontier.endReading(url);
      }
    },
  });
  return { url: fetched.url, found: sitemapFrom(fetched, depth) };
}
