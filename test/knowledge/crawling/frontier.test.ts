import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { Frontier } from "../../../src/knowledge/crawling/frontier.ts";

/** Runs a test with the frontier of a new object. */
const withFrontier = (
  name: string,
  test: (frontier: Frontier, storage: DurableObjectStorage) => void,
  maxKeptChars?: number,
): Promise<void> =>
  runInDurableObject(env.CRAWL_RUNNER.getByName(name), (_runner, { storage }) =>
    test(new Frontier({ storage, maxKeptChars }), storage),
  );

const sitemaps = (from: number, to: number): readonly string[] =>
  Array.from({ length: to - from }, (_, at) => `https://example.com/sitemap-${from + at}.xml`);

it("has room for 500 sitemaps in all, and says how many it leaves out", () =>
  withFrontier("sitemaps", (frontier) => {
    frontier.addSitemaps(["https://example.com/sitemap.xml"], 1);
    const first = frontier.sitemapRead("https://example.com/sitemap.xml", [], sitemaps(0, 400), 2);
    // 50 of them are known.
    const second = frontier.sitemapRead("https://example.com/sitemap-0.xml", [], sitemaps(350, 600), 3);

    expect(first).toEqual({ urls: 0, variants: 0, sitemaps: 0 });
    expect(second).toEqual({ urls: 0, variants: 0, sitemaps: 101 });
    // The two that have been read count as well.
    let read = 2;
    for (let next = frontier.nextSitemap(); next; next = frontier.nextSitemap()) {
      frontier.sitemapRead(next.url, [], [], 4);
      read++;
    }
    expect(read).toBe(500);
  }));

const page = (n: number): string => `https://example.com/page-${n}`;

it("keeps the links of pages from job to job, and removes the oldest ones if there is no room", () =>
  withFrontier(
    "kept links",
    (frontier, storage) => {
      const links = [page(100), page(101)];
      for (let n = 0; n < 40; n++) frontier.keepLinks(page(n), links);
      frontier.clear();

      const known = Array.from({ length: 40 }, (_, n) => n).filter((n) => frontier.knownLinks(page(n)));
      expect(known.length).toBeGreaterThan(10);
      expect(known).toEqual(Array.from({ length: known.length }, (_, at) => 40 - known.length + at));
      expect(frontier.knownLinks(page(39))).toEqual(links);

      // Those that are kept again are new again.
      const oldest = known[0] ?? expect.fail();
      frontier.keepLinks(page(oldest), links);
      frontier.keepLinks(page(40), links);
      expect(frontier.knownLinks(page(oldest))).toEqual(links);
      expect(frontier.knownLinks(page(oldest + 1))).toBeUndefined();

      const { chars } = storage.sql
        .exec<{ chars: number }>("SELECT SUM(LENGTH(url) + LENGTH(urls)) AS chars FROM kept_links")
        .one();
      expect(chars).toBeLessThanOrEqual(2_000);
      expect(chars).toBeGreaterThan(1_700);
    },
    2_000,
  ));

it("forgets the links of a page that was removed, and of one that has too many", () =>
  withFrontier("forgotten links", (frontier) => {
    for (const n of [0, 1]) frontier.keepLinks(page(n), [page(9)]);
    frontier.done({ url: page(0), depth: 0 }, { outcome: "failed", isRemoved: true });
    frontier.keepLinks(
      page(1),
      Array.from({ length: 3_000 }, (_, n) => page(n)),
    );

    expect(frontier.knownLinks(page(0))).toBeUndefined();
    expect(frontier.knownLinks(page(1))).toBeUndefined();
  }));
