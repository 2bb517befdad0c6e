import { beforeAll, describe, expect, it } from "vitest";
import { matchesRedirect } from "../../src/oauth/redirects.ts";
import { problem, requestIn } from "../http/route-cases.ts";
import { anonymous, beginConversation, type Client, signUp, table } from "../support/app.ts";
import {
  addressOf,
  agree,
  ALL,
  ORIGIN,
  type Program,
  REDIRECT,
  register,
  requestOf,
  sendForm,
} from "./people.ts";

let ann: Client;
let bob: Client;
let agentId: string;
let program: Program;

beforeAll(async () => {
  [ann, bob, program] = await Promise.all([signUp(), signUp(), register()]);
  ({ agentId } = await beginConversation(ann));
});

const ask = (request: string, person = ann) => person("POST", "/oauth/consent/question", { request });
const connectionsOf = (person: Client) =>
  table.query(`User#${person.email}`, { range: { beginsWith: "McpConnection#" } });

describe("an agent's MCP address", () => {
  it("tells a client without a token where to get one", async () => {
    const path = `/mcp/agents/${agentId}`;
    const metadata = `${ORIGIN}/.well-known/oauth-protected-resource${path}`;

    const without = await anonymous("POST", path, {});
    const wrong = await anonymous("POST", path, {}, { authorization: "Bearer dabo_nothing" });

    expect([without.status, wrong.status]).toEqual([401, 401]);
    expect(without.headers.get("www-authenticate")).toBe(
      `Bearer resource_metadata="${metadata}", scope="${ALL.join(" ")}"`,
    );
    expect(wrong.headers.get("www-authenticate")).toBe(
      `Bearer error="invalid_token", resource_metadata="${metadata}", scope="${ALL.join(" ")}"`,
    );
  });

  it("has metadata that says nothing about whether there is such an agent", async () => {
    const of = (id: string) => anonymous("GET", `/.well-known/oauth-protected-resource/mcp/agents/${id}`);
    const [known, unknown, malformed] = await Promise.all([of(agentId), of("nothing"), of("a%20b%22")]);

    expect(known.body).toMatchObject({ resource: addressOf(agentId), authorization_servers: [ORIGIN] });
    expect(unknown.body).toEqual({ ...known.body, resource: addressOf("nothing") });
    expect(malformed.body).toEqual({ ...known.body, resource: addressOf("-") });
  });

  it("lets pages of every origin read the metadata, register and get tokens, without cookies", async () => {
    const origin = { origin: "https://inspector.example.org" };
    const paths = [
      ["GET", "/.well-known/oauth-authorization-server"],
      ["GET", `/.well-known/oauth-protected-resource/mcp/agents/${agentId}`],
      ["POST", "/oauth/register"],
      ["POST", "/oauth/token"],
      ["POST", "/oauth/revoke"],
    ] as const;
    for (const [method, path] of paths) {
      const preflight = await anonymous("OPTIONS", path, undefined, {
        ...origin,
        "access-control-request-method": method,
      });
      const { headers } = await anonymous(method, path, method === "POST" ? {} : undefined, origin);
      for (const answered of [preflight.headers, headers]) {
        expect([path, answered.get("access-control-allow-origin")]).toEqual([path, origin.origin]);
        expect([path, answered.get("vary")]).toEqual([path, expect.stringContaining("Origin")]);
        expect([path, answered.get("access-control-allow-credentials")]).toEqual([path, null]);
      }
    }
    const consent = await ann("POST", "/oauth/consent", {}, origin);
    expect(consent.headers.get("access-control-allow-origin")).toBeNull();
  });
});

