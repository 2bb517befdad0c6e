import { abortAllDurableObjects } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { env } from "cloudflare:workers";
import { createRunnerDeps } from "../../src/deps/objects.ts";
import { portsFrom } from "../../src/deps/ports.ts";
import { TurnBeginnings } from "../../src/runs/turn-beginnings.ts";
import { emptyAnswer, newRunIds } from "../../src/runs/turn.ts";
import { formatTimestamp, systemClock } from "../../src/shared/clock.ts";
import { beginConversation, type Client, signUp, signUpFree, table } from "../support/app.ts";
import { beginOwnConversation, endUserOf } from "../support/callers.ts";
import { endFaults, injectFault, scriptModel } from "../support/control.ts";
import type { ScriptStep } from "../support/control-protocol.ts";
import { messagesUsed, storedMessages } from "../support/items.ts";
import { beginningOf, follow, readUntil, untilIdle } from "../support/runs.ts";
import { parseEvents, say, textOf } from "../support/sse.ts";

const HOUR_MS = 60 * 60 * 1000;
const unavailable = { status: 401, body: { error: { message: "no" } } };

/** A conversation whose first message has been answered, if the first of the model's replies is an answer. */
async function answered(...replies: readonly (readonly ScriptStep[])[]) {
  const client = await signUp();
  const model = await scriptModel(...replies);
  const { agentId, conversationId, path } = await beginConversation(client, { agent_model: model.name });
  await say(client, path, "What is tea?");
  return { client, model, agentId, conversationId, path, ...(await newest(conversationId)) };
}

/** The ids of a conversation's last two messages. */
async function newest(conversationId: string) {
  const messages = await storedMessages(conversationId);
  const ids = messages.map((message) => String(message["message_id"]));
  return { questionId: ids.at(-2) ?? "", answerId: ids.at(-1) ?? "" };
}

const pathOf = (conversationId: string, messageId: string) =>
  `/conversations/${conversationId}/messages/${messageId}/regenerate`;

async function regenerate(
  client: Client,
  conversationId: string,
  messageId: string,
  headers: Record<string, string> = {},
) {
  const { status, body } = await client("POST", pathOf(conversationId, messageId), undefined, headers);
  const events = status === 200 ? parseEvents(body as string) : [];
  return { status, body, events, text: textOf(events), runId: events[0]?.run_id ?? "", last: events.at(-1) };
}

/** Begins to write an answer again, and reads until the new one says this. */
async function begun(client: Client, conversationId: string, messageId: string, text: string) {
  const { response } = await client.raw("POST", pathOf(conversationId, messageId));
  const turn = await follow(response);
  await readUntil(turn, text);
  return turn;
}

const contents = async (conversationId: string) =>
  (await storedMessages(conversationId)).map(({ content }) => content);

