import { describe, expect, it } from "vitest";
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import type { KnowledgeBaseRef } from "../../src/knowledge/model.ts";
import { pageIdFor } from "../../src/knowledge/page-id.ts";
import { ada, type Client, signUp, table } from "../support/app.ts";
import { endFaults, injectFault } from "../support/control.ts";
import { createBase, pageAt, pageServices, upload } from "../support/knowledge.ts";

/** A knowledge base with these pages, by their paths. */
async function baseWith(client: Client, pages: Readonly<Record<string, string>>): Promise<KnowledgeBaseRef> {
  const base = await createBase(client);
  await savePages(base, pages);
  return base;
}

async function savePages(base: KnowledgeBaseRef, pages: Readonly<Record<string, string>>): Promise<void> {
  const { pageService } = await pageServices();
  for (const [path, markdown] of Object.entries(pages))
    expect(["stored", "replaced"]).toContain(
      await pageService.save(base, pageAt(path, markdown), { jobId: null }),
    );
}

async function agentWith(client: Client, ...bases: readonly KnowledgeBaseRef[]): Promise<string> {
  const { body } = await client("POST", "/agents", { ...ada, agent_name: `Ada ${crypto.randomUUID()}` });
  for (const { kbId } of bases) {
    const linked = await client("POST", `/agents/${body.agent_id}/knowledge-bases?kb_id=${kbId}`);
    expect(linked.status).toBe(201);
  }
  return body.agent_id as string;
}

interface Result {
  readonly chunk_id: string;
  readonly passage_id: string;
  readonly page_id: string;
  readonly kb_id: string;
  readonly content: string;
  readonly source_url: string | null;
  readonly page_title: string | null;
  readonly heading: string | null;
  readonly citation_url: string | null;
  readonly score: number;
}

/** The handler's types of an answer are not known to the tests' client. */
const resultsOf = (body: Record<string, unknown>): readonly Result[] => body["results"] as readonly Result[];

const HANDBOOK = {
  "/prices":
    "# Prices\n\nA day ticket costs five euros.\n\n## Children\n\nChildren below the age of six travel free.",
  "/times": "# Timetable\n\nThe first ferry leaves at six in the morning.",
};

