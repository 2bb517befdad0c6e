import { expect, it } from "vitest";
import { SCOPES } from "../../src/access/caller.ts";
import { accessOf } from "../../src/access/require-access.ts";
import { docOf } from "../../src/http/openapi.ts";
import { anonymous, app } from "../support/app.ts";
import { ROUTES } from "./route-cases.ts";

/** The handlers of each route, by `METHOD /path`, without middleware for all routes. */
const routes = Map.groupBy(
  app.routes.filter(({ method }) => method !== "ALL"),
  ({ method, path }) => `${method} ${path}`,
);

const isPage = (handlers: readonly { handler: object }[]) =>
  handlers.some(({ handler }) => docOf(handler)?.kind === "page");

/** The routes of the API. Pages for browsers are no part of its description. */
const operations = new Map([...routes].filter(([, handlers]) => !isPage(handlers)));

const operationOf = (route: string) =>
  (operations.get(route) ?? [])
    .map(({ handler }) => docOf(handler))
    .filter((doc) => doc !== undefined)
    .filter((doc) => doc.kind === "operation");

const accessAt = (route: string) =>
  (operations.get(route) ?? [])
    .map(({ handler }) => accessOf(handler))
    .find((access) => access !== undefined);

it.each([...operations.keys()])("describes %s", (route) => {
  expect(operationOf(route)).toHaveLength(1);
});

it("declares exactly these routes public", () => {
  const open = [...operations.keys()].filter((route) => accessAt(route) === "public");

  expect(open.toSorted()).toEqual([
    "GET /",
    "GET /.well-known/oauth-authorization-server",
    "GET /.well-known/oauth-protected-resource/mcp/agents/:agentId",
    "GET /auth/callback",
    "GET /auth/callback/google",
    "GET /auth/google",
    "GET /auth/methods",
    "GET /health",
    "GET /openapi.json",
    "GET /payments/stripe/pricing",
    "GET /payments/stripe/session/:sessionId",
    "GET /widget/auth/callback",
    "GET /widget/auth/google",
    "POST /auth/local/login",
    "POST /auth/local/signup",
    "POST /auth/logout",
    "POST /auth/refresh",
    "POST /contact/submit",
    "POST /oauth/register",
    "POST /oauth/revoke",
    "POST /oauth/token",
    "POST /payments/stripe/checkout",
    "POST /payments/stripe/webhook",
  ]);
});

it("serves exactly these pages and files to browsers, to everybody", () => {
  const pages = [...routes].filter(([, handlers]) => isPage(handlers));

  expect(pages.map(([route]) => route).toSorted()).toEqual([
    "GET /assets/:file",
    "GET /docs",
    "GET /docs.md",
    "GET /llms.txt",
    "GET /login",
    "GET /login-success",
    "GET /mcp-servers/callback",
    "GET /oauth/authorize",
    "GET /widget.js",
    "GET /widget/auth/callback-page",
    "POST /mcp-servers/callback",
  ]);
  for (const [, handlers] of pages)
    expect(handlers.map(({ handler }) => accessOf(handler)).filter(Boolean)).toEqual(["public"]);
});

const CALLERS: readonly string[] = ["user", "end-user", "page", "visitor", "mcp-client", ...SCOPES];

it.each([...operations.keys()])("states who may call %s", (route) => {
  const access = accessAt(route);

  if (access === "public") return;
  expect(access?.length).toBeGreaterThan(0);
  expect(CALLERS).toEqual(expect.arrayContaining([...(access ?? [])]));
});

it("keeps account routes and API keys closed to programs and end users", () => {
  const closed = [...operations.keys()].filter((route) => {
    const access = accessAt(route);
    return access !== "public" && access?.length === 1 && access[0] === "user";
  });

  const own = /^\w+ \/(auth|api-keys|users|settings|payments|billing)\b/u;
  const guarded = [...operations.keys()].filter((route) => accessAt(route) !== "public");
  expect(closed).toEqual(expect.arrayContaining(guarded.filter((route) => own.test(route))));
});

