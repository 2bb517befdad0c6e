import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect } from "vitest";
import { configFrom } from "../../src/config.ts";
import { OAuthClients } from "../../src/oauth/clients.ts";
import { conversationIdOf, runIdOf } from "../../src/shared/id-types.ts";
import { responseIdOf } from "../../src/wires/response-id.ts";
import { ada, type Answer, app, beginConversation, type Client } from "../support/app.ts";
import { createBase } from "../support/knowledge.ts";
import { createKey, visitorOf } from "../support/widget.ts";
import { expectDescribedProblem } from "./described-problems.ts";
import { asProblem } from "./openai-problems.ts";

/** What the shared test cases need to know about a route. */
export interface RouteCase {
  /** As Hono writes it. */
  readonly route: string;
  /** A body that the route accepts. */
  readonly body?: Readonly<Record<string, unknown>>;
  /** Takes files instead of JSON. */
  readonly takesFiles?: boolean;
  /** Scopes that an API key needs besides the one of the route. */
  readonly alsoNeeds?: readonly string[];
  /** A query that the route needs. */
  readonly query?: string;
  /** The longest body, in KB. */
  readonly limit?: number;
  /** For visitors of web pages. `readerOf` sends its requests as one. */
  readonly isForVisitors?: boolean;
  /** Public. */
  readonly isPublic?: boolean;
  /** Answers callers without a token without a request to the database. */
  readonly isIndependent?: boolean;
  /** Ignores members of its body that it does not know, because its clients are written for other services. */
  readonly ignoresUnknown?: boolean;
  /** The protocol whose errors the route answers with, instead of problem documents. Its malformed requests have tests of their own. */
  readonly speaks?: "json-rpc" | "oauth";
  /** Headers that the route needs. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The status for an id that is absent, malformed or another account's; 404 by default. */
  readonly whenAbsent?: 200 | 204;
}

const credentials = { username: "somebody", password: "secret" };
const conversation = { title: "Talk", description: "About this and that", agent_id: crypto.randomUUID() };
const block = { name: "jobs", description: "Where the user has worked", word_limit: 200 };
const memory = { content: "Alice has a cat called Tom", occurred_at: "2025-06-01" };
const httpTool = {
  name: "get_weather",
  description: "Get the weather of a city.",
  method: "GET",
  url: "https://weather.example.org/today",
};

const mcpServer = { name: "tickets", url: "http://127.0.0.1:1/mcp" };

/** The first message of a client of the Model Context Protocol. */
const initialize = {
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "a test", version: "1" } },
};

const NO_AGENT = crypto.randomUUID();
const redirectUri = "http://127.0.0.1/callback";
const oauthClient = await new OAuthClients({
  keys: configFrom(env).signingKeys,
  fetch,
  resolve: async () => [],
  isLocal: true,
  ownHosts: [],
  allowedOrigins: [],
}).register({ name: "Editor", redirectUris: [redirectUri], grantTypes: undefined, responseTypes: undefined });
/** What an MCP client asks for; `sendTo` replaces the agent. */
const authorizationRequest = new URLSearchParams({
  response_type: "code",
  client_id: oauthClient.id,
  redirect_uri: redirectUri,
  code_challenge: "c".repeat(43),
  code_challenge_method: "S256",
  resource: `${env.PUBLIC_URL}/mcp/agents/${NO_AGENT}`,
}).toString();