describe("POST /knowledge-bases/{kb}/search", () => {
  it("finds passages, best first, with scores relative to the best and an address that leads to the passage", async () => {
    const client = await signUp();
    const base = await baseWith(client, HANDBOOK);

    const { status, body } = await client("POST", `/knowledge-bases/${base.kbId}/search`, {
      query: "What does a ticket cost?",
    });

    expect(status).toBe(200);
    const [first] = resultsOf(body);
    expect(first).toEqual({
      chunk_id: first?.passage_id,
      passage_id: expect.any(String),
      kb_id: base.kbId,
      page_id: await pageIdFor({ url: "https://example.com/prices", fileName: null }),
      page_title: "Page /prices",
      source_url: "https://example.com/prices",
      heading: "Prices",
      headings: ["Page /prices", "Prices"],
      content: "A day ticket costs five euros.\n\n**Children**\n\nChildren below the age of six travel free.",
      citation_url: "https://example.com/prices#:~:text=A%20day%20ticket%20costs%20five,euros.",
      score: 1,
    });
    expect(body).toMatchObject({
      query: "What does a ticket cost?",
      next_cursor: null,
      has_more: false,
      notes: [],
      indexing: null,
    });
  });

  it("takes the same from the query, as the legacy service did", async () => {
    const client = await signUp();
    const base = await baseWith(client, HANDBOOK);

    const { status, body } = await client("POST", `/knowledge-bases/${base.kbId}/search?query=ferry&top_k=1`);

    expect(status).toBe(200);
    expect(resultsOf(body)).toMatchObject([{ heading: "Timetable" }]);
  });

  it("takes an empty body for none, since clients send one with a POST that has only a query", async () => {
    const client = await signUp();
    const base = await baseWith(client, HANDBOOK);
    const path = `/knowledge-bases/${base.kbId}/search?query=ferry`;

    const sent = await client.raw("POST", path, undefined, { body: new Uint8Array() });

    expect(sent.response.status).toBe(200);
    expect(resultsOf(await sent.response.json())).toMatchObject([{ heading: "Timetable" }]);
    await sent.ended();
  });

  it("takes from the query what the body leaves empty", async () => {
    const client = await signUp();
    const base = await baseWith(client, HANDBOOK);
    const path = `/knowledge-bases/${base.kbId}/search?query=ferry&top_k=1`;

    const { status, body } = await client("POST", path, { query: "", top_k: "" });

    expect(status).toBe(200);
    expect(resultsOf(body)).toMatchObject([{ heading: "Timetable" }]);
  });

  it("finds files by their names, without an address", async () => {
    const client = await signUp();
    const base = await createBase(client);
    await upload(client, base.kbId, [{ name: "rules.md", content: "Dogs must wear a muzzle." }]);

    const { body } = await client("POST", `/knowledge-bases/${base.kbId}/search`, { query: "dogs" });

    expect(resultsOf(body)).toMatchObject([{ page_title: "rules.md", source_url: null, citation_url: null }]);
  });

  it("returns all results on pages that do not overlap", async () => {
    const client = await signUp();
    const pages = Array.from({ length: 7 }, (_, n) => [`/p${n}`, `The ferry number${n} sails.`] as const);
    const base = await baseWith(client, Object.fromEntries(pages));
    const found: string[] = [];
    let cursor: unknown;

    for (let page = 0; page < 3; page++) {
      const asked = { query: "ferry", top_k: 3, ...(page > 0 && { cursor }) };
      const { body } = await client("POST", `/knowledge-bases/${base.kbId}/search`, asked);
      found.push(...resultsOf(body).map(({ source_url }) => String(source_url)));
      cursor = body["next_cursor"];
    }

    expect(found.toSorted()).toEqual(pages.map(([path]) => `https://example.com${path}`));
    expect(cursor).toBeNull();
  });

  it("answers at once for what was saved or removed a moment ago", async () => {
    const client = await signUp();
    const base = await baseWith(client, HANDBOOK);
    const search = async (query: string) =>
      resultsOf((await client("POST", `/knowledge-bases/${base.kbId}/search`, { query })).body);
    expect(await search("ferry")).toHaveLength(1);

    await savePages(base, { "/times": "# Timetable\n\nThe first boat leaves at seven." });
    expect(await search("ferry")).toEqual([]);
    expect(await search("boat")).toHaveLength(1);
    const pageId = await pageIdFor({ url: "https://example.com/times", fileName: null });
    await client("DELETE", `/knowledge-bases/${base.kbId}/pages/${pageId}`);
    expect(await search("boat")).toEqual([]);
  });

  it("says that a base without pages has nothing, and names the words that no page has", async () => {
    const client = await signUp();
    const empty = await createBase(client);
    const base = await baseWith(client, HANDBOOK);

    const nothing = await client("POST", `/knowledge-bases/${empty.kbId}/search`, { query: "ferry" });
    const other = await client("POST", `/knowledge-bases/${base.kbId}/search`, { query: "zeppelin" });

    expect(nothing.body).toMatchObject({ results: [], total: 0, notes: ["nothing-stored"] });
    expect(other.body).toMatchObject({
      results: [],
      notes: ["nothing-matched"],
      evidence: { missing_terms: ["zeppelin"], considered: 3 },
    });
  });

  it.each([
    [{}, "query is required"],
    [{ query: "  " }, "query is required"],
    [{ query: "x".repeat(20_001) }, "query"],
    [{ query: "a", top_k: 0 }, "top_k"],
    [{ query: "a", top_k: 21 }, "top_k"],
    [{ query: "a", queries: ["1", "2", "3", "4", "5"] }, "queries"],
    [{ query: "a", limit: 3 }, "limit"],
  ])("refuses what it can't search for with 422: %.60j", async (asked, reason) => {
    const client = await signUp();
    const base = await createBase(client);

    const { status, body } = await client("POST", `/knowledge-bases/${base.kbId}/search`, asked);

    expect(status).toBe(422);
    expect(body["detail"]).toContain(reason);
  });

  it.each([
    '"',
    "a AND (b",
    "*",
    "NEAR(a b)",
    "'; DROP TABLE passages; --",
    "🚢",
    "a\u0000b",
    "x".repeat(20_000),
  ])("takes any text for a question: %.30j", async (query) => {
    const client = await signUp();
    const base = await baseWith(client, { "/a": "The ship 🚢 sails." });

    expect((await client("POST", `/knowledge-bases/${base.kbId}/search`, { query })).status).toBe(200);
  });

  it("refuses a question of 100 KB with 413, before anything is searched", async () => {
    const client = await signUp();
    const base = await createBase(client);
    const query = "x".repeat(100 * 1024);

    expect((await client("POST", `/knowledge-bases/${base.kbId}/search`, { query })).status).toBe(413);
  });

  it("answers 503 if the pages can't be read, and finds them afterwards", async () => {
    const client = await signUp();
    const base = await baseWith(client, HANDBOOK);
    // The check of the base passes, and all reads of its index fail.
    await injectFault({
      match: [base.kbId],
      after: 1,
      times: 1_000,
      fault: { kind: "answer", status: 500, body: {} },
    });

    const failed = await client("POST", `/knowledge-bases/${base.kbId}/search`, { query: "ferry" });
    await endFaults();
    const { body } = await client("POST", `/knowledge-bases/${base.kbId}/search`, { query: "ferry" });

    expect(failed.status).toBe(503);
    expect(resultsOf(body)).toHaveLength(1);
  });

  it("leaves nothing behind for a base that is deleted, and answers 404", async () => {
    const client = await signUp();
    const base = await baseWith(client, HANDBOOK);
    await client("POST", `/knowledge-bases/${base.kbId}/search`, { query: "ferry" });
    expect((await client("DELETE", `/knowledge-bases/${base.kbId}`)).status).toBe(204);

    const { status, body } = await client("POST", `/knowledge-bases/${base.kbId}/search`, { query: "ferry" });

    expect(status).toBe(404);
    expect(body).toMatchObject({ detail: "Knowledge base not found" });
    const stored = await runInDurableObject(env.DOCUMENT_INDEX.getByName(base.kbId), (_, { storage }) =>
      storage.sql.exec("SELECT name FROM sqlite_master WHERE name = 'passages'").toArray(),
    );
    expect(stored).toEqual([]);
  });
});