describe("the last answer, written again", () => {
  it("is replaced by an answer to the same message, which the model gets without the former one", async () => {
    const { client, model, conversationId, questionId, answerId, path } = await answered(
      [{ text: "A leaf." }],
      [{ text: "A drink." }],
      [{ text: "Yes." }],
    );

    const { text, last, runId } = await regenerate(client, conversationId, answerId);
    await say(client, path, "Is it hot?");

    expect(text).toBe("A drink.");
    const listed = await client("GET", `/conversations/${conversationId}/messages`);
    expect(listed.body.items.map(({ content }: { content: string }) => content)).toEqual([
      "Yes.",
      "Is it hot?",
      "A drink.",
      "What is tea?",
    ]);
    const [question, answer] = await storedMessages(conversationId);
    expect(question?.["message_id"]).toBe(questionId);
    expect(answer).toMatchObject({ message_id: last?.message_id, run_id: runId, status: "complete" });
    const { body: run } = await client("GET", `/conversations/${conversationId}/runs/${runId}`);
    expect(run).toMatchObject({
      state: "completed",
      user_message_id: questionId,
      message_id: last?.message_id,
    });
    const asked = (await model.log()).requests.map((request) => JSON.stringify(request));
    expect(asked[1]).toContain("What is tea?");
    expect(asked[1]).not.toContain("A leaf.");
    expect(asked[1]?.split("What is tea?")).toHaveLength(2);
    expect(asked[2]).toContain("A drink.");
    expect(asked[2]).not.toContain("A leaf.");
    expect(await messagesUsed(client.email)).toBe(3);
  });

  it("keeps the files of the message", async () => {
    const client = await signUp();
    const model = await scriptModel([{ text: "One." }], [{ text: "Two." }]);
    const { conversationId, path } = await beginConversation(client, { agent_model: model.name });
    const attachments = [{ filename: "tea.txt", content: "Oolong is half oxidised.", size: 24 }];
    await say(client, path, "Read this", { attachments });

    await regenerate(client, conversationId, (await newest(conversationId)).answerId);

    expect(JSON.stringify((await model.log()).requests[1])).toContain("Oolong is half oxidised.");
    expect((await storedMessages(conversationId))[0]?.["attachments"]).toEqual(attachments);
  });

  it("is returned as a whole to callers that want JSON", async () => {
    const { client, conversationId, answerId } = await answered(
      [{ text: "A leaf." }],
      [{ text: "A drink." }],
    );

    const { status, body } = await client("POST", pathOf(conversationId, answerId), undefined, {
      accept: "application/json",
    });

    expect([status, body.message.content]).toEqual([200, "A drink."]);
  });

  it("is gone for a repeat of the message that it first answered, if the repeat wants it as a whole", async () => {
    const client = await signUp();
    const model = await scriptModel([{ text: "A leaf." }], [{ text: "A drink." }]);
    const { conversationId, path } = await beginConversation(client, { agent_model: model.name });
    const message = { content: "What is tea?" };
    const headers = { accept: "application/json", "idempotency-key": "k1" };
    const first = await client("POST", path, message, headers);

    await regenerate(client, conversationId, first.body.message.message_id);
    const repeat = await client("POST", path, message, headers);

    expect([repeat.status, repeat.body.code, repeat.body.run_id]).toEqual([410, "gone", first.body.run_id]);
  });

  it("is found by searches in its new form only", async () => {
    const search = { call: { name: "recall_conversation", arguments: '{"query":"leaf drink"}' } };
    const { client, model, agentId, conversationId, answerId, path } = await answered(
      [{ text: "A leaf." }],
      [search],
      [{ text: "A drink." }],
    );
    const find = async (query: string) =>
      (await client("GET", `/agents/${agentId}/recall?query=${query}`)).body.items.map(
        ({ content }: { content: string }) => content,
      );
    expect(await find("leaf")).toEqual(["A leaf."]);

    await regenerate(client, conversationId, answerId);
    await untilIdle(client, path);

    expect(JSON.stringify((await model.log()).requests[2])).not.toContain("A leaf.");
    expect(await find("leaf")).toEqual([]);
    expect(await find("drink")).toEqual(["A drink."]);
  });

  it("can be written again any number of times, one after the other", async () => {
    const { client, conversationId, answerId } = await answered(
      [{ text: "One." }],
      [{ text: "Two." }],
      [{ text: "Three." }],
    );

    await regenerate(client, conversationId, answerId);
    await regenerate(client, conversationId, (await newest(conversationId)).answerId);

    expect(await contents(conversationId)).toEqual(["What is tea?", "Three."]);
  });

  it("may be that of an end user's own conversation, and of nobody else's", async () => {
    const { client, agentId, conversationId, answerId } = await answered(
      [{ text: "A leaf." }],
      [{ text: "One." }],
      [{ text: "Two." }],
    );
    const visitor = await endUserOf(client, agentId);
    const own = await beginOwnConversation(visitor, agentId);
    await say(visitor, own.path, "Hello");

    const refused = await regenerate(visitor, conversationId, answerId);
    await regenerate(visitor, own.conversationId, (await newest(own.conversationId)).answerId);

    expect([refused.status, refused.body.detail]).toEqual([404, "Conversation not found"]);
    expect(await contents(conversationId)).toEqual(["What is tea?", "A leaf."]);
    expect(await contents(own.conversationId)).toEqual(["Hello", "Two."]);
  });

  it("sees the messages before, even if the session has timed out since the message was sent", async () => {
    const { client, model, agentId, conversationId, path } = await answered(
      [{ text: "A leaf." }],
      [{ text: "Green." }],
      [{ text: "Black." }],
    );
    await say(client, path, "Which colour?");
    await client("PATCH", `/agents/${agentId}`, { session_timeout_minutes: 60 });
    for (const item of await storedMessages(conversationId)) {
      const { pk, sk } = item as Record<string, string>;
      // Two hours ago; the ids keep their order.
      const earlier = (text: string) =>
        text.replace(/\d{4}-.{21}/u, (at) =>
          formatTimestamp(Date.parse(at) - 2 * HOUR_MS, Number(at.slice(23, 26))),
        );
      await table.put({ ...item, sk: earlier(sk ?? ""), created_at: earlier(String(item["created_at"])) });
      await table.remove({ pk: pk ?? "", sk: sk ?? "" });
    }

    await regenerate(client, conversationId, (await newest(conversationId)).answerId);

    expect(JSON.stringify((await model.log()).requests[2])).toContain("A leaf.");
    expect(await contents(conversationId)).toEqual(["What is tea?", "A leaf.", "Which colour?", "Black."]);
  });
});

