import { describe, expect, it, onTestFinished, vi } from "vitest";
import { TOOLS } from "../../src/architectures/krishna-memgpt/krishna-memgpt.ts";
import { isReservedToolName } from "../../src/http-tools/model.ts";
import { knowledgeBaseRead } from "../../src/tools/native/knowledge-base-read.ts";
import { knowledgeBaseSearch } from "../../src/tools/native/knowledge-base-search.ts";
import { ada, beginConversation, type Client, signUp, table } from "../support/app.ts";
import { programOf } from "../support/callers.ts";
import { startSite } from "../support/site.ts";

const CANARY = "canary-secret-0123456789";

const weather = {
  name: "get_weather",
  description: "Get the weather of a city.",
  parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  method: "GET",
  url: "https://weather.example.org/{{city}}",
  headers: { "X-Key": "{{secrets.key}}" },
  secrets: { key: CANARY },
};

/** A value as JSON text that `JSON.stringify` could not write: the client of these tests sends a text as it is. */
const nested = (depth: number) => `@@${"[".repeat(depth)}${"]".repeat(depth)}@@`;
const nestedParameters = (depth: number) => {
  const level = '{"type":"object","properties":{"a":';
  return `@@${level.repeat(depth / 4)}1${"}}".repeat(depth / 4)}@@`;
};
/** Puts the texts of `nested` into a body as JSON. */
const unquoted = (body: object) =>
  JSON.stringify(body).replaceAll(/"@@(.*?)@@"/gu, (_whole, json: string) => json.replaceAll('\\"', '"'));

async function createAgent(client: Client): Promise<string> {
  const { body } = await client("POST", "/agents", { ...ada, agent_name: `Ada ${crypto.randomUUID()}` });
  return `/agents/${body.agent_id}/http-tools`;
}

async function signUpWithAgent() {
  const client = await signUp();
  return { client, path: await createAgent(client) };
}