describe("the registration of a client", () => {
  it("stores nothing, and returns the same id for the same metadata", async () => {
    const metadata = { client_name: `Flood ${crypto.randomUUID()}`, redirect_uris: [REDIRECT] };
    const [first, second] = await Promise.all([
      anonymous("POST", "/oauth/register", metadata),
      anonymous("POST", "/oauth/register", { ...metadata, scope: "everything", jwks: {} }),
    ]);

    expect(first.status).toBe(201);
    expect(second.body).toEqual(first.body);
    expect(first.body.client_id.length).toBeLessThan(2_000);
  });

  it.each([
    "https://claude.ai/api/mcp/auth_callback",
    "http://localhost/callback",
    "http://127.0.0.1:33418/",
    "http://[::1]:1234/callback",
    "cursor://anysphere.cursor-mcp/oauth/callback",
    "com.example.app:/callback",
  ])("accepts the redirect address %s", async (uri) => {
    const { status, body } = await anonymous("POST", "/oauth/register", { redirect_uris: [uri] });

    expect(status).toBe(201);
    expect(body.redirect_uris).toEqual([uri]);
  });

  it.each([
    "http://evil.example.org/callback",
    "http://localhost.evil.example.org/callback",
    "http://127.0.0.1@evil.example.org/callback",
    "https://ann:secret@app.example.org/callback",
    "https://app.example.org/callback#fragment",
    "https://app.example.org/callback#",
    "javascript:alert(1)",
    "JavaScript:alert(1)",
    "java\nscript:alert(1)",
    " javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:msgbox(1)",
    "file:///etc/passwd",
    "blob:https://api.example.com/1",
    "com.example.app:callback",
    "https:app.example.org/callback",
    "https://evil.example.org\\@app.example.org/callback",
    'com.example.app:/"callback"',
    "chrome-extension://abcdefgh/callback",
    "ms-msdt:/id",
    "search-ms:/query",
    "/callback",
    "//evil.example.org/callback",
    "",
    `https://app.example.org/${"x".repeat(1_000)}`,
  ])("refuses the redirect address %j", async (uri) => {
    const { status, body } = await anonymous("POST", "/oauth/register", { redirect_uris: [uri] });

    expect(status).toBe(400);
    expect(body).toEqual({ error: "invalid_redirect_uri", error_description: expect.any(String) });
  });

  it.each([
    ["no redirect address", {}],
    ["an empty list of redirect addresses", { redirect_uris: [] }],
    ["too many redirect addresses", { redirect_uris: Array.from({ length: 11 }, () => REDIRECT) }],
    ["a name that is no text", { redirect_uris: [REDIRECT], client_name: 7 }],
    ["another grant type only", { redirect_uris: [REDIRECT], grant_types: ["client_credentials"] }],
    ["another response type only", { redirect_uris: [REDIRECT], response_types: ["token"] }],
    [
      "more than fits into an id",
      { redirect_uris: [1, 2].map((n) => `https://app.example.org/${n}${"x".repeat(900)}`) },
    ],
  ])("refuses metadata with %s", async (_case, metadata) => {
    const { status, body } = await anonymous("POST", "/oauth/register", metadata);

    expect(status).toBe(400);
    expect(body).toEqual({ error: "invalid_client_metadata", error_description: expect.any(String) });
  });

  it("refuses huge metadata unread, and what is no JSON", async () => {
    const huge = await anonymous("POST", "/oauth/register", {
      redirect_uris: [REDIRECT],
      client_name: "x".repeat(20_000),
    });
    const broken = await anonymous("POST", "/oauth/register", "{");

    expect(huge.status).toBe(413);
    expect(huge.body).toEqual({
      error: "invalid_request",
      error_description: "The body must not exceed 16 KB.",
    });
    expect(broken.status).toBe(400);
    expect(broken.body.error).toBe("invalid_request");
  });

  it("shows a name on one line, without characters that turn text around", async () => {
    const { clientId, ...rest } = await register({
      client_name: "Edi\u202etor\nby  \u200bus ".padEnd(500, "x"),
    });

    const { body } = await ask(requestOf({ clientId, ...rest }, agentId));

    expect(body.client_name).toMatch(/^Edi tor by {3}us x+\.\.\.$/u);
    expect(body.client_name.length).toBeLessThan(90);
  });
});

