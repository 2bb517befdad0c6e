import { env } from "cloudflare:workers";
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { expect, it } from "vitest";
import { forge } from "../auth/forge.ts";
import { problem } from "../http/route-cases.ts";
import { createDeletionDeps } from "../../src/deps/objects.ts";
import { portsFrom } from "../../src/deps/ports.ts";
import type { Deletion } from "../../src/accounts/deletion-model.ts";
import { ada, anonymous, beginConversation, type Client, clientOf, signUp, table } from "../support/app.ts";
import { databaseRequests, endFaults, injectFault, scriptModel, untilMet } from "../support/control.ts";
import { open } from "../support/runs.ts";
import { stripeSide } from "../support/stripe.ts";
import { deletionOf, phaseOf, untilPhase, untilSwept } from "./deletions.ts";
import { fillAccount, itemsAbout } from "./plant.ts";

const stripe = stripeSide();
const typesOf = async (subscription: string) => (await stripe.events(subscription)).map(({ type }) => type);

const DEACTIVATED = problem(403, "forbidden", "Account has been deactivated");

/** Everything that the Durable Objects of an account store. */
async function keptBeside(email: string, agentId: string, conversationId: string) {
  const tables = async (stub: DurableObjectStub) =>
    runInDurableObject(stub, async (_object, { storage }) => ({
      rows: storage.sql.exec("SELECT name FROM sqlite_master WHERE name NOT LIKE '_cf_%'").toArray(),
      alarm: await storage.getAlarm(),
    }));
  return {
    index: await tables(env.SEARCH_INDEX.getByName(`${agentId}/${email}`)),
    runs: await tables(env.CONVERSATION_RUNNER.getByName(`${email}/${conversationId}`)),
  };
}

it("removes everything of an account, in the table and in Durable Objects, and nothing of others", async () => {
  const [filled, other] = await Promise.all([fillAccount(await signUp()), fillAccount(await signUp())]);
  const { client, agentId, conversationId, traces } = filled;
  const before = await itemsAbout(...other.traces);
  expect((await itemsAbout(...traces)).length).toBeGreaterThan(45);

  const { status, body } = await client("DELETE", "/users/me");
  expect([status, body]).toEqual([
    200,
    {
      message: "Account deletion initiated",
      status: "processing",
      detail: expect.stringContaining("less than a minute"),
    },
  ]);

  await untilPhase(client, "completed");
  expect(await itemsAbout(...traces)).toEqual([]);
  expect(await itemsAbout(...other.traces)).toEqual(before);
  expect(await keptBeside(client.email, agentId, conversationId)).toEqual({
    index: { rows: [], alarm: null },
    runs: { rows: [], alarm: null },
  });
  expect((await keptBeside(other.client.email, other.agentId, other.conversationId)).index.rows).not.toEqual(
    [],
  );
});

it("sweeps at once, and keeps only keys that no request can use until the end", async () => {
  const { client, agentId, traces, path } = await fillAccount(await signUp());

  await client("DELETE", "/users/me");
  await untilSwept(client);

  const left = await itemsAbout(...traces);
  const [user, ...leads] = left.toSorted((a, b) => (String(a["sk"]) > String(b["sk"]) ? -1 : 1));
  expect(user).toMatchObject({ sk: "User#Metadata", status: "pending_deletion" });
  expect(user?.["ttl"]).toBeUndefined();
  expect(leads.length).toBeGreaterThanOrEqual(4);
  for (const lead of leads)
    expect(Object.keys(lead).toSorted()).toEqual(["deleting_at", "pk", "sk", "swept_at"]);

  // Even a caller with access would find nothing.
  await table.update({ pk: `User#${client.email}`, sk: "User#Metadata" }, { set: { status: "active" } });
  expect((await client("GET", "/agents")).body).toEqual([]);
  expect((await client("GET", "/conversations")).body.items).toEqual([]);
  expect((await client("GET", `/agents/${agentId}/memory-blocks`)).status).toBe(404);
  expect((await client("POST", path, { content: "Hello" })).status).toBe(404);
});

