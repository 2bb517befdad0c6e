import { env } from "cloudflare:workers";
import { expect, it, onTestFinished, vi } from "vitest";
import { conversationKey, ownScope } from "../../src/access/access-scope.ts";
import type { RunIds, TurnPlace } from "../../src/runs/model.ts";
import { MeterClient } from "../../src/runs/meter-client.ts";
import { emptyAnswer } from "../../src/runs/turn.ts";
import type { TurnEnd } from "../../src/runs/turn-repository.ts";
import { type AgentId, type ConversationId, conversationIdOf } from "../../src/shared/id-types.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { DELETING } from "../../src/table/deletion.ts";
import { beginConversation, type Client, signUp, signUpFree, subscribe, table } from "../support/app.ts";
import { databaseRequests, endFaults, injectFault, scriptModel, untilMet } from "../support/control.ts";
import type { LoggedRequest } from "../support/control-protocol.ts";
import { messagesUsed, storedMessages } from "../support/items.ts";
import { setLimits, plantConversations } from "../support/limits.ts";
import { beginningOf, open, readUntil } from "../support/runs.ts";
import { say } from "../support/sse.ts";

const month = () => new Date().toISOString().slice(0, 7);

/** What requests that change an account's count of messages have in their body, and no others. */
const messagesOf = ({ email }: Client) => `"User#${email}"},"sk":{"S":"Usage#${month()}"`;
/** What requests that change an account's counts of tokens have in their body, and no others. */
const tokensOf = ({ email }: Client) => `"User#${email}"},"sk":{"S":"UsageTokens#`;

/** Holds the next transaction with this text. It may have to be held in several attempts. */
const holdTransaction = (text: string) =>
  injectFault({ match: [text], operation: "TransactWriteItems", times: 5, fault: { kind: "hold" } });

type Span = Pick<LoggedRequest, "startedAt" | "endedAt">;

/** The transactions with this text, each from its first attempt to its first answer. */
async function transactionsWith(text: string): Promise<readonly Span[]> {
  const requests = await databaseRequests(text);
  const attempts = Map.groupBy(
    requests.filter(({ operation }) => operation === "TransactWriteItems"),
    ({ body }) => body,
  );
  return Array.from(attempts.values(), (all) => ({
    startedAt: Math.min(...all.map(({ startedAt }) => startedAt)),
    endedAt: Math.min(...all.map(({ endedAt }) => endedAt)),
  }));
}

function overlapsOf(requests: readonly Span[]): number {
  const sorted = requests.toSorted((a, b) => a.startedAt - b.startedAt);
  return sorted.filter(({ startedAt }, index) => startedAt < (sorted[index - 1]?.endedAt ?? 0)).length;
}

/** Begins a turn in each of these conversations, all at once. */
const openAll = (client: Client, agentId: AgentId, talks: readonly ConversationId[]) =>
  Promise.all(talks.map((id) => open(client, `/agents/${agentId}/${id}/send-message`, "Hello")));

/** Sends a message in each of these conversations, all at once. */
const sendAll = (client: Client, agentId: AgentId, talks: readonly ConversationId[]) =>
  Promise.all(talks.map((id) => say(client, `/agents/${agentId}/${id}/send-message`, "Hello")));

/**
 * Sends a message in each of so many new conversations, all at once. The first transaction that counts one is held until others have
 * arrived: more than fit into one transaction, and no more than an account may begin at once.
 */
async function sendCrowd(client: Client, count: number) {
  const model = await scriptModel(...Array.from({ length: count }, () => [{ text: "Yes." }]));
  const { agentId } = await beginConversation(client, { agent_model: model.name });
  const talks = await plantConversations(ownScope(client.email), agentId, count);
  await holdTransaction(messagesOf(client));

  const sending = sendAll(client, agentId, talks);
  await untilMet();
  await expect.poll(async () => (await model.log()).requests.length).toBeGreaterThanOrEqual(20);
  await endFaults();
  return sending;
}

/** The end of a turn with this answer. */
function endOf(place: TurnPlace, runIds: RunIds, content: string): TurnEnd {
  const endedAt = systemClock.timestamp();
  const end = {
    state: "completed",
    endedAt,
    messageId: runIds.answerId,
    usage: null,
    errorCode: null,
  } as const;
  return { place, runIds, message: { ...emptyAnswer(place, runIds), content }, end };
}