describe("an authorization request", () => {
  it("is shown with the client, where the answer goes, the agent and the scopes", async () => {
    const { status, body } = await ask(requestOf(program, agentId));

    expect(status).toBe(200);
    expect(body).toEqual({
      client_name: "Editor",
      client_host: null,
      redirect_host: "127.0.0.1:3000",
      redirects_to_own_machine: true,
      agent: { agent_id: agentId, agent_name: expect.stringContaining("Ada") },
      scopes: ALL,
      fault: null,
      decline_to: expect.stringContaining(`${REDIRECT}?error=access_denied`),
    });
  });

  it("is granted with a code, the state and the issuer", async () => {
    const answer = await agree(ann, requestOf(program, agentId));

    expect(Object.fromEntries(answer)).toEqual({
      code: expect.stringMatching(/^dabo_[\w.-]+$/u),
      state: "the-state",
      iss: ORIGIN,
    });
    expect(answer.get("code")).not.toContain(btoa(ann.email).slice(0, 12));
  });

  it("may come from another port of the client's own machine, and from nowhere else", async () => {
    const to = (uri: string) => ask(requestOf(program, agentId, { redirect_uri: uri }));

    expect((await to("http://127.0.0.1:54321/callback")).status).toBe(200);
    for (const uri of [
      "http://127.0.0.1:3000/callback/",
      "http://127.0.0.1:3000/other",
      "http://127.0.0.1:3000/other/../callback",
      "http://127.1:3000/callback",
      "http:///127.0.0.1:3000/callback",
      "HTTP://127.0.0.1:3000/callback",
      "http://127.0.0.1:99999/callback",
      "http://127.0.0.1:3000/callback?more=1",
      "http://localhost:3000/callback",
      "https://127.0.0.1:3000/callback",
      "http://127.0.0.1.evil.example.org:3000/callback",
      "http://127.0.0.1:3000@evil.example.org/callback",
      "https://evil.example.org/callback",
      "javascript:alert(1)",
    ]) {
      const { status, body } = await to(uri);
      expect([uri, status]).toEqual([uri, 400]);
      expect(JSON.stringify(body)).not.toContain("evil");
      expect(body.decline_to).toBeUndefined();
    }
  });

  it("leads to no address that is not acceptable any more, although its client has registered it", () => {
    expect(matchesRedirect("https://app.example.org/", "https://app.example.org/")).toBe(true);
    expect(matchesRedirect("javascript:alert(1)", "javascript:alert(1)")).toBe(false);
  });

  it("needs a redirect address on the web to be the registered one, with its port", async () => {
    const web = await register({ redirect_uris: ["https://app.example.org/callback"] });
    const to = (uri: string) => ask(requestOf(web, agentId, { redirect_uri: uri }));

    expect((await to("https://app.example.org/callback")).body.redirects_to_own_machine).toBe(false);
    expect((await to("https://app.example.org:8443/callback")).status).toBe(400);
    expect((await to("https://app.example.org/callback?a=1")).status).toBe(400);
  });

  it.each([
    ["no PKCE", { code_challenge: null, code_challenge_method: null }, "invalid_request"],
    ["PKCE by the plain method", { code_challenge_method: "plain" }, "invalid_request"],
    ["PKCE without a method", { code_challenge_method: null }, "invalid_request"],
    ["a challenge that is no hash", { code_challenge: "short" }, "invalid_request"],
    ["the implicit flow", { response_type: "token" }, "unsupported_response_type"],
    ["no resource", { resource: null }, "invalid_target"],
    ["a resource elsewhere", { resource: "https://evil.example.org/mcp/agents/x" }, "invalid_target"],
    ["another part of this service", { resource: `${ORIGIN}/agents/x` }, "invalid_target"],
    ["a resource with a query", { resource: `${addressOf("x")}?user=1` }, "invalid_target"],
    ["a resource with a fragment", { resource: `${addressOf("x")}#tools` }, "invalid_target"],
    ["unknown scopes only", { scope: "openid admin" }, "invalid_scope"],
  ])(
    "with %s is not granted, and nobody is redirected before they have seen it",
    async (_case, changes, error) => {
      const request = requestOf(program, agentId, changes);

      const { status, body } = await ask(request);
      const granted = await ann("POST", "/oauth/consent", { request, scopes: ALL });

      expect(status).toBe(200);
      expect(body).toMatchObject({ agent: null, fault: expect.any(String) });
      const { searchParams } = new URL(body.decline_to as string);
      expect(searchParams.get("error")).toBe(error);
      expect(searchParams.get("state")).toBe("the-state");
      expect(granted.status).toBe(400);
    },
  );

  it("is refused with a parameter twice, and ignores unknown ones", async () => {
    const request = requestOf(program, agentId);

    expect((await ask(`${request}&prompt=consent&nonce=1`)).body.fault).toBeNull();
    expect((await ask(`${request}&scope=a&scope=b`)).body.fault).toContain("twice");
    expect((await ask(`${request}&redirect_uri=${encodeURIComponent(REDIRECT)}`)).status).toBe(400);
    expect((await ask(`${request}&client_id=other`)).status).toBe(400);
  });

  it("of a client that is not registered, or whose registration was changed, is refused", async () => {
    const [header = "", , signature = ""] = program.clientId.split(".");
    const forged = btoa(JSON.stringify({ name: "Editor", uris: ["https://evil.example.org/"] })).replaceAll(
      "=",
      "",
    );
    for (const clientId of [
      "nobody",
      "",
      `${header}.${forged}.${signature}`,
      "x".repeat(5_000),
      "e30.e30.",
    ]) {
      const request = requestOf({ ...program, clientId }, agentId, {
        redirect_uri: "https://evil.example.org/",
      });
      const { status, body } = await ask(request);
      expect(status).toBe(400);
      expect(body.code).toBe("malformed-request");
    }
  });

  it("for another account's agent looks like one for an agent that does not exist", async () => {
    const foreign = await ask(requestOf(program, agentId), bob);
    const granted = await bob("POST", "/oauth/consent", {
      request: requestOf(program, agentId),
      scopes: ALL,
    });
    const absent = await ask(requestOf(program, crypto.randomUUID()), bob);

    expect([foreign.status, granted.status]).toEqual([404, 404]);
    expect(foreign.body).toEqual({ ...absent.body, request_id: foreign.body.request_id });
    expect(await connectionsOf(bob)).toEqual([]);
  });

  it("is granted with fewer scopes than it asks for, never with more", async () => {
    const request = requestOf(program, agentId, { scope: "memory:read offline_access" });

    const nothing = await ann("POST", "/oauth/consent", { request, scopes: ["memory:write"] });
    const answer = await agree(ann, request, ALL);
    const { body } = await sendForm("/oauth/token", {
      grant_type: "authorization_code",
      client_id: program.clientId,
      code: answer.get("code") ?? "",
      redirect_uri: REDIRECT,
      code_verifier: program.verifier,
    });

    expect(nothing.status).toBe(400);
    expect(body.scope).toBe("memory:read");
  });

  it("can't be granted by a cookie, an API key or a page of another origin", async () => {
    const key = await ann("POST", "/api-keys", { name: "Key", scopes: ["agents:write", "memory:read"] });
    const request = requestOf(program, agentId);
    const before = await connectionsOf(ann);

    const byKey = await anonymous(
      "POST",
      "/oauth/consent",
      { request, scopes: ALL },
      {
        authorization: `Bearer ${key.body.secret}`,
      },
    );
    const byCookie = await anonymous(
      "POST",
      "/oauth/consent",
      { request, scopes: ALL },
      {
        cookie: "__Host-dab_refresh=anything",
        origin: ORIGIN,
      },
    );

    expect(byKey.body).toEqual(problem(403, "forbidden", expect.any(String)));
    expect(byCookie.status).toBe(401);
    expect(await connectionsOf(ann)).toEqual(before);
  });

  it("is refused above a hundred connections", async () => {
    const person = await signUp();
    const own = await beginConversation(person);
    await agree(person, requestOf(program, own.agentId));
    const [item] = await connectionsOf(person);
    await table.batchWrite(
      Array.from({ length: 99 }, (_, n) => ({
        put: { ...item, pk: `User#${person.email}`, sk: `McpConnection#${n}` },
      })),
    );

    const { status, body } = await person("POST", "/oauth/consent", {
      request: requestOf(program, own.agentId),
      scopes: ALL,
    });

    expect(status).toBe(409);
    expect(body.detail).toContain("100 connected clients");
  });

  it("removes what earlier ones have left whose codes nobody has redeemed", async () => {
    const person = await signUp();
    const own = await beginConversation(person);
    await agree(person, requestOf(program, own.agentId));
    const [item] = await connectionsOf(person);
    const hourAgo = Date.now() - 3_600_000;
    const copyOf = (n: number, changes: Readonly<Record<string, number>>) => ({
      put: { ...item, pk: `User#${person.email}`, sk: `McpConnection#${n}`, ...changes },
    });
    await table.batchWrite([
      ...Array.from({ length: 120 }, (_, n) =>
        copyOf(n, { rotated_at: hourAgo, ttl: Math.floor(hourAgo / 1000) + 60 }),
      ),
      copyOf(1_000, { rotated_at: hourAgo, generation: 1, ttl: Math.floor(Date.now() / 1000) + 3_600 }),
    ]);

    await agree(person, requestOf(program, own.agentId));

    // Without the `ttl` attribute, expired items are returned, too.
    const left = await table.query(`User#${person.email}`, {
      range: { beginsWith: "McpConnection#" },
      attributes: ["pk", "sk"],
    });
    expect(left).toHaveLength(3);
    expect(left.map(({ sk }) => sk)).toContain("McpConnection#1000");
  });
});

it("offers nothing on a deployment that does not know its own address", async () => {
  const secret = "a-secret-of-more-than-32-characters-for-tests";
  const production = { ENVIRONMENT: "production", PUBLIC_URL: "", JWT_SECRET: secret } as Partial<Env>;
  const metadata = await requestIn(production, "GET", "/.well-known/oauth-authorization-server");
  const refused = await requestIn(production, "POST", `/mcp/agents/${agentId}`, { body: {} });

  expect(metadata.body).toMatchObject({ status: 503, code: "not-configured" });
  expect(refused.status).toBe(401);
  expect(refused.headers.get("www-authenticate")).toBe("Bearer");
});

it("serves the page of consent under a policy that allows no frame and no script of others", async () => {
  const { headers } = await anonymous("GET", `/oauth/authorize?${requestOf(program, agentId)}`);

  const policy = headers.get("content-security-policy") ?? "";
  expect(policy).toContain("frame-ancestors 'none'");
  expect(headers.get("x-frame-options")).toBe("DENY");
});
