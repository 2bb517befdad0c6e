import { env } from "cloudflare:workers";
import { runInDurableObject } from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import { emptyAnswer, seedRun } from "../../src/runs/turn.ts";
import { TurnRepository } from "../../src/runs/turn-repository.ts";
import { createClock } from "../../src/shared/clock.ts";
import { beginConversation, type Client, signUpFree, subscribe, table } from "../support/app.ts";
import { converse, endUserOf, programOf } from "../support/callers.ts";
import { endFaults, injectFault, scriptModel } from "../support/control.ts";
import { messagesUsed, storedMessages } from "../support/items.ts";
import { say, typesOf } from "../support/sse.ts";

vi.setConfig({ testTimeout: 60_000 });
afterEach(endFaults);

const DAY_MS = 24 * 60 * 60 * 1000;
const FREE_LIMIT = 100;
const month = () => new Date().toISOString().slice(0, 7);

/** Somebody on the free plan who has said so much this month. */
async function whoHasSaid(used: number): Promise<Client> {
  const client = await signUpFree();
  await table.put({ pk: `User#${client.email}`, sk: `Usage#${month()}`, messages_used: used });
  return client;
}

/** More conversations with the same agent, as they are stored. */
async function conversationsOf(client: Client, agentId: string, count: number): Promise<readonly string[]> {
  const ids = Array.from({ length: count }, () => crypto.randomUUID());
  await table.batchWrite(
    ids.map((id) => ({
      put: {
        pk: `USER#${client.email}`,
        sk: `CONVERSATION#${id}`,
        entity_type: "Conversation",
        conversation_id: id,
        title: "Talk",
        agent_id: agentId,
        created_by: client.email,
        created_at: "2026-01-29T11:51:36.123456+00:00",
        updated_at: "2026-01-29T11:51:36.123456+00:00",
      },
    })),
  );
  return ids.map((id) => `/agents/${agentId}/${id}/send-message`);
}

const secondsLeft = (): number => {
  const now = new Date();
  return Math.ceil((Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 1) - now.getTime()) / 1000);
};

it("refuses the message beyond the month's before any model hears of it", async () => {
  const client = await whoHasSaid(FREE_LIMIT);
  const model = await scriptModel([{ text: "Never." }]);
  const { path, conversationId } = await beginConversation(client, { agent_model: model.name });

  const { status, headers, body } = await say(client, path, "Hello");

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
  expect(Math.abs(Number(reset) - secondsLeft())).toBeLessThan(5);
  expect(headers.get("retry-after")).toBe(reset);

  expect((await model.log()).requests).toEqual([]);
  expect(await storedMessages(conversationId)).toEqual([]);
  expect(await messagesUsed(client.email)).toBe(FREE_LIMIT);
});

it("says with each answer how many are left, streamed or whole", async () => {
  const client = await whoHasSaid(96);
  const { path } = await beginConversation(client);

  const streamed = await say(client, path, "Hello");
  const whole = await client("POST", path, { content: "Hello" }, { accept: "application/json" });

  expect([streamed.status, whole.status]).toEqual([200, 200]);
  expect(streamed.headers.get("ratelimit-policy")).toMatch(/^"messages";q=100;w=\d+$/u);
  expect(streamed.headers.get("ratelimit")).toMatch(/^"messages";r=3;t=\d+$/u);
  expect(whole.headers.get("ratelimit")).toMatch(/^"messages";r=2;t=\d+$/u);
});

it("lets exactly three of 200 pass that are sent at once at three below the limit", async () => {
  const client = await whoHasSaid(FREE_LIMIT - 3);
  const { agentId } = await beginConversation(client);
  const paths = await conversationsOf(client, agentId, 200);

  const turns = await Promise.all(paths.map((path) => say(client, path, "Hello")));

  expect(turns.filter(({ status }) => status === 200)).toHaveLength(3);
  const refused = turns.filter(({ status }) => status === 429);
  expect(refused).toHaveLength(197);
  for (const { body } of refused) expect(body).toMatchObject({ code: "limit-exceeded", current: FREE_LIMIT });
  expect(await messagesUsed(client.email)).toBe(FREE_LIMIT);
});

