import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { CrawlQueue } from "../../../src/knowledge/crawling/crawl-queue.ts";
import { crawlJobIdOf } from "../../../src/shared/id-types.ts";
import { newId } from "../../../src/shared/ids.ts";
import { type Client, signUp, signUpFree, subscribe, table } from "../../support/app.ts";
import { endFaults, injectFault, untilMet } from "../../support/control.ts";
import { createBase, pagesUsed, pageServices, storedIn } from "../../support/knowledge.ts";
import { htmlPage, startSite } from "../../support/site.ts";
import { crawl, startCrawl, storedPaths, untilEnded } from "./jobs.ts";

const text = (about: string): string =>
  `${about} is described here in enough words to count as a page of its own.`;

const page = (about: string, links: readonly string[] = []) => ({
  body: htmlPage(about, text(about), links),
});

const CONFIG = {
  sourceType: "url",
  sourceUrl: "https://docs.example.org/",
  maxPages: 100,
  maxDepth: 3,
  rateLimitMs: 1_000,
} as const;

/** A site whose third page waits for the test. */
const heldSite = () =>
  startSite({
    "/": page("Home", ["/a", "/b", "/c", "/d"]),
    "/a": page("Ants"),
    "/b": { ...page("Bees"), fault: "hold" },
    "/c": page("Cats"),
    "/d": page("Dogs"),
  });

/** The events of a crawl stream's text. */
const eventsIn = (stream: string) =>
  stream
    .split("\n\n")
    .filter((block) => block.startsWith("event: "))
    .map((block) => {
      const [event = "", data = ""] = block.split("\n");
      return { event: event.slice("event: ".length), ...JSON.parse(data.slice("data: ".length)) };
    });

describe("the body of a new job", () => {
  it.each([
    [{}, "source_url"],
    [{ source_url: "docs.example.org" }, "It is not a complete web address."],
    [{ source_url: "data:text/html,x" }, "It has to be a web address"],
    [{ source_url: "https://ada:secret@docs.example.org/" }, "It must not contain a user name or password."],
    [{ source_url: "https://docs.example.org/", max_pages: 0 }, "max_pages"],
    [{ source_url: "https://docs.example.org/", max_pages: 10_001 }, "max_pages"],
    [{ source_url: "https://docs.example.org/", max_depth: 11 }, "max_depth"],
    [{ source_url: "https://docs.example.org/", rate_limit_ms: 999 }, "rate_limit_ms"],
    [{ source_url: "https://docs.example.org/", chunking_strategy: "semantic" }, "chunking_strategy"],
    [{ source_url: "https://docs.example.org/", respect_robots_txt: false }, "respect_robots_txt"],
  ])("%j is refused, naming %s", async (body, reason) => {
    const client = await signUp();
    const { kbId } = await createBase(client);
    const answer = await client("POST", `/knowledge-bases/${kbId}/crawl-jobs`, body);

    expect(answer.status).toBe(422);
    expect(answer.body.detail).toContain(reason);
    expect(await storedIn({ accountEmail: client.email, kbId }, "CrawlJob#")).toEqual([]);
  });

  it("may come from a form, which sends numbers as text and leaves fields empty", async () => {
    const client = await signUp();
    const { kbId } = await createBase(client);
    const form = await client("GET", `/knowledge-bases/${kbId}/crawl-config-schema`);
    const { status, body } = await client("POST", `/knowledge-bases/${kbId}/crawl-jobs?auto_start=false`, {
      source_type: "url",
      source_url: "https://docs.example.org/",
      max_pages: "20",
      max_depth: "",
      rate_limit_ms: "1000",
      chunking_strategy: "hierarchical",
    });

    expect(form.body).toMatchObject({
      form_name: "Crawl Configuration",
      submit_path: `/knowledge-bases/${kbId}/crawl-jobs`,
    });
    expect(status).toBe(201);
    expect(body).toMatchObject({
      status: "pending",
      config: { max_pages: 20, max_depth: 3, respect_robots_txt: true },
    });
  });

  it("creates one job for one idempotency key", async () => {
    const client = await signUp();
    const base = await createBase(client);
    const site = await startSite({ "/": page("Home") });
    const config = { source_type: "url", source_url: site.url };
    const path = `/knowledge-bases/${base.kbId}/crawl-jobs`;
    const answers = await Promise.all(
      [1, 2].map(() => client("POST", path, config, { "idempotency-key": "crawl-1" })),
    );

    expect(new Set(answers.filter(({ status }) => status === 201).map(({ body }) => body.job_id)).size).toBe(
      1,
    );
    expect((await client("GET", path)).body).toHaveLength(1);
  });
});

