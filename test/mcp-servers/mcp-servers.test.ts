import { describe, expect, it } from "vitest";
import { ada, type Answer, beginConversation, type Client, signUp, table } from "../support/app.ts";
import { programOf } from "../support/callers.ts";
import { startMcpSite } from "../support/mcp-site.ts";
import { startSite } from "../support/site.ts";

const CANARY = "canary-token-0123456789";
/** An address at which nobody listens. */
const NOWHERE = "http://127.0.0.1:1/mcp";

async function signUpWithAgent() {
  const client = await signUp();
  const { body } = await client("POST", "/agents", { ...ada, agent_name: `Ada ${crypto.randomUUID()}` });
  return { client, path: `/agents/${body.agent_id}/mcp-servers` };
}

const namesIn = ({ body }: Answer) => body.tools.map(({ name }: { name: string }) => name);

describe("the MCP servers of an agent", () => {
  it("are added, read, listed, changed and deleted, and never show their token", async () => {
    const site = await startMcpSite({ bearer: CANARY });
    const { client, path } = await signUpWithAgent();

    const created = await client("POST", path, {
      name: "tickets",
      url: site.url,
      auth: "bearer",
      bearer_token: CANARY,
      allowed_tools: ["echo"],
    });
    expect(created).toMatchObject({
      status: 201,
      body: {
        name: "tickets",
        url: site.url,
        auth: "bearer",
        state: "ready",
        error: null,
        tools: [{ name: "echo", offered_as: "tickets__echo", description: "Repeats a text." }],
        other_tools: ["long", "fail", "picture"],
        refused_tools: [],
        enabled: true,
        timeout_seconds: 20,
      },
    });
    const one = `${path}/${created.body.server_id}`;
    expect((await client("GET", one)).body).toEqual(created.body);
    expect((await client("GET", path)).body).toEqual([created.body]);

    const changed = await client("PATCH", one, { name: "help", allowed_tools: ["long"], enabled: false });
    expect(changed.body).toMatchObject({
      name: "help",
      enabled: false,
      tools: [{ name: "long", offered_as: "help__long" }],
      state: "ready",
    });

    const exported = await client("GET", "/users/me/export");
    expect(exported.body).toContain('"mcp_servers":[{"server_id"');
    const answers = JSON.stringify([created, changed, exported.body, await client("GET", path)]);
    expect(answers).not.toContain(CANARY);
    expect(answers).not.toContain("sealed_secrets");
    expect(JSON.stringify(await table.query(`User#${client.email}`))).not.toContain(CANARY);

    expect((await client("DELETE", one)).status).toBe(204);
    expect((await client("DELETE", one)).status).toBe(204);
    expect((await client("GET", one)).status).toBe(404);
    expect((await client("GET", path)).body).toEqual([]);
  });

  it("stay added if they can't be reached or want another token, and say why", async () => {
    const site = await startMcpSite({ bearer: CANARY });
    const { client, path } = await signUpWithAgent();

    const away = await client("POST", path, { name: "away", url: NOWHERE });
    const wrong = await client("POST", path, {
      name: "wrong",
      url: site.url,
      auth: "bearer",
      bearer_token: "another-token",
    });
    const unauthorized = await client("POST", path, { name: "open", url: site.url, auth: "oauth" });

    expect(away.body).toMatchObject({
      state: "failed",
      error: "The server could not be reached.",
      tools: [],
    });
    expect(wrong.body).toMatchObject({
      state: "unauthorized",
      error: "The server wants another authorization.",
    });
    expect(unauthorized.body).toMatchObject({ state: "unauthorized", listed_at: null });
    const again = await client("PATCH", `${path}/${wrong.body.server_id}`, { bearer_token: CANARY });
    expect(again.body).toMatchObject({ state: "ready", error: null });
  });

  it("keep the tools that they have listed before if they do not answer the next time", async () => {
    const site = await startMcpSite();
    const { client, path } = await signUpWithAgent();
    const { body } = await client("POST", path, { name: "tickets", url: site.url });
    const refresh = () => client("POST", `${path}/${body.server_id}/refresh`);

    await site.change({ removed: ["echo"] });
    expect(namesIn(await refresh())).toEqual(["long", "fail", "picture"]);
    await site.change({ bearer: CANARY });
    const refused = await refresh();

    expect(refused.body).toMatchObject({ state: "unauthorized" });
    expect(namesIn(refused)).toEqual(["long", "fail", "picture"]);
  });

  it("are added once by an idempotent request, and have distinct names", async () => {
    const { client, path } = await signUpWithAgent();
    const key = { "idempotency-key": crypto.randomUUID() };
    const server = { name: "tickets", url: NOWHERE };

    const [first, second] = [
      await client("POST", path, server, key),
      await client("POST", path, server, key),
    ];
    const taken = await client("POST", path, { ...server, name: "Tickets" });

    expect(second.body.server_id).toBe(first.body.server_id);
    expect(taken).toMatchObject({ status: 409, body: { code: "conflict" } });
    expect((await client("GET", path)).body).toHaveLength(1);
  });

  it("are at most six, also if they are added at the same time", async () => {
    const { client, path } = await signUpWithAgent();

    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, n) => client("POST", path, { name: `s${n}`, url: NOWHERE })),
    );

    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([
      ...Array.from({ length: 6 }, () => 201),
      409,
      409,
    ]);
  });

  it("need their token again if they move to another host, so that a key can't send it to a server of its own", async () => {
    const [site, thief] = [await startMcpSite({ bearer: CANARY }), await startMcpSite({ bearer: CANARY })];
    const { client, path } = await signUpWithAgent();
    const server = { name: "tickets", url: site.url, auth: "bearer", bearer_token: CANARY };
    const { body } = await client("POST", path, server);
    const key = await programOf(client, ["agents:write"]);
    const one = `${path}/${body.server_id}`;

    const stolen = await key("PATCH", one, { url: thief.url });
    const opened = await key("PATCH", one, { url: thief.url, auth: "none" });
    const back = await key("PATCH", one, { auth: "bearer" });

    expect(stolen).toMatchObject({ status: 422, body: { errors: [{ path: ["bearer_token"] }] } });
    expect(opened.status).toBe(200);
    expect(back.status).toBe(422);
    const { requests } = await thief.log();
    expect(requests.length).toBeGreaterThan(0);
    expect(JSON.stringify(requests)).not.toContain(CANARY);
  });

  it("belong to their account: a stranger finds none", async () => {
    const { client, path } = await signUpWithAgent();
    const { body } = await client("POST", path, { name: "tickets", url: NOWHERE });
    const stranger = await signUp();

    for (const [method, at] of [
      ["GET", path],
      ["GET", `${path}/${body.server_id}`],
      ["POST", `${path}/${body.server_id}/refresh`],
      ["POST", `${path}/${body.server_id}/authorization`],
    ] as const)
      expect((await stranger(method, at)).status).toBe(404);
  });

  it("are deleted with their agent", async () => {
    const client = await signUp();
    const { agentId } = await beginConversation(client);
    const server = { name: "tickets", url: NOWHERE, auth: "bearer", bearer_token: CANARY };
    await client("POST", `/agents/${agentId}/mcp-servers`, server);

    await client("DELETE", `/agents/${agentId}`);

    expect((await client("GET", `/agents/${agentId}/mcp-servers`)).status).toBe(404);
    expect(JSON.stringify(await table.query(`User#${client.email}`))).not.toContain("sealed_secrets");
  });
});

