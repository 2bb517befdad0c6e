import { describe, expect, it } from "vitest";
import { signUp } from "../../support/app.ts";
import { createBase, pagesUsed } from "../../support/knowledge.ts";
import { htmlPage, startSite } from "../../support/site.ts";
import { crawl, crawledPages, storedPaths } from "./jobs.ts";

const text = (about: string): string =>
  `${about} is described here in enough words to count as a page of its own.`;

const page = (about: string, links: readonly string[] = [], etag?: string) => ({
  body: htmlPage(about, text(about), links),
  ...(etag !== undefined && { headers: { etag } }),
});

describe("a second crawl", () => {
  it("asks with the validators, follows the links of pages that were not sent again, and costs nothing for what is the same", async () => {
    const client = await signUp();
    const base = await createBase(client);
    const site = await startSite({
      "/": page("Home", ["/a"], '"home"'),
      "/a": page("Ants", ["/b"], '"ants"'),
      "/b": page("Bees"),
    });
    const config = { source_type: "url", source_url: site.url };
    await crawl(client, base, config);
    await site.change({ "/b": page("Wasps") });
    const job = await crawl(client, base, config);

    expect(await crawledPages(client, base, job.job_id)).toMatchObject([
      { path: "/", status: "success", change: "unchanged" },
      { path: "/a", status: "success", change: "unchanged" },
      { path: "/b", status: "success", change: "changed" },
    ]);
    const again = (await site.log()).requests.filter(({ path }) => path === "/a").at(-1);
    expect(again?.headers["if-none-match"]).toBe('"ants"');
    expect(await pagesUsed(client.email)).toBe(4);
  });

  it("reads what a stored page has come to redirect to, even if that is older", async () => {
    const client = await signUp();
    const base = await createBase(client);
    const old = { "last-modified": "Tue, 04 Jun 2024 10:00:00 GMT" };
    const site = await startSite({
      "/": page("Home", ["/a"]),
      "/a": { ...page("Ants"), headers: { ...old, etag: '"same"' } },
    });
    const config = { source_type: "url", source_url: site.url };
    await crawl(client, base, config);
    await site.change({
      "/a": { status: 301, headers: { location: "/b" } },
      "/b": { ...page("Bees"), headers: { etag: '"same"' } },
    });
    const job = await crawl(client, base, config);

    expect(await crawledPages(client, base, job.job_id)).toMatchObject([
      { path: "/", status: "success" },
      { path: "/a", status: "skipped", error: `It leads to ${site.url}/b.` },
      { path: "/b", status: "success", change: "new" },
    ]);
  });

  it("knows a page by its text, not by its HTML", async () => {
    const client = await signUp();
    const base = await createBase(client);
    const site = await startSite({ "/": page("Home") });
    const config = { source_type: "url", source_url: site.url };
    await crawl(client, base, config);
    await site.change({ "/": { body: `${page("Home").body}<!-- built at noon -->` } });
    const job = await crawl(client, base, config);

    expect(job.progress).toMatchObject({ successful_urls: 1, unchanged_urls: 1 });
    expect(await pagesUsed(client.email)).toBe(1);
  });

  it("removes a page that two crawls in a row did not find, and says so", async () => {
    const client = await signUp();
    const base = await createBase(client);
    const site = await startSite({
      "/": page("Home", ["/gone", "/unlinked"]),
      "/gone": page("Gone"),
      "/unlinked": page("Unlinked"),
    });
    const config = { source_type: "url", source_url: site.url };
    await crawl(client, base, config);
    await site.change({ "/": page("Home", ["/gone"]), "/gone": { status: 410 } });

    const second = await crawl(client, base, config);
    expect(await crawledPages(client, base, second.job_id)).toMatchObject([
      // Its navigation is no part of its text.
      { path: "/", change: "unchanged" },
      { path: "/gone", status: "failed", change: "missing" },
      { path: "/unlinked", status: "skipped", change: "missing", error: "No page links to it any more." },
    ]);
    expect(await storedPaths(client, base)).toEqual(["/", "/gone", "/unlinked"]);

    const third = await crawl(client, base, config);
    expect(third.progress).toMatchObject({ removed_pages: 2 });
    expect(await crawledPages(client, base, third.job_id)).toMatchObject([
      { path: "/", change: "unchanged" },
      { path: "/gone", change: "removed" },
      { path: "/unlinked", change: "removed" },
    ]);
    expect(await storedPaths(client, base)).toEqual(["/"]);
  });

  it("does not count a page as missed that came back in between", async () => {
    const client = await signUp();
    const base = await createBase(client);
    const site = await startSite({ "/": page("Home", ["/a"]), "/a": page("Ants") });
    const config = { source_type: "url", source_url: site.url };
    await crawl(client, base, config);
    await site.change({ "/a": { status: 404 } });
    await crawl(client, base, config);
    await site.change({ "/a": page("Ants") });
    await crawl(client, base, config);
    await site.change({ "/a": { status: 404 } });
    await crawl(client, base, config);

    expect(await storedPaths(client, base)).toEqual(["/", "/a"]);
  });

  it("leaves pages of other sources alone, and misses none if it was cut short", async () => {
    const client = await signUp();
    const base = await createBase(client);
    const site = await startSite({ "/": page("Home", ["/a", "/b"]), "/a": page("Ants"), "/b": page("Bees") });
    const other = await startSite({ "/": page("Other") });
    const config = { source_type: "url", source_url: site.url };
    await crawl(client, base, config);
    for (let times = 0; times < 2; times++) {
      await crawl(client, base, { source_type: "url", source_url: other.url });
      await crawl(client, base, { ...config, max_pages: 1 });
    }

    expect(await storedPaths(client, base)).toEqual(["/", "/", "/a", "/b"]);
  });

  it("tries a page again that failed for a moment, and stores what it says then", async () => {
    const client = await signUp();
    const base = await createBase(client);
    const site = await startSite({
      "/": page("Home", ["/flaky"]),
      "/flaky": [{ status: 500 }, page("Second answer"), page("Third answer")],
    });
    const job = await crawl(client, base, { source_type: "url", source_url: site.url });

    expect(job).toMatchObject({ outcome: "whole", progress: { successful_urls: 2, failed_urls: 0 } });
    const { body } = await client("GET", `/knowledge-bases/${base.kbId}/pages`);
    expect(body.items.map(({ title }: { title: string }) => title)).toContain("Second answer");
  });
});