describe("a job that was not started", () => {
  it("is run once, and streams what it does", async () => {
    const client = await signUp();
    const { kbId } = await createBase(client);
    const site = await startSite({ "/": page("Home", ["/a"]), "/a": page("Ants") });
    const jobs = `/knowledge-bases/${kbId}/crawl-jobs`;
    const config = { source_type: "url", source_url: site.url };
    const { body: job } = await client("POST", `${jobs}?auto_start=false`, config);
    expect(await site.visited()).toEqual([]);

    const stream = await client("POST", `${jobs}/${job.job_id}/run-stream`);
    const events = eventsIn(stream.body);
    expect(stream.headers.get("content-type")).toContain("text/event-stream");
    expect(stream.headers.get("cache-control")).toContain("no-transform");
    expect(events[0]).toMatchObject({
      event: "connected",
      event_type: "connected",
      job_id: job.job_id,
      kb_id: kbId,
    });
    expect(events.map(({ event }) => event)).toEqual(
      expect.arrayContaining(["JOB_STARTED", "PAGE_INGEST_COMPLETE", "JOB_PROGRESS", "JOB_COMPLETED"]),
    );
    expect(events.at(-1)).toMatchObject({
      event_type: "JOB_COMPLETED",
      status: "completed",
      outcome: "whole",
      progress: { successful_urls: 2 },
      error_message: null,
      cursor: expect.stringMatching(/^Step#/u),
    });

    expect(await client("POST", `${jobs}/${job.job_id}/run`)).toMatchObject({
      status: 409,
      body: { detail: "Crawl job has already completed. Create a new job to re-crawl." },
    });
  });

  it("needs no pages of the plan until it is started", async () => {
    const client = await signUpFree();
    const { kbId } = await createBase(client);
    const answer = await client("POST", `/knowledge-bases/${kbId}/crawl-jobs?auto_start=false`, {
      source_url: "https://docs.example.org/sitemap.xml",
      max_pages: 999,
    });

    expect(answer.status).toBe(201);
    expect(await pagesUsed(client.email)).toBe(0);
  });
});

describe("a stream", () => {
  it("goes on behind a cursor", async () => {
    const client = await signUp();
    const base = await createBase(client);
    const site = await startSite({ "/": page("Home", ["/a"]), "/a": page("Ants") });
    const job = await crawl(client, base, { source_type: "url", source_url: site.url });
    const path = `/knowledge-bases/${base.kbId}/crawl-jobs/${job.job_id}/stream`;
    const whole = eventsIn((await client("GET", path)).body).filter(({ step_id }) => step_id !== undefined);
    const rest = eventsIn(
      (await client("GET", `${path}?cursor=${encodeURIComponent(whole[1].cursor)}`)).body,
    );

    expect(rest.filter(({ step_id }) => step_id !== undefined)).toEqual(whole.slice(2));
    expect(await client("GET", `${path}?cursor=nonsense`)).toMatchObject({ status: 400 });
  });
});

describe("a running job", () => {
  it("is in progress, can't be run again, and stops within one page when it is cancelled", async () => {
    const client = await signUp();
    const base = await createBase(client);
    const site = await heldSite();
    const jobId = await startCrawl(client, base, { source_type: "url", source_url: site.url, max_pages: 50 });
    const path = `/knowledge-bases/${base.kbId}/crawl-jobs/${jobId}`;
    await expect.poll(site.visited).toContain("/b");
    expect(await client("POST", `${path}/run`)).toMatchObject({
      status: 409,
      body: { detail: "Crawl job is already in progress" },
    });
    expect((await client("DELETE", path)).status).toBe(204);
    const visited = await site.visited();
    await site.release();

    const job = await untilEnded(client, base, jobId);
    expect(job).toMatchObject({ status: "cancelled", timing: { completed_at: expect.any(String) } });
    expect(await pagesUsed(client.email)).toBe((await storedPaths(client, base)).length);
    expect(await site.visited()).toEqual(visited);
    expect((await client("DELETE", path)).status).toBe(204);
    expect(await client("POST", `${path}/run`)).toMatchObject({
      status: 409,
      body: { detail: "Crawl job was cancelled. Create a new job to re-crawl." },
    });
  });

  it("ends with its base, of which nothing is left", async () => {
    const client = await signUp();
    const base = await createBase(client);
    const site = await heldSite();
    const jobId = await startCrawl(client, base, { source_type: "url", source_url: site.url, max_pages: 50 });
    await expect.poll(site.visited).toContain("/b");
    const path = `/knowledge-bases/${base.kbId}/crawl-jobs/${jobId}`;
    await expect.poll(async () => (await client("GET", path)).body.progress.successful_urls).toBe(2);
    const deleted = await client("DELETE", `/knowledge-bases/${base.kbId}`);
    const visited = await site.visited();
    await site.release();

    expect(deleted.status).toBe(204);
    expect(await storedIn(base)).toEqual([]);
    expect(await table.query(`CrawlJob#${jobId}`)).toEqual([]);
    expect(await site.visited()).toEqual(visited);
    expect(await pagesUsed(client.email)).toBe(2);
  });

  it("keeps what it has reserved if the plan ends", async () => {
    const client = await signUpFree();
    await subscribe(client, { plan: "pro" });
    const base = await createBase(client);
    const site = await heldSite();
    const jobId = await startCrawl(client, base, { source_type: "url", source_url: site.url, max_pages: 50 });
    await expect.poll(site.visited).toContain("/b");
    await subscribe(client, { plan: "pro", status: "canceled" });
    await site.release();

    expect(await untilEnded(client, base, jobId)).toMatchObject({ status: "completed", outcome: "whole" });
    expect(await pagesUsed(client.email)).toBe(5);
  });

  it("waits until the job before it has ended, and is cancelled without having begun", async () => {
    const client = await signUp();
    const base = await createBase(client);
    const site = await heldSite();
    const config = { source_type: "url", source_url: site.url, max_pages: 50 };
    const [first, second, third] = [
      await startCrawl(client, base, config),
      await startCrawl(client, base, config),
      await startCrawl(client, base, config),
    ];
    await expect.poll(site.visited).toContain("/b");
    const path = `/knowledge-bases/${base.kbId}/crawl-jobs`;
    expect((await client("GET", `${path}/${second}`)).body.status).toBe("pending");
    await client("DELETE", `${path}/${second}`);
    await site.release();

    expect(await untilEnded(client, base, first)).toMatchObject({ status: "completed" });
    expect(await untilEnded(client, base, third)).toMatchObject({ progress: { unchanged_urls: 5 } });
    expect((await client("GET", `${path}/${second}`)).body).toMatchObject({
      status: "cancelled",
      timing: { started_at: null },
    });
    expect(await pagesUsed(client.email)).toBe(5);
  });
});

describe("cancelling", () => {
  it("returns the pages of a job whose start failed after they had been reserved", async () => {
    const client = await signUp();
    const base = await createBase(client);
    const path = `/knowledge-bases/${base.kbId}/crawl-jobs`;
    const config = { source_url: "https://docs.example.org/sitemap.xml" };
    const { body } = await client("POST", `${path}?auto_start=false`, config);
    const { pageBudgetService } = await pageServices();
    await pageBudgetService.reserve(base, crawlJobIdOf(body.job_id), 100);

    await client("DELETE", `${path}/${body.job_id}`);

    expect(await pagesUsed(client.email)).toBe(0);
  });

  it("is completed by a repeat if the first attempt failed half-way", async () => {
    const client = await signUp();
    const base = await createBase(client);
    const path = `/knowledge-bases/${base.kbId}/crawl-jobs`;
    const config = { source_url: "https://docs.example.org/sitemap.xml" };
    const { body } = await client("POST", `${path}?auto_start=false`, config);
    const { pageBudgetService } = await pageServices();
    await client("DELETE", `${path}/${body.job_id}`);
    // The first attempt has got no further than the table.
    await pageBudgetService.reserve(base, crawlJobIdOf(body.job_id), 100);

    await client("DELETE", `${path}/${body.job_id}`);

    expect(await pagesUsed(client.email)).toBe(0);
  });
});

describe("lists", () => {
  it("of steps and pages go on with the cursor of the answer before", async () => {
    const client = await signUp();
    const base = await createBase(client);
    const site = await startSite({ "/": page("Home", ["/a", "/b"]), "/a": page("Ants"), "/b": page("Bees") });
    const job = await crawl(client, base, { source_type: "url", source_url: site.url });
    const path = `/knowledge-bases/${base.kbId}/crawl-jobs/${job.job_id}`;

    for (const [list, length] of [
      ["steps", 5],
      ["pages", 3],
    ] as const) {
      const all: unknown[] = [];
      for (let cursor: string | null = ""; cursor !== null;) {
        const query: string = cursor === "" ? "limit=2" : `limit=2&cursor=${encodeURIComponent(cursor)}`;
        const answer = await client("GET", `${path}/${list}?${query}`);
        all.push(...answer.body);
        cursor = answer.headers.get("next-cursor");
      }
      expect(all).toEqual((await client("GET", `${path}/${list}`)).body);
      expect(all).toHaveLength(length);
    }
  });

  it("of jobs begin with the newest", async () => {
    const client = await signUp();
    const base = await createBase(client);
    const path = `/knowledge-bases/${base.kbId}/crawl-jobs`;
    const ids: string[] = [];
    for (let at = 0; at < 7; at++) {
      const { body } = await client("POST", `${path}?auto_start=false`, {
        source_url: `https://docs.example.org/${at}.xml`,
      });
      ids.unshift(body.job_id);
    }
    const idsIn = async (query: string) =>
      (await client("GET", `${path}${query}`)).body.map(({ job_id }: { job_id: string }) => job_id);

    expect(await idsIn("")).toEqual(ids.slice(0, 5));
    expect(await idsIn("?limit=50")).toEqual(ids);
  });
});

/** Stores a job as if it had been in progress when its object was lost, or as the legacy Python service stored it. */
async function plantJob(client: Client, kbId: string, jobId: string): Promise<void> {
  await table.put({
    pk: `KnowledgeBase#${kbId}`,
    sk: `CrawlJob#${jobId}`,
    entity_type: "CrawlJob",
    job_id: jobId,
    kb_id: kbId,
    status: "in_progress",
    config: { source_type: "sitemap", source_url: "https://docs.example.org/sitemap.xml", max_pages: 100 },
    progress: {
      discovered_urls: 9,
      processed_urls: 4,
      successful_urls: 3,
      failed_urls: 1,
      total_embeddings: 12,
    },
    timing: { started_at: "2025-01-29T11:51:36.123456+00:00" },
    created_by: client.email,
    created_at: "2025-01-29T11:51:30.123456+00:00",
  });
}

describe("a job that never ended", () => {
  it("of the legacy service reads as failed, with its steps and pages", async () => {
    const client = await signUp();
    const { kbId } = await createBase(client);
    const jobId = "6b0fa2c1-3a4f-4c55-9c7a-0b6d0f1e2a3b";
    await plantJob(client, kbId, jobId);
    const timestamp = "2025-01-29T11:51:37.123456+00:00";
    await table.put({
      pk: `CrawlJob#${jobId}`,
      sk: `Step#${timestamp}#s1`,
      step_id: "s1",
      step_type: "PAGE_PARSE_COMPLETE",
      timestamp,
    });
    await table.put({
      pk: `CrawlJob#${jobId}`,
      sk: "Page#0cc175b9",
      url: "https://docs.example.org/a",
      status: "success",
    });
    const path = `/knowledge-bases/${kbId}/crawl-jobs/${jobId}`;

    expect((await client("GET", path)).body).toMatchObject({
      status: "failed",
      error_message: "The crawl never ended.",
      progress: { successful_urls: 3 },
    });
    expect((await client("GET", `${path}/steps`)).body).toMatchObject([
      { step_type: "PAGE_PARSE_COMPLETE", details: null },
    ]);
    expect((await client("GET", `${path}/pages`)).body).toMatchObject([
      { url: "https://docs.example.org/a", status: "success" },
    ]);
  });

  it("because its object was lost is ended by the next read", async () => {
    const client = await signUp();
    const { kbId } = await createBase(client);
    const jobId = newId();
    await plantJob(client, kbId, jobId);

    const { body } = await client("GET", `/knowledge-bases/${kbId}/crawl-jobs/${jobId}`);
    expect(body).toMatchObject({
      status: "failed",
      error_message: "The crawl was interrupted and could not be continued. Please start another one.",
    });
    expect(await storedIn({ accountEmail: client.email, kbId: body.kb_id }, "CrawlJob#")).toMatchObject([
      { status: "failed" },
    ]);
  });
});

describe("a schedule", () => {
  const set = async (client: Client, kbId: string, url: string) =>
    client("PUT", `/knowledge-bases/${kbId}/crawl-schedule`, {
      every: "daily",
      source_type: "url",
      source_url: url,
    });

  it("crawls when it is due, and plans the next crawl", async () => {
    const client = await signUp();
    const base = await createBase(client);
    const site = await startSite({ "/": page("Home") });
    const { body: planned } = await set(client, base.kbId, site.url);
    expect(planned).toMatchObject({ every: "daily", status: "active", problem: null });

    const jobId = newId();
    await env.CRAWL_RUNNER.getByName(base.kbId).plan({
      base,
      at: Date.now() - 1_000,
      jobId: crawlJobIdOf(jobId),
    });
    const path = `/knowledge-bases/${base.kbId}`;
    await expect.poll(async () => (await client("GET", `${path}/crawl-jobs/${jobId}`)).status).toBe(200);

    expect(await untilEnded(client, base, jobId)).toMatchObject({ status: "completed", is_scheduled: true });
    const { body: next } = await client("GET", `${path}/crawl-schedule`);
    expect(Date.parse(next.next_run_at)).toBeGreaterThan(Date.now());
  });

  it("keeps the run of a schedule that was set while the run of an earlier one began", async () => {
    const client = await signUp();
    const base = await createBase(client);
    const site = await startSite({ "/": page("Home") });
    await set(client, base.kbId, site.url);
    const runner = env.CRAWL_RUNNER.getByName(base.kbId);
    const jobId = newId();
    await injectFault({ match: [jobId], operation: "PutItem", times: 5, fault: { kind: "hold" } });
    await runner.plan({ base, at: Date.now() - 1_000, jobId: crawlJobIdOf(jobId) });
    await untilMet();
    expect(await storedIn(base, "PageReservation#")).toHaveLength(1);

    const { body: planned } = await set(client, base.kbId, site.url);
    await endFaults();
    await untilEnded(client, base, jobId);

    await runInDurableObject(runner, (_runner, { storage }) => {
      expect(new CrawlQueue(storage).planned?.at).toBe(Date.parse(planned.next_run_at));
    });
  });

  it("leaves out a crawl, and says so, if ten others have not ended", async () => {
    const client = await signUp();
    const base = await createBase(client);
    await set(client, base.kbId, "https://docs.example.org/");
    const runner = env.CRAWL_RUNNER.getByName(base.kbId);
    await runInDurableObject(runner, (_runner, { storage }) => {
      const queue = new CrawlQueue(storage);
      for (let at = 0; at < 10; at++) queue.add({ base, jobId: crawlJobIdOf(newId()) }, CONFIG);
      queue.plan({ base, at: Date.now() - 1_000, jobId: crawlJobIdOf(newId()) });
    });

    await runDurableObjectAlarm(runner);

    expect(await storedIn(base, "CrawlSchedule")).toMatchObject([
      { status: "active", problem: "The last crawl did not begin: ten others had not ended." },
    ]);
    expect(await storedIn(base, "CrawlJob#")).toEqual([]);
    expect(await pagesUsed(client.email)).toBe(0);
  });

  it("stops, and says so, if the account is not active any more", async () => {
    const client = await signUp();
    const base = await createBase(client);
    await set(client, base.kbId, "https://docs.example.org/");
    const key = { pk: `User#${client.email}`, sk: "User#Metadata" };
    await table.update(key, { set: { status: "inactive" } });
    await env.CRAWL_RUNNER.getByName(base.kbId).plan({
      base,
      at: Date.now() - 1_000,
      jobId: crawlJobIdOf(newId()),
    });

    await expect
      .poll(() => storedIn(base, "CrawlSchedule"))
      .toMatchObject([
        {
          status: "stopped",
          problem: "The account or the knowledge base is not active any more.",
          next_run_at: null,
        },
      ]);
    expect(await storedIn(base, "CrawlJob#")).toEqual([]);
  });

  it("is removed", async () => {
    const client = await signUp();
    const { kbId } = await createBase(client);
    await set(client, kbId, "https://docs.example.org/");

    expect((await client("DELETE", `/knowledge-bases/${kbId}/crawl-schedule`)).status).toBe(204);
    expect(await client("GET", `/knowledge-bases/${kbId}/crawl-schedule`)).toMatchObject({ status: 404 });
  });
});
