import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { signUp, signUpFree } from "../../support/app.ts";
import { createBase, pagesUsed } from "../../support/knowledge.ts";
import { htmlPage, startSite } from "../../support/site.ts";
import type { SitePages } from "../../support/site-protocol.ts";
import { crawl, crawledPages, storedPaths } from "./jobs.ts";

/** A sitemap of these paths. */
const sitemap = (...paths: readonly string[]): SitePages[string] => ({
  headers: { "content-type": "application/xml" },
  body: `<urlset>${paths.map((path) => `<url><loc>{site}${path}</loc></url>`).join("")}</urlset>`,
});

const text = (about: string): string =>
  `${about} is described here in enough words to count as a page of its own.`;

const page = (about: string, links: readonly string[] = [], head = "") => ({
  body: htmlPage(about, text(about), links, head),
});

describe("a crawl from a start page", () => {
  it("follows links within the site, and says for every address what became of it", async () => {
    const client = await signUp();
    const base = await createBase(client);
    const site = await startSite({
      "/robots.txt": { headers: { "content-type": "text/plain" }, body: "User-agent: *\nDisallow: /private" },
      "/": page("Home", [
        "/a",
        "/b?utm_source=x",
        "/private",
        "/missing",
        "/file.zip",
        "https://other.example.com/",
      ]),
      "/a": page("Ants", ["/c", "mailto:ada@example.com"]),
      "/b": page("Bees", ["/", "/a#part"]),
      "/c": page("Cats", ["/d"]),
      "/d": page("Dogs"),
      "/file.zip": { headers: { "content-type": "application/zip" }, body: "PK" },
    });
    const job = await crawl(client, base, { source_type: "url", source_url: site.url, max_depth: 2 });

    expect(job).toMatchObject({ status: "completed", outcome: "whole", notes: [], error_message: null });
    expect(job.progress).toMatchObject({
      discovered_urls: 7,
      processed_urls: 7,
      successful_urls: 4,
      failed_urls: 1,
      skipped_urls: 2,
    });
    expect(await crawledPages(client, base, job.job_id)).toEqual([
      { path: "/", status: "success", change: "new", error: null },
      { path: "/a", status: "success", change: "new", error: null },
      { path: "/b", status: "success", change: "new", error: null },
      { path: "/c", status: "success", change: "new", error: null },
      {
        path: "/file.zip",
        status: "skipped",
        change: null,
        error: "A file of the type application/zip is not read by crawls. Upload it instead.",
      },
      { path: "/missing", status: "failed", change: null, error: "The page does not exist (404)." },
      { path: "/private", status: "skipped", change: null, error: "The site's robots.txt forbids it." },
    ]);
    expect(await storedPaths(client, base)).toEqual(["/", "/a", "/b", "/c"]);
    expect(await site.visited()).not.toContain("/private");
    expect((await site.log()).mostAtOnce).toBeLessThanOrEqual(2);
    expect(await pagesUsed(client.email)).toBe(4);
  });

  it("never stores more pages than its limit, and says what was left", async () => {
    const client = await signUp();
    const base = await createBase(client);
    const links = Array.from({ length: 10 }, (_, at) => `/page-${at}`);
    const site = await startSite({
      "/": page("Home", links),
      ...Object.fromEntries(links.map((link) => [link, page(`Page ${link}`)])),
    });
    const job = await crawl(client, base, { source_type: "url", source_url: site.url, max_pages: 4 });

    expect(job).toMatchObject({
      status: "completed",
      outcome: "partial",
      notes: expect.arrayContaining([
        "7 known addresses were not read, because the job's limit of 4 pages was reached.",
      ]),
    });
    expect(await storedPaths(client, base)).toEqual(["/", "/page-0", "/page-1", "/page-2"]);
    expect(await pagesUsed(client.email)).toBe(4);
  });

  it("fails with the reason if nothing can be read", async () => {
    const client = await signUp();
    const base = await createBase(client);
    const site = await startSite({
      "/": { body: "<html><body><div id=app></div><script>x()</script></body></html>" },
    });
    const job = await crawl(client, base, { source_type: "url", source_url: site.url });

    expect(job).toMatchObject({
      status: "failed",
      outcome: null,
      error_message: "No readable text: probably drawn by script.",
    });
    expect(await pagesUsed(client.email)).toBe(0);
  });

  it("reads nothing from a site whose robots.txt fails", async () => {
    const client = await signUp();
    const base = await createBase(client);
    const site = await startSite({ "/robots.txt": { status: 500 }, "/": page("Home") });
    const job = await crawl(client, base, { source_type: "url", source_url: site.url });

    expect(job).toMatchObject({
      status: "failed",
      error_message:
        "The site's robots.txt could not be read. Until it can, nothing may be read from the site.",
    });
    expect(await site.visited()).toEqual([]);
  });
});

