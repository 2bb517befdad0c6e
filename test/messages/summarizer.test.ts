import { runIdOf } from "../../src/shared/id-types.ts";
import { ownScope } from "../../src/access/access-scope.ts";
import { expect, it } from "vitest";
import type { ChatModel, ModelRequest } from "../../src/llm/model.ts";
import { messageItem, type Message } from "../../src/messages/model.ts";
import { ConversationSummarizer } from "../../src/messages/summarizer.ts";
import { SummaryRepository } from "../../src/messages/summary-repository.ts";
import { HISTORY_MESSAGES, placeOf, windowOf } from "../../src/messages/window.ts";
import { createClock } from "../../src/shared/clock.ts";
import { beginConversation, signUp, table } from "../support/app.ts";
import { messageOf } from "./conversation.ts";

const TOKENS = 8_000;

/** A model that writes the given text, and records its requests. */
function writer(write: (signal: AbortSignal) => AsyncIterable<string>) {
  const asked: ModelRequest[] = [];
  const model: ChatModel = {
    id: "writer",
    contextTokens: 32_000,
    async *stream(request, signal) {
      asked.push(request);
      for await (const text of write(signal)) yield { type: "text", text };
    },
  };
  return { model, asked };
}

async function* summaryText() {
  yield "They talked about the weather.";
}

async function setUp(model: ChatModel, limitMs?: number) {
  const client = await signUp();
  const { conversationId } = await beginConversation(client);
  const summaries = new SummaryRepository({ table });
  const summarizer = new ConversationSummarizer({
    summaries,
    clock: createClock(),
    ...(limitMs !== undefined && { limitMs }),
  });
  const said: Message[] = [];

  return {
    client,
    conversationId,
    summaries,
    said,
    /** Stores messages as a turn would. */
    say: async (...contents: readonly string[]) => {
      const messages = contents.map((content, index) =>
        messageOf(said.length + index, content, conversationId),
      );
      await table.batchWrite(messages.map((message) => ({ put: messageItem(message) })));
      said.push(...messages);
    },
    updateSummary: async (summary = summaries.find(conversationId)) => {
      await summarizer.updateSummary({
        place: { accountEmail: client.email, conversationId },
        runId: runIdOf("r"),
        model,
        promptTokens: 24_000,
        historyTokens: TOKENS,
        known: {
          history: said.slice(-HISTORY_MESSAGES),
          hasOlder: said.length > HISTORY_MESSAGES,
          summary: await summary,
        },
      });
      return summaries.find(conversationId);
    },
  };
}

const words = (count: number, word = "w"): string => Array.from({ length: count }, () => word).join(" ");

it("moves the window in steps, without a gap between it and the summary", async () => {
  const { model, asked } = writer(summaryText);
  const { say, updateSummary, summaries, conversationId, said } = await setUp(model);
  const beginnings: string[] = [];

  for (let turn = 0; turn < 60; turn++) {
    const summary = await summaries.find(conversationId);
    const window = windowOf(said, summary?.coversUntil ?? null, TOKENS);
    const uncovered = said.filter((message) => placeOf(message) > (summary?.coversUntil ?? ""));
    expect(window).toEqual(uncovered.map((message) => ({ message, maxTokens: null })));
    beginnings.push(window[0]?.message.id ?? "");

    await say(words(150), words(250));
    await updateSummary();
  }

  // 24,000 words, of which a step takes about 3,500. A sliding window would have moved with nearly every turn.
  const steps = beginnings.filter((id, index) => index > 1 && id !== beginnings[index - 1]).length;
  expect(steps).toBe(asked.length);
  expect(steps).toBeGreaterThan(3);
  expect(steps).toBeLessThan(8);
});

it("makes the new summary from the old one and the messages that have left the window since", async () => {
  const { model, asked } = writer(summaryText);
  const { say, updateSummary } = await setUp(model);

  await say(...Array.from({ length: 30 }, (_, index) => `first-${index} ${words(250)}`));
  const first = await updateSummary();
  await say(...Array.from({ length: 20 }, (_, index) => `second-${index} ${words(250)}`));
  const second = await updateSummary();

  const [, again] = asked.map(({ messages }) => messages[1]?.content ?? "");
  expect(again).toContain("They talked about the weather.");
  expect(again).not.toContain("first-0 ");
  expect(again).toContain("first-29 ");
  expect(second?.messagesCovered).toBeGreaterThan(first?.messagesCovered ?? 0);
  expect(second?.createdAt).toBe(first?.createdAt);
  expect((second?.coversUntil ?? "") > (first?.coversUntil ?? "")).toBe(true);
});

