import { beforeAll, describe, expect, it } from "vitest";
import { accessOf } from "../../src/access/require-access.ts";
import { ada, type Answer, app, type Client, signUp } from "../support/app.ts";
import { ALL_SCOPES, endUserOf, programOf } from "../support/callers.ts";
import { say } from "../support/sse.ts";
import { createKey } from "../support/widget.ts";

/**
 * Every route that a key may call which writes and does not read, tried in each way that could reveal stored data: changing
 * nothing, creating what exists, being refused, repeating. No answer may contain what another caller has stored.
 */

/** A text in everything that is stored. */
const CANARY = `canary${crypto.randomUUID().slice(0, 8)}`;
const WRITES = ALL_SCOPES.filter((scope) => scope.endsWith(":write"));
/**
 * What answers may contain besides ids, states and times: a requested token, the value of a publishable key, which is no secret,
 * whether a memory is new, and a sentence that is always the same.
 */
const HARMLESS =
  /^(?:id|\w+_id|\w+_at|object|block_name|public_key|state|status|detail|message|token|created|items|files)$/u;

interface Stored {
  readonly agentId: string;
  readonly conversationId: string;
  readonly runId: string;
  readonly responseId: string;
  readonly memoryId: string;
  readonly kbId: string;
  readonly toolId: string;
  readonly publishableKeyId: string;
  readonly serverId: string;
}

interface Try {
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  readonly status: number;
}

const agent = { ...ada, agent_name: `Ada ${CANARY}`, agent_persona: `You are ${CANARY}.` };
const conversation = { title: `About ${CANARY}`, description: `More on ${CANARY}` };
const memory = { content: `Alice has ${CANARY}`, occurred_at: "2025-06-01" };
const lines = [`Name: ${CANARY}`, ...Array.from({ length: 120 }, (_, index) => `word${index}`)];
const blocks = ({ agentId }: Stored) => `/agents/${agentId}/memory-blocks`;
const memories = ({ agentId }: Stored) => `/agents/${agentId}/archival-memory`;
const bases = ({ kbId }: Stored) => `/knowledge-bases/${kbId}`;
const knowledgeBase = { name: `Handbook ${CANARY}`, description: `About ${CANARY}` };
/** An upload of the file that is stored already. */
const file = {
  body: [
    "--b",
    `Content-Disposition: form-data; name="file"; filename="${CANARY}.md"`,
    "",
    `# ${CANARY}`,
    "--b--",
    "",
  ].join("\r\n"),
  headers: { "content-type": "multipart/form-data; boundary=b" },
};
const source = { source_url: `https://${CANARY}.example.org/sitemap.xml` };
const httpTool = {
  name: "look_up",
  description: `Look up ${CANARY}`,
  method: "GET",
  url: `https://${CANARY}.example.org/`,
  secrets: { key: CANARY },
};
const mcpServer = {
  name: "look_up",
  url: `http://127.0.0.1:1/${CANARY}`,
  auth: "bearer",
  bearer_token: CANARY,
};
const stale = { "if-match": '"99999"' };