describe("a regeneration that is not completed", () => {
  it("leaves the former answer if it fails, and counts nothing if nothing was said", async () => {
    const { client, conversationId, answerId } = await answered([{ text: "A leaf." }], [unavailable]);

    const { last, runId } = await regenerate(client, conversationId, answerId);

    expect(last?.event_type).toBe("ERROR");
    expect(await contents(conversationId)).toEqual(["What is tea?", "A leaf."]);
    const { body: run } = await client("GET", `/conversations/${conversationId}/runs/${runId}`);
    expect(run).toMatchObject({ state: "failed", message_id: null });
    expect(await messagesUsed(client.email)).toBe(1);
  });

  it("leaves the former answer if it is cancelled, and counts because the model has spoken", async () => {
    const { client, conversationId, answerId } = await answered(
      [{ text: "A leaf." }],
      [{ text: "A dr" }, { hold: true }],
    );
    const turn = await begun(client, conversationId, answerId, "A dr");

    const cancelled = await client("POST", `/conversations/${conversationId}/runs/${turn.runId}/cancel`);
    const last = (await turn.rest()).at(-1);

    expect(cancelled.body).toMatchObject({ state: "cancelled", message_id: null });
    expect(last).toMatchObject({ event_type: "STREAM_COMPLETE", content: "Cancelled", message_id: null });
    expect(await contents(conversationId)).toEqual(["What is tea?", "A leaf."]);
    expect(await messagesUsed(client.email)).toBe(2);
  });

  it("leaves the former answer if its server dies, and the answer can be written again", async () => {
    const { client, conversationId, answerId, path } = await answered(
      [{ text: "A leaf." }],
      [{ text: "A dr" }, { hold: true }],
      [{ text: "A drink." }],
    );
    const turn = await begun(client, conversationId, answerId, "A dr");

    await abortAllDurableObjects();
    await turn.rest();
    const { body: run } = await client("GET", `/conversations/${conversationId}/runs/${turn.runId}`);
    const before = await contents(conversationId);
    await regenerate(client, conversationId, answerId);

    expect(run).toMatchObject({ state: "interrupted", message_id: null });
    expect(before).toEqual(["What is tea?", "A leaf."]);
    expect(await contents(conversationId)).toEqual(["What is tea?", "A drink."]);
    await untilIdle(client, path);
  });

  it("saves nothing if the conversation is deleted meanwhile", async () => {
    const { client, conversationId, answerId } = await answered(
      [{ text: "A leaf." }],
      [{ text: "A dr" }, { hold: true }],
    );
    const turn = await begun(client, conversationId, answerId, "A dr");

    const deleted = await client("DELETE", `/conversations/${conversationId}`);
    await turn.rest();

    expect(deleted.status).toBe(204);
    expect(await storedMessages(conversationId)).toEqual([]);
  });

  it("keeps what was said if the message had no answer before", async () => {
    const {
      client,
      conversationId,
      answerId: questionId,
    } = await answered([unavailable], [{ text: "A dr" }, { hold: true }]);
    const turn = await begun(client, conversationId, questionId, "A dr");

    await client("POST", `/conversations/${conversationId}/runs/${turn.runId}/cancel`);
    await turn.rest();

    expect(await storedMessages(conversationId)).toMatchObject([
      { content: "What is tea?" },
      { content: "A dr", status: "interrupted" },
    ]);
  });

  it("is saved later if the database does not accept it in time, and replaces the former answer then", async () => {
    const drink = `Stubborn drink ${crypto.randomUUID()}.`;
    const { client, conversationId, answerId } = await answered(
      [{ text: "A leaf." }],
      [{ text: drink }],
      [{ text: "A habit." }],
    );
    const down = { kind: "answer", status: 500, body: "" } as const;
    await injectFault({ match: [drink], times: 10_000, fault: down });
    const { last } = await regenerate(client, conversationId, answerId);
    const before = await contents(conversationId);
    await endFaults();

    // The next request saves it first, so the former answer is no longer the last one.
    const stale = await regenerate(client, conversationId, answerId);

    expect(last).toMatchObject({ event_type: "ERROR", code: "persist-failed" });
    expect(before).toEqual(["What is tea?", "A leaf."]);
    expect([stale.status, stale.body.code]).toEqual([409, "conflict"]);
    expect(await contents(conversationId)).toEqual(["What is tea?", drink]);
  });
});