describe("POST /agents/{agent}/knowledge-search", () => {
  it("finds the best passages of all linked bases, and none of others", async () => {
    const client = await signUp();
    const [prices, times, other] = await Promise.all([
      baseWith(client, { "/prices": HANDBOOK["/prices"] }),
      baseWith(client, { "/times": HANDBOOK["/times"] }),
      baseWith(client, { "/secret": "The ferry has a secret cellar, and a ticket to it." }),
    ]);
    const agentId = await agentWith(client, prices, times);

    const { status, body } = await client("POST", `/agents/${agentId}/knowledge-search`, {
      query: "ferry",
      queries: ["ticket"],
    });

    expect(status).toBe(200);
    expect(
      resultsOf(body)
        .map(({ kb_id }) => kb_id)
        .toSorted(),
    ).toEqual([prices.kbId, times.kbId].toSorted());
    expect(JSON.stringify(body)).not.toContain(other.kbId);
  });

  it("finds nothing for an agent without knowledge bases", async () => {
    const client = await signUp();

    const { status, body } = await client("POST", `/agents/${await agentWith(client)}/knowledge-search`, {
      query: "ferry",
    });

    expect(status).toBe(200);
    expect(body).toMatchObject({ results: [], total: 0, has_more: false });
  });

  it("searches twenty linked bases", async () => {
    const client = await signUp();
    const bases = await Promise.all(
      Array.from({ length: 20 }, (_, n) => baseWith(client, { [`/p${n}`]: `The ferry number${n} sails.` })),
    );
    const agentId = await agentWith(client, ...bases);

    const { body } = await client("POST", `/agents/${agentId}/knowledge-search`, {
      query: "ferry number7",
      top_k: 20,
    });

    expect(resultsOf(body)).toHaveLength(20);
    expect(resultsOf(body)[0]).toMatchObject({ source_url: "https://example.com/p7", score: 1 });
  });
});