it("opens only the routes of conversations, and MCP for its chat, to end users", () => {
  const open = [...operations.keys()].filter((route) => {
    const access = accessAt(route);
    return access !== "public" && access?.includes("end-user");
  });

  expect(open.toSorted()).toEqual([
    "DELETE /conversations/:conversationId",
    "GET /agents/:agentId/chat/:chatId/stream",
    "GET /conversations",
    "GET /conversations/:conversationId",
    "GET /conversations/:conversationId/messages",
    "GET /conversations/:conversationId/runs",
    "GET /conversations/:conversationId/runs/:runId",
    "GET /conversations/:conversationId/runs/:runId/events",
    "GET /v1/responses/:responseId",
    "GET /v1/responses/:responseId/input_items",
    "PATCH /conversations/:conversationId",
    "POST /agents/:agentId/:conversationId/send-message",
    "POST /agents/:agentId/chat",
    "POST /conversations",
    "POST /conversations/:conversationId/messages/:messageId/regenerate",
    "POST /conversations/:conversationId/runs/:runId/approvals/:callId",
    "POST /conversations/:conversationId/runs/:runId/cancel",
    "POST /mcp/agents/:agentId",
    "POST /v1/chat/completions",
    "POST /v1/responses",
    "POST /v1/responses/:responseId/cancel",
    "PUT /conversations/:conversationId",
  ]);
});

it("opens only MCP to MCP clients", () => {
  const open = [...operations.keys()].filter((route) => {
    const access = accessAt(route);
    return access !== "public" && access?.includes("mcp-client");
  });

  expect(open).toEqual(["POST /mcp/agents/:agentId"]);
});

it("opens the routes of the widget, and nothing else, to pages with a publishable key and to their visitors", () => {
  const open = [...operations.keys()].filter((route) => {
    const access = accessAt(route);
    return access !== "public" && (access?.includes("page") || access?.includes("visitor"));
  });

  expect(open.toSorted()).toEqual([
    "GET /widget/config",
    "GET /widget/conversations",
    "GET /widget/conversations/:conversationId",
    "GET /widget/conversations/:conversationId/messages",
    "GET /widget/conversations/:conversationId/runs/:runId/events",
    "POST /widget/conversations",
    "POST /widget/conversations/:conversationId/messages",
    "POST /widget/conversations/:conversationId/runs/:runId/cancel",
    "POST /widget/visitors",
  ]);
});

it("has a shared test case for every route", () => {
  const system = ["GET /", "GET /health", "GET /openapi.json"];

  expect([...ROUTES.map(({ route }) => route), ...system].toSorted()).toEqual(
    [...operations.keys()].toSorted(),
  );
});

it("has a different id for every operation", () => {
  const ids = [...operations.keys()].flatMap((route) => operationOf(route).map(({ id }) => id));

  expect(new Set(ids).size).toBe(operations.size);
});

it("serves a description of every route without a token", async () => {
  const { status, headers, body } = await anonymous("GET", "/openapi.json");

  expect(status).toBe(200);
  expect(headers.get("content-type")).toBe("application/json");
  expect(body.openapi).toBe("3.1.0");
  const described = Object.entries<object>(body.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/gu, ":$1")}`),
  );
  expect(described.toSorted()).toEqual([...operations.keys()].toSorted());
});

it("describes which routes require a token, and the problem documents", async () => {
  const { body } = await anonymous("GET", "/openapi.json");

  expect(body.paths["/agents"].get.security).toEqual([{ bearer: [] }, { apiKey: ["agents:read"] }]);
  expect(body.paths["/agents"].get["x-scopes"]).toEqual(["agents:read"]);
  expect(body.paths["/conversations"].get.security).toEqual([
    { bearer: [] },
    { apiKey: ["conversations:read"] },
    { endUser: [] },
  ]);
  expect(body.paths["/api-keys"].post.security).toEqual([{ bearer: [] }]);
  expect(body.paths["/health"].get.security).toEqual([]);
  expect(body.paths["/widget/config"].get.security).toEqual([{ publishableKey: [] }]);
  expect(body.paths["/widget/conversations"].get.security).toEqual([
    { publishableKey: [], visitor: [] },
    { publishableKey: [], endUser: [] },
  ]);
  expect(body.components.schemas.Problem.required).toEqual(
    expect.arrayContaining(["type", "title", "status", "detail", "instance", "code", "request_id"]),
  );
});

it("describes the warnings of answers that contain an agent", async () => {
  const { body } = await anonymous("GET", "/openapi.json");
  const paths: Record<
    string,
    Record<string, { responses: Record<string, { headers?: object }> }>
  > = body.paths;

  const warned = Object.values(paths)
    .flatMap((methods) => Object.values(methods))
    .flatMap(({ responses }) => Object.values(responses))
    .filter(({ headers }) => headers && "X-Warning" in headers);

  expect(warned).toHaveLength(4);
});