it("is read by the next message, although it could not be saved at its end", async () => {
  const drink = `Stubborn drink ${crypto.randomUUID()}.`;
  const { client, model, agentId, conversationId, answerId, path } = await answered(
    [{ text: "A leaf." }],
    [{ text: drink }],
    [{ text: "Yes." }],
  );
  const down = { kind: "answer", status: 500, body: "" } as const;
  await injectFault({ match: [drink], times: 10_000, fault: down });
  const { last } = await regenerate(client, conversationId, answerId);
  await endFaults();

  await say(client, path, "Is it hot?");

  expect(last).toMatchObject({ event_type: "ERROR", code: "persist-failed" });
  expect(await contents(conversationId)).toEqual(["What is tea?", drink, "Is it hot?", "Yes."]);
  const asked = JSON.stringify((await model.log()).requests[2]);
  expect(asked).toContain(drink);
  expect(asked).not.toContain("A leaf.");
  const found = await client("GET", `/agents/${agentId}/recall?query=leaf drink`);
  expect(found.body.items.map(({ content }: { content: string }) => content)).toEqual([drink]);
});

describe("a message without an answer", () => {
  it("is answered as the last message of the conversation", async () => {
    const {
      client,
      model,
      conversationId,
      answerId: questionId,
    } = await answered([unavailable], [{ text: "A drink." }]);
    expect(await contents(conversationId)).toEqual(["What is tea?"]);

    const { text } = await regenerate(client, conversationId, questionId);

    expect(text).toBe("A drink.");
    expect(await contents(conversationId)).toEqual(["What is tea?", "A drink."]);
    expect(JSON.stringify((await model.log()).requests[1]).split("What is tea?")).toHaveLength(2);
    expect(await messagesUsed(client.email)).toBe(1);
  });
});

