import { beforeAll, describe, expect, it } from "vitest";
import { anonymous, beginConversation, type Client, signUp } from "../support/app.ts";
import { programOf } from "../support/callers.ts";

const ACCEPT = { accept: "application/json, text/event-stream" };
const initialize = {
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "a test", version: "1" } },
};
const list = { jsonrpc: "2.0", id: 2, method: "tools/list" };

let owner: Client;
let path: string;
beforeAll(async () => {
  owner = await signUp();
  path = `/mcp/agents/${(await beginConversation(owner)).agentId}`;
});

/** The JSON-RPC message of an answer, which is JSON or the only event of a stream. */
function messageIn(body: unknown): Record<string, unknown> {
  if (typeof body !== "string") return body as Record<string, unknown>;
  const [, data = "{}"] = /^data: (.+)$/mu.exec(body) ?? [];
  return JSON.parse(data) as Record<string, unknown>;
}

const errorOf = (code: number) => ({ jsonrpc: "2.0", error: { code, message: expect.any(String) } });

describe("a request that is refused as a whole", () => {
  it.each(["GET", "DELETE", "PUT", "PATCH"])("gets a JSON-RPC error with 405 for %s", async (method) => {
    const { status, headers, body } = await owner(method, path, undefined, ACCEPT);

    expect(status).toBe(405);
    expect(headers.get("allow")).toBe("POST, OPTIONS");
    expect(body).toMatchObject({ ...errorOf(-32000), id: null });
  });

  it("gets one with 401 without a valid token", async () => {
    for (const client of [anonymous, Object.assign(anonymous, {})])
      expect(await client("POST", path, initialize, ACCEPT)).toMatchObject({
        status: 401,
        body: { ...errorOf(-32000), error: { data: { code: "unauthenticated" } } },
      });
    const { headers } = await anonymous("POST", path, initialize, ACCEPT);
    expect(headers.get("www-authenticate")).toMatch(/^Bearer resource_metadata="/u);
    expect(headers.get("content-type")).toContain("application/json");
  });

  it("gets one with 404 for an agent that is absent, foreign, malformed or out of the key's reach", async () => {
    const stranger = await signUp();
    const other = await beginConversation(owner);
    const confined = await programOf(owner, ["memory:read"], { agent_ids: [other.agentId] });
    const answers = [
      await stranger("POST", path, initialize, ACCEPT),
      await confined("POST", path, initialize, ACCEPT),
      await owner("POST", `/mcp/agents/${crypto.randomUUID()}`, initialize, ACCEPT),
      await owner("POST", "/mcp/agents/..%2f..", initialize, ACCEPT),
    ];

    for (const { status, body } of answers) {
      expect(status).toBe(404);
      expect(body).toEqual({
        jsonrpc: "2.0",
        id: null,
        error: {
          code: -32000,
          message: "Agent not found",
          data: { code: "not-found", request_id: expect.any(String) },
        },
      });
    }
  });

  it("gets one with 403 for a key without a scope for any tool, and for the page of another origin", async () => {
    const key = await programOf(owner, ["agents:read", "conversations:read"]);

    expect(await key("POST", path, initialize, ACCEPT)).toMatchObject({ status: 403, body: errorOf(-32000) });
    const evil = { ...ACCEPT, origin: "https://evil.example" };
    expect(await owner("POST", path, initialize, evil)).toMatchObject({ status: 403, body: errorOf(-32000) });
    const own = { ...ACCEPT, origin: "https://app.example.com" };
    expect((await owner("POST", path, initialize, own)).status).toBe(200);
  });

  it("gets one with 413 for a body that is too long", async () => {
    const long = { ...list, params: { a: "x".repeat(1024 * 1024) } };

    expect(await owner("POST", path, long, ACCEPT)).toMatchObject({
      status: 413,
      body: { error: { data: { code: "payload-too-large" } } },
    });
  });
});

describe("a malformed message", () => {
  it.each([
    ["text that is no JSON", "{", 400, -32700],
    ["an empty body", " ", 400, -32700],
    ["a number", "1", 400, -32600],
    ["null", "null", 400, -32600],
    ["an empty object", "{}", 400, -32600],
    ["a batch that is too long", JSON.stringify(Array.from({ length: 21 }, () => list)), 400, -32600],
    [
      "half a surrogate pair",
      '{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"a":"\\ud800"}}',
      400,
      -32600,
    ],
    ["another version of JSON-RPC", JSON.stringify({ ...list, jsonrpc: "1.0" }), 400, -32600],
    ["an id that is an object", JSON.stringify({ ...list, id: {} }), 400, -32600],
    ["a method that is a number", JSON.stringify({ ...list, method: 1 }), 400, -32600],
    [
      "deep nesting",
      `{"jsonrpc":"2.0","id":1,"method":"x","params":${"[".repeat(5_000)}${"]".repeat(5_000)}}`,
      0,
      0,
    ],
  ])("that is %s gets a JSON-RPC error", async (_case, text, status, code) => {
    const answer = await owner("POST", path, text, ACCEPT);

    const message = messageIn(answer.body);
    expect(message).toMatchObject({ jsonrpc: "2.0", error: { message: expect.any(String) } });
    if (status !== 0) expect(answer.status).toBe(status);
    expect(answer.status).toBeLessThan(500);
    if (code !== 0 && message["error"])
      expect([code, -32700, -32600]).toContain((message["error"] as { code: number }).code);
    expect(answer.headers.get("content-type")).not.toContain("problem");
  });

  it.each([
    ["an unknown method", { ...list, method: "tools/destroy" }, -32601],
    [
      "an unknown tool",
      { ...list, method: "tools/call", params: { name: "nothing", arguments: {} } },
      -32602,
    ],
    ["no name of a tool", { ...list, method: "tools/call", params: {} }, -32602],
    [
      "an unknown resource",
      { ...list, method: "resources/read", params: { uri: "file:///etc/passwd" } },
      -32602,
    ],
  ])("with %s gets the error of that", async (_case, message, code) => {
    const { status, body } = await owner("POST", path, message, ACCEPT);

    expect(status).toBeLessThan(500);
    expect(messageIn(body)).toMatchObject({ ...errorOf(code), id: 2 });
  });

  it.each([
    ["another media type", { "content-type": "text/plain", ...ACCEPT }, 415],
    ["no stream accepted", { accept: "application/json" }, 406],
    ["an unknown revision", { ...ACCEPT, "mcp-protocol-version": "1900-01-01" }, 400],
  ])("with %s gets a JSON-RPC error", async (_case, headers, status) => {
    const answer = await owner("POST", path, list, headers);

    expect(answer.status).toBe(status);
    expect(messageIn(answer.body)).toMatchObject({ jsonrpc: "2.0", error: { message: expect.any(String) } });
  });
});

it.each(["arguments", "_meta", "name"])(
  "answers a call whose %s nests deeper than the stack",
  async (member) => {
    const deep = "[".repeat(200_000) + "]".repeat(200_000);
    const params = { name: "memory_search", arguments: { query: "cats" }, _meta: {}, [member]: "PLACE" };
    for (const value of [deep, `{"query":${deep},"progressToken":${deep}}`]) {
      const text = JSON.stringify({ ...list, method: "tools/call", params }).replace('"PLACE"', value);
      const { status, body } = await owner("POST", path, text, ACCEPT);

      expect(status).toBeLessThan(500);
      expect(messageIn(body)).toMatchObject({ jsonrpc: "2.0" });
      expect(JSON.stringify(body).length).toBeLessThan(20_000);
    }
  },
);

it("accepts notifications with 202, also of requests that it does not know", async () => {
  for (const method of ["notifications/initialized", "notifications/cancelled"]) {
    const { status, body } = await owner(
      "POST",
      path,
      { jsonrpc: "2.0", method, params: { requestId: 99 } },
      ACCEPT,
    );
    expect([status, body]).toEqual([202, ""]);
  }
});

it("negotiates the revision, and opens a session for a client of 2025", async () => {
  const ask = async (protocolVersion: string) => {
    const params = { ...initialize.params, protocolVersion };
    const { body, headers } = await owner("POST", path, { ...initialize, params }, ACCEPT);
    return { result: messageIn(body)["result"], session: headers.get("mcp-session-id") };
  };

  const [known, unknown] = [await ask("2025-03-26"), await ask("1999-01-01")];
  expect(known.result).toMatchObject({
    protocolVersion: "2025-03-26",
    serverInfo: { name: "dynamic-agent-builder" },
  });
  expect(unknown.result).toMatchObject({ protocolVersion: expect.stringMatching(/^2025-/u) });
  expect(known.session).toMatch(/^[\da-f-]{36}$/u);
  expect(known.session).not.toBe(unknown.session);
});
