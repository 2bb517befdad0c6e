import { abortAllDurableObjects } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { crawlJobIdOf } from "../../../src/shared/id-types.ts";
import { signUp } from "../../support/app.ts";
import { injectFault } from "../../support/control.ts";
import { createBase, pagesUsed, storedIn } from "../../support/knowledge.ts";
import { startSite } from "../../support/site.ts";
import { bigSite } from "./big-site.ts";
import { crawl, crawledPages, startCrawl, storedPaths, untilEnded } from "./jobs.ts";

const MAX_PAGES = 60;
const CONFIG = { source_type: "url", max_pages: MAX_PAGES, max_depth: 5 };

it("has the same result when it is interrupted again and again, and stores and counts no page twice", async () => {
  const client = await signUp();
  const [calm, rough] = [await createBase(client, "Calm"), await createBase(client, "Rough")];
  const site = await startSite(bigSite());
  const config = { ...CONFIG, source_url: site.url };
  const expected = await crawl(client, calm, config);
  const used = await pagesUsed(client.email);
  const requests = (await site.log()).requests.length;

  for (const kind of ["refuse", "lose-answer"] as const)
    await injectFault({ match: [rough.kbId], probability: 0.05, times: 200, fault: { kind } });
  const jobId = await startCrawl(client, rough, config);
  // Each time a few more pages have been requested, everything that is in memory is lost.
  for (const more of [3, 9, 10, 17, 31, 32, 48, 60]) {
    await expect.poll(async () => (await site.log()).requests.length).toBeGreaterThanOrEqual(requests + more);
    await abortAllDurableObjects();
    // Without this call, the job would go on when the alarm rings that was set in advance.
    await env.CRAWL_RUNNER.getByName(rough.kbId).has(crawlJobIdOf(jobId));
  }
  const job = await untilEnded(client, rough, jobId);

  expect(job).toMatchObject({
    status: "completed",
    outcome: expected.outcome,
    progress: expected.progress,
    notes: expected.notes,
  });
  expect(job.progress.successful_urls).toBe(MAX_PAGES);
  expect(await crawledPages(client, rough, jobId)).toEqual(await crawledPages(client, calm, expected.job_id));
  expect(await storedPaths(client, rough)).toEqual(await storedPaths(client, calm));
  expect(await pagesUsed(client.email)).toBe(Number(used) * 2);
  expect((await site.log()).mostAtOnce).toBeLessThanOrEqual(2);
  expect(await storedIn(rough, "Page#")).toHaveLength(MAX_PAGES);
});

it("reads a whole site of 300 pages once, and finds all of them unchanged the second time", async () => {
  const client = await signUp();
  const base = await createBase(client);
  const site = await startSite(bigSite());
  const config = { ...CONFIG, source_url: site.url, max_pages: 1_000 };
  const first = await crawl(client, base, config);
  const paths = await storedPaths(client, base);
  const used = await pagesUsed(client.email);
  const second = await crawl(client, base, config);

  expect(first.progress.successful_urls).toBe(paths.length);
  expect(paths.length).toBeGreaterThanOrEqual(300);
  expect(used).toBe(paths.length);
  expect(new Set(paths).size).toBe(paths.length);
  expect(paths).toEqual(expect.arrayContaining(["/charset/shift_jis", "/s26/p9", "/calendar?day=49"]));
  for (const path of ["/private/a", "/noindex", "/moved", "/s0", "/calendar?day=50"])
    expect(paths).not.toContain(path);

  expect(second.progress).toMatchObject({ successful_urls: paths.length, unchanged_urls: paths.length });
  expect(await pagesUsed(client.email)).toBe(used);
  expect(await storedPaths(client, base)).toEqual(paths);
  expect((await site.log()).mostAtOnce).toBeLessThanOrEqual(2);
});