/** The requests for each route, by its method and path. A new route that writes needs a line here. */
const TRIES: Readonly<Record<string, (stored: Stored) => readonly Try[]>> = {
  "POST /agents": () => [
    { path: "/agents", body: agent, status: 200 },
    { path: "/agents", body: { ...agent, agent_persona: "Another" }, status: 409 },
  ],
  "PUT /agents/:agentId": ({ agentId }) => [{ path: `/agents/${agentId}`, body: {}, status: 200 }],
  "PATCH /agents/:agentId": ({ agentId }) => [{ path: `/agents/${agentId}`, body: {}, status: 200 }],
  "DELETE /agents/:agentId": () => [{ path: `/agents/${crypto.randomUUID()}`, status: 204 }],
  "POST /agents/:agentId/memory-blocks": (stored) => [
    { path: blocks(stored), body: { name: "jobs", description: "Work" }, status: 409 },
    { path: blocks(stored), body: { name: `b_${newName()}`, description: CANARY }, status: 201 },
  ],
  "PATCH /agents/:agentId/memory-blocks/:blockName": (stored) => [
    { path: `${blocks(stored)}/jobs`, body: {}, status: 200 },
    { path: `${blocks(stored)}/jobs`, body: { word_limit: 100 }, status: 409 },
  ],
  "DELETE /agents/:agentId/memory-blocks/:blockName": (stored) => [
    { path: `${blocks(stored)}/human`, status: 409 },
  ],
  "PUT /agents/:agentId/memory-blocks/:blockName/content": (stored) => [
    { path: `${blocks(stored)}/jobs/content`, body: { lines }, status: 200 },
    { path: `${blocks(stored)}/jobs/content`, body: { lines }, headers: stale, status: 412 },
  ],
  "POST /agents/:agentId/memory-blocks/:blockName/restore": (stored) => [
    { path: `${blocks(stored)}/jobs/restore`, body: { version: 1 }, status: 200 },
    { path: `${blocks(stored)}/jobs/restore`, body: { version: 1 }, headers: stale, status: 412 },
  ],
  "POST /agents/:agentId/runs/:runId/memory-changes/revert": ({ agentId, runId }) => [
    { path: `/agents/${agentId}/runs/${runId}/memory-changes/revert`, status: 200 },
  ],
  "DELETE /agents/:agentId/memory-blocks/:blockName/versions/:version": (stored) => [
    { path: `${blocks(stored)}/jobs/versions/1`, status: 409 },
    { path: `${blocks(stored)}/jobs/versions/99999`, status: 404 },
  ],
  "POST /agents/:agentId/archival-memory": (stored) => [
    { path: memories(stored), body: { content: memory.content }, status: 200 },
  ],
  "POST /agents/:agentId/archival-memory/batch": (stored) => [
    { path: `${memories(stored)}/batch`, body: { items: [memory, { content: newName() }] }, status: 200 },
  ],
  "PATCH /agents/:agentId/archival-memory/:memoryId": (stored) => [
    { path: `${memories(stored)}/${stored.memoryId}`, body: {}, status: 200 },
  ],
  "DELETE /agents/:agentId/archival-memory/:memoryId": (stored) => [
    { path: `${memories(stored)}/018f0000-0000-8000-8000-000000000000`, status: 204 },
  ],
  "POST /agents/:agentId/http-tools": ({ agentId }) => [
    { path: `/agents/${agentId}/http-tools`, body: { ...httpTool, name: `t_${newName()}` }, status: 201 },
    { path: `/agents/${agentId}/http-tools`, body: httpTool, status: 409 },
  ],
  "PATCH /agents/:agentId/http-tools/:toolId": ({ agentId, toolId }) => [
    { path: `/agents/${agentId}/http-tools/${toolId}`, body: {}, status: 200 },
    {
      path: `/agents/${agentId}/http-tools/${toolId}`,
      body: { url: `https://h/{{${newName()}}}` },
      status: 422,
    },
  ],
  "DELETE /agents/:agentId/http-tools/:toolId": ({ agentId }) => [
    { path: `/agents/${agentId}/http-tools/none`, status: 204 },
  ],
  "POST /agents/:agentId/http-tools/:toolId/test": ({ agentId, toolId }) => [
    { path: `/agents/${agentId}/http-tools/${toolId}/test`, body: {}, status: 403 },
  ],
  "POST /agents/:agentId/api-keys": ({ agentId }) => [
    {
      path: `/agents/${agentId}/api-keys`,
      body: { name: CANARY, allowed_origins: [`https://${CANARY}.example.com`] },
      status: 201,
    },
  ],
  "PATCH /agents/:agentId/api-keys/:keyId": ({ agentId, publishableKeyId }) => [
    { path: `/agents/${agentId}/api-keys/${publishableKeyId}`, body: {}, status: 200 },
  ],
  "DELETE /agents/:agentId/api-keys/:keyId": ({ agentId }) => [
    { path: `/agents/${agentId}/api-keys/none`, status: 204 },
  ],
  "POST /agents/:agentId/mcp-servers": ({ agentId }) => [
    { path: `/agents/${agentId}/mcp-servers`, body: { ...mcpServer, name: `t${newName()}` }, status: 201 },
    { path: `/agents/${agentId}/mcp-servers`, body: mcpServer, status: 409 },
  ],
  "PATCH /agents/:agentId/mcp-servers/:serverId": ({ agentId, serverId }) => [
    { path: `/agents/${agentId}/mcp-servers/${serverId}`, body: {}, status: 200 },
    { path: `/agents/${agentId}/mcp-servers/${serverId}`, body: { url: "ftp://h" }, status: 422 },
  ],
  "DELETE /agents/:agentId/mcp-servers/:serverId": ({ agentId }) => [
    { path: `/agents/${agentId}/mcp-servers/none`, status: 204 },
  ],
  "POST /agents/:agentId/mcp-servers/:serverId/refresh": ({ agentId, serverId }) => [
    { path: `/agents/${agentId}/mcp-servers/${serverId}/refresh`, status: 200 },
  ],
  "POST /agents/:agentId/mcp-servers/:serverId/authorization": ({ agentId, serverId }) => [
    { path: `/agents/${agentId}/mcp-servers/${serverId}/authorization`, status: 403 },
  ],
  "POST /agents/:agentId/client-tokens": ({ agentId }) => [
    { path: `/agents/${agentId}/client-tokens`, body: { end_user_id: "visitor-1" }, status: 201 },
  ],
  "DELETE /agents/:agentId/end-users/:endUserId": ({ agentId }) => [
    { path: `/agents/${agentId}/end-users/nobody`, status: 204 },
  ],
  "POST /conversations": ({ agentId }) => [
    { path: "/conversations", body: { ...conversation, agent_id: agentId }, status: 201 },
  ],
  "PUT /conversations/:conversationId": ({ conversationId }) => [
    { path: `/conversations/${conversationId}`, body: {}, status: 200 },
  ],
  "PATCH /conversations/:conversationId": ({ conversationId }) => [
    { path: `/conversations/${conversationId}`, body: {}, status: 200 },
  ],
  "DELETE /conversations/:conversationId": () => [
    { path: `/conversations/${crypto.randomUUID()}`, status: 404 },
  ],
  "DELETE /conversations/:conversationId/summary": ({ conversationId }) => [
    { path: `/conversations/${conversationId}/summary`, status: 204 },
  ],
  "POST /knowledge-bases": () => [{ path: "/knowledge-bases", body: knowledgeBase, status: 201 }],
  "PUT /knowledge-bases/:kbId": (stored) => [
    { path: bases(stored), body: {}, status: 200 },
    { path: bases(stored), body: {}, headers: stale, status: 412 },
  ],
  "PATCH /knowledge-bases/:kbId": (stored) => [
    { path: bases(stored), body: {}, status: 200 },
    { path: bases(stored), body: {}, headers: stale, status: 412 },
  ],
  "DELETE /knowledge-bases/:kbId": () => [{ path: `/knowledge-bases/${crypto.randomUUID()}`, status: 404 }],
  "DELETE /knowledge-bases/:kbId/pages/:pageId": (stored) => [
    { path: `${bases(stored)}/pages/none`, status: 404 },
  ],
  "DELETE /knowledge-bases/:kbId/chunks/:chunkId": (stored) => [
    { path: `${bases(stored)}/chunks/none`, status: 404 },
  ],
  "POST /knowledge-bases/:kbId/uploads": (stored) => [
    { ...file, path: `${bases(stored)}/uploads`, status: 201 },
  ],
  "POST /knowledge-bases/:kbId/crawl-jobs": (stored) => [
    { path: `${bases(stored)}/crawl-jobs?auto_start=false`, body: source, status: 201 },
  ],
  "POST /knowledge-bases/:kbId/crawl-jobs/:jobId/run": (stored) => [
    { path: `${bases(stored)}/crawl-jobs/none/run`, status: 404 },
  ],
  "POST /knowledge-bases/:kbId/crawl-jobs/:jobId/run-stream": (stored) => [
    { path: `${bases(stored)}/crawl-jobs/none/run-stream`, status: 403 },
  ],
  "DELETE /knowledge-bases/:kbId/crawl-jobs/:jobId": (stored) => [
    { path: `${bases(stored)}/crawl-jobs/none`, status: 404 },
  ],
  "PUT /knowledge-bases/:kbId/crawl-schedule": (stored) => [
    { path: `${bases(stored)}/crawl-schedule`, body: { every: "weekly", ...source }, status: 200 },
  ],
  "DELETE /knowledge-bases/:kbId/crawl-schedule": (stored) => [
    { path: `${bases(stored)}/crawl-schedule`, status: 204 },
  ],
  "POST /agents/:agentId/knowledge-bases": (stored) => [
    { path: `/agents/${stored.agentId}/knowledge-bases?kb_id=${stored.kbId}`, status: 201 },
  ],
  "DELETE /agents/:agentId/knowledge-bases/:kbId": ({ agentId }) => [
    { path: `/agents/${agentId}/knowledge-bases/none`, status: 204 },
  ],
  "POST /conversations/:conversationId/runs/:runId/cancel": ({ conversationId, runId }) => [
    { path: `/conversations/${conversationId}/runs/${runId}/cancel`, status: 200 },
  ],
  "POST /v1/responses/:responseId/cancel": ({ responseId }) => [
    { path: `/v1/responses/${responseId}/cancel`, status: 200 },
    { path: "/v1/responses/resp_none/cancel", status: 404 },
  ],
  "POST /agents/:agentId/end-users/:endUserId/conversations/:conversationId/runs/:runId/approvals/:callId": ({
    agentId,
    conversationId,
    runId,
  }) => [
    {
      path: `/agents/${agentId}/end-users/visitor-1/conversations/${conversationId}/runs/${runId}/approvals/call_1`,
      body: { decision: "approve" },
      status: 404,
    },
  ],
  // The stored run has ended; how one that waits is decided, is tested with those runs.
  "POST /conversations/:conversationId/runs/:runId/approvals/:callId": ({ conversationId, runId }) => [
    {
      path: `/conversations/${conversationId}/runs/${runId}/approvals/call_1`,
      body: { decision: "approve" },
      status: 404,
    },
  ],
};