/** Every route that has a body or requires a token. A new route needs a line here. */
export const ROUTES: readonly RouteCase[] = [
  { route: "POST /auth/local/signup", body: credentials, isPublic: true },
  { route: "POST /auth/local/login", body: credentials, isPublic: true },
  { route: "GET /auth/methods", isPublic: true },
  { route: "GET /auth/google", isPublic: true },
  { route: "GET /auth/callback", isPublic: true },
  { route: "GET /auth/callback/google", isPublic: true },
  { route: "POST /auth/refresh", isPublic: true },
  { route: "POST /auth/logout", isPublic: true },
  { route: "GET /widget/auth/google", query: "api_key=pk_live_0", isPublic: true },
  { route: "GET /widget/auth/callback", isPublic: true },
  { route: "GET /widget/config", isForVisitors: true },
  { route: "POST /widget/visitors", isForVisitors: true },
  { route: "POST /widget/conversations", body: { title: "Talk" }, isForVisitors: true },
  { route: "GET /widget/conversations", isForVisitors: true },
  { route: "GET /widget/conversations/:conversationId", isForVisitors: true },
  {
    route: "POST /widget/conversations/:conversationId/messages",
    body: { content: "Hello" },
    isForVisitors: true,
  },
  { route: "GET /widget/conversations/:conversationId/messages", isForVisitors: true },
  { route: "GET /widget/conversations/:conversationId/runs/:runId/events", isForVisitors: true },
  { route: "POST /widget/conversations/:conversationId/runs/:runId/cancel", isForVisitors: true },
  { route: "GET /auth/sessions" },
  { route: "DELETE /auth/sessions/:sessionId", whenAbsent: 204 },
  { route: "GET /auth/me" },
  { route: "GET /users/me/mcp-connections" },
  { route: "DELETE /users/me/mcp-connections/:connectionId", whenAbsent: 204 },
  { route: "GET /.well-known/oauth-protected-resource/mcp/agents/:agentId", isPublic: true },
  { route: "GET /.well-known/oauth-authorization-server", isPublic: true },
  {
    route: "POST /oauth/register",
    body: { client_name: "Editor", redirect_uris: ["http://127.0.0.1/callback"] },
    limit: 16,
    isPublic: true,
    isIndependent: true,
    speaks: "oauth",
  },
  { route: "POST /oauth/token", isPublic: true, speaks: "oauth" },
  { route: "POST /oauth/revoke", isPublic: true, speaks: "oauth" },
  { route: "POST /oauth/consent/question", body: { request: authorizationRequest } },
  { route: "POST /oauth/consent", body: { request: authorizationRequest, scopes: ["memory:read"] } },
  { route: "GET /users/me/export" },
  { route: "DELETE /users/me" },
  { route: "GET /users/me/deletion" },
  { route: "GET /agents/supported-models" },
  { route: "GET /agents/update-schema/:agentId", whenAbsent: 200 },
  { route: "POST /agents", body: ada },
  { route: "GET /agents" },
  { route: "GET /agents/:agentId" },
  { route: "PUT /agents/:agentId", body: { agent_persona: "You are Bob.", agent_provider: "Demo" } },
  { route: "PATCH /agents/:agentId", body: { agent_persona: "You are Bob.", agent_provider: "Demo" } },
  { route: "DELETE /agents/:agentId", whenAbsent: 204 },
  { route: "POST /agents/:agentId/:conversationId/send-message", body: { content: "Hello" }, limit: 1024 },
  {
    route: "POST /agents/:agentId/chat",
    body: { id: "chat-1", messages: [{ id: "m1", role: "user", parts: [{ type: "text", text: "Hello" }] }] },
    limit: 4096,
    ignoresUnknown: true,
  },
  { route: "GET /agents/:agentId/chat/:chatId/stream", whenAbsent: 204 },
  {
    route: "POST /v1/chat/completions",
    body: { model: crypto.randomUUID(), messages: [{ role: "user", content: "Hello" }] },
    limit: 4096,
    ignoresUnknown: true,
  },
  {
    route: "POST /v1/responses",
    body: { model: crypto.randomUUID(), input: [{ role: "user", content: "Hello" }] },
    limit: 4096,
    ignoresUnknown: true,
  },
  { route: "GET /v1/responses/:responseId" },
  { route: "GET /v1/responses/:responseId/input_items" },
  { route: "POST /v1/responses/:responseId/cancel" },
  { route: "GET /v1/models" },
  { route: "GET /v1/models/:agentOrName" },
  { route: "GET /agents/:agentId/memory-blocks" },
  { route: "POST /agents/:agentId/memory-blocks", body: block },
  { route: "PATCH /agents/:agentId/memory-blocks/:blockName", body: { description: "You", word_limit: 200 } },
  { route: "DELETE /agents/:agentId/memory-blocks/:blockName", whenAbsent: 204 },
  { route: "GET /agents/:agentId/memory-blocks/:blockName/content" },
  {
    route: "PUT /agents/:agentId/memory-blocks/:blockName/content",
    body: { lines: ["Name: Alice"] },
    limit: 1024,
  },
  { route: "GET /agents/:agentId/memory-blocks/:blockName/versions" },
  { route: "DELETE /agents/:agentId/memory-blocks/:blockName/versions/:version" },
  { route: "POST /agents/:agentId/memory-blocks/:blockName/restore", body: { version: 1 } },
  { route: "GET /agents/:agentId/runs/:runId/memory-changes" },
  { route: "POST /agents/:agentId/runs/:runId/memory-changes/revert" },
  { route: "POST /agents/:agentId/archival-memory", body: memory, limit: 1024 },
  { route: "POST /agents/:agentId/archival-memory/batch", body: { items: [memory] }, limit: 1024 },
  { route: "GET /agents/:agentId/archival-memory" },
  { route: "GET /agents/:agentId/archival-memory/search" },
  { route: "GET /agents/:agentId/archival-memory/status" },
  { route: "GET /agents/:agentId/archival-memory/:memoryId" },
  { route: "PATCH /agents/:agentId/archival-memory/:memoryId", body: memory, limit: 1024 },
  { route: "DELETE /agents/:agentId/archival-memory/:memoryId" },
  {
    route: "POST /mcp/agents/:agentId",
    body: initialize,
    limit: 1024,
    speaks: "json-rpc",
    headers: { accept: "application/json, text/event-stream" },
  },
  { route: "GET /agents/:agentId/http-tools" },
  { route: "POST /agents/:agentId/http-tools", body: httpTool, limit: 128 },
  { route: "GET /agents/:agentId/http-tools/:toolId" },
  { route: "PATCH /agents/:agentId/http-tools/:toolId", body: httpTool, limit: 128 },
  { route: "DELETE /agents/:agentId/http-tools/:toolId" },
  {
    route: "POST /agents/:agentId/http-tools/:toolId/test",
    body: { arguments: {} },
    alsoNeeds: ["agents:read"],
  },
  {
    route: "POST /agents/:agentId/api-keys",
    body: { name: "Shop", allowed_origins: [], requires_sign_in: false },
  },
  { route: "GET /agents/:agentId/api-keys" },
  { route: "GET /agents/:agentId/api-keys/:keyId" },
  { route: "PATCH /agents/:agentId/api-keys/:keyId", body: { name: "Blog", is_active: false } },
  { route: "DELETE /agents/:agentId/api-keys/:keyId" },
  { route: "GET /agents/:agentId/mcp-servers" },
  { route: "POST /agents/:agentId/mcp-servers", body: mcpServer },
  { route: "GET /agents/:agentId/mcp-servers/:serverId" },
  { route: "PATCH /agents/:agentId/mcp-servers/:serverId", body: mcpServer },
  { route: "DELETE /agents/:agentId/mcp-servers/:serverId" },
  { route: "POST /agents/:agentId/mcp-servers/:serverId/refresh" },
  { route: "POST /agents/:agentId/mcp-servers/:serverId/authorization", alsoNeeds: ["agents:read"] },
  { route: "POST /agents/:agentId/client-tokens", body: { end_user_id: "visitor-1" } },
  { route: "GET /agents/:agentId/end-users" },
  { route: "GET /agents/:agentId/end-users/:endUserId" },
  { route: "DELETE /agents/:agentId/end-users/:endUserId", whenAbsent: 204 },
  { route: "GET /agents/:agentId/end-users/:endUserId/conversations" },
  { route: "GET /agents/:agentId/end-users/:endUserId/conversations/:conversationId/messages" },
  { route: "GET /agents/:agentId/end-users/:endUserId/conversations/:conversationId/runs/:runId" },
  {
    route:
      "POST /agents/:agentId/end-users/:endUserId/conversations/:conversationId/runs/:runId/approvals/:callId",
    body: { decision: "approve" },
  },
  { route: "GET /agents/:agentId/end-users/:endUserId/export" },
  { route: "POST /api-keys", body: { name: "Back end", scopes: ["agents:read"] } },
  { route: "GET /api-keys" },
  { route: "DELETE /api-keys/:keyId", whenAbsent: 204 },
  {
    route: "POST /webhooks",
    body: { url: "https://hooks.example.com/agents", events: ["run.completed"] },
  },
  { route: "GET /webhooks" },
  { route: "GET /webhooks/:webhookId" },
  { route: "PATCH /webhooks/:webhookId", body: { enabled: false } },
  { route: "DELETE /webhooks/:webhookId", whenAbsent: 204 },
  { route: "POST /webhooks/:webhookId/rotate-secret", body: { overlap_hours: 0 } },
  { route: "POST /webhooks/:webhookId/test" },
  { route: "GET /webhooks/:webhookId/deliveries" },
  { route: "GET /webhooks/:webhookId/deliveries/:eventId" },
  { route: "POST /webhooks/:webhookId/deliveries/:eventId/redeliver" },
  { route: "GET /agents/:agentId/recall" },
  { route: "POST /conversations", body: conversation },
  { route: "GET /conversations" },
  { route: "GET /conversations/:conversationId" },
  { route: "PUT /conversations/:conversationId", body: { title: "Other", description: "Another" } },
  { route: "PATCH /conversations/:conversationId", body: { title: "Other", description: "Another" } },
  { route: "DELETE /conversations/:conversationId" },
  { route: "GET /conversations/:conversationId/messages" },
  { route: "GET /conversations/:conversationId/context" },
  { route: "GET /conversations/:conversationId/summary" },
  { route: "DELETE /conversations/:conversationId/summary" },
  { route: "GET /conversations/:conversationId/runs" },
  { route: "GET /conversations/:conversationId/runs/:runId" },
  { route: "GET /conversations/:conversationId/runs/:runId/events" },
  { route: "POST /conversations/:conversationId/runs/:runId/cancel" },
  { route: "POST /conversations/:conversationId/messages/:messageId/regenerate" },
  {
    route: "POST /conversations/:conversationId/runs/:runId/approvals/:callId",
    body: { decision: "approve" },
    limit: 64,
  },
  {
    route: "POST /payments/stripe/checkout",
    body: { planKey: "pro", billingCycle: "annual", userEmail: "somebody@example.com" },
    isPublic: true,
    isIndependent: true,
  },
  { route: "GET /payments/stripe/pricing", isPublic: true, isIndependent: true },
  { route: "GET /payments/stripe/session/:sessionId", isPublic: true, isIndependent: true },
  { route: "POST /payments/stripe/webhook", isPublic: true, isIndependent: true },
  {
    route: "POST /contact/submit",
    body: {
      type: "support",
      subject: "A question",
      email: "somebody@example.com",
      description: "How do agents remember things?",
    },
    isPublic: true,
    isIndependent: true,
  },
  { route: "GET /knowledge-bases/create-schema" },
  { route: "POST /knowledge-bases", body: { name: "Handbook", description: "How we work" } },
  { route: "GET /knowledge-bases" },
  { route: "GET /knowledge-bases/:kbId" },
  { route: "PUT /knowledge-bases/:kbId", body: { name: "Other", description: "Another" } },
  { route: "PATCH /knowledge-bases/:kbId", body: { name: "Other", description: "Another" } },
  { route: "DELETE /knowledge-bases/:kbId" },
  { route: "GET /knowledge-bases/:kbId/pages" },
  { route: "GET /knowledge-bases/:kbId/pages/:pageId" },
  { route: "DELETE /knowledge-bases/:kbId/pages/:pageId" },
  { route: "GET /knowledge-bases/:kbId/chunks" },
  { route: "DELETE /knowledge-bases/:kbId/chunks/:chunkId" },
  { route: "POST /knowledge-bases/:kbId/uploads", takesFiles: true },
  { route: "POST /knowledge-bases/:kbId/search", body: { query: "How does it work?", top_k: 3 } },
  { route: "GET /knowledge-bases/:kbId/passages/:passageId" },
  { route: "POST /agents/:agentId/knowledge-search", body: { query: "How does it work?", top_k: 3 } },
  { route: "GET /knowledge-bases/:kbId/crawl-config-schema" },
  {
    route: "POST /knowledge-bases/:kbId/crawl-jobs",
    body: { source_type: "url", source_url: "https://docs.example.org/", max_pages: 10 },
  },
  { route: "GET /knowledge-bases/:kbId/crawl-jobs" },
  { route: "GET /knowledge-bases/:kbId/crawl-jobs/:jobId" },
  { route: "POST /knowledge-bases/:kbId/crawl-jobs/:jobId/run" },
  { route: "POST /knowledge-bases/:kbId/crawl-jobs/:jobId/run-stream", alsoNeeds: ["knowledge:read"] },
  { route: "GET /knowledge-bases/:kbId/crawl-jobs/:jobId/stream" },
  { route: "DELETE /knowledge-bases/:kbId/crawl-jobs/:jobId" },
  { route: "GET /knowledge-bases/:kbId/crawl-jobs/:jobId/steps" },
  { route: "GET /knowledge-bases/:kbId/crawl-jobs/:jobId/pages" },
  { route: "GET /knowledge-bases/:kbId/crawl-schedule" },
  {
    route: "PUT /knowledge-bases/:kbId/crawl-schedule",
    body: { every: "weekly", source_type: "url", source_url: "https://docs.example.org/" },
  },
  { route: "DELETE /knowledge-bases/:kbId/crawl-schedule" },
  { route: "POST /agents/:agentId/knowledge-bases", query: "kb_id=:kbId" },
  { route: "GET /agents/:agentId/knowledge-bases" },
  { route: "DELETE /agents/:agentId/knowledge-bases/:kbId" },
  { route: "GET /usage" },
  { route: "GET /usage/history" },
  { route: "GET /usage/tokens" },
  { route: "GET /payments/stripe/subscription/status" },
  { route: "POST /payments/stripe/subscription/cancel" },
  { route: "POST /payments/stripe/subscription/resume" },
  { route: "POST /payments/stripe/portal" },
  { route: "POST /payments/stripe/claim", body: { session_id: "cs_test_0123456789" } },
  { route: "GET /settings/providers" },
  { route: "GET /settings/providers/:providerName" },
  { route: "POST /settings/providers/:providerName", body: { api_key: "sk-0123456789abcdefghij" } },
  { route: "DELETE /settings/providers/:providerName" },
  { route: "POST /settings/providers/:providerName/test" },
  { route: "GET /llm/models/:provider" },
];