it("waits for seconds if no run was active, and for the longest possible turn otherwise", async () => {
  const [quiet, talking] = await Promise.all([signUp(), signUp()]);
  const model = await scriptModel([{ text: "Once upon " }, { hold: true }, { text: "a time" }]);
  const [, place] = await Promise.all([
    beginConversation(quiet),
    beginConversation(talking, { agent_model: model.name }),
  ]);
  const deleted = async (client: Client) => {
    await client("DELETE", "/users/me");
    await untilSwept(client);
    return hadRuns(client);
  };

  const seen = [await deleted(quiet)];
  const turn = await open(talking, place.path, "Tell me a story");
  await turn.next();
  seen.push(await deleted(talking));

  expect(seen).toEqual([false, true]);
  const { restMs, quietRestMs } = createDeletionDeps(await portsFrom(env));
  expect(quietRestMs).toBeLessThan(60_000);
  expect(restMs).toBeGreaterThan(quietRestMs);
});

/** Whether a deletion has found an active run. */
const hadRuns = (client: Client) =>
  runInDurableObject(
    deletionOf(client),
    async (_deletion, { storage }) => (await storage.get<Deletion>("deletion"))?.hadRuns,
  );

it("ends subscriptions immediately, including those that only Stripe knows", async () => {
  const client = await signUp();
  const order = { planKey: "starter", billingCycle: "monthly" };
  const { body } = await client("POST", "/payments/stripe/checkout", order);
  const { id, customer } = await stripe.pay(body.url);
  const paused = await stripe.act("subscribe", { customer, status: "paused" });
  const { email } = client;
  const second = await stripe.act("subscribe", { email, metadata: { user_email: email } });
  await table.put({ pk: `User#${email}`, sk: `Subscription#${second.id}`, subscription_id: second.id });

  await client("DELETE", "/users/me");
  await untilSwept(client);

  for (const one of [id, paused.id, second.id])
    expect(await typesOf(one)).toContain("customer.subscription.deleted");
  await untilPhase(client, "completed");
  expect(await itemsAbout(email)).toEqual([]);
});

it("removes nothing until Stripe has ended the subscriptions", async () => {
  const client = await signUp();
  const metadata = { user_email: client.email };
  const { id } = await stripe.act("subscribe", { email: client.email, metadata });
  const key = { pk: `User#${client.email}`, sk: `Subscription#${id}` };
  await table.put({ ...key, subscription_id: id });
  await stripe.fault({ kind: "fail", match: id, status: 400 });

  await client("DELETE", "/users/me");
  await expect.poll(() => phaseOf(client)).toBe("sweeping");
  expect(await table.get(key)).toBeDefined();

  await untilPhase(client, "completed");
  expect(await typesOf(id)).toContain("customer.subscription.deleted");
});

it("removes late writes in the final sweep", async () => {
  const { client, agentId, conversationId, traces } = await fillAccount(await signUp());
  const { email } = client;
  await client("DELETE", "/users/me");
  await untilSwept(client);

  await table.batchWrite([
    { put: { pk: `User#${email}`, sk: "Usage#2026-01", messages_used: 1 } },
    { put: { pk: `User#${email}`, sk: `Agent#late-${agentId}`, agent_name: "Late" } },
    { put: { pk: `Agent#late-${agentId}#User#${email}`, sk: "CoreMemory#late", lines: ["Late"] } },
    { put: { pk: `CONVERSATION#${conversationId}`, sk: "MESSAGE#late", content: "Late" } },
    { put: { pk: `Agent#${agentId}#User#${email}`, sk: "CoreMemory#late", lines: ["Late"] } },
  ]);

  await untilPhase(client, "completed");
  expect(await itemsAbout(...traces)).toEqual([]);
});