it("calls the model only when messages leave the window, and once for the same messages", async () => {
  const { model, asked } = writer(summaryText);
  const { say, updateSummary } = await setUp(model);

  await say(...Array.from({ length: 20 }, () => words(250)));
  expect(await updateSummary()).toBeNull();
  await say(...Array.from({ length: 20 }, () => words(250)));
  const summary = await updateSummary();
  // A turn that began before the summary was stored has read none.
  const again = await updateSummary(Promise.resolve(null));

  expect(asked).toHaveLength(1);
  expect(again).toEqual(summary);
});

it("keeps the newest message for one more turn, however long it is", async () => {
  const { model, asked } = writer(summaryText);
  const { say, updateSummary, said } = await setUp(model);

  await say("Hi", "Hello", words(20_000, "long"), "It is long.");
  const first = await updateSummary();
  await say("What does it say?", "Long.");
  const second = await updateSummary();

  expect(first?.coversUntil).toBe(placeOf(said[1] ?? messageOf(0, "")));
  expect(second?.coversUntil).toBe(placeOf(said[3] ?? messageOf(0, "")));
  expect(asked).toHaveLength(2);
});

it("stores one of two summaries of the same state, and none after a deletion", async () => {
  const { model } = writer(summaryText);
  const { client, say, updateSummary, summaries, conversationId } = await setUp(model);
  await say(...Array.from({ length: 30 }, () => words(250)));
  const summary = await updateSummary();
  if (!summary) throw new Error("There is no summary.");

  const next = (content: string) => ({ ...summary, content, updatedAt: crypto.randomUUID() });
  const both = await Promise.all([
    summaries.replace(ownScope(client.email), next("one"), summary),
    summaries.replace(ownScope(client.email), next("two"), summary),
  ]);
  expect(both.filter(Boolean)).toHaveLength(1);

  const current = await summaries.find(conversationId);
  await client("DELETE", `/conversations/${conversationId}/summary`);
  expect(await summaries.replace(ownScope(client.email), next("three"), current)).toBe(false);
  expect(await summaries.find(conversationId)).toMatchObject({
    content: "",
    coversUntil: summary.coversUntil,
  });
});

it.each([
  ["fails", 1_000, () => failing()],
  ["returns nothing", 1_000, () => silent()],
  ["never ends", 50, (signal: AbortSignal) => endless(signal)],
])("summarizes without the model if it %s", async (_case, limitMs, write) => {
  const { model } = writer(write);
  const { say, updateSummary } = await setUp(model, limitMs);
  await say(...Array.from({ length: 30 }, (_, index) => `Topic ${index}. ${words(250)}`));

  const summary = await updateSummary();

  expect(summary).toMatchObject({ by: "fallback", model: null });
  expect(summary?.content).toContain("[Jan 29, 2026] User: Topic 0.");
});

it("discards a model's summary that was cut off at a token limit", async () => {
  const model: ChatModel = {
    id: "writer",
    contextTokens: 32_000,
    async *stream() {
      yield { type: "text", text: "They talked about the weather. Ada must never be given" };
      yield { type: "finish", reason: "length" };
    },
  };
  const { say, updateSummary } = await setUp(model);
  await say(...Array.from({ length: 30 }, (_, index) => `Topic ${index}. ${words(250)}`));

  const summary = await updateSummary();

  expect(summary).toMatchObject({ by: "fallback", model: null });
  expect(summary?.content).not.toContain("Ada must never be given");
});

it("summarizes at most one page of a long conversation at a time, oldest messages first", async () => {
  const { model, asked } = writer(summaryText);
  const { say, updateSummary, said } = await setUp(model);
  await say(...Array.from({ length: 700 }, (_, index) => `message-${index} has a few words`));

  const summary = await updateSummary();

  expect(asked[0]?.messages[1]?.content).toContain("message-0 has");
  expect(summary?.messagesCovered).toBe(600);
  expect(summary?.coversUntil).toBe(placeOf(said[599] ?? messageOf(0, "")));
});

it("stores nothing for a conversation that was deleted meanwhile", async () => {
  const gone = Promise.withResolvers<void>();
  const { model, asked } = writer(async function* () {
    await gone.promise;
    yield "Late.";
  });
  const { client, say, updateSummary, conversationId } = await setUp(model);
  await say(...Array.from({ length: 30 }, () => words(250)));

  const keeping = updateSummary();
  await expect.poll(() => asked.length).toBe(1);
  expect((await client("DELETE", `/conversations/${conversationId}`)).status).toBe(204);
  gone.resolve();
  await keeping;

  expect(await table.query(`CONVERSATION#${conversationId}`)).toEqual([]);
});

async function* failing(): AsyncGenerator<string> {
  yield "They";
  throw new Error("The provider quoted sk-secret.");
}

async function* silent(): AsyncGenerator<string> {
  yield " ";
}

async function* endless(signal: AbortSignal): AsyncGenerator<string> {
  yield "They";
  await new Promise((_resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason));
  });
}