/** The routes for accounts, programs and end users. Those for visitors have tests of their own; see test/widget. */
export const GUARDED = ROUTES.filter(({ isPublic, isForVisitors }) => !isPublic && !isForVisitors);
/** The guarded routes whose errors are problem documents. */
export const GUARDED_WITH_PROBLEMS = GUARDED.filter(({ speaks }) => speaks === undefined);
export const WITH_BODY = ROUTES.filter(({ body, speaks }) => body !== undefined && speaks === undefined);
export const WITH_ID = GUARDED.filter(({ route, whenAbsent }) => /Id\b/u.test(route) && whenAbsent !== 200);

export interface Place {
  readonly agentId: string;
  readonly conversationId: string;
  readonly kbId: string;
}

/** Ids of nothing. */
export const absentPlace = (): Place => ({
  agentId: crypto.randomUUID(),
  conversationId: crypto.randomUUID(),
  kbId: crypto.randomUUID(),
});

/** An agent with a conversation and a memory, and a knowledge base. */
export async function createPlace(client: Client): Promise<Place> {
  const [place, { kbId }] = await Promise.all([beginConversation(client), createBase(client)]);
  await client("GET", `/agents/${place.agentId}/memory-blocks`);
  return { ...place, kbId };
}

const NO_RUN = "018f0000-0000-7000-8000-000000000000";

