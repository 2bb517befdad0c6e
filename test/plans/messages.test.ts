import { env } from "cloudflare:workers";
import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { newRunIds } from "../../src/runs/turn.ts";
import { TurnRepository } from "../../src/runs/turn-repository.ts";
import { createClock } from "../../src/shared/clock.ts";
import { ownScope } from "../../src/access/access-scope.ts";
import { beginConversation, type Client, signUpFree, subscribe, table } from "../support/app.ts";
import { beginOwnConversation, endUserOf, programOf } from "../support/callers.ts";
import { endFaults, injectFault, scriptModel, untilMet } from "../support/control.ts";
import { messagesUsed, storedMessages } from "../support/items.ts";
import { beginAtOnce, beginQueue, beginTurn, plantConversations } from "../support/limits.ts";
import { say, typesOf } from "../support/sse.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
const FREE_LIMIT = 100;
const month = () => new Date().toISOString().slice(0, 7);

/** An account on the free plan that has sent this many messages this month. */
async function signUpWithUsage(used: number): Promise<Client> {
  const client = await signUpFree();
  await table.put({ pk: `User#${client.email}`, sk: `Usage#${month()}`, messages_used: used });
  return client;
}

const secondsLeft = (): number => {
  const now = new Date();
  return Math.ceil((Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 1) - now.getTime()) / 1000);
};

it("refuses a message beyond the monthly limit before a model is called", async () => {
  const client = await signUpWithUsage(FREE_LIMIT);
  const model = await scriptModel([{ text: "Never." }]);
  const { path, conversationId } = await beginConversation(client, { agent_model: model.name });

  const before = secondsLeft();
  const { status, headers, body } = await say(client, path, "Hello");
  const after = secondsLeft();

  expect([status, headers.get("content-type")]).toEqual([429, "application/problem+json"]);
  const now = new Date();
  const resetsAt = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 1)).toISOString();
  expect(body).toMatchObject({
    code: "limit-exceeded",
    detail: "Monthly message limit reached (100). Upgrade for more.",
    limit: 100,
    current: 100,
    tier: "free",
    resets_at: resetsAt,
    upgrade_url: "https://app.example.com/pricing",
  });
  const days = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 0)).getUTCDate();
  expect(headers.get("ratelimit-policy")).toBe(`"messages";q=100;w=${days * 86_400}`);
  const [, reset] = /^"messages";r=0;t=(\d+)$/u.exec(headers.get("ratelimit") ?? "") ?? [];
  expect(Number(reset)).toBeLessThanOrEqual(before);
  expect(Number(reset)).toBeGreaterThanOrEqual(after);
  expect(headers.get("retry-after")).toBe(reset);

  expect((await model.log()).requests).toEqual([]);
  expect(await storedMessages(conversationId)).toEqual([]);
  expect(await messagesUsed(client.email)).toBe(FREE_LIMIT);
});

it("states with each answer how many messages are left, streamed or whole", async () => {
  const client = await signUpWithUsage(96);
  const { path } = await beginConversation(client);

  const streamed = await say(client, path, "Hello");
  const whole = await client("POST", path, { content: "Hello" }, { accept: "application/json" });

  expect([streamed.status, whole.status]).toEqual([200, 200]);
  expect(streamed.headers.get("ratelimit-policy")).toMatch(/^"messages";q=100;w=\d+$/u);
  expect(streamed.headers.get("ratelimit")).toMatch(/^"messages";r=3;t=\d+$/u);
  expect(whole.headers.get("ratelimit")).toMatch(/^"messages";r=2;t=\d+$/u);
});

// Scenario 19.
it("accepts exactly three of 200 concurrent messages at three below the limit", async () => {
  const client = await signUpWithUsage(FREE_LIMIT - 3);
  const { agentId } = await beginConversation(client);
  const talks = await plantConversations(ownScope(client.email), agentId, 200);

  const limits = { messages_per_month: FREE_LIMIT };
  const outcomes = await beginAtOnce(ownScope(client.email), agentId, talks, limits);

  expect(outcomes.filter((full) => full === undefined)).toHaveLength(3);
  const refused = outcomes.filter((full) => full !== undefined);
  expect(refused).toEqual(refused.map(() => ({ limit: "messages_per_month", used: FREE_LIMIT })));
  expect(await messagesUsed(client.email)).toBe(FREE_LIMIT);
});

