import { describe, expect, it } from "vitest";
import { McpConnection } from "../../src/mcp-servers/connection.ts";
import { McpFailure } from "../../src/mcp-servers/failure.ts";
import type { McpServer } from "../../src/mcp-servers/model.ts";
import { McpOAuthClient } from "../../src/mcp-servers/oauth-client.ts";
import { McpServerRepository } from "../../src/mcp-servers/repository.ts";
import { McpServerSecrets } from "../../src/mcp-servers/secrets.ts";
import { McpServerService } from "../../src/mcp-servers/service.ts";
import { McpTokens } from "../../src/mcp-servers/tokens.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { Vault, type VaultKey } from "../../src/shared/encryption.ts";
import { guardedFetch } from "../../src/shared/guarded-fetch.ts";
import { beginConversation, signUp, table } from "../support/app.ts";

const keyOf = (id: string, byte: number): VaultKey => ({ id, secret: new Uint8Array(32).fill(byte) });
const OLD = keyOf("old", 1);
const NEW = keyOf("new", 2);
const CANARY = "canary-token-0123456789";
const HOUR_MS = 60 * 60 * 1000;

const settings = {
  name: "tickets",
  url: "https://mcp.example.org/",
  auth: "bearer",
  bearerToken: CANARY,
  allowedTools: null,
  timeoutSeconds: 20,
  enabled: true,
} as const;

interface Message {
  readonly id: number;
  readonly method: string;
}

/** The service with a ring of keys, at a server with these tools, and what that was asked. `held` holds each answer back. */
function deploymentWith(
  keys: readonly [VaultKey, ...VaultKey[]],
  { tools = ["echo"], held }: { readonly tools?: readonly string[]; readonly held?: Promise<void> } = {},
) {
  const asked: { readonly method: string; readonly token: string | null; readonly host: string }[] = [];
  const policy = { isLocal: false, ownHosts: [], allowedOrigins: [] };
  const fetch = guardedFetch({
    ...policy,
    fetch: async (input) => {
      // The guard passes a request on.
      const request = input as Request;
      const { id, method } = await request.json<Message>();
      asked.push({ method, token: request.headers.get("authorization"), host: new URL(request.url).host });
      await held;
      const listed = tools.map((name) => ({
        name,
        description: "x".repeat(1_400),
        inputSchema: { type: "object" },
      }));
      const result = method === "tools/list" ? { tools: listed } : { supportedVersions: ["2026-07-28"] };
      return Response.json({ jsonrpc: "2.0", id, result });
    },
    resolve: () => Promise.resolve(["93.184.216.34"]),
  });
  const clock = systemClock;
  const servers = new McpServerRepository({ table });
  const secrets = new McpServerSecrets({ vault: new Vault(keys) });
  const oauthClient = new McpOAuthClient({ fetch, policy, now: clock.now });
  const tokens = new McpTokens({ servers, secrets, oauthClient, clock });
  const service = new McpServerService({ servers, secrets, tokens, fetch, policy, clock });
  return { service, servers, secrets, tokens, asked };
}

async function newPlace() {
  const client = await signUp();
  const { agentId } = await beginConversation(client);
  return { accountEmail: client.email, agentId };
}

/** Makes the lists of an agent's servers two hours old. */
async function makeOld(place: Awaited<ReturnType<typeof newPlace>>): Promise<void> {
  const { servers } = deploymentWith([NEW]);
  const state = await servers.state(place);
  const older = state.servers.map((server) => ({ ...server, checkedAt: server.checkedAt - 2 * HOUR_MS }));
  await servers.save(place, { ...state, servers: older });
}

it("encrypts a token with a new key when the tools are listed again", async () => {
  const place = await newPlace();
  const { id } = await deploymentWith([OLD]).service.create(place, settings, undefined);

  await deploymentWith([NEW, OLD]).service.refresh(place, id);

  const { service, servers, asked } = deploymentWith([NEW]);
  expect(await service.refresh(place, id)).toMatchObject({ state: "ready" });
  expect(asked.every(({ token }) => token === `Bearer ${CANARY}`)).toBe(true);
  expect((await servers.state(place)).servers[0]?.sealedSecrets).toMatch(/^v1\.new\./u);
});

it("says that a token which can no longer be decrypted has to be entered again, and sends nothing", async () => {
  const place = await newPlace();
  const { id } = await deploymentWith([OLD]).service.create(place, settings, undefined);
  const { service, asked } = deploymentWith([NEW]);

  expect(await service.refresh(place, id)).toMatchObject({
    state: "unauthorized",
    error: expect.stringContaining("has to enter them again"),
  });
  expect(asked).toEqual([]);
  expect(await service.update(place, id, { bearerToken: CANARY })).toMatchObject({ state: "ready" });
});

it("lists old tools again once for all turns that ask for it, and fresh ones not at all", async () => {
  const place = await newPlace();
  const { service, asked } = deploymentWith([NEW]);
  const { id } = await service.create(place, settings, undefined);
  const lists = () => asked.filter(({ method }) => method === "tools/list").length;
  const again = () => Promise.all([1, 2, 3].map(() => service.refreshIfOlder(place, id, HOUR_MS)));

  await again();
  expect(lists()).toBe(1);
  await makeOld(place);
  await again();

  expect(lists()).toBe(2);
});