it("begins many turns of an account in transactions that never overlap, and counts each once", async () => {
  const client = await signUp();

  const turns = await sendCrowd(client, 100);

  expect(turns.map(({ last }) => last?.event_type)).toEqual(
    Array.from({ length: 100 }, () => "STREAM_COMPLETE"),
  );
  expect(await messagesUsed(client.email)).toBe(100);
  const transactions = await transactionsWith(messagesOf(client));
  expect(transactions.length).toBeLessThan(100);
  expect(overlapsOf(transactions)).toBe(0);
});

// Scenario 19.
it("holds a limit exactly when more turns begin together than it has room for", async () => {
  setLimits("free", { concurrent_runs: 0 });
  const client = await signUpFree();
  await table.put({ pk: `User#${client.email}`, sk: `Usage#${month()}`, messages_used: 93 });

  // More turns than there is room for have passed the first check of the limit when the first one is counted.
  const turns = await sendCrowd(client, 40);

  const statuses = turns.map(({ status }) => status);
  expect(statuses.filter((status) => status === 200)).toHaveLength(7);
  expect(statuses.filter((status) => status === 429)).toHaveLength(33);
  expect(await messagesUsed(client.email)).toBe(100);
});

it("takes no more slots than the plan has when turns begin together", async () => {
  const client = await signUp();
  const { agentId } = await beginConversation(client);
  const talks = await plantConversations(ownScope(client.email), agentId, 12);
  const meter = env.ACCOUNT_METER.getByName(client.email);

  const replies = await Promise.all(
    talks.map((conversationId) => {
      const beginning = beginningOf(client, agentId, conversationId);
      return meter.begin({ ...beginning, limits: { ...beginning.limits, concurrent_runs: 3 } });
    }),
  );

  const outcomes = replies.flatMap((reply) => ("answer" in reply ? [reply.answer] : []));
  expect(outcomes.filter(({ kind }) => kind === "begun")).toHaveLength(3);
  const exhausted = { kind: "exhausted", exhausted: { limit: "concurrent_runs", used: 3 } };
  expect(outcomes.filter(({ kind }) => kind !== "begun")).toEqual(Array.from({ length: 9 }, () => exhausted));
  expect(await messagesUsed(client.email)).toBe(3);
  const slots = await table.get({ pk: `User#${client.email}`, sk: "TurnSlots" });
  expect(slots?.["run_ids"]).toHaveProperty("size", 3);
});

// Scenario 13.
it("begins the other turns if one conversation is deleted meanwhile", async () => {
  const client = await signUp();
  const { agentId } = await beginConversation(client);
  const talks = await plantConversations(ownScope(client.email), agentId, 6);
  const [deleted = conversationIdOf(""), ...others] = talks;
  await table.update(conversationKey(ownScope(client.email), deleted), {
    set: { [DELETING]: systemClock.timestamp() },
  });
  const meter = env.ACCOUNT_METER.getByName(client.email);

  const outcomes = await Promise.all(
    talks.map((conversationId) => meter.begin(beginningOf(client, agentId, conversationId))),
  );

  expect(outcomes.map((reply) => "answer" in reply && reply.answer.kind)).toEqual([
    "gone",
    ...others.map(() => "begun"),
  ]);
  expect(await storedMessages(deleted)).toEqual([]);
  expect(await messagesUsed(client.email)).toBe(5);
});

it("counts every token of turns that end together", async () => {
  const client = await signUp();
  await subscribe(client, { plan: "pro" });
  const model = await scriptModel(
    ...Array.from({ length: 20 }, () => [
      { text: "Yes." },
      { usage: { prompt_tokens: 10, completion_tokens: 2 } },
    ]),
  );
  const { agentId } = await beginConversation(client, { agent_model: model.name });
  const talks = await plantConversations(ownScope(client.email), agentId, 20);
  // The first end is held until all the others have their answers.
  await holdTransaction(tokensOf(client));

  const turns = await openAll(client, agentId, talks);
  await Promise.all(turns.map((turn) => readUntil(turn, "Yes.")));
  await untilMet();
  await endFaults();
  await Promise.all(turns.map((turn) => turn.rest()));

  expect((await transactionsWith(tokensOf(client))).length).toBeLessThan(20);
  const counted = await table.query(`User#${client.email}`, { range: { beginsWith: "UsageTokens#" } });
  expect(counted).toMatchObject([{ runs: 20, input_tokens: 200, output_tokens: 40 }]);
});