export const methodOf = ({ route }: RouteCase): string => route.split(" ")[0] ?? "";

export const pathOf = ({ route }: RouteCase, place: Place = absentPlace()): string =>
  withIds(route.split(" ")[1] ?? "", place)
    .replace(":agentOrName", place.agentId)
    .replace(":chatId", "chat-1")
    .replace(":blockName", "human")
    .replace(":endUserId", "visitor-1")
    .replace(":version", "1")
    .replace(":webhookId", "018f0000-0000-7000-8000-000000000000")
    .replace(":eventId", "018f0000-0000-7000-8000-000000000000")
    .replace(":connectionId", "018f0000-0000-7000-8000-000000000000")
    .replace(":keyId", "018f0000-0000-7000-8000-000000000000")
    .replace(":passageId", "018f0000-0000-8000-8000-000000000000-1")
    .replace(":toolId", "018f0000-0000-7000-8000-000000000000")
    .replace(":memoryId", "018f0000-0000-8000-8000-000000000000")
    .replace(/:provider(?:Name)?/u, "OpenAI")
    .replace(":sessionId", "018f0000-0000-7000-8000-000000000000")
    .replace(":messageId", "018f0000-0000-7000-8000-000000000000")
    .replace(":runId", NO_RUN)
    .replace(
      ":responseId",
      responseIdOf({ runId: runIdOf(NO_RUN), conversationId: conversationIdOf(place.conversationId) }),
    )
    .replace(":pageId", "018f0000-0000-8000-8000-000000000000")
    .replace(":chunkId", "018f0000-0000-8000-8000-000000000000");