describe("the tools of an agent", () => {
  it("are created, read, listed, changed and deleted, and never show a secret", async () => {
    const { client, path } = await signUpWithAgent();

    const created = await client("POST", path, weather);
    const tool = {
      tool_id: expect.any(String),
      ...weather,
      body: null,
      secrets: ["key"],
      timeout_seconds: 10,
      enabled: true,
      created_at: expect.any(String),
      updated_at: null,
    };
    expect(created).toMatchObject({ status: 201, body: tool });
    const one = `${path}/${created.body.tool_id}`;
    expect((await client("GET", one)).body).toEqual(created.body);
    expect((await client("GET", path)).body).toEqual([created.body]);

    const changes = {
      name: "weather",
      enabled: false,
      timeout_seconds: 5,
      secrets: { other: "another-secret" },
    };
    const changed = await client("PATCH", one, changes);
    expect(changed.body).toEqual({
      ...created.body,
      ...changes,
      secrets: ["key", "other"],
      updated_at: expect.any(String),
    });

    const exported = await client("GET", "/users/me/export");
    expect(exported.body).toContain('"https://weather.example.org/{{city}}"');
    const answers = JSON.stringify([created, changed, exported.body, await client("GET", path)]);
    expect(answers).not.toContain(CANARY);
    expect(answers).not.toContain("another-secret");
    const stored = await table.query(`User#${client.email}`, { range: { beginsWith: "Agent#" } });
    expect(JSON.stringify(stored)).toContain("sealed_secrets");
    expect(JSON.stringify(stored)).not.toContain(CANARY);
    const [, sealed = ""] = /"sealed_secrets":"([^"]+)"/u.exec(JSON.stringify(stored)) ?? [];
    expect(exported.body).not.toContain(sealed);

    expect((await client("DELETE", one)).status).toBe(204);
    expect((await client("DELETE", one)).status).toBe(204);
    expect((await client("GET", one)).status).toBe(404);
    expect((await client("GET", path)).body).toEqual([]);
  });

  it("keep their definition when the agent itself is changed", async () => {
    const { client, path } = await signUpWithAgent();
    await client("POST", path, weather);

    await client("PATCH", path.replace("/http-tools", ""), {
      agent_name: "Bob",
      agent_persona: "You are Bob.",
    });

    expect((await client("GET", path)).body).toMatchObject([{ name: "get_weather", secrets: ["key"] }]);
  });

  it("send no secret to another host unless it is entered again", async () => {
    const { client, path } = await signUpWithAgent();
    const { body: tool } = await client("POST", path, weather);
    const one = `${path}/${tool.tool_id}`;

    for (const url of [
      "https://elsewhere.example.net/{{city}}",
      "https://weather.example.org.example.net/{{city}}",
      "https://weather.example.org:80/{{city}}",
    ]) {
      const { status, body } = await client("PATCH", one, { url });
      expect([url, status]).toEqual([url, 422]);
      expect(body.detail).toContain("secrets.key");
      expect((await client("PATCH", one, { url, headers: {} })).status).toBe(422);
    }
    expect((await client("GET", one)).body).toEqual(tool);

    const onTheSame = await client("PATCH", one, { url: "https://WEATHER.example.org/v2/{{city}}" });
    expect(onTheSame).toMatchObject({ status: 200, body: { secrets: ["key"] } });
    const url = "https://elsewhere.example.net/{{city}}";
    const entered = await client("PATCH", one, { url, secrets: { key: "another-secret" } });
    expect(entered).toMatchObject({ status: 200, body: { url, secrets: ["key"] } });
    const removed = await client("PATCH", one, { url: weather.url, headers: {}, secrets: { key: null } });
    expect(removed).toMatchObject({ status: 200, body: { url: weather.url, secrets: [] } });
  });

  it("have no more secrets and no longer definition after several changes than one request may send", async () => {
    const { client, path } = await signUpWithAgent();
    const { body: tool } = await client("POST", path, weather);
    const one = `${path}/${tool.tool_id}`;
    const secrets = (letter: string) =>
      Object.fromEntries(Array.from({ length: 9 }, (_, n) => [`${letter}${n}`, CANARY]));
    const headers = Object.fromEntries(Array.from({ length: 6 }, (_, n) => [`X-${n}`, "x".repeat(1_900)]));

    expect((await client("PATCH", one, { secrets: secrets("a") })).status).toBe(200);
    const tooMany = await client("PATCH", one, { secrets: secrets("b") });
    expect(tooMany).toMatchObject({ status: 422, body: { detail: expect.stringContaining("10 secrets") } });

    expect((await client("PATCH", one, { headers })).status).toBe(200);
    const tooLong = await client("PATCH", one, {
      method: "POST",
      body: { json: Array.from({ length: 4 }, () => "x".repeat(2_000)) },
    });
    expect(tooLong).toMatchObject({ status: 422, body: { detail: expect.stringContaining("16 KB") } });
    expect((await client("GET", one)).body.secrets).toHaveLength(10);
  });

  it("are created once by a repeated request, and all by concurrent ones", async () => {
    const { client, path } = await signUpWithAgent();
    const key = { "idempotency-key": "once" };

    const [first, again] = [
      await client("POST", path, weather, key),
      await client("POST", path, weather, key),
    ];
    const others = await Promise.all(
      Array.from({ length: 6 }, (_, n) => client("POST", path, { ...weather, name: `tool_${n}` })),
    );

    expect(again.body).toEqual(first.body);
    expect(others.map(({ status }) => status)).toEqual(others.map(() => 201));
    expect((await client("GET", path)).body).toHaveLength(7);
  });

  it("have distinct names, and are at most 20", async () => {
    const { client, path } = await signUpWithAgent();
    for (let n = 0; n < 20; n++) await client("POST", path, { ...weather, name: `tool_${n}` });
    const [{ tool_id: id }] = (await client("GET", path)).body as [{ readonly tool_id: string }];

    const renamed = await client("PATCH", `${path}/${id}`, { name: "TOOL_1" });
    const another = await client("POST", path, { ...weather, name: "tool_20" });

    expect([renamed.status, another.status]).toEqual([409, 409]);
    expect(renamed.body.detail).toContain("already has a tool called");
    expect(another.body.detail).toContain("at most 20");
  });

  it("show a program that may write but not read ids and times only, and no test", async () => {
    const { client, path } = await signUpWithAgent();
    const writer = await programOf(client, ["agents:write"]);

    const { status, body } = await writer("POST", path, weather);

    expect(status).toBe(201);
    expect(Object.keys(body)).toEqual(["tool_id", "created_at", "updated_at"]);
    expect((await writer("POST", `${path}/${body.tool_id}/test`, { arguments: { city: "x" } })).status).toBe(
      403,
    );
  });
});

