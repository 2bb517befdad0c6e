import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { exportAccount } from "../../src/accounts/export.ts";
import { portsFrom } from "../../src/deps/ports.ts";
import { pageKey } from "../../src/knowledge/stored-page-model.ts";
import { gzip } from "../../src/shared/gzip.ts";
import { accountEmailOf, knowledgeBaseIdOf, pageIdOf } from "../../src/shared/id-types.ts";
import { anonymous, beginConversation, type Client, signUp, signUpFree, table } from "../support/app.ts";
import { databaseRequests, injectFault } from "../support/control.ts";
import { createBase, incompressible, pageServices, upload } from "../support/knowledge.ts";
import { problem } from "../http/route-cases.ts";
import { fillAccount, itemsAbout } from "./plant.ts";

type Line = Record<string, unknown>;

const parse = (text: string): Line[] => {
  expect(text.endsWith("\n")).toBe(true);
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Line);
};

async function exportOf(client: Client) {
  const { status, headers, body } = await client("GET", "/users/me/export");
  expect(status).toBe(200);
  return { headers, text: body as string, lines: parse(body as string) };
}

/** Kinds of items that the API shows, by the beginnings of their keys. */
const SHOWN =
  /^User#.* (User#Metadata|Agent#|ApiKey#|AuthSession#|ProviderSettings#|ProviderModels#|ProviderServedWindow#|ProviderWindow#|Subscription#|Usage#|WebhookEndpoint#|KnowledgeBase#)|^Agent#[^#]+ (EndUser|KnowledgeBase|ApiKey)#|^KnowledgeBase#.* (Page|Chunk|CrawlJob)#|^CrawlJob#.* Step#|^USER#.* CONVERSATION#|^CONVERSATION#.* (MESSAGE|RUN|SUMMARY)#|^Agent#[^#]+#User#.* (MemoryBlockDef#|CoreMemory#|BlockVersion#|ArchivalVersion#|Archival#[^#]+#)/u;

