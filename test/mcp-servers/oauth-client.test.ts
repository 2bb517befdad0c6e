import { describe, expect, it } from "vitest";
import { McpOAuthClient } from "../../src/mcp-servers/oauth-client.ts";
import { guardedFetch } from "../../src/shared/guarded-fetch.ts";

const SERVER = "https://mcp.example.org/tenants/a";
const CALLBACK = "https://api.agents.example.com/mcp-servers/callback";
const METADATA = "https://mcp.example.org/.well-known/oauth-protected-resource/tenants/a";
const AUTHORIZATION_SERVER = "https://login.example.org/.well-known/oauth-authorization-server";

const pages = {
  [METADATA]: { resource: SERVER, authorization_servers: ["https://login.example.org"] },
  [AUTHORIZATION_SERVER]: {
    issuer: "https://login.example.org",
    authorization_endpoint: "https://login.example.org/authorize",
    token_endpoint: "https://login.example.org/token",
    registration_endpoint: "https://login.example.org/register",
    code_challenge_methods_supported: ["S256"],
  },
  "https://login.example.org/register": { client_id: "client" },
} as const;

type Page = object | ((request: Request) => Response | Promise<Response>);

/** A client as in production, of servers that answer with these pages, and the addresses that it has asked. */
function clientOf(changes: Readonly<Record<string, Page>> = {}) {
  const asked: string[] = [];
  const all: Readonly<Record<string, Page>> = { ...pages, ...changes };
  const policy = { isLocal: false, ownHosts: ["api.agents.example.com"], allowedOrigins: [] };
  const fetch = guardedFetch({
    ...policy,
    fetch: (input) => {
      // The guard passes a request on.
      const request = input as Request;
      asked.push(request.url);
      const page = all[request.url];
      if (typeof page === "function") return Promise.resolve(page(request));
      const created = request.method === "POST" ? 201 : 200;
      return Promise.resolve(Response.json(page ?? {}, { status: page ? created : 404 }));
    },
    resolve: (host) => Promise.resolve([host.startsWith("inside.") ? "10.0.0.1" : "93.184.216.34"]),
  });
  return { client: new McpOAuthClient({ fetch, policy, now: () => 0 }), asked };
}

const resource = (address: string) => ({
  [METADATA]: { ...pages[METADATA], resource: address },
});
const metadata = (changes: object) => ({
  [AUTHORIZATION_SERVER]: { ...pages[AUTHORIZATION_SERVER], ...changes },
});