describe("a server with", () => {
  let shared: Promise<{ client: Client; path: string }> | undefined;

  it.each([
    ["a relative address", { url: "/mcp" }, "url"],
    ["another scheme", { url: "ftp://mcp.example.org/" }, "url"],
    ["a user name in its address", { url: "https://user:password@mcp.example.org/" }, "url"],
    ["a fragment", { url: "https://mcp.example.org/#x" }, "url"],
    ["a space in its address", { url: "https://mcp.example.org/a b" }, "url"],
    ["a name that begins with a digit", { name: "1a" }, "name"],
    ["two underscores in its name", { name: "a__b" }, "name"],
    ["an underscore at the end of its name", { name: "a_" }, "name"],
    ["a long name", { name: "a".repeat(25) }, "name"],
    ["a name that begins like the service's own tools", { name: "core_memory" }, "name"],
    ["the name http", { name: "http" }, "name"],
    ["an unknown kind of authorization", { auth: "basic" }, "auth"],
    ["bearer without a token", { auth: "bearer" }, "bearer_token"],
    ["a token without bearer", { bearer_token: CANARY }, "bearer_token"],
    ["a token of two lines", { auth: "bearer", bearer_token: `${CANARY}\n${CANARY}` }, "bearer_token"],
    ["a token with other letters", { auth: "bearer", bearer_token: `${CANARY}ä` }, "bearer_token"],
    ["too long a timeout", { timeout_seconds: 61 }, "timeout_seconds"],
    [
      "too many allowed tools",
      { allowed_tools: Array.from({ length: 101 }, (_, n) => `t${n}`) },
      "allowed_tools",
    ],
    ["an unknown member", { headers: {} }, "headers"],
  ])("%s is refused, and what was sent is not repeated", async (_case, change, named) => {
    const { client, path } = await (shared ??= signUpWithAgent());

    const { status, body } = await client("POST", path, { name: "tickets", url: NOWHERE, ...change });

    expect(status).toBe(422);
    expect(JSON.stringify(body)).toContain(named);
    expect(JSON.stringify(body)).not.toContain(CANARY);
    expect((await client("GET", path)).body).toEqual([]);
  });
});

it("says that a list of tools which never ends can't be read", async () => {
  const site = await startSite({
    "/mcp": { headers: { "content-type": "text/event-stream" }, fault: "endless" },
  });
  const { client, path } = await signUpWithAgent();

  const { body } = await client("POST", path, { name: "endless", url: `${site.url}/mcp` });

  expect(body).toMatchObject({
    state: "failed",
    error: expect.stringContaining("longer than 1 MB"),
    tools: [],
  });
});