it("drops what a server has listed if its owner has moved it meanwhile", async () => {
  const place = await newPlace();
  const { id } = await deploymentWith([NEW]).service.create(place, settings, undefined);
  const held = Promise.withResolvers<void>();
  const slow = deploymentWith([NEW], { tools: ["of_the_old_address"], held: held.promise });

  const listing = slow.service.refresh(place, id);
  await expect.poll(() => slow.asked.length).toBe(1);
  const moved = deploymentWith([NEW], { tools: ["new"] });
  await moved.service.update(place, id, { url: "https://other.example.org/", bearerToken: CANARY });
  held.resolve();
  await listing;

  const [server] = await moved.service.list(place);
  expect(server?.listing?.tools.map(({ name }) => name)).toEqual(["new"]);
});

it("keeps what it has if the tools of all servers take too much room, and says so", async () => {
  const place = await newPlace();
  const tools = Array.from({ length: 26 }, (_, n) => `t${n}`);
  const { service, servers } = deploymentWith([NEW], { tools });
  await service.create(place, { ...settings, name: "a" }, undefined);

  const second = await service.create(place, { ...settings, name: "b" }, undefined);

  expect(second).toMatchObject({
    state: "failed",
    listing: null,
    error: expect.stringContaining("at most 64 KB"),
  });
  expect((await servers.state(place)).servers.map(({ state }) => state)).toEqual(["ready", "failed"]);
});

it("can be disabled and limited however much room its registration and tokens take", async () => {
  const place = await newPlace();
  const { service, servers } = deploymentWith([NEW]);
  const { id } = await service.create(place, settings, undefined);
  const { servers: before, revision } = await servers.state(place);
  const grant = {
    authorizationServer: { issuer: "x".repeat(70_000) },
    clientId: "client",
    clientAuth: "none",
    resource: settings.url,
    scope: null,
    expiresAt: null,
  };
  await servers.save(place, { servers: before.map((server) => ({ ...server, grant })), revision });

  expect(await service.update(place, id, { enabled: false, allowedTools: ["echo"] })).toMatchObject({
    enabled: false,
    state: "ready",
  });
});

it("does nothing for a server that is gone, and throws nothing if its agent is", async () => {
  const { service, asked } = deploymentWith([NEW]);

  await service.refreshIfOlder(await newPlace(), "nothing", 0);
  await service.refreshIfOlder({ ...(await newPlace()), agentId: (await newPlace()).agentId }, "nothing", 0);

  expect(asked).toEqual([]);
});

describe("a server that wants more rights than its token has", () => {
  const refusal = new McpFailure("insufficient-scope", "It wants more rights.", {
    challenge: 'Bearer error="insufficient_scope", scope="tools:write"',
  });

  /** A server that its owner has authorized, and which refuses calls with its token. */
  async function refusingServer() {
    const place = await newPlace();
    const { service, servers, secrets, tokens } = deploymentWith([NEW]);
    const { id } = await service.create(
      place,
      { ...settings, auth: "oauth", bearerToken: undefined },
      undefined,
    );
    const store = async (changes: Partial<McpServer>) => {
      const state = await servers.state(place);
      await servers.save(place, { ...state, servers: state.servers.map((one) => ({ ...one, ...changes })) });
    };
    const sealed = (accessToken: string) => secrets.seal(place, id, { accessToken });
    await store({ state: "ready", error: null, sealedSecrets: await sealed("access-1") });
    const server = await service.get(place, id);
    const { url } = server;
    const connection = new McpConnection({ fetch, url, protocol: "stateless", token: "access-1" });
    const call = () => tokens.authorized(place, server, connection, () => Promise.reject(refusal));
    return { place, id, service, servers, store, sealed, call };
  }

  it("is stored once, however often it refuses", async () => {
    const { place, id, service, servers, call } = await refusingServer();

    await expect(call()).rejects.toBe(refusal);
    const { revision } = await servers.state(place);
    await expect(call()).rejects.toBe(refusal);

    expect(await service.get(place, id)).toMatchObject({
      state: "unauthorized",
      error: "It wants more rights.",
      wantedScope: "tools:write",
    });
    expect((await servers.state(place)).revision).toBe(revision);
  });

  it.each<[string, (sealed: (token: string) => Promise<string | null>) => Promise<Partial<McpServer>>]>([
    ["another token", async (sealed) => ({ sealedSecrets: await sealed("access-2") })],
    ["no authorization any longer", () => Promise.resolve({ auth: "none", sealedSecrets: null })],
  ])("is left alone if it has meanwhile got %s", async (_case, changes) => {
    const { place, id, service, store, sealed, call } = await refusingServer();
    await store(await changes(sealed));

    await expect(call()).rejects.toBe(refusal);

    expect(await service.get(place, id)).toMatchObject({ state: "ready", error: null, wantedScope: null });
  });

  it("refuses with its own reason if it was removed meanwhile", async () => {
    const { place, id, service, call } = await refusingServer();
    await service.remove(place, id);

    await expect(call()).rejects.toBe(refusal);
  });

  it("still wants them when it answers again after a failure", async () => {
    const { place, id, service, store, call } = await refusingServer();
    await expect(call()).rejects.toBe(refusal);
    await store({ state: "failed", error: "The server could not be reached." });

    expect(await service.refresh(place, id)).toMatchObject({
      state: "unauthorized",
      error: expect.stringContaining("wants more rights"),
    });
  });
});