/** An item that the API does not show, as it is exported: as stored, but without secrets. */
function recordOf({ pk, sk, ...item }: Record<string, unknown>): Line {
  const secrets = ["refresh_token", "token_hash", "key_hash", "public_key", "gsi2_pk"];
  const isLookUp = /^(?:ApiKey#[0-9a-f]{64}$|PublishableKey#)/u.test(String(pk));
  const left = Object.entries(item).filter(([name]) => !secrets.includes(name));
  const kind = item["entity_type"] ?? String(sk).split("#")[0];
  return JSON.parse(
    JSON.stringify(
      { ...Object.fromEntries(left), ...(!isLookUp && { key: { pk, sk } }), kind, type: "record" },
      (_name, value: unknown) => {
        if (value instanceof Set) return [...value];
        return value instanceof Uint8Array ? "AQID" : value;
      },
    ),
  ) as Line;
}

const byKey = (lines: readonly Line[]): Line[] =>
  lines.toSorted((a, b) => (keyText(a) < keyText(b) ? -1 : 1));

const keyText = ({ key, kind }: Line): string => JSON.stringify([key, kind]);

it("contains every item of the account, without secrets, and nothing else", async () => {
  const [{ client, traces, secrets }] = await Promise.all([
    fillAccount(await signUp()),
    fillAccount(await signUp()),
  ]);
  // The text of a page is exported with the page.
  const stored = (await itemsAbout(...traces)).filter(({ sk }) => !/^(Expired|PagePart)#/u.test(String(sk)));

  const { headers, text, lines } = await exportOf(client);

  expect(headers.get("content-type")).toBe("application/x-ndjson");
  expect(headers.get("cache-control")).toBe("no-store");
  expect(headers.get("content-disposition")).toContain("attachment");
  const items = lines.slice(1, -1);
  const records = stored.filter(({ pk, sk }) => !SHOWN.test(`${String(pk)} ${String(sk)}`));
  expect(byKey(items.filter(({ type }) => type === "record"))).toEqual(byKey(records.map(recordOf)));
  expect(items.length).toBe(stored.length);
  expect(stored.length).toBeGreaterThan(45);
  expect(lines[0]).toEqual({
    type: "export",
    version: 2,
    account: client.email,
    created_at: expect.stringMatching(/^20.*\+00:00$/u),
  });
  expect(lines.at(-1)).toEqual({ type: "end", items: items.length });
  for (const secret of secrets) expect(text).not.toContain(secret);
});

it("uses the API's names for everything that the API shows", async () => {
  const { client, agentId, conversationId, path } = await fillAccount(await signUp());
  const file = { filename: "a.txt", content: "Inside", size: 6 };
  await client("POST", path, { content: "See this", attachments: [file] });
  await client("POST", "/api-keys", { name: "Ci", scopes: ["agents:read"] });
  const memory = `/agents/${agentId}`;
  const shown = async (type: string, at: string, ids: object = {}) => {
    const { body } = await client("GET", at);
    const all: object[] = Array.isArray(body) ? body : (body.items ?? [body]);
    return all.map((one) => ({ ...one, ...ids, type }));
  };
  const block = { agent_id: agentId, block_name: "jobs", name: "jobs" };

  const { lines } = await exportOf(client);

  const expected = (
    await Promise.all([
      shown("agent", `/agents/${agentId}`),
      shown("conversation", `/conversations/${conversationId}`),
      shown("run", `/conversations/${conversationId}/runs`),
      shown("memory", `${memory}/archival-memory`, { agent_id: agentId }),
      shown("api_key", "/api-keys?limit=1"),
      shown("memory_block_version", `${memory}/memory-blocks/jobs/versions`, {
        agent_id: agentId,
        block_name: "jobs",
      }),
      shown("account", "/auth/me"),
    ])
  ).flat();
  for (const line of expected) expect(lines).toContainEqual(expect.objectContaining(line));
  for (const line of [
    { type: "memory_block", ...block, description: "Work" },
    { type: "memory_block_content", ...block, lines: ["A baker"] },
    { type: "message", conversation_id: conversationId, content: "See this", attachments: [file] },
    { type: "usage", period: expect.stringMatching(/^\d{4}-\d\d$/u), messages: 2 },
    { type: "model_list", provider_name: "OpenAI", model_ids: ["gpt-4o"] },
    { type: "served_window", provider_name: "OpenAI", model_id: "a#b", context_tokens: 4_096 },
    { type: "learned_window", provider_name: "OpenAI", model_id: "gpt-4o", context_tokens: 8_192 },
    { type: "subscription", subscription_id: "sub_1", plan: "pro" },
  ])
    expect(lines).toContainEqual(expect.objectContaining(line));
});

it("contains knowledge bases with the text of their pages, also of those in several parts", async () => {
  const client = await signUp();
  const { agentId } = await beginConversation(client);
  const { kbId } = await createBase(client);
  await client("POST", `/agents/${agentId}/knowledge-bases?kb_id=${kbId}`);
  const long = incompressible(800_000).replaceAll("\n", " ");
  await upload(client, kbId, [
    { name: "short.md", content: "# Short\n\nText." },
    { name: "long.txt", content: long },
  ]);
  const pages = (await client("GET", `/knowledge-bases/${kbId}/pages`)).body.items as readonly Line[];

  const { lines } = await exportOf(client);

  const base = (await client("GET", `/knowledge-bases/${kbId}`)).body;
  expect(lines).toContainEqual(expect.objectContaining({ ...base, type: "knowledge_base" }));
  const link = { type: "knowledge_base_link", agent_id: agentId, kb_id: kbId };
  expect(lines).toContainEqual(expect.objectContaining(link));
  expect(pages).toHaveLength(2);
  for (const page of pages) {
    const line = lines.find((one) => one["page_id"] === page["page_id"] && one["type"] === "knowledge_page");
    expect(line).toMatchObject({ ...page, kb_id: kbId });
    expect(line?.["markdown"]).toBe(await textOf(client, kbId, String(page["page_id"])));
  }
});

/** Returns the whole text of a page, which the API answers part by part. */
async function textOf(client: Client, kbId: string, pageId: string): Promise<string> {
  let text = "";
  for (let from: number | null = 0; from !== null;) {
    const path = `/knowledge-bases/${kbId}/pages/${pageId}?max_chars=200000&from=${from}`;
    const { body } = await client("GET", path);
    text += body.markdown as string;
    from = body.next_from as number | null;
  }
  return text;
}

it("names end users by their ids, and reveals no keys of the table", async () => {
  const { client, agentId } = await fillAccount(await signUp());

  const { lines } = await exportOf(client);

  const endUserId = lines.find(({ type }) => type === "end_user")?.["end_user_id"];
  expect(endUserId).toMatch(/^guest-/u);
  const person = { agent_id: agentId, end_user_id: endUserId };
  for (const type of ["end_user", "conversation", "memory_block_content", "memory"])
    expect(lines).toContainEqual(expect.objectContaining({ type, ...person }));
  for (const { type, ...line } of lines.filter(({ type }) => type !== "record")) {
    expect([
      type,
      Object.keys(line).filter((name) => /^(pk|sk|gsi.*|entity_type|ttl|user_id)$/u.test(name)),
    ]).toEqual([type, []]);
    expect(line["end_user_id"]).not.toBe(client.email);
  }
});

it("reads the table only as fast as the client reads the export", async () => {
  const client = await signUpFree();
  const text = "x".repeat(200_000);
  const puts = Array.from({ length: 30 }, (_, n) => ({
    put: { pk: `User#${client.email}`, sk: `Future#${n}`, text },
  }));
  await table.batchWrite(puts);
  const queries = async () =>
    (await databaseRequests(client.email)).filter(({ operation }) => operation === "Query").length;

  const opened = await client.raw("GET", "/users/me/export");
  const reader = opened.response.body?.getReader();
  await reader?.read();
  const atFirst = await queries();
  await reader?.read();
  await new Promise((resolve) => setTimeout(resolve, 200));
  const early = await queries();
  await reader?.cancel();
  await opened.ended();
  await new Promise((resolve) => setTimeout(resolve, 200));

  expect(atFirst).toBeLessThanOrEqual(1);
  expect(early).toBeLessThanOrEqual(3);
  expect(await queries()).toBe(early);
  expect((await exportOf(client)).lines.at(-1)).toEqual({ type: "end", items: 31 });
});

it.each([
  ["at once", 0],
  ["half-way", 3],
])("that breaks off %s ends with the error, and without the final line", async (_case, after) => {
  const { client } = await fillAccount(await signUp());
  const fault = {
    kind: "answer",
    status: 500,
    body: { __type: "x#InternalServerError", message: "Inner" },
  } as const;
  await injectFault({ match: [client.email], operation: "Query", after, times: 100, fault });

  const { text, lines } = await exportOf(client);

  expect(lines[0]?.["type"]).toBe("export");
  expect(lines.at(-1)).toEqual({
    type: "error",
    code: "unavailable",
    detail: "The database is not answering at the moment. Please try again.",
    retryable: true,
  });
  expect(lines.filter(({ type }) => type === "end")).toEqual([]);
  expect(text).not.toContain("Inner");
});

it("requires an active account", async () => {
  const { status, body } = await anonymous("GET", "/users/me/export");

  expect(status).toBe(401);
  expect(body).toEqual(problem(401, "unauthenticated", "Missing or invalid authorization header"));
});

it("contains the account if it is new", async () => {
  const client = await signUpFree();

  const { lines } = await exportOf(client);

  expect(lines.map(({ type }) => type)).toEqual(["export", "account", "end"]);
  expect(lines[1]).toMatchObject({ email: client.email, status: "active" });
});

it("sends the texts of large pages one by one, so that an export holds few of them in memory", async () => {
  const kbId = knowledgeBaseIdOf("kb");
  const text = "The ferry sails. ".repeat(100_000);
  const pages = await Promise.all(
    ["a", "b", "c"].map(async (name) => ({
      ...pageKey(kbId, pageIdOf(name)),
      page_id: name,
      packed: await gzip(text),
    })),
  );
  const { pageService } = await pageServices();
  const { clock } = await portsFrom(env);
  const items = {
    async *pages() {
      yield await Promise.resolve(pages);
    },
  };

  const batches = await Array.fromAsync(
    exportAccount(accountEmailOf("ada@example.com"), { items, pages: pageService, clock }),
  );

  expect(parse(batches.join("")).filter(({ markdown }) => markdown === text)).toHaveLength(3);
  expect(Math.max(...batches.map(({ length }) => length))).toBeLessThan(2 * text.length);
});
