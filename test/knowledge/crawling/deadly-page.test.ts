import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { createCrawlDeps } from "../../../src/deps/objects.ts";
import { portsFrom } from "../../../src/deps/ports.ts";
import { Crawl } from "../../../src/knowledge/crawling/crawl.ts";
import type { CrawlConfig } from "../../../src/knowledge/crawling/crawl-model.ts";
import { initialState } from "../../../src/knowledge/crawling/crawl-state.ts";
import { Frontier } from "../../../src/knowledge/crawling/frontier.ts";
import type { KnowledgeBaseRef } from "../../../src/knowledge/model.ts";
import type { DocumentSource } from "../../../src/knowledge/reading/document.ts";
import { crawlJobIdOf } from "../../../src/shared/id-types.ts";
import { signUp } from "../../support/app.ts";
import { createBase } from "../../support/knowledge.ts";
import { htmlPage, startSite } from "../../support/site.ts";
import { crawledPages, storedPaths, untilEnded } from "./jobs.ts";

const page = (about: string, links: readonly string[] = []) => ({
  body: htmlPage(about, `${about} is described here in enough words to count as a page of its own.`, links),
});

/** What reading a page does that can't be read: it never ends, or it fails in a way that nobody expects. */
type Harm = "ends the process" | "throws";

/**
 * Works on a job until it ends. Whenever a page ends the process, only what is stored is left, and the work begins anew. Returns, for
 * each time that reading the page began, how many attempts could not be lost any more by then.
 */
function workThrough(base: KnowledgeBaseRef, jobId: string, config: CrawlConfig, deadly: string, harm: Harm) {
  return runInDurableObject(env.CRAWL_RUNNER.getByName(`deadly/${jobId}`), async (_runner, { storage }) => {
    const ref = { base, jobId: crawlJobIdOf(jobId) };
    let state = initialState(ref, config, new Date().toISOString());
    const stored: number[] = [];
    for (let life = 1; life <= 10; life++) {
      const deps = createCrawlDeps(await portsFrom(env), () => undefined);
      const death = Promise.withResolvers<"dead">();
      const frontier = new Frontier({ storage });
      let flushed = 0;
      const read = (source: DocumentSource) => {
        if (source.url !== deadly) return deps.read(source);
        stored.push(flushed);
        if (harm === "throws") return Promise.reject(new RangeError("Invalid string length"));
        death.resolve("dead");
        return Promise.withResolvers<never>().promise;
      };
      const crawl = new Crawl({
        ...deps,
        read,
        frontier,
        flush: async () => {
          await storage.sync();
          flushed = frontier.unendedReadings(deadly);
        },
        keep: (next) => {
          state = next;
        },
        onProgress: () => undefined,
        state,
      });
      const working = crawl
        .work(Date.now() + 60_000, new AbortController().signal)
        .catch(() => "dead" as const);
      if ((await Promise.race([working, death.promise])) === "ended") return stored;
    }
    return expect.fail("The job did not end.");
  });
}

it.each<Harm>(["ends the process", "throws"])(
  "fails a page after three attempts if reading it %s, says so, and goes on",
  async (harm) => {
    const client = await signUp();
    const base = await createBase(client);
    const site = await startSite({
      "/": page("Home", ["/ants", "/deadly", "/bees"]),
      "/ants": page("Ants"),
      "/deadly": page("Deadly"),
      "/bees": page("Bees", ["/cats"]),
      "/cats": page("Cats"),
    });
    const source = { source_type: "url", source_url: site.url };
    const { body } = await client(
      "POST",
      `/knowledge-bases/${base.kbId}/crawl-jobs?auto_start=false`,
      source,
    );
    const jobId = String(body.job_id);
    const config: CrawlConfig = {
      sourceType: "url",
      sourceUrl: site.url,
      maxPages: 10,
      maxDepth: 3,
      rateLimitMs: 1_000,
    };

    expect(await workThrough(base, jobId, config, `${site.url}/deadly`, harm)).toEqual([1, 2, 3]);

    const job = await untilEnded(client, base, jobId);
    expect(job).toMatchObject({ status: "completed", outcome: "partial" });
    expect(await crawledPages(client, base, jobId)).toMatchObject([
      { path: "/", status: "success" },
      { path: "/ants", status: "success" },
      { path: "/bees", status: "success" },
      { path: "/cats", status: "success" },
      {
        path: "/deadly",
        status: "failed",
        error: "Reading the page failed three times. Upload its text instead.",
      },
    ]);
    expect(await storedPaths(client, base)).toEqual(["/", "/ants", "/bees", "/cats"]);
  },
);

it("stops reading a sitemap after three attempts if reading it ends the process, and ends the job", async () => {
  const client = await signUp();
  const base = await createBase(client);
  const site = await startSite({
    "/sitemap.xml": { body: "<urlset></urlset>", headers: { "content-type": "application/xml" } },
  });
  const source = { source_type: "sitemap", source_url: `${site.url}/sitemap.xml` };
  const { body } = await client("POST", `/knowledge-bases/${base.kbId}/crawl-jobs?auto_start=false`, source);
  const ref = { base, jobId: crawlJobIdOf(String(body.job_id)) };
  const config: CrawlConfig = {
    sourceType: "sitemap",
    sourceUrl: source.source_url,
    maxPages: 10,
    maxDepth: 3,
    rateLimitMs: 1_000,
  };

  const attempts = await runInDurableObject(
    env.CRAWL_RUNNER.getByName(`deadly/${ref.jobId}`),
    async (_runner, { storage }) => {
      const stored: number[] = [];
      let state = initialState(ref, config, new Date().toISOString());
      for (let life = 1; life <= 10; life++) {
        const deps = createCrawlDeps(await portsFrom(env), () => undefined);
        const death = Promise.withResolvers<"dead">();
        const frontier = new Frontier({ storage });
        let flushed = 0;
        // Whoever begins to read the sitemap never ends.
        const deadly = () =>
          new ReadableStream<Uint8Array>(
            {
              pull() {
                stored.push(flushed);
                death.resolve("dead");
                return Promise.withResolvers<never>().promise;
              },
            },
            { highWaterMark: 0 },
          );
        const fetcher: Pick<typeof deps.fetcher, "fetch"> = {
          async fetch(request) {
            if (request.url !== source.source_url) return deps.fetcher.fetch(request);
            await request.read(new Response(deadly()), request.url);
            return expect.fail("The reading ended.");
          },
        };
        const crawl = new Crawl({
          ...deps,
          fetcher,
          frontier,
          flush: async () => {
            await storage.sync();
            flushed = frontier.unendedReadings(source.source_url);
          },
          keep: (next) => {
            state = next;
          },
          onProgress: () => undefined,
          state,
        });
        const working = crawl.work(Date.now() + 60_000, new AbortController().signal);
        if ((await Promise.race([working, death.promise])) === "ended") return stored;
      }
      return expect.fail("The job did not end.");
    },
  );

  expect(attempts).toEqual([1, 2, 3]);
  const job = await untilEnded(client, base, ref.jobId);
  expect(job.status).toBe("failed");
  expect(JSON.stringify(job)).toContain("Reading the sitemap failed three times.");
});