it("invalidates all tokens immediately, except for the status of the deletion", async () => {
  const { client } = await fillAccount(await signUp());
  await client("DELETE", "/users/me");

  for (const [method, path, body] of [
    ["GET", "/agents"],
    ["GET", "/users/me/export"],
    ["GET", "/auth/me"],
    ["POST", "/agents", ada],
  ] as const) {
    const answer = await client(method, path, body);
    expect([answer.status, answer.body]).toEqual([403, DEACTIVATED]);
  }
  const username = client.email.split("@")[0];
  const logIn = await anonymous("POST", "/auth/local/login", { username, password: "secret" });
  expect([logIn.status, logIn.body]).toEqual([403, DEACTIVATED]);
  const again = await anonymous("POST", "/auth/local/signup", { username, password: "secret" });
  expect(again.status).toBe(409);

  const during = await client("GET", "/users/me/deletion");
  expect([during.status, during.body]).toEqual([
    200,
    { status: "processing", requested_at: expect.stringMatching(/^20/u), completed_at: null },
  ]);
  expect((await client("DELETE", "/users/me")).body.status).toBe("processing");

  await untilPhase(client, "completed");
  expect((await client("GET", "/agents")).status).toBe(401);
  const after = await client("GET", "/users/me/deletion");
  const at = expect.stringMatching(/^20.*\+00:00$/u);
  expect([after.status, after.body]).toEqual([
    200,
    { status: "completed", requested_at: at, completed_at: at },
  ]);
  const repeated = await client("DELETE", "/users/me");
  expect(repeated.body).toMatchObject({ message: "Account deleted", status: "completed" });
});

it("frees the address for a new account, which has none of the old one's data and refuses its tokens", async () => {
  const { client: old, agentId, conversationId, path } = await fillAccount(await signUp());
  const past = Math.floor(Date.now() / 1000) - 60;
  const created_at = new Date(Date.now() - 120_000).toISOString();
  await table.update({ pk: `User#${old.email}`, sk: "User#Metadata" }, { set: { created_at } });
  const oldToken = clientOf(await forge(old.email, { payload: { iat: past } }), old.email);
  expect((await oldToken("GET", "/agents")).status).toBe(200);
  await old("DELETE", "/users/me");
  await untilPhase(old, "completed");

  const fresh = await signUp(old.email.split("@")[0]);

  expect(fresh.email).toBe(old.email);
  expect((await fresh("GET", "/agents")).body).toEqual([]);
  expect((await fresh("GET", "/conversations")).body.items).toEqual([]);
  expect((await fresh("GET", `/conversations/${conversationId}/messages`)).status).toBe(404);
  expect((await fresh("GET", `/agents/${agentId}/archival-memory/search?query=cat`)).status).toBe(404);
  expect((await fresh("GET", "/users/me/deletion")).status).toBe(404);

  // The old account's tokens neither reveal nor affect the new account.
  const created = await fresh("POST", "/agents", ada);
  const talk = await fresh("POST", "/conversations", { title: "T", agent_id: created.body.agent_id });
  const newPath = `/agents/${created.body.agent_id}/${talk.body.conversation_id}/send-message`;
  const gone = problem(401, "unauthenticated", "User not found");
  for (const [method, target, body] of [
    ["GET", "/agents"],
    ["GET", "/auth/me"],
    ["GET", "/users/me/export"],
    ["POST", "/agents", ada],
    ["POST", path, { content: "Hello" }],
    ["POST", newPath, { content: "Hello" }],
  ] as const) {
    const answer = await oldToken(method, target, body);
    expect([target, answer.status, answer.body]).toEqual([target, 401, gone]);
  }
  const asked = await oldToken("DELETE", "/users/me");
  expect(asked.body).toMatchObject({ message: "Account deleted", status: "completed" });
  expect((await fresh("GET", "/auth/me")).status).toBe(200);
  expect(await itemsAbout(old.email)).not.toEqual([]);
});

it("can be requested by a new account with the same address", async () => {
  const old = await signUp();
  await old("DELETE", "/users/me");
  await untilPhase(old, "completed");
  const fresh = await signUp(old.email.split("@")[0]);
  await fresh("POST", "/agents", ada);

  const { body } = await fresh("DELETE", "/users/me");
  await untilPhase(fresh, "completed");

  expect(body.status).toBe("processing");
  expect(await itemsAbout(old.email)).toEqual([]);
});

