import { abortAllDurableObjects } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { newId } from "../../src/shared/ids.ts";
import { ownScope } from "../../src/access/access-scope.ts";
import { beginConversation, type Client, signUp, signUpFree, table } from "../support/app.ts";
import { beginOwnConversation, endUserOf } from "../support/callers.ts";
import { injectFault, scriptModel } from "../support/control.ts";
import { messagesUsed, storedMessages } from "../support/items.ts";
import { setLimits, beginAtOnce, plantConversations } from "../support/limits.ts";
import { open } from "../support/runs.ts";
import { say } from "../support/sse.ts";

const FREE_RUNS = 5;
const HOUR_MS = 60 * 60 * 1000;
const month = () => new Date().toISOString().slice(0, 7);

const slotsKey = ({ email }: Client) => ({ pk: `User#${email}`, sk: "TurnSlots" });
const slotsOf = async (client: Client) => (await table.get(slotsKey(client)))?.["run_ids"];
const takenSince = (client: Client, count: number, ms: number) =>
  table.put({ ...slotsKey(client), run_ids: new Set(Array.from({ length: count }, () => newId(ms))) });
const refusedModel = () => scriptModel([{ status: 401, body: { error: { message: "No" } } }]);

describe("open runs", () => {
  it("refuses one more than the plan allows before a model is called", async () => {
    const client = await signUpFree();
    await takenSince(client, FREE_RUNS, Date.now());
    const model = await scriptModel([{ text: "Never." }]);
    const { path, conversationId } = await beginConversation(client, { agent_model: model.name });

    const { status, headers, body } = await say(client, path, "Hello");

    expect([status, headers.get("retry-after")]).toEqual([429, "5"]);
    expect(body).toMatchObject({
      code: "limit-exceeded",
      detail: "Concurrent answer limit reached (5). Wait until one has ended.",
      limit: FREE_RUNS,
      current: FREE_RUNS,
      tier: "free",
      resets_at: null,
      upgrade_url: "https://app.example.com/pricing",
    });
    expect(headers.get("ratelimit")).toBe('"concurrent_runs";r=0');
    expect((await model.log()).requests).toEqual([]);
    expect(await storedMessages(conversationId)).toEqual([]);
    expect((await client("GET", "/usage")).body).toMatchObject({
      limits: { concurrent_runs: FREE_RUNS },
      usage: { concurrent_runs: FREE_RUNS },
      remaining: { concurrent_runs: 0 },
    });
  });

  it("accepts exactly three of many concurrent runs at three below the limit", async () => {
    const client = await signUpFree();
    await takenSince(client, FREE_RUNS - 3, Date.now());
    const { agentId } = await beginConversation(client);
    const talks = await plantConversations(ownScope(client.email), agentId, 100);

    const limits = { concurrent_runs: FREE_RUNS };
    const outcomes = await beginAtOnce(ownScope(client.email), agentId, talks, limits);

    expect(outcomes.filter((full) => full === undefined)).toHaveLength(3);
    for (const full of outcomes)
      if (full) expect(full).toEqual({ limit: "concurrent_runs", used: FREE_RUNS });
    expect(await slotsOf(client)).toHaveProperty("size", FREE_RUNS);
    expect(await messagesUsed(client.email)).toBe(3);
  });

  it("holds one slot while a run is open, even if answers are lost, and returns it at the end", async () => {
    const client = await signUpFree();
    const model = await scriptModel([{ text: "Wait. " }, { hold: true }, { text: "Done." }]);
    const { path } = await beginConversation(client, { agent_model: model.name });
    await injectFault({
      match: [client.email],
      operation: "TransactWriteItems",
      times: 2,
      fault: { kind: "lose-answer" },
    });

    const run = await open(client, path, "Hello");
    expect(await slotsOf(client)).toEqual(new Set([run.runId]));
    await model.release();
    await run.rest();

    expect(await slotsOf(client)).toBeUndefined();
  });

  it("returns the slot of a run that fails, is cancelled, or loses its conversation", async () => {
    const client = await signUpFree();
    const slow = await scriptModel(
      [{ status: 401, body: { error: { message: "No" } } }],
      [{ text: "Wait. " }, { hold: true }],
      [{ text: "Wait. " }, { hold: true }],
    );
    const { path, conversationId } = await beginConversation(client, { agent_model: slow.name });

    expect((await say(client, path, "Hello")).last?.event_type).toBe("ERROR");
    expect(await slotsOf(client)).toBeUndefined();

    const cancelled = await open(client, path, "Hello");
    expect(await slotsOf(client)).toEqual(new Set([cancelled.runId]));
    await client("POST", `/conversations/${conversationId}/runs/${cancelled.runId}/cancel`);
    expect(await slotsOf(client)).toBeUndefined();

    await open(client, path, "Hello");
    await client("DELETE", `/conversations/${conversationId}`);
    expect(await slotsOf(client)).toBeUndefined();
  });

  it("returns the slot of a run whose runner has died once it is recovered", async () => {
    const client = await signUpFree();
    const model = await scriptModel([{ text: "Wait. " }, { hold: true }]);
    const { path, conversationId } = await beginConversation(client, { agent_model: model.name });
    const { runId } = await open(client, path, "Hello");
    expect(await slotsOf(client)).toEqual(new Set([runId]));

    await abortAllDurableObjects();
    await expect
      .poll(async () => (await client("GET", `/conversations/${conversationId}/runs/${runId}`)).body.state)
      .toBe("interrupted");

    expect(await slotsOf(client)).toBeUndefined();
  });

  it("returns the slots of runs that were never ended", async () => {
    const client = await signUpFree();
    await takenSince(client, FREE_RUNS, Date.now() - 3 * HOUR_MS);
    const { path } = await beginConversation(client);

    expect((await client("GET", "/usage")).body.usage.concurrent_runs).toBe(0);
    expect((await say(client, path, "Hello")).last?.event_type).toBe("STREAM_COMPLETE");
    expect(await slotsOf(client)).toBeUndefined();
  });

  it("counts nothing if there is no limit", async () => {
    const client = await signUp();
    const { path } = await beginConversation(client);
    expect((await say(client, path, "Hello")).status).toBe(200);

    expect(await table.get(slotsKey(client))).toBeUndefined();
    expect((await client("GET", "/usage")).body).toMatchObject({
      limits: { concurrent_runs: null },
      usage: { concurrent_runs: null },
    });
  });
});

