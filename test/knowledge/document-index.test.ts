import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { accountEmailOf } from "../../src/shared/id-types.ts";
import { signUp } from "../support/app.ts";
import { createBase, pageAt, pageServices } from "../support/knowledge.ts";

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
  });
  // Either this call rings the alarm, or it has rung by itself.
  await runDurableObjectAlarm(index);

  const second = await search();
  expect(second["results"]).toHaveLength(2);
  expect(second["notes"]).toEqual([]);
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