describe("the registration at an authorization server", () => {
  it.each([SERVER, `${SERVER}/`, "https://mcp.example.org/tenants", "https://mcp.example.org/"])(
    "asks for tokens for %s, at whose address the server is",
    async (address) => {
      const { client } = clientOf(resource(address));

      expect((await client.register(SERVER, "", CALLBACK)).grant).toMatchObject({ resource: address });
    },
  );

  it.each([
    "https://mcp.example.org/tenants/b",
    // Another tenant, whose name begins like that of the server's.
    "https://mcp.example.org/ten",
    `${SERVER}/below`,
    `${SERVER}?tenant=b`,
    `${SERVER}#b`,
    "https://login.example.org/tenants/a",
    "http://mcp.example.org/tenants/a",
    "tenants/a",
  ])("asks for no token for %s, which is another resource", async (address) => {
    const { client, asked } = clientOf(resource(address));

    await expect(client.register(SERVER, "", CALLBACK)).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringContaining("another server"),
    });
    expect(asked).toEqual([METADATA]);
  });

  it.each<[string, string, Readonly<Record<string, Page>>]>([
    ["metadata of the server", 'Bearer resource_metadata="https://inside.example.org/x"', {}],
    ["metadata of the service itself", 'Bearer resource_metadata="https://api.agents.example.com/x"', {}],
    ["metadata without TLS", 'Bearer resource_metadata="http://mcp.example.org/x"', {}],
    [
      "an authorization server",
      "",
      { [METADATA]: { ...pages[METADATA], authorization_servers: ["https://inside.example.org"] } },
    ],
    ["a registration", "", metadata({ registration_endpoint: "https://inside.example.org/register" })],
    ["a token endpoint", "", metadata({ token_endpoint: "https://169.254.169.254/token" })],
    ["a page for the owner", "", metadata({ authorization_endpoint: "javascript:alert(1)" })],
  ])("asks no address that is not public: %s", async (_case, challenge, changes) => {
    const { client, asked } = clientOf(changes);

    await expect(client.register(SERVER, challenge, CALLBACK)).rejects.toMatchObject({ code: "conflict" });
    const allowed = ["mcp.example.org", "login.example.org"];
    expect(asked.filter((address) => !allowed.includes(new URL(address).hostname))).toEqual([]);
    expect(asked.filter((address) => !address.startsWith("https:"))).toEqual([]);
  });

  it("does not follow a redirect of metadata", async () => {
    const { client, asked } = clientOf({
      [AUTHORIZATION_SERVER]: () => Response.redirect("https://inside.example.org/", 302),
    });

    await expect(client.register(SERVER, "", CALLBACK)).rejects.toMatchObject({ code: "conflict" });
    expect(asked.some((address) => address.includes("inside."))).toBe(false);
  });

  it("refuses metadata of another issuer", async () => {
    const { client } = clientOf(metadata({ issuer: "https://evil.example.org" }));

    await expect(client.register(SERVER, "", CALLBACK)).rejects.toMatchObject({ code: "conflict" });
  });

  it("names this service as a web application", async () => {
    const bodies: unknown[] = [];
    const { client } = clientOf({
      "https://login.example.org/register": async (request) => {
        bodies.push(await request.json());
        return Response.json({ client_id: "client" }, { status: 201 });
      },
    });

    await client.register(SERVER, "", CALLBACK);

    expect(bodies).toMatchObject([{ application_type: "web", redirect_uris: [CALLBACK] }]);
  });

  it.each<[string, number, object, string | undefined]>([
    ["no time at which the secret expires", 201, { client_secret: "secret" }, "secret"],
    ["null for a client without a secret", 201, { client_secret: null }, undefined],
    ["status 200", 200, {}, undefined],
  ])("accepts an answer with %s", async (_case, status, answer, secret) => {
    const { client } = clientOf({
      "https://login.example.org/register": () =>
        Response.json({ client_id: "client", ...answer }, { status }),
    });

    const { grant, clientSecret } = await client.register(SERVER, "", CALLBACK);

    expect([grant.clientId, clientSecret]).toEqual(["client", secret]);
  });

  it.each(["invalid_client", "unauthorized_client", "invalid_redirect_uri"])(
    "says that the authorization server has refused it with %s",
    async (error) => {
      const { client } = clientOf({
        "https://login.example.org/register": () => Response.json({ error }, { status: 400 }),
      });

      await expect(client.register(SERVER, "", CALLBACK)).rejects.toMatchObject({
        code: "conflict",
        message: `The registration with the authorization server failed. It says: ${error}.`,
      });
    },
  );

  it.each<[string, Readonly<Record<string, Page>>]>([
    ["scopes", { [METADATA]: { ...pages[METADATA], scopes_supported: ["é".repeat(2_500)] } }],
    ["a client id", { "https://login.example.org/register": { client_id: "x".repeat(5_000) } }],
    ["an address", metadata({ token_endpoint: `https://login.example.org/${"x".repeat(5_000)}` })],
  ])("does not store more than there is room for in the agent's item: %s", async (_case, changes) => {
    const { client } = clientOf(changes);

    await expect(client.register(SERVER, "", CALLBACK)).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringContaining("too long"),
    });
  });
});

it("ends in an error of the authorization if the answer comes from another issuer than the one that was asked", async () => {
  const { client, asked } = clientOf(metadata({ authorization_response_iss_parameter_supported: true }));
  const { grant, clientSecret } = await client.register(SERVER, "", CALLBACK);
  const redemption = { state: "s", verifier: "v".repeat(43), redirectUri: CALLBACK, clientSecret };

  for (const iss of [undefined, "https://evil.example.org"]) {
    const answer = new URLSearchParams({ state: "s", code: "c", ...(iss !== undefined && { iss }) });
    await expect(client.redeem(grant, answer, redemption)).rejects.toMatchObject({ code: "conflict" });
  }
  expect(asked).not.toContain("https://login.example.org/token");
});