describe("messages of an end user", () => {
  async function visitorOf(limit: number | undefined) {
    const owner = await signUpFree();
    const more = limit === undefined ? {} : { end_user_messages_per_month: limit };
    const { agentId } = await beginConversation(owner, more);
    const visitor = await endUserOf(owner, agentId);
    const { path } = await beginOwnConversation(visitor, agentId);
    const key = { pk: `Agent#${agentId}#User#${visitor.endUserId}`, sk: `Usage#${month()}` };
    return { owner, agentId, visitor, path, used: async () => (await table.get(key))?.["messages_used"] };
  }

  it("are limited by the plan, for each end user", async () => {
    setLimits("free", { end_user_messages_per_month: 2 });
    const { owner, agentId, visitor, path, used } = await visitorOf(undefined);

    expect((await say(visitor, path, "One")).status).toBe(200);
    expect((await say(visitor, path, "Two")).status).toBe(200);
    const { status, headers, body } = await say(visitor, path, "Three");

    expect(status).toBe(429);
    expect(body).toMatchObject({
      code: "limit-exceeded",
      detail: "Monthly message limit for one end user reached (2).",
      limit: 2,
      current: 2,
      tier: "free",
      resets_at: expect.stringMatching(/-01T00:00:00\.000Z$/u),
    });
    expect(headers.get("ratelimit")).toMatch(/^"end_user_messages";r=0;t=\d+$/u);
    expect([await used(), await messagesUsed(owner.email)]).toEqual([2, 2]);

    const another = await endUserOf(owner, agentId);
    expect((await say(another, (await beginOwnConversation(another, agentId)).path, "Hello")).status).toBe(
      200,
    );
  });

  it("can be limited further by the agent's owner, but not beyond the plan", async () => {
    setLimits("free", { end_user_messages_per_month: 2 });
    const { owner, agentId, visitor, path } = await visitorOf(1);

    expect((await say(visitor, path, "One")).status).toBe(200);
    expect((await say(visitor, path, "Two")).body).toMatchObject({ limit: 1 });

    const raised = await owner("PUT", `/agents/${agentId}`, { end_user_messages_per_month: 50 });
    expect(raised.body.end_user_messages_per_month).toBe(50);
    expect((await say(visitor, path, "Two")).status).toBe(200);
    expect((await say(visitor, path, "Three")).body).toMatchObject({ limit: 2, current: 2 });

    const left = await owner("PUT", `/agents/${agentId}`, { end_user_messages_per_month: "none" });
    expect(left.body.end_user_messages_per_month).toBeNull();
  });

  it("are refused beyond the limit, even if they are sent concurrently", async () => {
    const { owner, agentId, visitor, used } = await visitorOf(1);
    const scope = { accountEmail: owner.email, endUser: { agentId, id: visitor.endUserId } };
    const talks = await plantConversations(scope, agentId, 60);

    const outcomes = await beginAtOnce(scope, agentId, talks, { end_user_messages_per_month: 1 });

    expect(outcomes.filter((full) => full === undefined)).toHaveLength(1);
    const refused = outcomes.filter((full) => full !== undefined);
    expect(refused).toEqual(refused.map(() => ({ limit: "end_user_messages_per_month", used: 1 })));
    expect([await used(), await messagesUsed(owner.email)]).toEqual([1, 1]);
  });

  it("are returned by a run without an answer, and deleted with the end user", async () => {
    const { owner, agentId, visitor, path, used } = await visitorOf(1);
    const model = await refusedModel();
    await owner("PUT", `/agents/${agentId}`, { agent_model: model.name });
    expect((await say(visitor, path, "Hello")).last?.event_type).toBe("ERROR");
    expect(await used()).toBe(0);

    await owner("PUT", `/agents/${agentId}`, { agent_model: "demo" });
    expect((await say(visitor, path, "Hello")).last?.event_type).toBe("STREAM_COMPLETE");
    await owner("DELETE", `/agents/${agentId}/end-users/${visitor.endUserId}`);
    expect(await used()).toBeUndefined();
  });
});