it("holds the limit although the count is fought for", async () => {
  const client = await whoHasSaid(FREE_LIMIT - 3);
  const { agentId } = await beginConversation(client);
  const paths = await conversationsOf(client, agentId, 30);
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

  const turns = await Promise.all(paths.map((path) => say(client, path, "Hello")));

  expect(turns.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([
    200,
    200,
    200,
    ...Array.from({ length: 27 }, () => 429),
  ]);
  expect(await messagesUsed(client.email)).toBe(FREE_LIMIT);
});

it("stops the model when another message has taken the last place, and tells the count as it then is", async () => {
  const client = await whoHasSaid(FREE_LIMIT - 1);
  const model = await scriptModel([{ text: "Too" }, { wait: 1_000 }, { text: " late" }]);
  const { path, conversationId } = await beginConversation(client, { agent_model: model.name });
  await injectFault({
    match: [`CONVERSATION#${conversationId}`],
    operation: "TransactWriteItems",
    fault: { kind: "delay", ms: 300 },
  });

  const refused = say(client, path, "Hello");
  await expect.poll(async () => (await model.log()).requests.length).toBe(1);
  await table.put({ pk: `User#${client.email}`, sk: `Usage#${month()}`, messages_used: FREE_LIMIT + 20 });

  expect(await refused).toMatchObject({ status: 429, body: { current: FREE_LIMIT + 20, limit: FREE_LIMIT } });
  await expect.poll(async () => (await model.log()).disconnects).toBe(1);
  expect(await storedMessages(conversationId)).toEqual([]);
  const events = await table.query(`User#${client.email}`, { range: { beginsWith: "UsageEvent#" } });
  expect(events).toEqual([]);
});

it("lets the next one pass when a run that has said nothing gives its message back", async () => {
  const client = await whoHasSaid(FREE_LIMIT - 1);
  const model = await scriptModel([{ status: 401, body: { error: { message: "No" } } }]);
  const { agentId, path } = await beginConversation(client, { agent_model: model.name });

  expect((await say(client, path, "Hello")).last?.event_type).toBe("ERROR");
  await client("PUT", `/agents/${agentId}`, { agent_model: "demo" });

  expect((await say(client, path, "Hello")).last?.event_type).toBe("STREAM_COMPLETE");
  expect((await say(client, path, "Hello")).status).toBe(429);
  expect(await messagesUsed(client.email)).toBe(FREE_LIMIT);
});

it("counts what end users and programs say as their owner's", async () => {
  const client = await whoHasSaid(FREE_LIMIT - 2);
  const { agentId, path } = await beginConversation(client);
  const visitor = await endUserOf(client, agentId);
  const talk = await converse(visitor, agentId);

  expect((await say(visitor, talk.path, "Hello")).status).toBe(200);
  expect((await say(await programOf(client), path, "Hello")).status).toBe(200);

  expect((await say(visitor, talk.path, "Hello")).status).toBe(429);
  expect((await say(client, path, "Hello")).status).toBe(429);
  expect(await messagesUsed(client.email)).toBe(FREE_LIMIT);
});

it("still says that an agent or a conversation is gone when no message is left", async () => {
  const client = await whoHasSaid(FREE_LIMIT);
  const { agentId } = await beginConversation(client);
  const { status, body } = await say(client, `/agents/${agentId}/${crypto.randomUUID()}/send-message`, "Hi");
  expect([status, body.code]).toEqual([404, "not-found"]);
});

describe("the plan", () => {
  const secondsFromNow = (ms: number) => Math.floor((Date.now() + ms) / 1000);
  const day = (number: number) => `2026-01-0${number}T00:00:00.000000+00:00`;

  it.each<[string, readonly Parameters<typeof subscribe>[1][], string]>([
    ["is free without a subscription", [], "free"],
    ["is what is bought", [{ plan: "pro" }], "pro"],
    ["is free where nobody knows it", [{ plan: "platinum" }], "free"],
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
      "is the newer one of two",
      [
        { id: "sub_a", plan: "pro", updatedAt: day(1) },
        { id: "sub_b", plan: "starter", updatedAt: day(2) },
      ],
      "starter",
    ],
    [
      "is the one that lives, not the one that is newer",
      [
        { id: "sub_a", plan: "pro", updatedAt: day(1) },
        { id: "sub_b", plan: "starter", status: "canceled", updatedAt: day(2) },
      ],
      "pro",
    ],
  ])("%s", async (_case, subscriptions, tier) => {
    const client = await whoHasSaid(FREE_LIMIT);
    await Promise.all(subscriptions.map((subscription) => subscribe(client, subscription)));
    const { path } = await beginConversation(client);

    expect((await client("GET", "/usage")).body).toMatchObject({ tier });
    expect((await say(client, path, "Hello")).status).toBe(tier === "free" ? 429 : 200);
  });
});

it("counts superusers, and never refuses them", async () => {
  const client = await whoHasSaid(FREE_LIMIT);
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

it("counts and gives back in the month in which a turn began, however late it ends", async () => {
  const client = await signUpFree();
  const { agentId, conversationId } = await beginConversation(client);
  let now = Date.parse("2031-01-31T23:59:59.999Z");
  const clock = createClock(() => now);
  const turns = new TurnRepository(table, { isSuperuser: () => false });
  const place = { owner: client.email, agentId, conversationId };
  const begin = async () => {
    const seed = seedRun(clock);
    const { plan } = await turns.load(place, seed.startedAt);
    const asked = { ...emptyAnswer(place, seed), id: seed.userMessageId, role: "user" } as const;
    const full = await turns.begin(place, seed, asked, plan.limits.messages_per_month);
    return { seed, plan, full };
  };
  const used = async (period: string) =>
    (await table.get({ pk: `User#${client.email}`, sk: `Usage#${period}` }))?.["messages_used"];
  await table.put({ pk: `User#${client.email}`, sk: "Usage#2031-01", messages_used: 98 });

  const [first, last] = [await begin(), await begin()];
  expect((await begin()).full).toEqual({ used: 100 });
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
  await turns.end({ place, seed: first.seed, message: null, end });

  expect([await used("2031-01"), await used("2031-02")]).toEqual([99, 1]);
});
