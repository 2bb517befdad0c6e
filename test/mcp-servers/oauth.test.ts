import { beforeAll, describe, expect, it } from "vitest";
import { anonymous, beginConversation, type Client, signUp, table } from "../support/app.ts";
import { scriptModel } from "../support/control.ts";
import type { ScriptStep } from "../support/control-protocol.ts";
import { type McpSite, startMcpSite } from "../support/mcp-site.ts";
import type { McpSiteOptions } from "../support/mcp-site-protocol.ts";
import { say } from "../support/sse.ts";

const echo = (text: string) => ({ call: { name: "site__echo", arguments: JSON.stringify({ text }) } });
const FORM = { "content-type": "application/x-www-form-urlencoded" };

/** An agent with a server that wants OAuth, and nothing authorized yet. */
async function agentWithServer(
  options: McpSiteOptions = {},
  replies: readonly (readonly ScriptStep[])[] = [],
) {
  const site = await startMcpSite({ oauth: true, ...options });
  const client = await signUp();
  const model = await scriptModel(...replies);
  const conversation = await beginConversation(client, { agent_model: model.name });
  const servers = `/agents/${conversation.agentId}/mcp-servers`;
  const { body } = await client("POST", servers, { name: "site", url: site.url, auth: "oauth" });
  return { site, client, model, server: `${servers}/${body.server_id}`, body, ...conversation };
}

/** What the browser brings back after the owner has agreed: the query of our callback. */
async function consent(client: Client, server: string): Promise<URLSearchParams> {
  const { status, body } = await client("POST", `${server}/authorization`);
  expect(status).toBe(200);
  const { headers } = await fetch(body.authorization_url as string, { redirect: "manual" });
  const back = new URL(headers.get("location") ?? "");
  expect(back.origin + back.pathname).toBe("https://api.example.com/mcp-servers/callback");
  return back.searchParams;
}

const confirm = (query: URLSearchParams) =>
  anonymous("POST", "/mcp-servers/callback", query.toString(), FORM);

async function authorize(client: Client, server: string): Promise<void> {
  const done = await confirm(await consent(client, server));
  expect(done.body).toContain("The server is connected");
}

/** The grants of one kind that the authorization server was asked for. */
const grantsOf = async (site: McpSite, type: string) =>
  (await site.log()).grants.filter((grant) => grant["grant_type"] === type);

