import { expect } from "vitest";
import type { KnowledgeBaseRef } from "../../../src/knowledge/model.ts";
import type { Client } from "../../support/app.ts";

/** The states of a job that do not change any more. */
const ENDED = ["completed", "failed", "cancelled"];

/** Creates a crawl job and returns its id. */
export async function startCrawl(
  client: Client,
  { kbId }: KnowledgeBaseRef,
  config: Record<string, unknown>,
): Promise<string> {
  const { status, body } = await client("POST", `/knowledge-bases/${kbId}/crawl-jobs`, config);
  if (status !== 201) throw new Error(`Creating a crawl job failed: ${JSON.stringify(body)}`);
  return String(body.job_id);
}

/** When to give up waiting for a job, in milliseconds: a site of 300 pages takes a minute on a busy machine. */
const DEADLINE_MS = 300_000;

/** Waits until a job has ended, and returns it. */
export async function untilEnded(client: Client, { kbId }: KnowledgeBaseRef, jobId: string) {
  const path = `/knowledge-bases/${kbId}/crawl-jobs/${jobId}`;
  const job = async () => (await client("GET", path)).body;
  await expect
    .poll(async () => ENDED.includes((await job()).status), { timeout: DEADLINE_MS, interval: 100 })
    .toBe(true);
  return job();
}

/** Crawls and returns the ended job. */
export const crawl = async (client: Client, base: KnowledgeBaseRef, config: Record<string, unknown>) =>
  untilEnded(client, base, await startCrawl(client, base, config));

/** What a job did with each address, in the order of paths. */
export async function crawledPages(client: Client, { kbId }: KnowledgeBaseRef, jobId: string) {
  const { body } = await client("GET", `/knowledge-bases/${kbId}/crawl-jobs/${jobId}/pages?limit=500`);
  const pages = body as { url: string; status: string; change: string | null; error: string | null }[];
  return pages
    .map(({ url, status, change, error }) => ({ path: pathIn(url), status, change, error }))
    .toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

/** The paths of the pages that a knowledge base has. */
export async function storedPaths(client: Client, { kbId }: KnowledgeBaseRef): Promise<readonly string[]> {
  const paths: string[] = [];
  for (let cursor: string | null = ""; cursor !== null;) {
    const query: string = `limit=100${cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`}`;
    const { body } = await client("GET", `/knowledge-bases/${kbId}/pages?${query}`);
    for (const { url } of body.items) paths.push(pathIn(String(url)));
    cursor = body.next_cursor;
  }
  return paths.toSorted();
}

function pathIn(url: string): string {
  const { pathname, search } = new URL(url);
  return `${pathname}${search}`;
}
