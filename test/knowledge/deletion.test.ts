import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";
import { untilPhase } from "../accounts/deletions.ts";
import { beginConversation, type Client, signUp, table } from "../support/app.ts";
import { endFaults, injectFault } from "../support/control.ts";
import type { Fault } from "../support/control-protocol.ts";
import {
  createBase,
  incompressible,
  newJobId,
  pagesUsed,
  pageServices,
  storedBase,
  storedIn,
  untilIndexed,
  upload,
} from "../support/knowledge.ts";

/** As many attempts as the client of the table makes. */
const ATTEMPTS = 4;
const failure: Fault = { kind: "answer", status: 500, body: { __type: "x#InternalServerError" } };

afterEach(endFaults);

/** A base with pages, a link, a reservation, and a crawl job of the legacy service. */
async function filledBase(client: Client) {
  const { agentId } = await beginConversation(client);
  const base = await createBase(client);
  await client("POST", `/agents/${agentId}/knowledge-bases?kb_id=${base.kbId}`);
  await upload(client, base.kbId, [
    { name: "a.md", content: "# A\n\nThe cat sleeps." },
    { name: "b.txt", content: incompressible(500_000) },
  ]);
  // The index would make requests of its own while a deletion is broken off at a certain one.
  await untilIndexed(base, 2);
  const jobId = `job-${base.kbId}`;
  await table.batchWrite([
    { put: { pk: `KnowledgeBase#${base.kbId}`, sk: `CrawlJob#${jobId}`, status: "completed" } },
    { put: { pk: `CrawlJob#${jobId}`, sk: "Step#1", step_type: "JOB_STARTED" } },
    { put: { pk: `KnowledgeBase#${base.kbId}`, sk: "Chunk#1", content: "Old" } },
  ]);
  const { pageBudgetService } = await pageServices();
  await pageBudgetService.reserve(base, newJobId(), 5);
  return { ...base, agentId, jobId };
}

type Filled = Awaited<ReturnType<typeof filledBase>>;

const leftOf = async (base: Filled) => [
  ...(await storedIn(base)),
  ...(await table.query(`CrawlJob#${base.jobId}`)),
  ...(await table.query(`Agent#${base.agentId}`, { range: { beginsWith: "KnowledgeBase#" } })),
];

/** How much the object that indexes a base stores, in tables and values. */
const indexSize = (kbId: string): Promise<number> =>
  runInDurableObject(
    env.DOCUMENT_INDEX.get(env.DOCUMENT_INDEX.idFromName(kbId)),
    async (_index, { storage }) => {
      const tables = storage.sql.exec(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf%' ESCAPE '\\'",
      );
      return tables.toArray().length + (await storage.list()).size;
    },
  );

/** The requests about a base that its deletion makes once it is marked: by operation, and how many of it come before. */
const STEPS: readonly (readonly [string, string, number])[] = [
  ["finding reservations", "Query", 0],
  ["settling a reservation", "TransactWriteItems", 0],
  ["finding agents", "Query", 1],
  ["unlinking an agent", "TransactWriteItems", 1],
  ["finding crawl jobs", "Query", 2],
  ["finding the steps of a job", "Query", 3],
  ["removing the steps of a job", "BatchWriteItem", 0],
  ["finding the pages", "Query", 4],
  ["removing the pages", "BatchWriteItem", 1],
  ["ending the deletion", "UpdateItem", 1],
];

describe("a deletion of a knowledge base that breaks off", () => {
  it.each(STEPS)(
    "while %s is continued by a repeat, and the base is closed meanwhile",
    async (_step, operation, after) => {
      const client = await signUp();
      const base = await filledBase(client);
      const path = `/knowledge-bases/${base.kbId}`;
      const used = Number(await pagesUsed(client.email));
      await injectFault({ match: [base.kbId], operation, after, times: ATTEMPTS, fault: failure });

      const first = await client("DELETE", path);
      await endFaults();

      expect(first.status).toBe(503);
      expect((await client("GET", "/knowledge-bases")).body).toEqual([]);
      expect((await client("GET", path)).body.status).toBe("deleted");
      expect((await client("GET", `${path}/pages`)).status).toBe(404);
      expect((await upload(client, base.kbId, [{ name: "c.md", content: "# C" }])).status).toBe(404);

      const second = await client("DELETE", path);

      expect(second.status).toBe(204);
      expect(await leftOf(base)).toEqual([]);
      expect((await storedBase(base))?.["ttl"]).toEqual(expect.any(Number));
      expect(await pagesUsed(client.email)).toBe(used - 5);
      expect((await client("DELETE", path)).status).toBe(404);
    },
  );
});

describe("a deletion of a knowledge base whose request the database carried out without an answer", () => {
  it.each(STEPS.filter(([, operation]) => operation !== "Query"))(
    "while %s ends well",
    async (_step, operation, after) => {
      const client = await signUp();
      const base = await filledBase(client);
      const used = Number(await pagesUsed(client.email));
      await injectFault({ match: [base.kbId], operation, after, fault: { kind: "lose-answer" } });

      expect((await client("DELETE", `/knowledge-bases/${base.kbId}`)).status).toBe(204);

      expect(await leftOf(base)).toEqual([]);
      expect(await pagesUsed(client.email)).toBe(used - 5);
    },
  );
});

it("forgets the index of a deleted base", async () => {
  const client = await signUp();
  const { kbId } = await filledBase(client);
  const { body } = await client("POST", `/knowledge-bases/${kbId}/search?query=cat`);
  expect(body.results).toHaveLength(1);
  expect(await indexSize(kbId)).toBeGreaterThan(0);

  await client("DELETE", `/knowledge-bases/${kbId}`);

  expect(await indexSize(kbId)).toBe(0);
});

it("leaves nothing of the bases of a deleted account, in the table and outside of it", async () => {
  const client = await signUp();
  const base = await filledBase(client);
  await client("POST", `/knowledge-bases/${base.kbId}/search?query=cat`);

  await client("DELETE", "/users/me");
  await untilPhase(client, "completed");

  expect(await leftOf(base)).toEqual([]);
  expect(await storedBase(base)).toBeUndefined();
  expect(await indexSize(base.kbId)).toBe(0);
});