describe("a request to write an answer again", () => {
  it("is refused if others have followed, if it names the user's message, and if there is nothing to answer", async () => {
    const { client, agentId, conversationId, questionId, answerId, path } = await answered(
      [{ text: "A leaf." }],
      [{ text: "Yes." }],
    );
    await say(client, path, "Is it green?");
    const empty = await client("POST", "/conversations", { title: "Empty", agent_id: agentId });

    const refused = [
      await regenerate(client, conversationId, answerId),
      await regenerate(client, conversationId, questionId),
      await regenerate(client, conversationId, crypto.randomUUID()),
      await regenerate(client, empty.body.conversation_id, answerId),
    ];

    expect(refused.map(({ status, body }) => [status, body.code])).toEqual(
      refused.map(() => [409, "conflict"]),
    );
    expect(refused[0]?.body.detail).toContain("this is not the last one");
    expect(refused[3]?.body.detail).toContain("no message");
    expect(await contents(conversationId)).toEqual(["What is tea?", "A leaf.", "Is it green?", "Yes."]);
    expect(await messagesUsed(client.email)).toBe(2);
  });

  it("replaces the answer once, if two tabs send it at the same time", async () => {
    const { client, model, conversationId, answerId, path } = await answered(
      [{ text: "A leaf." }],
      [{ text: "A dr" }, { hold: true }, { text: "ink." }],
    );
    const turn = await begun(client, conversationId, answerId, "A dr");

    const second = await regenerate(client, conversationId, answerId);
    const message = await say(client, path, "Hurry up");
    await model.release();
    await turn.rest();
    const late = await regenerate(client, conversationId, answerId);

    expect([second.status, second.body.code, second.body.run_id]).toEqual([
      409,
      "conversation-busy",
      turn.runId,
    ]);
    expect([message.status, message.body.code]).toEqual([409, "conversation-busy"]);
    expect([late.status, late.body.code]).toEqual([409, "conflict"]);
    expect(await contents(conversationId)).toEqual(["What is tea?", "A drink."]);
    expect(await messagesUsed(client.email)).toBe(2);
  });

  it("returns the same run for a repeat with its key, and refuses the key for another answer", async () => {
    const { client, model, conversationId, answerId } = await answered(
      [{ text: "A leaf." }],
      [{ text: "A drink." }],
    );
    const key = { "idempotency-key": "k1" };

    const first = await regenerate(client, conversationId, answerId, key);
    const repeat = await regenerate(client, conversationId, answerId, key);
    const other = await regenerate(client, conversationId, (await newest(conversationId)).answerId, key);

    expect(repeat.body).toBe(first.body);
    expect([other.status, other.body.code]).toEqual([422, "idempotency-mismatch"]);
    expect((await model.log()).requests).toHaveLength(2);
  });

  it("is made once, although the database's answers to its writes are lost", async () => {
    const { client, conversationId, answerId } = await answered(
      [{ text: "A leaf." }],
      [{ text: "A drink." }],
    );
    const fault = { kind: "lose-answer" } as const;
    await injectFault({ match: [client.email], operation: "TransactWriteItems", times: 2, fault });

    const { text } = await regenerate(client, conversationId, answerId);

    expect(text).toBe("A drink.");
    expect(await contents(conversationId)).toEqual(["What is tea?", "A drink."]);
    expect(await messagesUsed(client.email)).toBe(2);
  });

  it("is refused like a message if the plan's messages are used up", async () => {
    const client = await signUpFree();
    const model = await scriptModel([{ text: "A leaf." }]);
    const { conversationId, path } = await beginConversation(client, { agent_model: model.name });
    await say(client, path, "What is tea?");
    const month = new Date().toISOString().slice(0, 7);
    await table.update(
      { pk: `User#${client.email}`, sk: `Usage#${month}` },
      { set: { messages_used: 1_000_000 } },
    );

    const { status, body } = await regenerate(
      client,
      conversationId,
      (await newest(conversationId)).answerId,
    );

    expect([status, body.code]).toEqual([429, "limit-exceeded"]);
    expect(await contents(conversationId)).toEqual(["What is tea?", "A leaf."]);
  });
});

it("stands behind the message and the former answer, even if the clock was ahead when those were stored", () => {
  const [asked, answered] = [1, 2].map((micros) => formatTimestamp(systemClock.now() + HOUR_MS, micros));
  const question = { id: "question", createdAt: asked ?? "" };
  const answer = { id: "answer", createdAt: answered ?? "" };

  expect(newRunIds(systemClock, { question, answer }).answeredAt > answer.createdAt).toBe(true);
  expect(newRunIds(systemClock, { question, answer: null }).answeredAt > question.createdAt).toBe(true);
});

it("replaces an answer once, even if two runs end that replace it, such as a dead one", async () => {
  const { client, agentId, conversationId } = await answered([{ text: "A leaf." }]);
  const [question, answer] = (await storedMessages(conversationId)).map((message) => ({
    id: String(message["message_id"]),
    createdAt: String(message["created_at"]),
  }));
  if (!question || !answer) throw new Error("The first message has not been answered.");
  const { turns } = createRunnerDeps(await portsFrom(env));
  const beginnings = [1, 2].map(() => {
    const begun = beginningOf(client, agentId, conversationId);
    return { ...begun, runIds: newRunIds(systemClock, { question, answer }) };
  });
  const ends = beginnings.map(({ place, runIds }, index) => ({
    place,
    runIds,
    message: { ...emptyAnswer(place, runIds), content: `Answer ${index}` },
    end: {
      state: "completed",
      endedAt: runIds.answeredAt,
      messageId: runIds.answerId,
      usage: null,
      errorCode: null,
    } as const,
  }));

  for (const beginning of beginnings)
    expect(await new TurnBeginnings({ table }).begin([beginning])).toEqual([{ kind: "begun" }]);
  const outcomes = await Promise.allSettled(ends.map((end) => turns.end(end)));
  const late = await new TurnBeginnings({ table }).begin([
    {
      ...beginningOf(client, agentId, conversationId),
      runIds: newRunIds(systemClock, { question, answer }),
    },
  ]);

  expect(outcomes.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
  expect(late).toEqual([{ kind: "gone" }]);
  const [, kept, more] = await contents(conversationId);
  expect(kept).toMatch(/^Answer [01]$/u);
  expect(more).toBeUndefined();
});