/** The answer to a message is for its sender, even if they may not read earlier messages. */
const ASKED_FOR = [
  "POST /agents/:agentId/:conversationId/send-message",
  "POST /agents/:agentId/chat",
  "POST /conversations/:conversationId/messages/:messageId/regenerate",
  "POST /v1/chat/completions",
  "POST /v1/responses",
];
/** Its tools have tests of their own for such keys. */
const MCP = "POST /mcp/agents/:agentId";

const newName = () => crypto.randomUUID().slice(0, 8);

function writeRoutes(): readonly string[] {
  const routes = app.routes.filter(({ method, handler }) => {
    const access = accessOf(handler);
    if (method === "GET" || access === undefined || access === "public") return false;
    return access.some((who) => WRITES.includes(who));
  });
  return routes.map(({ method, path }) => `${method} ${path}`);
}

let owner: Client;
let stored: Stored;
let writer: Client;

beforeAll(async () => {
  owner = await signUp();
  writer = await programOf(owner, WRITES);
  const made = await owner("POST", "/agents", {
    ...agent,
    allowed_origins: [`https://${CANARY}.example.com`],
  });
  const agentId = made.body.agent_id as string;
  await endUserOf(owner, agentId, "visitor-1");
  const begun = await owner("POST", "/conversations", { ...conversation, agent_id: agentId });
  const conversationId = begun.body.conversation_id as string;
  const said = await say(owner, `/agents/${agentId}/${conversationId}/send-message`, `I am ${CANARY}`);
  const base = await owner("POST", "/knowledge-bases", knowledgeBase);
  const kbId = base.body.kb_id as string;
  await owner("POST", `/knowledge-bases/${kbId}/uploads`, file.body, file.headers);
  const tool = await owner("POST", `/agents/${agentId}/http-tools`, httpTool);
  const toolId = tool.body.tool_id as string;
  const server = await owner("POST", `/agents/${agentId}/mcp-servers`, mcpServer);
  const serverId = server.body.server_id as string;
  const shop = { name: CANARY, allowed_origins: [`https://${CANARY}.example.com`] };
  const { key_id: publishableKeyId } = await createKey(owner, agentId, shop);
  const asked = {
    model: agentId,
    input: `I am ${CANARY}`,
    instructions: CANARY,
    metadata: { about: CANARY },
  };
  const responseId = (await owner("POST", "/v1/responses", asked)).body.id as string;
  const runId = said.events[0]?.run_id ?? "";
  const place = { agentId, conversationId, runId, responseId, kbId, toolId, serverId, publishableKeyId };

  for (const query of ["", "?end_user=visitor-1"]) {
    const at = (path: string) => `/agents/${agentId}/${path}${query}`;
    await owner("POST", at("memory-blocks"), { name: "jobs", description: `What ${CANARY} does` });
    await owner("PUT", at("memory-blocks/jobs/content"), { lines });
    const kept = await owner("POST", at("archival-memory"), memory);
    if (query === "") stored = { ...place, memoryId: kept.body.memory_id as string };
  }
});

