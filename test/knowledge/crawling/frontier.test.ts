import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { Frontier } from "../../../src/knowledge/crawling/frontier.ts";

/** Runs a test with the frontier of a new object. */
const withFrontier = (name: string, test: (frontier: Frontier) => void): Promise<void> =>
  runInDurableObject(env.CRAWL_RUNNER.getByName(name), (_runner, { storage }) => test(new Frontier(storage)));

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