it("shows its status only to the deleted account", async () => {
  const client = await signUp();

  const { status, body } = await client("GET", "/users/me/deletion");

  expect([status, body]).toEqual([404, problem(404, "not-found", "Deletion not found")]);
  expect(await phaseOf(client)).toBeUndefined();
});

it("resumes if only the mark is left", async () => {
  const { client, traces } = await fillAccount(await signUp());
  const key = { pk: `User#${client.email}`, sk: "User#Metadata" };
  await table.update(key, { set: { status: "pending_deletion" } });
  expect((await client("GET", "/users/me/deletion")).body.status).toBe("processing");

  await client("DELETE", "/users/me");
  await untilPhase(client, "completed");

  expect(await itemsAbout(...traces)).toEqual([]);
});

it("stops if the account has been reactivated", async () => {
  const { client } = await fillAccount(await signUp());
  await client("DELETE", "/users/me");
  await untilSwept(client);
  const key = { pk: `User#${client.email}`, sk: "User#Metadata" };
  await table.update(key, { set: { status: "active" } });
  await client("POST", "/agents", ada);

  await expect
    .poll(async () => {
      await runDurableObjectAlarm(deletionOf(client));
      return phaseOf(client);
    })
    .toBeUndefined();

  expect((await client("GET", "/agents")).body).toHaveLength(1);
});

it("removes nothing of somebody who has signed up with the address since", async () => {
  const client = await signUp();
  const key = { pk: `User#${client.email}`, sk: "User#Metadata" };
  await client("DELETE", "/users/me");
  const failure = {
    kind: "answer",
    status: 400,
    body: { __type: "ValidationException", message: "No." },
  } as const;
  await injectFault({ match: [client.email], operation: "DeleteItem", times: 1_000, fault: failure });
  const asked = async () =>
    (await databaseRequests(client.email)).filter(({ operation }) => operation === "DeleteItem").length;
  await expect
    .poll(async () => {
      await runDurableObjectAlarm(deletionOf(client)).catch(() => false);
      return asked();
    })
    .toBeGreaterThan(0);
  await endFaults();
  // As if the removal had been carried out, and only its answer had been lost.
  await table.remove(key);
  // The request behind the one that finds no account.
  await injectFault({ match: [`"${key.pk}"`], after: 1, fault: { kind: "hold" } });
  const alarm = runDurableObjectAlarm(deletionOf(client));
  await untilMet();

  const [name = ""] = client.email.split("@");
  const again = await signUp(name);
  expect((await again("POST", "/agents", ada)).status).toBe(201);
  await endFaults();
  await alarm;

  expect((await client("GET", "/agents")).body).toHaveLength(1);
});

it("removes its own record after a day", async () => {
  const client = await signUp();
  await client("DELETE", "/users/me");
  await untilPhase(client, "completed");

  const alarm = await runInDurableObject(deletionOf(client), (_deletion, { storage }) => storage.getAlarm());
  expect((alarm ?? 0) - Date.now()).toBeGreaterThan(86_000_000);
  await runInDurableObject(deletionOf(client), (deletion) => deletion.alarm?.());

  expect(await phaseOf(client)).toBeUndefined();
  const { status, body } = await client("GET", "/users/me/deletion");
  expect([status, body]).toEqual([401, problem(401, "unauthenticated", "User not found")]);
});

it("removes the alias of an address in mixed case at the end", async () => {
  const id = crypto.randomUUID();
  const mixed = `Alice-${id}@Example.com`;
  const alias = { pk: `User#${mixed.toLowerCase()}`, sk: "UserAlias", account: mixed };
  const created_at = "2026-01-29T11:51:36.123456+00:00";
  await table.put({ pk: `User#${mixed}`, sk: "User#Metadata", email: mixed, status: "active", created_at });
  await table.put(alias);
  const client = clientOf(await forge(mixed), mixed);
  const exported = await client("GET", "/users/me/export");
  expect(exported.body).toContain('"kind":"UserAlias"');

  await client("DELETE", "/users/me");
  await untilSwept(client);
  expect(await table.get(alias)).toEqual(alias);

  await untilPhase(client, "completed");
  expect(await itemsAbout(id)).toEqual([]);
});
