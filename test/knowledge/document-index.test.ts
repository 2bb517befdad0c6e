import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { createPageServices } from "../../src/deps/knowledge.ts";
import { portsFrom } from "../../src/deps/ports.ts";
import { createRepositories } from "../../src/deps/repositories.ts";
import { DocumentIndex } from "../../src/knowledge/document-index.ts";
import type { DocumentIndexes } from "../../src/knowledge/search-model.ts";
import { accountEmailOf } from "../../src/shared/id-types.ts";
import { signUp } from "../support/app.ts";
import { createBase, pageAt, pageServices, untilIndexed, upload } from "../support/knowledge.ts";
import { htmlPage, startSite } from "../support/site.ts";
import { crawl } from "./crawling/jobs.ts";

const notCalled = () => Promise.reject(new Error("This must not be called."));
const noIndexes: DocumentIndexes = {
  search: notCalled,
  passage: notCalled,
  read: notCalled,
  forget: notCalled,
  wake: notCalled,
};

it("indexes a file that is uploaded, and a page that is deleted, although nobody searches", async () => {
  const client = await signUp();
  const base = await createBase(client);
  const content = "# Ferries\n\nThe ferry sails at six.";
  const { status, body } = await upload(client, base.kbId, [{ name: "ferries.md", content }]);
  expect(status).toBe(201);

  await untilIndexed(base, 1);
  await client("DELETE", `/knowledge-bases/${base.kbId}/pages/${body.files[0].page_id}`);
  await untilIndexed(base, 0);
});

it("indexes what a crawl has stored, although nobody searches", async () => {
  const client = await signUp();
  const base = await createBase(client);
  const site = await startSite({
    "/": { body: htmlPage("Ferries", "The ferry sails at six in the morning and comes back at noon.", []) },
  });
  expect(await crawl(client, base, { source_type: "url", source_url: site.url })).toMatchObject({
    status: "completed",
  });

  await untilIndexed(base, 1);
});

it("stores a page although its index can't be told of it, and finds it with the next search", async () => {
  const client = await signUp();
  const base = await createBase(client);
  const ports = await portsFrom(env);
  const documentIndexes: DocumentIndexes = {
    ...noIndexes,
    wake: () => Promise.reject(new Error("The object can't be reached.")),
  };
  const told: Promise<void>[] = [];
  const { pageService } = createPageServices(
    { ...ports, documentIndexes },
    createRepositories(ports),
    (work) => told.push(work),
  );

  const saved = await pageService.save(base, pageAt("/times", "The ferry sails at six."), { jobId: null });

  expect(saved).toBe("stored");
  expect(await Promise.all(told)).toHaveLength(1);
  const { body } = await client("POST", `/knowledge-bases/${base.kbId}/search`, { query: "ferry" });
  expect(body).toMatchObject({ total: 1, notes: [], indexing: null });
});

it("keeps nothing for a base that was deleted before it heard of its pages", async () => {
  const client = await signUp();
  const base = await createBase(client);
  await client("DELETE", `/knowledge-bases/${base.kbId}`);
  const index = env.DOCUMENT_INDEX.getByName(base.kbId);
  await index.wake(base);
  // Either this call rings the alarm, or it has rung by itself.
  await runDurableObjectAlarm(index);

  const kept = () => runInDurableObject(index, async (_, { storage }) => (await storage.list()).size);
  await expect.poll(kept).toBe(0);
});

it("tries ten times to index a base, and after that not until a page is stored", async () => {
  const base = await createBase(await signUp());
  const stub = env.DOCUMENT_INDEX.getByName(base.kbId);

  const isAlarmSet = await runInDurableObject(stub, (_, state) =>
    // No alarm rings in here but those that the test rings.
    state.blockConcurrencyWhile(async () => {
      // Without a table, every attempt fails.
      const index = new DocumentIndex(state, { ...env, DYNAMODB_TABLE: "" });
      await index.wake(base);
      const isSet: boolean[] = [];
      const note = async () => isSet.push((await state.storage.getAlarm()) !== null);
      for (let attempt = 1; attempt <= 10; attempt++) {
        await index.alarm();
        await note();
      }
      await index.wake(base);
      await note();
      return isSet;
    }),
  );

  expect(isAlarmSet).toEqual([...Array.from({ length: 9 }, () => true), false, true]);
  // This is the alarm of the page. It finds the table, and nothing is left to do.
  await untilIndexed(base, 0);
  const failures = await runInDurableObject(stub, (_, { storage }) => storage.get("failures"));
  expect(failures).toBeUndefined();
});

it("continues to index a large base by alarm, and says so meanwhile", async () => {
  const client = await signUp();
  const base = await createBase(client);
  const { pageService } = await pageServices();
  for (let n = 0; n < 105; n++)
    await pageService.save(base, pageAt(`/p${n}`, `The ferry number${n} sails.`), { jobId: null });
  const search = async () =>
    (await client("POST", `/knowledge-bases/${base.kbId}/search`, { query: "number0 number104" })).body;
  const index = env.DOCUMENT_INDEX.getByName(base.kbId);

  const first = await search();
  expect(first).toMatchObject({
    results: [{ source_url: "https://example.com/p0" }],
    notes: ["index-building"],
    indexing: { indexed_pages: 100, total_pages: 105 },
  });
  // Either this call rings the alarm, or it has rung by itself.
  await runDurableObjectAlarm(index);

  const second = await search();
  expect(second["results"]).toHaveLength(2);
  expect(second).toMatchObject({ notes: [], indexing: null });
});

it("answers only the account that has the base, and keeps nothing for another one", async () => {
  const base = await createBase(await signUp());
  const index = env.DOCUMENT_INDEX.getByName(base.kbId);
  const stranger = { ...base, accountEmail: accountEmailOf("stranger@example.com") };

  const replies = await Promise.all([
    index.search({ ...stranger, query: "ferry", limit: 5, isCompared: false }),
    index.passage({ ...stranger, passageId: "page-1" }),
  ]);

  expect(replies).toMatchObject([{ error: { code: "not-found" } }, { error: { code: "not-found" } }]);
  const tables = await runInDurableObject(index, (_, { storage }) =>
    storage.sql.exec("SELECT name FROM sqlite_master WHERE name = 'passages'").toArray(),
  );
  expect(tables).toEqual([]);
});

it("refuses another account although the owner has opened the index, and goes on to answer the owner", async () => {
  const client = await signUp();
  const base = await createBase(client);
  const { pageService } = await pageServices();
  await pageService.save(base, pageAt("/times", "The ferry sails at six."), { jobId: null });
  const index = env.DOCUMENT_INDEX.getByName(base.kbId);
  const ask = (accountEmail: string) =>
    index.search({
      kbId: base.kbId,
      accountEmail: accountEmailOf(accountEmail),
      query: "ferry",
      limit: 5,
      isCompared: false,
    });
  await ask(client.email);

  const replies = await Promise.all([ask("stranger@example.com"), ask(client.email)]);

  expect(replies).toMatchObject([{ error: { code: "not-found" } }, { answer: { total: 1 } }]);
});