it("keeps no count of an end user who is deleted while the agent is about to answer", async () => {
  const owner = await signUpFree();
  const model = await scriptModel([{ hold: true }, { text: "Never." }]);
  const { agentId } = await beginConversation(owner, { agent_model: model.name });
  const visitor = await endUserOf(owner, agentId);
  await open(visitor, (await beginOwnConversation(visitor, agentId)).path, "Hello");
  expect(await messagesUsed(owner.email)).toBe(1);

  expect((await owner("DELETE", `/agents/${agentId}/end-users/${visitor.endUserId}`)).status).toBe(204);

  expect(await table.query(`Agent#${agentId}#User#${visitor.endUserId}`)).toEqual([]);
  expect([await messagesUsed(owner.email), await slotsOf(owner)]).toEqual([0, undefined]);
});

describe("failures", () => {
  /** The current hour and the next one, in case the hour ends meanwhile. */
  const hours = () => [Date.now(), Date.now() + HOUR_MS].map((ms) => new Date(ms).toISOString().slice(0, 13));
  const failuresOf = async ({ email }: Client) =>
    (await table.query(`User#${email}`, { range: { beginsWith: "TurnFailures#" } })).map(
      ({ failures }) => failures,
    );

  it("block an account's messages for the rest of the hour once there are sixty", async () => {
    const client = await signUpFree();
    const { path, conversationId } = await beginConversation(client);
    for (const sk of hours())
      await table.put({ pk: `User#${client.email}`, sk: `TurnFailures#${sk}`, failures: 60 });

    const { status, headers, body } = await say(client, path, "Hello");

    expect(status).toBe(429);
    expect(body).toMatchObject({
      code: "limit-exceeded",
      limit: 60,
      current: 60,
      tier: "free",
      resets_at: expect.stringMatching(/:00:00\.000Z$/u),
      upgrade_url: "https://app.example.com/pricing",
    });
    expect(headers.get("ratelimit-policy")).toBe('"failures";q=60;w=3600');
    const retryAfter = Number(headers.get("retry-after"));
    expect(retryAfter).toBeGreaterThan(0);
    expect(retryAfter).toBeLessThanOrEqual(3_600);
    expect(await storedMessages(conversationId)).toEqual([]);
  });

  it("are counted once each, together with the returned message", async () => {
    const client = await signUpFree();
    const model = await refusedModel();
    const { path } = await beginConversation(client, { agent_model: model.name });
    await injectFault({
      match: [client.email],
      operation: "TransactWriteItems",
      times: 3,
      fault: { kind: "lose-answer" },
    });

    expect((await say(client, path, "Hello")).last?.event_type).toBe("ERROR");

    expect(await failuresOf(client)).toEqual([1]);
    expect(await messagesUsed(client.email)).toBe(0);
  });

  it("do not include runs that have answered, nor runs whose runner died, whose message is returned as well", async () => {
    const client = await signUpFree();
    const model = await scriptModel([{ text: "Hi." }], [{ hold: true }, { text: "Never." }]);
    const { path, conversationId } = await beginConversation(client, { agent_model: model.name });
    await say(client, path, "Hello");
    const { runId } = await open(client, path, "Again");

    await abortAllDurableObjects();
    await expect
      .poll(async () => (await client("GET", `/conversations/${conversationId}/runs/${runId}`)).body.state)
      .toBe("interrupted");

    expect(await failuresOf(client)).toEqual([]);
    expect(await messagesUsed(client.email)).toBe(1);
  });

  it("of one end user block that end user once there are ten, and no one else", async () => {
    const owner = await signUpFree();
    const model = await scriptModel(...Array.from({ length: 3 }, () => [{ hold: true } as const]));
    const { agentId, path: ownPath } = await beginConversation(owner, { agent_model: model.name });
    const visitor = await endUserOf(owner, agentId);
    const { path, conversationId } = await beginOwnConversation(visitor, agentId);
    const memory = `Agent#${agentId}#User#${visitor.endUserId}`;
    for (const hour of hours()) await table.put({ pk: memory, sk: `Usage#failures#${hour}`, failures: 9 });

    const { runId } = await open(visitor, path, "Hello");
    await visitor("POST", `/conversations/${conversationId}/runs/${runId}/cancel`);
    expect([await failuresOf(owner), await messagesUsed(owner.email)]).toEqual([[1], 0]);
    const { status, headers, body } = await say(visitor, path, "Hello");

    expect(status).toBe(429);
    expect(body).toMatchObject({ code: "limit-exceeded", limit: 10, current: 10, tier: "free" });
    expect(headers.get("ratelimit-policy")).toBe('"end_user_failures";q=10;w=3600');
    const another = await endUserOf(owner, agentId);
    await (await open(another, (await beginOwnConversation(another, agentId)).path, "Hello")).leave();
    await (await open(owner, ownPath, "Hello")).leave();
  });
});
