import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { untilPhase } from "../accounts/deletions.ts";
import { signUp } from "../support/app.ts";
import { pagesUsed, storedBase } from "../support/knowledge.ts";
import { filledBase, leftOf } from "./filled-base.ts";

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

it("leaves nothing of a base but its mark, and returns what was reserved", async () => {
  const client = await signUp();
  const base = await filledBase(client);
  const used = Number(await pagesUsed(client.email));

  expect((await client("DELETE", `/knowledge-bases/${base.kbId}`)).status).toBe(204);

  expect(await leftOf(base)).toEqual([]);
  expect((await storedBase(base))?.["ttl"]).toEqual(expect.any(Number));
  expect(await pagesUsed(client.email)).toBe(used - 5);
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