const withIds = (text: string, { agentId, conversationId, kbId }: Place): string =>
  text.replace(":agentId", agentId).replace(":conversationId", conversationId).replace(":kbId", kbId);

/** A body with one file. */
const FILES = [
  "--boundary",
  'Content-Disposition: form-data; name="file"; filename="handbook.md"',
  "",
  "# Handbook",
  "--boundary--",
  "",
].join("\r\n");

/** Sends what the route takes, about this place. Fails if it is answered with a problem that its description does not name. */
export async function sendTo(
  client: Client,
  route: RouteCase,
  place: Place = absentPlace(),
): Promise<Answer> {
  const answer = await sendWhatItTakes(client, route, place);
  expectDescribedProblem(methodOf(route), pathOf(route, place), answer);
  return answer;
}

function sendWhatItTakes(sender: Client, route: RouteCase, place: Place): Promise<Answer> {
  const client = readerOf(sender, route);
  const query = route.query === undefined ? "" : `?${withIds(route.query, place)}`;
  const path = pathOf(route, place) + query;
  if (route.takesFiles)
    return client(methodOf(route), path, FILES, { "content-type": "multipart/form-data; boundary=boundary" });

  const about = Object.fromEntries(
    ["agent_id", "model"].flatMap((name) =>
      route.body && name in route.body ? [[name, place.agentId] as const] : [],
    ),
  );
  const request = route.body?.["request"];
  const asked = typeof request === "string" && { request: request.replace(NO_AGENT, place.agentId) };
  const body = route.body && { ...route.body, ...about, ...asked };
  return client(methodOf(route), path, body, route.headers);
}

