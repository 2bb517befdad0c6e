import { abortAllDurableObjects, runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { ownScope } from "../../src/access/access-scope.ts";
import type { AgentId, ConversationId } from "../../src/shared/id-types.ts";
import { monthOf } from "../../src/shared/clock.ts";
import { beginConversation, type Client, signUpFree, subscribe, table } from "../support/app.ts";
import { databaseRequests, endFaults, injectFault, scriptModel, untilMet } from "../support/control.ts";
import type { Fault } from "../support/control-protocol.ts";
import { messagesUsed, storedMessages } from "../support/items.ts";
import { setLimits, plantConversations } from "../support/limits.ts";
import { beginningOf, runnerOf, untilAnswered } from "../support/runs.ts";
import { say } from "../support/sse.ts";

const TURNS = 200;
const LIMIT = 120;

const answer = (body: unknown): Fault => ({ kind: "answer", status: 400, body });
const throttled = answer({
  __type: "com.amazonaws.dynamodb.v20120810#ThrottlingException",
  message: "Slow down.",
});
const conflict = answer({
  __type: "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
  CancellationReasons: [{ Code: "TransactionConflict" }],
});

/** Signs somebody up whose plan has this many messages, with an agent and this many conversations. */
async function beginTalks(messages: number, count: number) {
  setLimits("free", { messages_per_month: messages, concurrent_runs: TURNS });
  const client = await signUpFree();
  const { agentId } = await beginConversation(client);
  const talks = await plantConversations(ownScope(client.email), agentId, count);
  return { client, agentId, talks };
}

/** Sends a message in each of these conversations, all at once, and returns the statuses. */
const sendAll = (client: Client, agentId: AgentId, talks: readonly ConversationId[]) =>
  Promise.all(
    talks.map(async (id) => {
      const sent = await say(client, `/agents/${agentId}/${id}/send-message`, "Hello").catch(() => undefined);
      return sent?.status ?? 0;
    }),
  );

/** What requests that change an account's count of messages have in their body, and no others. */
const messagesOf = ({ email }: Client) => `"User#${email}"},"sk":{"S":"Usage#${monthOf(Date.now())}"`;
/** What requests that change an account's counts of tokens have in their body, and no others. */
const tokensOf = ({ email }: Client) => `"User#${email}"},"sk":{"S":"UsageTokens#`;

/** What `expectExact` looks at of a run in a response. */
interface RunSeen {
  readonly state: string;
  readonly message_id: string | null;
  readonly user_message_id: string;
}

/** Expects that every run ends, and that one message is counted for each answered run. */
async function expectExact(client: Client, talks: readonly ConversationId[], before = 0): Promise<number> {
  await untilAnswered(client.email);
  let answered = 0;
  for (const id of talks) {
    let runs: readonly RunSeen[] = [];
    const running = async () => {
      // Asking a runner for its active run makes it recover its dead ones. Ends that it could not save are saved by its alarm.
      const active = await client("GET", `/conversations/${id}/runs/active/events`);
      runs = (await client("GET", `/conversations/${id}/runs`)).body.items;
      return [active.status < 300, ...runs.filter(({ state }) => state === "running")];
    };
    await expect.poll(running).toEqual([true]);
    const expected = runs.flatMap((run) => [
      run.user_message_id,
      ...(run.message_id ? [run.message_id] : []),
    ]);
    expect((await storedMessages(id)).map((item) => item["message_id"])).toEqual(expected);
    answered += runs.filter((run) => run.message_id).length;
  }
  const events = await table.query(`User#${client.email}`, { range: { beginsWith: "UsageEvent#" } });
  expect(events.filter(({ state }) => state === "reserved")).toHaveLength(answered);
  expect((await messagesUsed(client.email)) ?? 0).toBe(before + answered);
  const slots = await table.get({ pk: `User#${client.email}`, sk: "TurnSlots" });
  expect(slots?.["run_ids"]).toBeUndefined();
  return answered;
}

it.each<[string, Fault, number]>([
  ["answers are lost", { kind: "lose-answer" }, 0.2],
  ["connections are refused", { kind: "refuse" }, 0.2],
  ["transactions conflict", conflict, 0.5],
  ["the database throttles", throttled, 0.2],
])("counts exactly at a limit when 200 messages arrive at once and %s", async (_what, fault, probability) => {
  const { client, agentId, talks } = await beginTalks(LIMIT, TURNS);
  await injectFault({
    match: [client.email],
    times: 10_000,
    operation: "TransactWriteItems",
    probability,
    fault,
  });

  const statuses = await sendAll(client, agentId, talks);
  await endFaults();

  const answered = await expectExact(client, talks);
  expect(answered).toBeGreaterThan(0);
  expect(answered).toBeLessThanOrEqual(LIMIT);
  expect(statuses.every((status) => [200, 429, 503].includes(status))).toBe(true);
});

it("counts exactly when the runners and the meter die while turns begin and end", async () => {
  const { client, agentId, talks } = await beginTalks(LIMIT, TURNS);
  const sending: Promise<unknown>[] = [];

  // The first two rounds leave room for the third one.
  for (const [round, text] of [messagesOf(client), tokensOf(client), messagesOf(client)].entries()) {
    await injectFault({
      match: [text],
      after: 1,
      operation: "TransactWriteItems",
      fault: { kind: "hold-answer" },
    });
    sending.push(sendAll(client, agentId, talks.slice(round * 50, (round + 1) * 50)));
    await untilMet();
    await abortAllDurableObjects();
    await endFaults();
  }
  sending.push(sendAll(client, agentId, talks.slice(150)));
  await Promise.all(sending);

  const answered = await expectExact(client, talks);
  expect(answered).toBeLessThanOrEqual(LIMIT);
});

it("saves and counts every answer when the database recovers from throttling", async () => {
  setLimits("free", { messages_per_month: LIMIT, concurrent_runs: TURNS });
  const client = await signUpFree();
  const answers = Array.from({ length: 30 }, () => [
    { text: "Yes. " },
    { hold: true as const },
    { text: "Sure." },
  ]);
  const model = await scriptModel(...answers);
  const { agentId } = await beginConversation(client, { agent_model: model.name });
  const talks = await plantConversations(ownScope(client.email), agentId, answers.length);
  const sending = sendAll(client, agentId, talks);
  await model.asked(answers.length);
  await expect.poll(() => messagesUsed(client.email)).toBe(answers.length);

  const match = [client.email, agentId, ...talks];
  await injectFault({ match, times: 100_000, fault: throttled });
  await model.release();
  await sending;
  // Nothing more can be saved while the database throttles.
  await Promise.all(talks.map((id) => runDurableObjectAlarm(runnerOf(client, `/agents/${agentId}/${id}`))));
  await endFaults();
  await Promise.all(talks.map((id) => runDurableObjectAlarm(runnerOf(client, `/agents/${agentId}/${id}`))));

  expect(await expectExact(client, talks)).toBe(answers.length);
  const stored = await Promise.all(talks.map((id) => storedMessages(id)));
  expect(stored.map((messages) => messages.at(-1)?.["content"])).toEqual(talks.map(() => "Yes. Sure."));
});

it("counts exactly when the plan changes while messages arrive", async () => {
  const { client, agentId, talks } = await beginTalks(30, 120);
  // One message is counted, and others have been checked against the limits of the old plan, when the plan changes.
  await injectFault({
    match: [messagesOf(client)],
    after: 1,
    times: 5,
    operation: "TransactWriteItems",
    fault: { kind: "hold" },
  });

  const first = sendAll(client, agentId, talks.slice(0, 60));
  await untilMet();
  await subscribe(client, { plan: "pro" });
  await endFaults();
  const second = await sendAll(client, agentId, talks.slice(60, 90));
  await subscribe(client, { plan: "pro", status: "canceled" });
  const third = await sendAll(client, agentId, talks.slice(90));

  expect(await first).toContain(200);
  expect(second).toEqual(second.map(() => 200));
  expect(third).toEqual(third.map(() => 429));
  await expectExact(client, talks);
});

it("refuses turns that wait too long behind others, without sending them to the database", async () => {
  const client = await signUpFree();
  const { agentId } = await beginConversation(client);
  const talks = await plantConversations(ownScope(client.email), agentId, 5);
  await injectFault({
    match: [client.email],
    times: 10_000,
    operation: "TransactWriteItems",
    fault: { kind: "hold" },
  });
  const meter = env.ACCOUNT_METER.getByName(client.email);

  // With different limits, no two of them may share a transaction.
  const replies = await Promise.all(
    talks.map((conversationId, index) => {
      const beginning = beginningOf(client, agentId, conversationId);
      return meter.begin({ ...beginning, limits: { ...beginning.limits, messages_per_month: 100 + index } });
    }),
  );

  for (const reply of replies) expect(reply).toMatchObject({ error: { code: "unavailable", retryAfter: 1 } });
  const sent = (await databaseRequests(client.email)).filter(
    ({ operation }) => operation === "TransactWriteItems",
  );
  const begun = talks.filter((id) => sent.some(({ body }) => body.includes(id)));
  expect(begun.length).toBeGreaterThan(0);
  expect(begun.length).toBeLessThan(talks.length);
});
