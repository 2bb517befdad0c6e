import { expect, it } from "vitest";
import { anonymous, app, beginConversation, signUp } from "../support/app.ts";
import { say } from "../support/sse.ts";
import { requestIn } from "./route-cases.ts";

const APP = "https://app.example.com";

/** What every answer says to browsers. */
function expectSecured(headers: Headers) {
  expect(Object.fromEntries(headers)).toMatchObject({
    "strict-transport-security": "max-age=31536000; includeSubDomains",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "x-request-id": expect.stringMatching(/^[0-9a-f-]{36}$/u),
  });
  expect(headers.has("x-powered-by")).toBe(false);
}

it.each([
  [200, "GET", "/health"],
  [204, "OPTIONS", "/agents"],
  [401, "GET", "/agents"],
  [404, "GET", "/nothing"],
  [400, "POST", "/auth/local/login"],
  [413, "POST", "/auth/local/signup"],
])("security headers are part of a %i to %s %s", async (expected, method, path) => {
  const body = method === "POST" ? (expected === 413 ? "x".repeat(70_000) : "{") : undefined;

  const { status, headers } = await anonymous(method, path, body, { origin: APP });

  expect(status).toBe(expected);
  expectSecured(headers);
  expect(headers.get("cache-control")).toBe("no-store");
});

it.each([
  [200, "GET", "/agents"],
  [404, "GET", "/agents/nothing"],
  [405, "PATCH", "/agents"],
  [422, "GET", "/conversations?limit=x"],
  [200, "HEAD", "/agents"],
])(
  "security headers are part of answers to signed-in callers: %i to %s %s",
  async (expected, method, path) => {
    const client = await signUp();

    const sent = await client.raw(method, path);
    const { response } = sent;
    await response.text();
    await sent.ended();

    expect(response.status).toBe(expected);
    expectSecured(response.headers);
    expect(response.headers.get("cache-control")).toBe("no-store");
  },
);

it("security headers are part of answers that a Durable Object has built", async () => {
  const client = await signUp();
  const { path, conversationId } = await beginConversation(client);

  const stream = await say(client, path, "Hello");
  const refused = await client("POST", "/agents/nothing/nothing/send-message", { content: "Hello" });
  const missing = await client("GET", `/conversations/${conversationId}/runs/nothing`);

  expect([stream.status, refused.status, missing.status]).toEqual([200, 404, 404]);
  for (const { headers } of [stream, refused, missing]) expectSecured(headers);
  expect(stream.headers.get("cache-control")).toBe("no-store, no-transform");
  expect(stream.headers.get("content-type")).toContain("text/event-stream");
  expect(refused.headers.get("cache-control")).toBe("no-store");
});

it("security headers are part of the answer if the configuration is invalid", async () => {
  const { status, headers } = await requestIn({ JWT_SECRET: "" }, "GET", "/agents");

  expect(status).toBe(503);
  expectSecured(headers);
  expect(headers.get("cache-control")).toBe("no-store");
});

it("only the description, public metadata and pages may be stored by caches", async () => {
  const kept: string[] = [];
  const paths = app.routes.filter(({ method, path }) => method === "GET" && !path.includes(":"));
  for (const { path } of new Map(paths.map((route) => [route.path, route])).values()) {
    const { headers } = await anonymous("GET", path);
    if (headers.get("cache-control") !== "no-store") kept.push(path);
  }

  expect(kept).toEqual([
    "/openapi.json",
    "/.well-known/oauth-authorization-server",
    "/login",
    "/login-success",
    "/oauth/authorize",
    "/widget.js",
    "/docs",
    "/docs.md",
    "/llms.txt",
  ]);
  const { headers } = await anonymous("GET", "/openapi.json");
  expect(headers.get("cache-control")).toBe("public, max-age=300");
  expect(headers.get("vary")).toContain("Origin");
});