describe("a crawl of a sitemap", () => {
  it("reads the pages that nested sitemaps list, and nothing else", async () => {
    const client = await signUp();
    const base = await createBase(client);
    const site = await startSite({
      "/sitemap.xml": { body: "<sitemapindex><sitemap><loc>/more.xml</loc></sitemap></sitemapindex>" },
      "/more.xml": sitemap("/a", "/b", "/a"),
      "/a": page("Ants", ["/unlisted"]),
      "/b": page("Bees"),
      "/unlisted": page("Unlisted"),
    });
    const job = await crawl(client, base, { source_url: `${site.url}/sitemap.xml` });

    expect(job).toMatchObject({ status: "completed", outcome: "whole", notes: [] });
    expect(await storedPaths(client, base)).toEqual(["/a", "/b"]);
  });

  it.each([
    [
      "loops",
      "<sitemapindex><sitemap><loc>/sitemap.xml</loc></sitemap></sitemapindex>",
      "No addresses were found.",
    ],
    ["is a web page", "<html><body>Hello</body></html>", "It is a web page, not a sitemap."],
    ["is missing", undefined, "The page does not exist (404)."],
  ])("fails with the reason if it %s", async (_name, body, reason) => {
    const client = await signUp();
    const base = await createBase(client);
    const site = await startSite(body === undefined ? {} : { "/sitemap.xml": { body } });
    const job = await crawl(client, base, { source_url: `${site.url}/sitemap.xml` });

    expect(job).toMatchObject({ status: "failed", error_message: reason });
  });
});

describe("duplicates", () => {
  it("by redirect, slash, tracking and rel=canonical are one page", async () => {
    const client = await signUp();
    const base = await createBase(client);
    const site = await startSite({
      "/": page("Home", ["/a", "/a/", "/old-a", "/a?utm_medium=x", "/a?view=print", "/b?x=1"]),
      "/a": page("Ants"),
      "/a/": page("Ants"),
      "/old-a": { status: 301, headers: { location: "/a" } },
      "/a?view=print": page("Ants for print", [], `<link rel="canonical" href="/a">`),
      "/b?x=1": page("Bees", [], `<link rel="canonical" href="/b">`),
      "/b": page("Bees", [], `<link rel="canonical" href="/b">`),
    });
    const job = await crawl(client, base, { source_type: "url", source_url: site.url });

    expect(await storedPaths(client, base)).toEqual(["/", "/a", "/b"]);
    expect(await crawledPages(client, base, job.job_id)).toEqual(
      expect.arrayContaining([
        { path: "/a/", status: "skipped", change: null, error: `It is the same page as ${site.url}/a.` },
        { path: "/old-a", status: "skipped", change: null, error: `It leads to ${site.url}/a.` },
        {
          path: "/a?view=print",
          status: "skipped",
          change: null,
          error: `It is the same page as ${site.url}/a.`,
        },
        {
          path: "/b?x=1",
          status: "skipped",
          change: null,
          error: `The page names ${site.url}/b as its address.`,
        },
      ]),
    );
  });

  it("are counted once if a redirect leads to a page that is being fetched at the same time", async () => {
    const client = await signUp();
    const base = await createBase(client);
    const site = await startSite({
      "/": page("Home", ["/old", "/new"]),
      "/old": { status: 301, headers: { location: "/new" } },
      "/new": page("Ants"),
    });
    const job = await crawl(client, base, { source_type: "url", source_url: site.url });

    expect(job.progress).toMatchObject({
      discovered_urls: 3,
      processed_urls: 3,
      successful_urls: 2,
      skipped_urls: 1,
    });
    expect(await storedPaths(client, base)).toEqual(["/", "/new"]);
  });

  it("that name each other as canonical are still stored", async () => {
    const client = await signUp();
    const base = await createBase(client);
    const site = await startSite({
      "/": page("Home", ["/a"]),
      "/a": page("Ants", [], `<link rel="canonical" href="/b">`),
      "/b": page("Bees", [], `<link rel="canonical" href="/a">`),
    });
    await crawl(client, base, { source_type: "url", source_url: site.url });

    expect(await storedPaths(client, base)).toEqual(["/", "/b"]);
  });
});

