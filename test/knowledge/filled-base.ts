import { beginConversation, type Client, table } from "../support/app.ts";
import {
  createBase,
  incompressible,
  newJobId,
  pageServices,
  storedIn,
  untilIndexed,
  upload,
} from "../support/knowledge.ts";

/** A base with pages, a link, a reservation, and a crawl job of the legacy service. */
export async function filledBase(client: Client) {
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

/** What is stored of such a base, but for the base itself. */
export const leftOf = async (base: Filled) => [
  ...(await storedIn(base)),
  ...(await table.query(`CrawlJob#${base.jobId}`)),
  ...(await table.query(`Agent#${base.agentId}`, { range: { beginsWith: "KnowledgeBase#" } })),
];