describe("a definition", () => {
  it.each([
    ["a reserved name", { name: "core_memory_forget" }, "name"],
    ["a reserved name in capitals", { name: "HTTP_result_read" }, "name"],
    ["a name with spaces", { name: "get weather" }, "name"],
    ["no description", { description: " " }, "description"],
    [
      "a pattern",
      {
        parameters: {
          type: "object",
          properties: { city: { type: "string", pattern: "a+" } },
          required: ["city"],
        },
      },
      "pattern",
    ],
    ["an unknown placeholder", { url: "https://weather.example.org/{{town}}" }, "{{town}}"],
    ["a secret without a value", { secrets: {} }, "secrets.key"],
    ["stray braces", { headers: { "X-Key": "{{ secrets.key" } }, "placeholder"],
    [
      "an optional argument in the path",
      { parameters: { type: "object", properties: { city: { type: "string" } } } },
      "required",
    ],
    ["a placeholder as host", { url: "https://{{city}}/" }, "host"],
    ["a placeholder in the host", { url: "https://{{city}}.example.org/" }, "host"],
    ["a placeholder as host after three slashes", { url: "https:///{{city}}.example.org/" }, "host"],
    ["a relative URL", { url: "/{{city}}" }, "url"],
    ["a fragment", { url: "https://weather.example.org/{{city}}#x" }, "fragment"],
    ["a GET request with a body", { body: { text: "x" } }, "body"],
    ["two kinds of body", { method: "POST", body: { text: "x", json: 1 } }, "body"],
    ["a Host header", { headers: { host: "other" } }, "host"],
    ["a header of proxies", { headers: { "X-Forwarded-For": "1.1.1.1" } }, "X-Forwarded-For"],
    ["a line break in a header", { headers: { "X-A": "a\nb" } }, "X-A"],
    ["a header twice", { headers: { "X-Key": "{{secrets.key}}", "x-key": "b" } }, "headers"],
    [
      "a deeply nested body",
      { method: "POST", body: { json: JSON.parse(`${"[".repeat(30)}${"]".repeat(30)}`) as unknown } },
      "json",
    ],
    ["a body nested deeper than the stack", { method: "POST", body: { json: nested(30_000) } }, "json"],
    ["parameters nested deeper than the stack", { parameters: nestedParameters(10_000) }, "parameters"],
    ["a short secret", { secrets: { key: "abc" } }, "key"],
    ["a secret of two lines", { secrets: { key: `${CANARY}\n${CANARY}` } }, "key"],
    ["too long a timeout", { timeout_seconds: 31 }, "timeout_seconds"],
    ["too long a definition", { method: "POST", body: { json: "x".repeat(20_000) } }, "16 KB"],
    ["an unknown member", { uri: "https://weather.example.org" }, "uri"],
  ])("with %s is refused, and what was sent is not repeated", async (_case, change, named) => {
    const { client, path } = await signUpWithAgent();

    const { status, body } = await client("POST", path, unquoted({ ...weather, ...change }));

    expect(status).toBe(422);
    expect(JSON.stringify(body)).toContain(named);
    expect(JSON.stringify(body)).not.toContain(CANARY);
    expect((await client("GET", path)).body).toEqual([]);
  });

  it("may not have the name of any tool of the service", () => {
    for (const { spec } of [...TOOLS, knowledgeBaseRead, knowledgeBaseSearch])
      expect({ name: spec.name, isReserved: isReservedToolName(spec.name) }).toEqual({
        name: spec.name,
        isReserved: true,
      });
  });
});

describe("a test of a tool", () => {
  it("shows the request with masked secrets, and the answer without them", async () => {
    const lines: string[] = [];
    for (const level of ["log", "info", "warn", "error"] as const)
      vi.spyOn(console, level).mockImplementation(
        (...parts: unknown[]) => void lines.push(JSON.stringify(parts)),
      );
    onTestFinished(() => void vi.restoreAllMocks());
    const { client, path } = await signUpWithAgent();
    const echo = { key: CANARY, encoded: encodeURIComponent(CANARY), base64: btoa(`user:${CANARY}`) };
    const site = await startSite({
      [`/echo/a%20b?key=${CANARY}`]: {
        headers: { "content-type": "application/json" },
        body: JSON.stringify(echo),
      },
    });
    const request = {
      method: "POST",
      url: `${site.url}/echo/{{city}}?key={{secrets.key}}`,
      headers: { Authorization: "Bearer {{secrets.key}}" },
      body: { json: { city: "{{city}}", key: "{{secrets.key}}" } },
    };
    const { body: tool } = await client("POST", path, { ...weather, ...request });

    const { status, body } = await client("POST", `${path}/${tool.tool_id}/test`, {
      arguments: { city: "a b" },
    });

    const [sent] = (await site.log()).requests;
    expect(sent).toMatchObject({ method: "POST", body: JSON.stringify({ city: "a b", key: CANARY }) });
    expect(sent?.headers["authorization"]).toBe(`Bearer ${CANARY}`);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      request: {
        method: "POST",
        url: `${site.url}/echo/a%20b?key=***`,
        headers: { authorization: "Bearer ***" },
        body: '{"city":"a b","key":"***"}',
      },
      response: { status: 200, media_type: "application/json", truncated: false },
      error: null,
    });
    expect(body.response.text).toContain("***");
    const shown = JSON.stringify(body) + lines.join("");
    expect(shown).not.toContain(CANARY);
    expect(shown).not.toContain(btoa(`user:${CANARY}`).slice(8, -4));
  });

  it("says why there is no answer, and refuses arguments that do not match", async () => {
    const { client, path } = await signUpWithAgent();
    const request = { url: "http://127.0.0.1:1/{{city}}" };
    const { body: tool } = await client("POST", path, { ...weather, ...request });
    const test = (args: object) => client("POST", `${path}/${tool.tool_id}/test`, { arguments: args });

    expect((await test({ city: "x" })).body).toMatchObject({
      response: null,
      error: "The server could not be reached.",
    });
    expect((await test({ city: ".." })).body).toMatchObject({ request: null, response: null });
    expect(await test({})).toMatchObject({
      status: 422,
      body: { errors: [{ path: ["arguments", "city"] }] },
    });
  });
});

it("is deleted with its agent", async () => {
  const client = await signUp();
  const { agentId } = await beginConversation(client);
  await client("POST", `/agents/${agentId}/http-tools`, weather);

  await client("DELETE", `/agents/${agentId}`);

  expect((await client("GET", `/agents/${agentId}/http-tools`)).status).toBe(404);
  expect(JSON.stringify(await table.query(`User#${client.email}`))).not.toContain("sealed_secrets");
});