describe("an authorization", () => {
  it("registers this service, asks the owner, redeems the code with PKCE, and lists the tools", async () => {
    const { site, client, server, body } = await agentWithServer();
    expect(body).toMatchObject({ state: "unauthorized", tools: [] });

    const query = await consent(client, server);
    const page = await anonymous("GET", `/mcp-servers/callback?${query.toString()}`);
    expect(page.status).toBe(200);
    expect(page.body).toContain("us…@ex…");
    // The authorization server could open this page, too.
    expect(page.body).not.toContain(client.email);
    expect(page.body).toContain(new URL(site.url).host);
    expect(page.headers.get("content-security-policy")).toContain("form-action 'self'");
    expect(await grantsOf(site, "authorization_code")).toEqual([]);

    const done = await confirm(query);
    expect(done).toMatchObject({ status: 200, body: expect.stringContaining("It offers 4 tools") });

    expect((await client("GET", server)).body).toMatchObject({ state: "ready", error: null });
    const [registration, asked, code] = (await site.log()).grants;
    expect(JSON.parse(registration?.["register"] ?? "")).toMatchObject({
      redirect_uris: ["https://api.example.com/mcp-servers/callback"],
      token_endpoint_auth_method: "none",
    });
    expect(asked).toMatchObject({ code_challenge_method: "S256", resource: site.url, scope: "tools:use" });
    expect(code).toMatchObject({ resource: site.url, client_id: "client-of-the-tests" });
    const stored = JSON.stringify(await table.query(`User#${client.email}`));
    expect(stored).not.toMatch(/access-0-|refresh-1/u);
    expect(JSON.stringify(asked)).not.toContain(client.email);
  });

  it("is good for one use", async () => {
    const { client, server } = await agentWithServer();
    const query = await consent(client, server);

    const answers = await Promise.all([confirm(query), confirm(query)]);
    const later = await confirm(query);

    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 410]);
    expect(later).toMatchObject({ status: 410, body: expect.stringContaining("expired or was completed") });
    expect((await anonymous("GET", `/mcp-servers/callback?${query.toString()}`)).status).toBe(410);
  });

  it("is replaced by a later one of the same server, whose tools stay in use until then", async () => {
    const { client, server } = await agentWithServer();
    await authorize(client, server);

    const first = await consent(client, server);
    const second = await consent(client, server);

    expect((await client("POST", `${server}/refresh`)).body).toMatchObject({ state: "ready" });
    expect((await confirm(first)).status).toBe(410);
    expect((await confirm(second)).status).toBe(200);
  });

  let known: Awaited<ReturnType<typeof agentWithServer>>;
  beforeAll(async () => {
    known = await agentWithServer();
  });

  it.each<[string, (query: URLSearchParams) => void, number]>([
    ["another state", (query) => query.set("state", "v1.test.AAAA.AAAA"), 410],
    ["no state", (query) => query.delete("state"), 410],
    ["another issuer", (query) => query.set("iss", "https://evil.example"), 409],
    ["a code that was not issued", (query) => query.set("code", "guess"), 409],
  ])("with %s is refused with a page, and changes nothing", async (_case, change, status) => {
    const { client, server } = known;
    const query = await consent(client, server);
    change(query);
    if (!query.has("state")) query.set("state", "");

    const answer = await confirm(query);

    expect(answer).toMatchObject({ status, body: expect.stringContaining("The server is not connected") });
    expect((await client("GET", server)).body).toMatchObject({ state: "unauthorized" });
  });

  it("that the owner has refused says so, and escapes what the link says", async () => {
    const { client, server } = known;
    const state = (await consent(client, server)).get("state") ?? "";

    const refused = await anonymous("GET", `/mcp-servers/callback?state=${state}&error=access_denied`);
    const forged = await anonymous(
      "GET",
      `/mcp-servers/callback?state=${state}&code=${encodeURIComponent('"><script>alert(1)</script>')}`,
    );

    expect(refused).toMatchObject({ status: 409, body: expect.stringContaining("was not authorized") });
    expect(forged.status).toBe(200);
    expect(forged.body).not.toContain("<script>");
  });

  it("is refused for a server that moved to another address meanwhile", async () => {
    const { client, server } = await agentWithServer();
    const query = await consent(client, server);
    await client("PATCH", server, { url: "http://127.0.0.1:1/mcp" });

    expect((await confirm(query)).status).toBe(410);
  });

  it("says what is missing if the server can't be authorized", async () => {
    const { client, server } = await agentWithServer({ registers: false });
    const open = await agentWithServer();
    await open.client("PATCH", open.server, { auth: "none" });

    expect(await client("POST", `${server}/authorization`)).toMatchObject({
      status: 409,
      body: { detail: expect.stringContaining("does not register clients") },
    });
    expect((await open.client("POST", `${open.server}/authorization`)).status).toBe(409);
  });
});

describe("an access token that is not valid any longer", () => {
  it("is renewed once for the calls of several turns, each of which is then sent again", async () => {
    const { site, client, server, model, path, agentId } = await agentWithServer({}, [
      [echo("One")],
      [{ text: "Done." }],
      [echo("Two")],
      [{ text: "Done." }],
    ]);
    await authorize(client, server);
    await site.change({ tokenEpoch: 1 });
    const begun = await client("POST", "/conversations", { title: "B", description: "b", agent_id: agentId });
    const other = `/agents/${agentId}/${begun.body.conversation_id}/send-message`;

    const answers = await Promise.all([say(client, path, "Ask it"), say(client, other, "Ask it")]);

    expect(answers.map(({ text }) => text)).toEqual(["Done.", "Done."]);
    const results = answers.flatMap(({ events }) =>
      events.filter(({ event_type }) => event_type === "TOOL_CALL_RESULT").map(({ success }) => success),
    );
    expect(results).toEqual([true, true]);
    expect((await model.log()).requests).toHaveLength(4);
    expect(await grantsOf(site, "refresh_token")).toHaveLength(1);
  });

  it("is renewed before it expires, and the next refresh token is kept", async () => {
    const { site, client, server } = await agentWithServer({ expiresIn: 1 });
    await authorize(client, server);

    for (let attempt = 0; attempt < 2; attempt++)
      expect((await client("POST", `${server}/refresh`)).body).toMatchObject({ state: "ready" });

    const tokens = (await grantsOf(site, "refresh_token")).map((grant) => grant["refresh_token"]);
    expect(tokens).toEqual(["refresh-1", "refresh-2", "refresh-3"]);
    expect((await site.log()).requests.filter(({ status }) => status === 401)).toHaveLength(1);
  });

  it("makes the model tell the user if the authorization server renews it no more, and the owner can authorize again", async () => {
    const { site, client, server, model, path } = await agentWithServer({}, [
      [echo("x")],
      [{ text: "It wants an authorization." }],
    ]);
    await authorize(client, server);
    await site.change({ tokenEpoch: 1, refusesRefresh: true });

    const { text } = await say(client, path, "Ask it");

    expect(text).toBe("It wants an authorization.");
    expect(JSON.stringify((await model.log()).requests.at(-1)?.body)).toContain("owner has to authorize");
    expect((await client("GET", server)).body).toMatchObject({ state: "unauthorized" });
    await authorize(client, server);
    expect((await client("GET", server)).body).toMatchObject({ state: "ready" });
  });
});