// Scenario 13.
it("enforces the limit under contention for the counter", async () => {
  const client = await signUpWithUsage(FREE_LIMIT - 3);
  const { agentId } = await beginConversation(client);
  const talks = await plantConversations(ownScope(client.email), agentId, 30);
  const reasons = [0, 1, 2, 3, 4, 5].map((index) => ({ Code: index === 4 ? "TransactionConflict" : "None" }));
  await injectFault({
    match: [`User#${client.email}`],
    operation: "TransactWriteItems",
    times: 1_000,
    probability: 0.3,
    fault: {
      kind: "answer",
      status: 400,
      body: { __type: "TransactionCanceledException", CancellationReasons: reasons },
    },
  });

  const turns = await Promise.all(
    talks.map((id) => say(client, `/agents/${agentId}/${id}/send-message`, "Hello")),
  );

  expect(turns.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([
    200,
    200,
    200,
    ...Array.from({ length: 27 }, () => 429),
  ]);
  expect(await messagesUsed(client.email)).toBe(FREE_LIMIT);
});

it("stops the model if another message has used up the limit meanwhile, and reports the current count", async () => {
  const client = await signUpWithUsage(FREE_LIMIT - 1);
  const model = await scriptModel([{ text: "Too" }, { hold: true }, { text: " late" }]);
  const { path, conversationId } = await beginConversation(client, { agent_model: model.name });
  await injectFault({
    match: [`CONVERSATION#${conversationId}`],
    operation: "TransactWriteItems",
    fault: { kind: "hold" },
  });

  const refused = say(client, path, "Hello");
  await model.asked(1);
  await untilMet();
  await table.put({ pk: `User#${client.email}`, sk: `Usage#${month()}`, messages_used: FREE_LIMIT + 20 });
  await endFaults();

  expect(await refused).toMatchObject({ status: 429, body: { current: FREE_LIMIT + 20, limit: FREE_LIMIT } });
  await expect.poll(async () => (await model.log()).disconnects).toBe(1);
  expect(await storedMessages(conversationId)).toEqual([]);
  const events = await table.query(`User#${client.email}`, { range: { beginsWith: "UsageEvent#" } });
  expect(events).toEqual([]);
});

it("accepts another message after a run without an answer has returned its own", async () => {
  const client = await signUpWithUsage(FREE_LIMIT - 1);
  const model = await scriptModel([{ status: 401, body: { error: { message: "No" } } }]);
  const { agentId, path } = await beginConversation(client, { agent_model: model.name });

  expect((await say(client, path, "Hello")).last?.event_type).toBe("ERROR");
  await client("PUT", `/agents/${agentId}`, { agent_model: "demo" });

  expect((await say(client, path, "Hello")).last?.event_type).toBe("STREAM_COMPLETE");
  expect((await say(client, path, "Hello")).status).toBe(429);
  expect(await messagesUsed(client.email)).toBe(FREE_LIMIT);
});

it("counts the messages of end users and programs as their owner's", async () => {
  const client = await signUpWithUsage(FREE_LIMIT - 2);
  const { agentId, path } = await beginConversation(client);
  const visitor = await endUserOf(client, agentId);
  const talk = await beginOwnConversation(visitor, agentId);

  expect((await say(visitor, talk.path, "Hello")).status).toBe(200);
  expect((await say(await programOf(client), path, "Hello")).status).toBe(200);

  expect((await say(visitor, talk.path, "Hello")).status).toBe(429);
  expect((await say(client, path, "Hello")).status).toBe(429);
  expect(await messagesUsed(client.email)).toBe(FREE_LIMIT);
});

it("answers 404 for an absent agent or conversation even if no message is left", async () => {
  const client = await signUpWithUsage(FREE_LIMIT);
  const { agentId } = await beginConversation(client);
  const { status, body } = await say(client, `/agents/${agentId}/${crypto.randomUUID()}/send-message`, "Hi");
  expect([status, body.code]).toEqual([404, "not-found"]);
});

describe("the plan", () => {
  const secondsFromNow = (ms: number) => Math.floor((Date.now() + ms) / 1000);
  const day = (number: number) => `2026-01-0${number}T00:00:00.000000+00:00`;

  it.each<[string, readonly Parameters<typeof subscribe>[1][], string]>([
    ["is free without a subscription", [], "free"],
    ["is the one that was bought", [{ plan: "pro" }], "pro"],
    ["is free if it is unknown", [{ plan: "platinum" }], "free"],
    [
      "goes on for three days after a payment that failed",
      [{ plan: "starter", status: "past_due", periodEnd: secondsFromNow(-2.9 * DAY_MS) }],
      "starter",
    ],
    [
      "ends after these three days",
      [{ plan: "starter", status: "past_due", periodEnd: secondsFromNow(-3.1 * DAY_MS) }],
      "free",
    ],
    [
      "is free once canceled",
      [{ plan: "pro", status: "canceled", periodEnd: secondsFromNow(9 * DAY_MS) }],
      "free",
    ],
    ["is free while nothing has been paid", [{ plan: "pro", status: "incomplete" }], "free"],
    [
      "is the better one of two, not the newer one",
      [
        { id: "sub_a", plan: "pro", updatedAt: day(1) },
        { id: "sub_b", plan: "starter", updatedAt: day(2) },
      ],
      "pro",
    ],
    [
      "is the live one, not the newer one",
      [
        { id: "sub_a", plan: "pro", updatedAt: day(1) },
        { id: "sub_b", plan: "starter", status: "canceled", updatedAt: day(2) },
      ],
      "pro",
    ],
  ])("%s", async (_case, subscriptions, tier) => {
    const client = await signUpWithUsage(FREE_LIMIT);
    await Promise.all(subscriptions.map((subscription) => subscribe(client, subscription)));
    const { path } = await beginConversation(client);

    expect((await client("GET", "/usage")).body).toMatchObject({ tier });
    expect((await say(client, path, "Hello")).status).toBe(tier === "free" ? 429 : 200);
  });
});

it("counts superusers, and never refuses them", async () => {
  const client = await signUpWithUsage(FREE_LIMIT);
  const { path, conversationId } = await beginConversation(client);
  const stub = env.CONVERSATION_RUNNER.getByName(`${client.email}/${conversationId}`);
  await runInDurableObject(stub, (runner) => {
    // A deployment that names this person; an object's environment is its own.
    Object.assign(runner, {
      env: { ...env, SUPERUSER_EMAILS: `nobody@example.com, ${client.email.toUpperCase()}` },
    });
  });

  const { status, headers, events } = await say(client, path, "Hello");

  expect([status, headers.get("ratelimit")]).toEqual([200, null]);
  expect(typesOf(events).at(-1)).toBe("STREAM_COMPLETE");
  expect(await messagesUsed(client.email)).toBe(FREE_LIMIT + 1);
});

// Scenario 33.
it("counts and returns a message in the month in which its turn began, however late it ends", async () => {
  const client = await signUpFree();
  const { agentId, conversationId } = await beginConversation(client);
  let now = Date.parse("2031-01-31T23:59:59.999Z");
  const clock = createClock(() => now);
  const turns = new TurnRepository({ table, rules: { isSuperuser: () => false } });
  const queue = beginQueue(table);
  const place = { accountEmail: client.email, agentId, conversationId };
  const begin = async () => {
    const runIds = newRunIds(clock);
    const { plan } = await turns.load(place, runIds.startedAt);
    const full = await beginTurn(queue, place, runIds, plan.limits);
    return { runIds, plan, full };
  };
  const used = async (period: string) =>
    (await table.get({ pk: `User#${client.email}`, sk: `Usage#${period}` }))?.["messages_used"];
  await table.put({ pk: `User#${client.email}`, sk: "Usage#2031-01", messages_used: 98 });

  const [first, last] = [await begin(), await begin()];
  expect((await begin()).full).toEqual({ limit: "messages_per_month", used: 100 });
  expect(last.plan).toMatchObject({ messagesUsed: 99, resetsAt: Date.parse("2031-02-01") });

  now += 1;
  const next = await begin();
  expect(next.plan).toMatchObject({ messagesUsed: 0, resetsAt: Date.parse("2031-03-01") });
  const end = {
    state: "failed",
    endedAt: clock.timestamp(),
    messageId: null,
    usage: null,
    errorCode: null,
  } as const;
  await turns.end({ place, runIds: first.runIds, message: null, end });

  expect([await used("2031-01"), await used("2031-02")]).toEqual([99, 1]);
});