it("holds an end user's limit exactly when turns of several end users begin together", async () => {
  const client = await signUp();
  const { agentId } = await beginConversation(client);
  const scopes = ["one", "two"].map((id) => ({ accountEmail: client.email, endUser: { agentId, id } }));
  const talks = await Promise.all(scopes.map((scope) => plantConversations(scope, agentId, 8)));
  const meter = env.ACCOUNT_METER.getByName(client.email);

  const replies = await Promise.all(
    scopes.flatMap(({ endUser }, index) =>
      (talks[index] ?? []).map((conversationId) => {
        const { place, limits, ...beginning } = beginningOf(client, agentId, conversationId);
        return meter.begin({
          ...beginning,
          place: { ...place, endUser },
          limits: { ...limits, end_user_messages_per_month: 3 },
        });
      }),
    ),
  );

  const kinds = replies.map((reply) => "answer" in reply && reply.answer.kind);
  for (const ofEndUser of [kinds.slice(0, 8), kinds.slice(8)]) {
    expect(ofEndUser.filter((kind) => kind === "begun")).toHaveLength(3);
    expect(ofEndUser.filter((kind) => kind === "exhausted")).toHaveLength(5);
  }
  expect(await messagesUsed(client.email)).toBe(6);
});

it("begins no turn of an account that is deleted meanwhile, and leaves nothing behind", async () => {
  const client = await signUp();
  const { agentId } = await beginConversation(client);
  const talks = await plantConversations(ownScope(client.email), agentId, 30);
  await injectFault({ match: [client.email], operation: "TransactWriteItems", fault: { kind: "hold" } });
  const meter = env.ACCOUNT_METER.getByName(client.email);
  const beginning = Promise.all(
    talks.map((conversationId) => meter.begin(beginningOf(client, agentId, conversationId))),
  );
  await untilMet();

  for (const id of talks) await table.remove(conversationKey(ownScope(client.email), id));
  await endFaults();

  const outcomes = await beginning;
  expect(outcomes.map((reply) => "answer" in reply && reply.answer.kind)).toEqual(talks.map(() => "gone"));
  const left = await table.query(`User#${client.email}`, { range: { beginsWith: "Usage" } });
  expect(left.filter(({ sk }) => sk !== "Usage#active")).toEqual([]);
});

it("logs why a turn could not begin, and does not tell the caller", async () => {
  const log = vi.spyOn(console, "error").mockReturnValue(undefined);
  onTestFinished(() => log.mockRestore());
  const client = await signUp();
  const { agentId, conversationId } = await beginConversation(client);
  await injectFault({
    match: [client.email],
    operation: "TransactWriteItems",
    fault: { kind: "answer", status: 400, body: { __type: "ValidationException", message: "A secret." } },
  });
  const meter = env.ACCOUNT_METER.getByName(client.email);

  const reply = await meter.begin(beginningOf(client, agentId, conversationId));

  expect(reply).toMatchObject({ error: { code: "internal" } });
  expect(JSON.stringify(reply)).not.toContain("A secret.");
  expect(log).toHaveBeenCalledWith(
    expect.objectContaining({
      code: "internal",
      cause: expect.objectContaining({ message: expect.stringContaining("A secret.") }),
    }),
  );
});

it("stores the other answers if one of those that end together does not fit into an item", async () => {
  const client = await signUp();
  const { agentId } = await beginConversation(client);
  const talks = await plantConversations(ownScope(client.email), agentId, 3);
  const meters = new MeterClient({ namespace: env.ACCOUNT_METER, region: env.AWS_REGION });
  const ends = await Promise.all(
    talks.map(async (conversationId, index) => {
      const { place, runIds, message, limits } = beginningOf(client, agentId, conversationId);
      await meters.begin(place, runIds, message, limits);
      return endOf(place, runIds, index === 1 ? "x".repeat(500_000) : "Yes.");
    }),
  );
  // The first one is held, so that the others arrive while it is under way.
  await holdTransaction(client.email);

  const ending = Promise.allSettled(ends.map((end) => meters.end(end)));
  await untilMet();
  await endFaults();
  const outcomes = await ending;

  expect(outcomes.map((outcome) => (outcome.status === "rejected" ? outcome.reason : undefined))).toEqual([
    undefined,
    expect.objectContaining({ code: "payload-too-large" }),
    undefined,
  ]);
  const stored = await Promise.all(talks.map((id) => storedMessages(id)));
  expect(stored.map((messages) => messages.length)).toEqual([2, 1, 2]);
});