/** The names of all members of a body, at any depth. */
const namesIn = (body: unknown): string[] =>
  typeof body !== "object" || body === null
    ? []
    : Object.entries(body).flatMap(([name, value]) => [
        ...(Array.isArray(body) ? [] : [name]),
        ...namesIn(value),
      ]);

function expectNothingOf(answer: Answer): void {
  const text = JSON.stringify(answer.body) + JSON.stringify([...answer.headers]);
  expect(text).not.toContain(CANARY);
  if (answer.status < 300) expect(namesIn(answer.body).filter((name) => !HARMLESS.test(name))).toEqual([]);
}

const send = (client: Client, route: string, { path, body, headers }: Try, query = "") =>
  client(route.split(" ")[0] ?? "", path + query, body, headers);

it("covers every route that writes", () => {
  expect([...Object.keys(TRIES), ...ASKED_FOR, MCP].toSorted()).toEqual(
    [...new Set(writeRoutes())].toSorted(),
  );
});

describe.each(Object.entries(TRIES))("%s", (route, triesOf) => {
  it("shows no stored data to a key that may only write, even when the request is repeated", async () => {
    for (const one of triesOf(stored)) {
      const keyed = { ...one, headers: { ...one.headers, "idempotency-key": newName() } };
      for (const repeated of [keyed, keyed]) {
        const answer = await send(writer, route, repeated);

        expect([one.path, answer.status]).toEqual([one.path, one.status]);
        expectNothingOf(answer);
      }
    }
  });

  it("shows nothing of an end user's memory to a key that may read only the owner's", async () => {
    if (!/memory/u.test(route)) return;
    const reader = await programOf(owner, [...WRITES, "memory:read"]);

    for (const one of triesOf(stored)) {
      const answer = await send(reader, route, one, "?end_user=visitor-1");

      expect(answer.status).toBeLessThan(500);
      expectNothingOf(answer);
    }
  });

  it("answers a key that may also read as it answers the owner", async () => {
    const reader = await programOf(owner);

    const others = triesOf(stored);
    for (const [index, one] of triesOf(stored).entries()) {
      const expected = await send(owner, route, one);
      const answer = await send(reader, route, others[index] ?? one);
      expect(namesIn(answer.body)).toEqual(namesIn(expected.body));
    }
  });
});

it("returns the entity tag of a block's content to a key that may only write", async () => {
  const path = `${blocks(stored)}/jobs/content`;

  const written = await writer("PUT", path, { lines });
  const read = await owner("GET", path);

  expect(written.headers.get("etag")).toBe(read.headers.get("etag"));
});