describe("GET /knowledge-bases/{kb}/passages/{passage}", () => {
  it("returns the passage that a result or a citation names, with its surroundings", async () => {
    const client = await signUp();
    const base = await baseWith(client, HANDBOOK);
    const found = await client("POST", `/knowledge-bases/${base.kbId}/search`, { query: "children" });
    const [result] = resultsOf(found.body);

    const { status, body } = await client(
      "GET",
      `/knowledge-bases/${base.kbId}/passages/${result?.passage_id}`,
    );

    expect(status).toBe(200);
    expect(body).toMatchObject({
      passage_id: result?.passage_id,
      passage: "Children below the age of six travel free.",
      content: "A day ticket costs five euros.\n\n**Children**\n\nChildren below the age of six travel free.",
      heading: "Children",
      source_url: "https://example.com/prices",
      citation_url:
        "https://example.com/prices#:~:text=Children%20below%20the%20age%20of,six%20travel%20free.",
    });
  });

  it("has the text of every result, and its address names words that the passage has", async () => {
    const client = await signUp();
    const base = await baseWith(client, {
      ...HANDBOOK,
      "/table":
        "# Fares\n\n| Who | Fare, one way |\n| --- | --- |\n| Adults | 5 euros |\n| Dogs & cats | 1 euro |",
      "/code":
        "# Fares by program\n\n```js\nfare(adults - 1, dogs[0]);\n```\n\nSee **fares**, [here](https://example.com/a-b).",
    });
    const found = await client("POST", `/knowledge-bases/${base.kbId}/search`, {
      query: "fares",
      queries: ["ticket", "ferry"],
    });

    for (const { passage_id: id, content, citation_url: address } of resultsOf(found.body)) {
      const { body } = await client("GET", `/knowledge-bases/${base.kbId}/passages/${id}`);
      expect(content).toContain(body["passage"]);
      const [, fragment = ""] = String(address).split("#:~:text=");
      const plain = String(body["passage"])
        .replaceAll(/\[([^\]]*)\]\(https:[^)]*\)/gu, "$1")
        .replaceAll(/[*`|\\]/gu, "")
        .replaceAll(/\s+/gu, " ");
      for (const part of fragment.split(",").map(decodeURIComponent)) expect(plain).toContain(part);
    }
    expect(resultsOf(found.body).length).toBeGreaterThanOrEqual(4);
  });

  it("answers 404 with a sentence if the page has changed since the search, or is gone", async () => {
    const client = await signUp();
    const base = await baseWith(client, HANDBOOK);
    const found = await client("POST", `/knowledge-bases/${base.kbId}/search`, { query: "children" });
    const [result] = resultsOf(found.body);
    await savePages(base, { "/prices": "# Prices\n\nEverything is free." });

    const { status, body } = await client(
      "GET",
      `/knowledge-bases/${base.kbId}/passages/${result?.passage_id}`,
    );

    expect(status).toBe(404);
    expect(body["detail"]).toBe(
      "There is no such passage: its page has changed since, or was removed. Search again.",
    );
  });
});

describe("a base of another account", () => {
  it("looks like one that does not exist, on every route that names it", async () => {
    const [owner, stranger] = await Promise.all([signUp(), signUp()]);
    const base = await baseWith(owner, HANDBOOK);
    const found = await owner("POST", `/knowledge-bases/${base.kbId}/search`, { query: "children" });
    const [result] = resultsOf(found.body);

    for (const kbId of [base.kbId, crypto.randomUUID()]) {
      const search = await stranger("POST", `/knowledge-bases/${kbId}/search`, { query: "children" });
      const passage = await stranger("GET", `/knowledge-bases/${kbId}/passages/${result?.passage_id}`);
      expect([search.status, search.body["detail"]]).toEqual([404, "Knowledge base not found"]);
      expect([passage.status, passage.body["detail"]]).toEqual([404, "Knowledge base not found"]);
    }
  });

  it("is not searched even if an agent's list of bases names it", async () => {
    const [owner, stranger] = await Promise.all([signUp(), signUp()]);
    const base = await baseWith(owner, HANDBOOK);
    const agentId = await agentWith(stranger);
    await table.batchWrite([
      { put: { pk: `Agent#${agentId}`, sk: "LinkedKnowledgeBases", kb_ids: [base.kbId] } },
      {
        put: {
          pk: `Agent#${agentId}`,
          sk: `KnowledgeBase#${base.kbId}`,
          agent_id: agentId,
          kb_id: base.kbId,
        },
      },
    ]);

    const { body } = await stranger("POST", `/agents/${agentId}/knowledge-search`, { query: "children" });

    expect(body).toMatchObject({ results: [] });
    expect(JSON.stringify(body)).not.toContain("euros");
  });
});
