import { expect, it } from "vitest";
import { anonymous, signUp } from "../support/app.ts";
import { requestIn } from "./route-cases.ts";

const APP = "https://app.example.com";
const STRANGERS = [
  "https://evil.example",
  "null",
  "https://app.example.com.evil.com",
  "https://evil.com/https://app.example.com",
  "http://app.example.com",
  "https://app.example.com:8443",
  "https://sub.app.example.com",
  "https://APP.example.com",
  `${APP}, https://evil.example`,
  "*",
  "",
];

it("allows pages of the app to read answers, with credentials", async () => {
  const client = await signUp();

  const { status, headers } = await client("GET", "/agents", undefined, { origin: APP });

  expect(status).toBe(200);
  expect(headers.get("access-control-allow-origin")).toBe(APP);
  expect(headers.get("access-control-allow-credentials")).toBe("true");
  expect(headers.get("access-control-expose-headers")?.split(",")).toEqual([
    "ETag",
    "Mcp-Session-Id",
    "Next-Cursor",
    "Retry-After",
    "RateLimit",
    "RateLimit-Policy",
    "X-Conversation-Id",
    "X-Request-Id",
    "X-Run-Id",
    "X-Warning",
  ]);
  expect(headers.get("vary")).toContain("Origin");
});

it.each([
  [401, "GET", "/agents"],
  [400, "POST", "/auth/local/login"],
  [404, "GET", "/nothing"],
])("allows pages of the app to read a %i, too", async (expected, method, path) => {
  const body = method === "POST" ? "{" : undefined;

  const { status, headers } = await anonymous(method, path, body, { origin: APP });

  expect(status).toBe(expected);
  expect(headers.get("access-control-allow-origin")).toBe(APP);
  expect(headers.get("vary")).toContain("Origin");
});

// Scenario 29.
it.each(STRANGERS)("allows no page of %j to read anything", async (origin) => {
  const client = await signUp();

  const answer = await client("GET", "/agents", undefined, { origin });
  const preflight = await anonymous("OPTIONS", "/agents", undefined, {
    origin,
    "access-control-request-method": "POST",
  });

  for (const { headers } of [answer, preflight]) {
    expect(headers.get("access-control-allow-origin")).toBeNull();
    expect(headers.get("vary")).toContain("Origin");
  }
});

it.each(["/agents", "/agents/a/b/send-message", "/auth/local/login", "/nothing"])(
  "answers the preflight for %s without a token",
  async (path) => {
    const { status, headers, body } = await anonymous("OPTIONS", path, undefined, {
      origin: APP,
      "access-control-request-method": "PUT",
      "access-control-request-headers": "authorization,content-type,x-other",
    });

    expect(status).toBe(204);
    expect(body).toBe("");
    expect(headers.get("access-control-allow-origin")).toBe(APP);
    expect(headers.get("access-control-allow-credentials")).toBe("true");
    expect(headers.get("access-control-allow-headers")?.split(",")).toEqual([
      "Authorization",
      "Content-Type",
      "Idempotency-Key",
      "If-Match",
      "If-None-Match",
      "Last-Event-ID",
      "MCP-Protocol-Version",
      "Mcp-Method",
      "Mcp-Name",
      "Mcp-Session-Id",
      "X-AI-SDK",
      "X-API-Key",
      "X-Conversation-Id",
      "X-Time-Zone",
      "User-Agent",
      "X-Stainless-Arch",
      "X-Stainless-Helper-Method",
      "X-Stainless-Lang",
      "X-Stainless-OS",
      "X-Stainless-Package-Version",
      "X-Stainless-Retry-Count",
      "X-Stainless-Runtime",
      "X-Stainless-Runtime-Version",
      "X-Stainless-Timeout",
    ]);
    expect(headers.get("access-control-allow-methods")?.split(",")).toEqual(
      expect.arrayContaining(["GET", "POST", "PUT", "DELETE"]),
    );
    expect(headers.get("access-control-max-age")).toBe("600");
  },
);

it("sends only `Vary` to programs, which send no origin", async () => {
  const client = await signUp();

  const { status, headers } = await client("GET", "/agents");

  expect(status).toBe(200);
  expect(headers.get("vary")).toBe("Origin");
  expect([...headers.keys()].filter((name) => name.startsWith("access-control-"))).toEqual([]);
});

it("allows several origins, and none if none is configured", async () => {
  const { token } = await signUp();
  const other = "https://other.example.com";
  const allowed = async (frontend: string, path = "/agents") => {
    const request = await requestIn({ FRONTEND_URL: frontend }, "GET", path, { token, origin: other });
    return request.headers.get("access-control-allow-origin");
  };

  expect(await allowed(` ${APP} , ${other},`)).toBe(other);
  expect(await allowed(APP)).toBeNull();
  expect(await allowed("")).toBeNull();
});
