import {
  Client as ModernClient,
  type OAuthClientInformationMixed,
  type OAuthTokens,
  StreamableHTTPClientTransport as ModernTransport,
  UnauthorizedError as ModernUnauthorized,
} from "@modelcontextprotocol/client";
import { UnauthorizedError as LegacyUnauthorized } from "@modelcontextprotocol/sdk/client/auth.js";
import { Client as LegacyClient } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as LegacyTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { describe, expect, it } from "vitest";
import { beginConversation, type Client, signUp, table } from "../support/app.ts";
import { scriptModel } from "../support/control.ts";
import { REVISION_2026 } from "../mcp/clients.ts";
import { addressOf, agree, ALL, connect, reach } from "./people.ts";

const INFO = { name: "Editor of the tests", version: "1.0.0" };
const REDIRECT = "http://localhost:33418/callback";

/** Keeps what a desktop client keeps, and opens the browser by noting the address. */
class Keychain {
  readonly redirectUrl = REDIRECT;
  readonly clientMetadata = {
    client_name: INFO.name,
    redirect_uris: [REDIRECT],
    grant_types: ["authorization_code", "refresh_token"],
    response_types: ["code"],
    token_endpoint_auth_method: "client_secret_post",
  };
  readonly stored: { client?: OAuthClientInformationMixed; tokens?: OAuthTokens; verifier?: string } = {};
  opened: URL | undefined;

  state() {
    return "state-of-the-editor";
  }
  clientInformation() {
    return this.stored.client;
  }
  saveClientInformation(client: OAuthClientInformationMixed) {
    this.stored.client = client;
  }
  tokens() {
    return this.stored.tokens;
  }
  /** The tokens that the client has stored. Throws if it has none. */
  issued(): OAuthTokens {
    if (!this.stored.tokens) throw new Error("The client has stored no tokens.");
    return this.stored.tokens;
  }
  saveTokens(tokens: OAuthTokens) {
    this.stored.tokens = tokens;
  }
  redirectToAuthorization(address: URL) {
    this.opened = address;
  }
  saveCodeVerifier(verifier: string) {
    this.stored.verifier = verifier;
  }
  codeVerifier(): string {
    return this.stored.verifier ?? "";
  }
}

/** What differs between the two clients. */
const legacy = {
  Unauthorized: LegacyUnauthorized,
  begin: (agentId: string, keychain: Keychain) => {
    const transport = new LegacyTransport(new URL(addressOf(agentId)), {
      authProvider: keychain,
      fetch: reach,
    });
    const client = new LegacyClient(INFO);
    return {
      client,
      connect: () => client.connect(transport),
      finish: (p: URLSearchParams) => transport.finishAuth(p.get("code") ?? ""),
    };
  },
};
const modern = {
  Unauthorized: ModernUnauthorized,
  begin: (agentId: string, keychain: Keychain) => {
    const transport = new ModernTransport(new URL(addressOf(agentId)), {
      authProvider: keychain,
      fetch: reach,
    });
    const client = new ModernClient(INFO, REVISION_2026);
    return {
      client,
      connect: () => client.connect(transport),
      finish: (p: URLSearchParams) => transport.finishAuth(p),
    };
  },
};

describe.each([
  ["the revisions of 2025", legacy],
  ["the revision 2026-07-28", modern],
] as const)("the official client of %s", (_revision, { begin, Unauthorized }) => {
  /** Connects by address alone, with a person who agrees in the browser. */
  async function connected(person: Client, agentId: string, keychain: Keychain, scopes = ALL) {
    const first = begin(agentId, keychain);
    await expect(first.connect()).rejects.toBeInstanceOf(Unauthorized);
    const { opened } = keychain;
    expect(opened?.origin + (opened?.pathname ?? "")).toBe("https://api.example.com/oauth/authorize");
    const answer = await agree(person, opened?.search.slice(1) ?? "", scopes);
    await first.finish(answer);
    const second = begin(agentId, keychain);
    await second.connect();
    return second.client;
  }

  it("connects by the address alone, chats, and remembers its tokens", async () => {
    const person = await signUp();
    const model = await scriptModel([{ text: "Hello, Ann." }]);
    const { agentId } = await beginConversation(person, { agent_model: model.name });
    const keychain = new Keychain();

    const client = await connected(person, agentId, keychain);
    const { content } = await client.callTool({ name: "chat", arguments: { message: "I am Ann." } });
    const { tools } = await client.listTools();

    expect(content).toEqual(expect.arrayContaining([{ type: "text", text: "Hello, Ann." }]));
    expect(tools).toHaveLength(6);
    expect(keychain.stored.client).toMatchObject({
      client_name: INFO.name,
      token_endpoint_auth_method: "none",
    });

    const later = begin(agentId, keychain);
    await later.connect();
    expect((await later.client.listTools()).tools).toHaveLength(6);
  });

  it("sees the tools that the person has agreed to, and no others", async () => {
    const person = await signUp();
    const { agentId } = await beginConversation(person);

    const client = await connected(person, agentId, new Keychain(), ["memory:read"]);

    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name).toSorted()).toEqual([
      "memory_blocks",
      "memory_read",
      "memory_search",
    ]);
  });

  it("refreshes its access token by itself", async () => {
    const person = await signUp();
    const { agentId } = await beginConversation(person);
    const keychain = new Keychain();
    await connected(person, agentId, keychain);
    const before = keychain.issued();
    // As if an hour had passed.
    keychain.stored.tokens = { ...before, access_token: "dabo_expired" };
    keychain.opened = undefined;

    const later = begin(agentId, keychain);
    await later.connect();

    expect((await later.client.listTools()).tools).toHaveLength(6);
    expect(keychain.opened).toBeUndefined();
    expect(keychain.issued().refresh_token).not.toBe(before.refresh_token);
  });

  it("asks its person again after the connection was ended", async () => {
    const person = await signUp();
    const { agentId } = await beginConversation(person);
    const keychain = new Keychain();
    await connected(person, agentId, keychain);
    const { body } = await person("GET", "/users/me/mcp-connections");
    await person("DELETE", `/users/me/mcp-connections/${body.items[0].connection_id}`);
    keychain.opened = undefined;

    // The provider keeps what it has, so the client learns from each answer that it has to ask.
    keychain.stored.tokens = { ...keychain.issued(), refresh_token: undefined };
    await expect(begin(agentId, keychain).connect()).rejects.toBeInstanceOf(Unauthorized);

    expect(keychain.opened).toBeInstanceOf(URL);
  });
});

it("stores no token, no code and no hash of one", async () => {
  const person = await signUp();
  const { agentId } = await beginConversation(person);
  const { access, refresh } = await connect(person, agentId);

  const stored = JSON.stringify(await table.query(`User#${person.email}`));

  expect(stored).toContain("McpConnection#");
  for (const token of [access, refresh])
    for (const part of token.split(".").filter((text) => text.length > 20))
      expect(stored).not.toContain(part);
});
