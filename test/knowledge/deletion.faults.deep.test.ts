import { describe, expect, it } from "vitest";
import { signUp } from "../support/app.ts";
import { endFaults, injectFault } from "../support/control.ts";
import type { Fault } from "../support/control-protocol.ts";
import { pagesUsed, storedBase, upload } from "../support/knowledge.ts";
import { filledBase, leftOf } from "./filled-base.ts";

/** As many attempts as the client of the table makes. */
const ATTEMPTS = 4;
const failure: Fault = { kind: "answer", status: 500, body: { __type: "x#InternalServerError" } };

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