// Scenario 25.
describe("a hostile site", () => {
  it("ends as a partial crawl with the right count of pages", async () => {
    const client = await signUp();
    const base = await createBase(client);
    const days = Array.from({ length: 200 }, (_, at) => `/calendar?day=${at}`);
    const site = await startSite({
      "/": page("Home", ["/endless", "/bomb", "/drip", "/loop", "/zip", "/deep/a/b/a/b/a", "/ok", ...days]),
      "/endless": { body: `<h1>Endless</h1><p>${text("It")}</p>`, fault: "endless" },
      "/bomb": { fault: "gzip-bomb" },
      "/drip": { body: "<p>slowly</p>", fault: "drip" },
      "/loop": { status: 302, headers: { location: "/loop" } },
      "/zip": { headers: { "content-type": "application/zip" }, fault: "endless" },
      "/ok": page("Fine"),
      ...Object.fromEntries(days.map((day) => [day, page(`Day ${day}`)])),
    });
    // The page that arrives byte by byte takes all of the time that a page has; an object's environment is its own.
    await runInDurableObject(env.CRAWL_RUNNER.getByName(base.kbId), (runner) => {
      Object.assign(runner, { env: { ...env, CRAWL_TIMEOUT_MS: "5000" } });
    });
    const job = await crawl(client, base, { source_type: "url", source_url: site.url, max_depth: 1 });
    const pages = await crawledPages(client, base, job.job_id);
    const errorOf = (path: string) => pages.find((each) => each.path === path)?.error;

    expect(job).toMatchObject({ status: "completed", outcome: "partial" });
    expect(job.notes).toEqual(
      expect.arrayContaining([
        "150 links were not followed, because they differ in their queries only, and 50 of such a kind are enough.",
        "1 link was not followed, because their paths repeat themselves, which looks endless.",
      ]),
    );
    expect(errorOf("/endless")).toBe("The page is longer than 2 MB; only its beginning was read.");
    expect(errorOf("/drip")).toBe("The site took too long.");
    expect(errorOf("/loop")).toBe("It redirects more than 5 times.");
    expect(pages.filter(({ status }) => status === "success").length).toBe(job.progress.successful_urls);
    expect(await pagesUsed(client.email)).toBe((await storedPaths(client, base)).length);
  });
});

describe("the pages of a plan", () => {
  it("are never overrun, and what was not used is given back", async () => {
    const client = await signUpFree();
    const base = await createBase(client);
    const links = Array.from({ length: 60 }, (_, at) => `/page-${at}`);
    const site = await startSite({
      "/": page("Home", links),
      ...Object.fromEntries(links.map((link) => [link, page(`Page ${link}`)])),
    });
    const { body: usage } = await client("GET", "/usage");
    const allowed = Number(usage.limits.kb_pages);
    const first = await crawl(client, base, { source_type: "url", source_url: site.url, max_pages: 3 });
    expect(first.progress.successful_urls).toBe(3);
    expect(await pagesUsed(client.email)).toBe(3);

    const job = await crawl(client, base, { source_type: "url", source_url: site.url, max_pages: 1_000 });

    expect(await pagesUsed(client.email)).toBe(Math.min(allowed, 61));
    expect((await storedPaths(client, base)).length).toBe(Math.min(allowed, 61));
    if (allowed < 61) {
      expect(job).toMatchObject({
        status: "completed",
        outcome: "partial",
        notes: expect.arrayContaining(["The plan's pages of this month are used up."]),
      });
      const refused = await client("POST", `/knowledge-bases/${base.kbId}/crawl-jobs`, {
        source_url: site.url,
      });
      expect(refused).toMatchObject({
        status: 429,
        body: { detail: "Knowledge base page limit exceeded. 0 pages remaining." },
      });
    }
  });
});
