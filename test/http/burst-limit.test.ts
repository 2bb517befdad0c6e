import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it, vi } from "vitest";
import { BURSTS } from "../../src/access/burst-limit.ts";
import { app, beginConversation, type Client, signUp } from "../support/app.ts";
import { endUserOf } from "../support/callers.ts";
import { createKey, type ShownKey, visitorOf } from "../support/widget.ts";

/** A binding that allows this many requests for each key. */
function counter(limit: number) {
  const used = new Map<string, number>();
  const binding: RateLimit = {
    limit: ({ key }) => {
      used.set(key, (used.get(key) ?? 0) + 1);
      return Promise.resolve({ success: (used.get(key) ?? 0) <= limit });
    },
  };
  return { used, binding };
}

async function ask(
  variables: object,
  method: string,
  path: string,
  {
    token,
    ip,
    accept,
    headers: more,
    body,
  }: { token?: string; ip?: string; accept?: string; headers?: Record<string, string>; body?: unknown } = {},
) {
  const ctx = createExecutionContext();
  const headers = {
    "content-type": "application/json",
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
    ...(ip !== undefined && { "cf-connecting-ip": ip }),
    ...(accept !== undefined && { accept }),
    ...more,
  };
  const init = { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) };
  const response = await app.request(path, init, { ...env, ...variables }, ctx);
  const text = await response.text();
  await waitOnExecutionContext(ctx);
  return { status: response.status, headers: response.headers, text };
}

const WRONG = { username: "nobody-at-all", password: "wrong" };
const search = ({ token }: Client, agentId: string, variables: object) =>
  ask(variables, "GET", `/agents/${agentId}/archival-memory/search?query=cats`, { token });

// This test is first, because the message is logged once.
it("allows every request if there is no limiter, or if it fails, which is logged", async () => {
  const warn = vi.spyOn(console, "warn").mockReturnValue(undefined);
  const broken = { limit: () => Promise.reject(new Error("gone")) };
  const client = await signUp();
  const { agentId } = await beginConversation(client);

  expect((await search(client, agentId, { COSTLY_BURST: broken })).status).toBe(200);
  expect(warn).toHaveBeenLastCalledWith(
    expect.objectContaining({ message: "The rate limiter failed; the request was let through." }),
  );

  expect((await search(client, agentId, { COSTLY_BURST: undefined })).status).toBe(200);
  expect((await search(client, agentId, { COSTLY_BURST: undefined })).status).toBe(200);
  // Once per isolate.
  const told = { message: "Bursts are not limited, because the rate-limit binding is missing." };
  expect(warn.mock.calls.filter(([line]) => line?.message === told.message)).toEqual([[told]]);
});

it("refuses requests that arrive too fast from an address, with the time to retry", async () => {
  const { binding } = counter(2);
  const logIn = (ip: string) =>
    ask({ PUBLIC_BURST: binding }, "POST", "/auth/local/login", { ip, body: WRONG });

  expect([(await logIn("192.0.2.1")).status, (await logIn("192.0.2.1")).status]).toEqual([401, 401]);
  const { status, headers, text } = await logIn("192.0.2.1");

  expect([status, headers.get("retry-after")]).toEqual([429, "60"]);
  expect(headers.get("ratelimit-policy")).toBe('"public";q=60;w=60');
  expect(headers.get("ratelimit")).toBe('"public";r=0;t=60');
  expect(JSON.parse(text)).toMatchObject({
    code: "limit-exceeded",
    detail: "Too many requests in a short time. Please wait a moment and try again.",
  });
  expect((await logIn("192.0.2.2")).status).toBe(401);
});

it.each<[string, readonly string[], readonly string[]]>([
  [
    "an IPv6 address by its /64 network, however it is spelled",
    [
      "2001:db8:0:1::1",
      "2001:DB8:0:1::1",
      "2001:0db8:0000:0001:0000:0000:0000:0001",
      "2001:db8::1:0:0:0:1",
      "2001:db8:0:1:ffff:ffff:ffff:ffff",
      "2001:db8:0:1::192.0.2.1",
    ],
    ["2001:db8:0:2::1", "2001:db8:1:1::1", "2001:db8::1"],
  ],
  [
    "an IPv4-mapped IPv6 address as its IPv4 address",
    ["192.0.2.9", "::ffff:192.0.2.9", "::FFFF:c000:209", "0:0:0:0:0:ffff:c000:0209"],
    ["192.0.2.10", "::ffff:192.0.2.11", "::192.0.2.12"],
  ],
])("counts %s", async (_case, same, others) => {
  const { binding, used } = counter(1_000);
  const logIn = (ip: string) =>
    ask({ PUBLIC_BURST: binding }, "POST", "/auth/local/login", { ip, body: WRONG });

  for (const ip of same) await logIn(ip);
  expect([...used.values()]).toEqual([same.length]);

  for (const ip of others) await logIn(ip);
  expect([...used.values()]).toEqual([same.length, ...others.map(() => 1)]);
});