/** A complete problem document. */
export const problem = (status: number, code: string, detail: string, more: object = {}) => ({
  type: `urn:problem:${code}`,
  title: expect.any(String),
  status,
  detail,
  instance: expect.stringMatching(/^\//u),
  code,
  request_id: expect.stringMatching(/^[0-9a-f-]{36}$/u),
  ...more,
});

/** Whether the errors of a route have OpenAI's form. */
export const speaksOpenAi = ({ route }: Pick<RouteCase, "route">): boolean => /^\w+ \/v1\//u.test(route);

/**
 * Returns a client that sends what a route for visitors takes as a visitor of the account's page, and that reads errors of a route in
 * OpenAI's form as the problems that they stand for.
 */
export function readerOf(client: Client, route: RouteCase): Client {
  if (route.isForVisitors) return asVisitorOf(client);
  if (!speaksOpenAi(route)) return client;
  const send = async (...[method, path, ...rest]: Parameters<Client>) =>
    asProblem(await client(method, path, ...rest), path);
  return Object.assign(send, { email: client.email, token: client.token, raw: client.raw.bind(client) });
}

/** The visitor of each account, who is created with the first request. */
const visitors = new WeakMap<Client, Promise<Client>>();

function asVisitorOf(owner: Client): Client {
  const visit = async () => {
    const { agentId } = await beginConversation(owner);
    return visitorOf(await createKey(owner, agentId));
  };
  const visitor = () => {
    const known = visitors.get(owner) ?? visit();
    visitors.set(owner, known);
    return known;
  };
  const send = async (...request: Parameters<Client>) => (await visitor())(...request);
  const raw = async (...request: Parameters<Client["raw"]>) => (await visitor()).raw(...request);
  return Object.assign(send, { email: owner.email, token: owner.token, raw });
}

/** An answer without the members that differ from request to request. */
export const comparable = ({ status, headers, body }: Answer) => ({
  status,
  type: headers.get("content-type"),
  body:
    typeof body === "string"
      ? body
      : {
          ...body,
          instance: "",
          request_id: "",
          // Of JSON-RPC.
          ...(body?.error?.data && {
            error: { ...body.error, data: { ...body.error.data, request_id: "" } },
          }),
        },
});

/** Sends a request to the app in an environment that differs from the tests' own. */
export async function requestIn(
  variables: Partial<Env>,
  method: string,
  path: string,
  { body, token, origin }: { body?: unknown; token?: string; origin?: string } = {},
): Promise<Answer> {
  const ctx = createExecutionContext();
  const headers = {
    "content-type": "application/json",
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
    ...(origin !== undefined && { origin }),
  };
  const init = { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) };
  const response = await app.request(path, init, { ...env, ...variables }, ctx);
  await waitOnExecutionContext(ctx);
  const answer = { status: response.status, headers: response.headers, body: await response.json() };
  expectDescribedProblem(method, path, answer);
  return answer;
}