it("asks the owner for the missing scopes besides the present ones, and then calls the tool", async () => {
  const { site, client, server, model, path } = await agentWithServer({ callScope: "tools:write" }, [
    [echo("One")],
    [{ text: "It wants more rights." }],
    [echo("Two")],
    [{ text: "Done." }],
    [echo("Three")],
    [{ text: "It wants still more." }],
  ]);
  await authorize(client, server);

  await say(client, path, "Ask it");

  const resultOf = async (request: number) =>
    JSON.stringify((await model.log()).requests[request]?.body.messages.at(-1));
  expect(await resultOf(1)).toContain("wants more rights");
  const wanting = { state: "unauthorized", error: expect.stringContaining("more rights") };
  expect((await client("GET", server)).body).toMatchObject(wanting);
  // That it lists its tools does not mean that it allows more.
  expect((await client("POST", `${server}/refresh`)).body).toMatchObject(wanting);

  await authorize(client, server);
  await say(client, path, "Ask it again");

  expect(await resultOf(3)).toContain("Two");
  expect((await client("GET", server)).body).toMatchObject({ state: "ready", error: null });

  await site.change({ oauth: true, callScope: "tools:admin" });
  await say(client, path, "Ask it once more");
  await authorize(client, server);

  const asked = (await site.log()).grants.filter((grant) => "code_challenge" in grant);
  expect(asked.map((grant) => grant["scope"])).toEqual([
    "tools:use",
    "tools:use tools:write",
    "tools:use tools:write tools:admin",
  ]);
});

describe("the tokens of a server", () => {
  const revokedAt = async (site: McpSite) =>
    (await site.log()).grants.flatMap(({ revoke }) => (revoke === undefined ? [] : [revoke])).toSorted();

  it.each<[string, (client: Client, server: string) => Promise<{ readonly status: number }>, number]>([
    ["is deleted", (client, server) => client("DELETE", server), 204],
    [
      "gets another address",
      (client, server) => client("PATCH", server, { url: "http://127.0.0.1:1/mcp" }),
      200,
    ],
    ["is no longer used with OAuth", (client, server) => client("PATCH", server, { auth: "none" }), 200],
  ])("are revoked when it %s", async (_case, change, status) => {
    const { site, client, server } = await agentWithServer();
    await authorize(client, server);

    expect(await change(client, server)).toMatchObject({ status });

    expect(await revokedAt(site)).toEqual(["access-0-1", "refresh-1"]);
    expect((await site.log()).grants.at(-1)).toMatchObject({ client_id: "client-of-the-tests" });
  });

  it("are not revoked while it keeps them, or twice", async () => {
    const { site, client, server } = await agentWithServer();
    await authorize(client, server);

    await client("PATCH", server, { enabled: false });
    expect(await revokedAt(site)).toEqual([]);
    await client("DELETE", server);
    await client("DELETE", server);

    expect(await revokedAt(site)).toHaveLength(2);
  });

  it("do not keep it from being deleted if they can't be revoked", async () => {
    const { site, client, server } = await agentWithServer({ revocationStatus: 503 });
    await authorize(client, server);

    expect((await client("DELETE", server)).status).toBe(204);

    expect((await client("GET", server)).status).toBe(404);
    expect(await revokedAt(site)).toHaveLength(2);
  });
});