it("limits costly requests per account, whatever the address, and separately per end user", async () => {
  const { binding, used } = counter(1);
  const variables = { COSTLY_BURST: binding };
  const [client, other] = await Promise.all([signUp(), signUp()]);
  const [{ agentId, path }, others] = await Promise.all([
    beginConversation(client),
    beginConversation(other),
  ]);
  const visitor = await endUserOf(client, agentId, "visitor-1");

  expect((await search(client, agentId, variables)).status).toBe(200);
  expect((await search(client, agentId, variables)).status).toBe(429);
  const sent = await ask(variables, "POST", path, { token: client.token, body: { content: "Hello" } });
  expect(sent.status).toBe(429);

  expect((await search(other, others.agentId, variables)).status).toBe(200);
  const theirs = await ask(variables, "POST", path, { token: visitor.token, body: { content: "Hello" } });
  expect(theirs.status).toBe(404);
  expect(used.get(client.email)).toBe(3);
});

it("counts what visitors create and send by their address, and by the key of the page", async () => {
  const owner = await signUp();
  const { agentId } = await beginConversation(owner);
  const [key, other] = [await createKey(owner, agentId), await createKey(owner, agentId)];
  const addresses = counter(2);
  const keys = counter(3);
  const variables = { PUBLIC_BURST: addresses.binding, COSTLY_BURST: keys.binding };
  const enter = async (ip: string, { public_key }: ShownKey) =>
    (await ask(variables, "POST", "/widget/visitors", { ip, headers: { "x-api-key": public_key } })).status;

  expect([await enter("192.0.2.20", key), await enter("192.0.2.20", key)]).toEqual([201, 201]);
  expect(await enter("192.0.2.20", key)).toBe(429);
  expect([await enter("192.0.2.21", key), await enter("192.0.2.22", key)]).toEqual([201, 429]);
  expect(await enter("192.0.2.23", other)).toBe(201);
  expect(addresses.used.get("192.0.2.20")).toBe(3);
  expect(keys.used.get(`PublishableKey#${key.key_id}`)).toBe(4);

  const visitor = await visitorOf(other);
  const headers = { "x-api-key": other.public_key };
  const send = (path: string, body: object, more: object = {}) =>
    ask({ ...variables, ...more }, "POST", path, { token: visitor.token, ip: "192.0.2.20", headers, body });
  expect((await send("/widget/conversations", {})).status).toBe(429);
  expect((await send("/widget/conversations/x/messages", { content: "Hello" })).status).toBe(429);
  const exempt = await send("/widget/conversations", {}, { SUPERUSER_EMAILS: owner.email });
  expect(exempt.status).toBe(201);
});

it("counts each chat and search of the Model Context Protocol, also several in one request", async () => {
  const { binding, used } = counter(2);
  const client = await signUp();
  const { agentId } = await beginConversation(client);
  const call = (id: number, name: string, args: object) => ({
    jsonrpc: "2.0",
    id,
    method: "tools/call",
    params: { name, arguments: args },
  });
  const post = (body: unknown) =>
    ask({ COSTLY_BURST: binding }, "POST", `/mcp/agents/${agentId}`, {
      token: client.token,
      accept: "application/json, text/event-stream",
      body,
    });

  expect((await post(call(1, "memory_search", { query: "cats" }))).text).not.toContain("limit-exceeded");
  const batch = await post([2, 3, 4].map((id) => call(id, "memory_search", { query: "cats" })));
  const chat = await post(call(5, "chat", { message: "Hello" }));

  expect(batch.text.match(/limit-exceeded/gu)).toHaveLength(2);
  expect(chat.text).toContain("(limit-exceeded)");
  expect(used.get(client.email)).toBe(5);
  const conversations = await ask({}, "GET", "/conversations", { token: client.token });
  expect((JSON.parse(conversations.text) as { items: unknown[] }).items).toHaveLength(1);
});

it.each([
  ["GET", "/agents", {}],
  ["GET", "/health", {}],
  ["POST", "/payments/stripe/webhook", {}],
])("does not limit %s %s", async (method, path) => {
  const { binding } = counter(0);
  const { token } = await signUp();
  const variables = { COSTLY_BURST: binding, PUBLIC_BURST: binding };
  const body = method === "POST" ? {} : undefined;
  expect((await ask(variables, method, path, { token, ip: "192.0.2.3", body })).status).not.toBe(429);
});

it("does not limit superusers", async () => {
  const { binding } = counter(0);
  const client = await signUp();
  const { agentId } = await beginConversation(client);
  const variables = { COSTLY_BURST: binding, PUBLIC_BURST: binding };

  expect((await search(client, agentId, variables)).status).toBe(429);
  expect((await search(client, agentId, { ...variables, SUPERUSER_EMAILS: client.email })).status).toBe(200);
  const everybody = { ...variables, SUPERUSER_EMAILS: "*" };
  const body = WRONG;
  expect((await ask(everybody, "POST", "/auth/local/login", { ip: "192.0.2.4", body })).status).toBe(401);
});

it("counts with the platform's binding as it is configured", async () => {
  const { quota } = BURSTS.public;
  const statuses: number[] = [];
  // A minute may end meanwhile, and the count begin anew; within twice as many, it does not hold twice.
  while (statuses.length < 2 * quota + 1 && statuses.at(-1) !== 429)
    statuses.push((await ask({}, "GET", "/auth/google", { ip: "192.0.2.5" })).status);

  expect(statuses.at(-1)).toBe(429);
  expect(statuses.length).toBeGreaterThan(quota);
});
