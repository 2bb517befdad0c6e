import { abortAllDurableObjects, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { beginConversation, type Client, signUp, table } from "../support/app.ts";
import { scriptModel } from "../support/control.ts";
import type { ScriptStep } from "../support/control-protocol.ts";
import { storedMessages } from "../support/items.ts";
import { plant, type Planted, talk } from "../support/planted.ts";
import { say } from "../support/sse.ts";

/** A conversation with a history, and a model with a script. */
async function setUp(
  history: readonly Planted[],
  script: readonly (readonly ScriptStep[])[],
  agent: Record<string, unknown> = {},
) {
  const client = await signUp();
  const model = await scriptModel(...script);
  const { agentId, conversationId, path } = await beginConversation(client, {
    agent_model: model.name,
    ...agent,
  });
  await plant(client, conversationId, history);
  /** What the model was sent, request by request. */
  const asked = async () =>
    (await model.log()).requests.map(({ body }) => ({
      system: body.messages[0]?.content ?? "",
      conversation: body.messages.slice(1).map(({ content }) => content ?? ""),
    }));
  return {
    client,
    agentId,
    conversationId,
    asked,
    release: model.release,
    say: (content: string) => say(client, path, content),
    /** Waits until the model was asked for a summary after the first answer. */
    isSummarizing: () => expect.poll(async () => (await asked()).length).toBe(2),
  };
}

const summaryOf = (client: Client, conversationId: string) =>
  client("GET", `/conversations/${conversationId}/summary`);

/** Waits for the summary and returns it. */
async function summaryWhenMade(client: Client, conversationId: string) {
  await expect.poll(async () => (await summaryOf(client, conversationId)).status).toBe(200);
  return (await summaryOf(client, conversationId)).body;
}

it.each(["krishna-memgpt", "krishna-mini"])(
  "sends %s a summary of the messages that no longer fit, which is made after the answer",
  async (agent_architecture) => {
    const script: readonly (readonly ScriptStep[])[] = [
      [{ text: "Ok." }],
      [{ text: "They went through topics." }],
      [{ text: "Sure." }],
    ];
    const there = await setUp(talk(42), script, { agent_architecture });

    const first = await there.say("And now?");
    const summary = await summaryWhenMade(there.client, there.conversationId);
    const second = await there.say("Go on");

    expect(first.last?.event_type).toBe("STREAM_COMPLETE");
    expect(second.text).toBe("Sure.");
    const stored = await storedMessages(there.conversationId);
    const covered = stored[summary.messages_covered - 1];
    expect(summary).toEqual({
      conversation_id: there.conversationId,
      content: "They went through topics.",
      covers_until: covered?.["created_at"],
      last_message_id: covered?.["message_id"],
      messages_covered: expect.any(Number),
      by: "model",
      model: expect.stringMatching(/^script-/u),
      run_id: first.events[0]?.run_id,
      created_at: summary.updated_at,
      updated_at: expect.any(String),
    });
    expect(stored).toHaveLength(42 + 4);

    const [before, summarizing, after] = await there.asked();
    expect(before?.system).not.toContain("conversation_summary");
    expect(summarizing?.conversation[0]).toContain("Topic 0.");
    expect(after?.system).toMatch(
      /\n\n<conversation_summary>\n[^\n]+\n\nThey went through topics\.\n<\/conversation_summary>$/u,
    );
    const next = stored[summary.messages_covered];
    expect(after?.conversation[0]).toBe(next?.["content"]);
    // Four out of ten thousand words stay, word for word.
    expect(after?.conversation.join(" ").split(" ").length).toBeGreaterThan(3_500);
  },
);

it("delays no turn", async () => {
  const script: readonly (readonly ScriptStep[])[] = [
    [{ text: "Ok." }],
    [{ hold: true }, { text: "They talked." }],
    [{ text: "Sure." }],
    [{ text: "Later." }],
  ];
  const there = await setUp(talk(40), script);

  const first = await there.say("And now?");
  await there.isSummarizing();
  const second = await there.say("Go on");

  expect([first.text, second.text]).toEqual(["Ok.", "Sure."]);
  expect((await summaryOf(there.client, there.conversationId)).status).toBe(404);
  await there.release();
  expect((await summaryWhenMade(there.client, there.conversationId)).content).toBe("They talked.");
});

it("is composed without the model if the model does not answer", async () => {
  const refusal = [{ status: 500, body: { error: { message: "Down" } } }];
  const there = await setUp(talk(40), [[{ text: "Ok." }], refusal, refusal, [{ text: "Sure." }]]);

  await there.say("And now?");
  const summary = await summaryWhenMade(there.client, there.conversationId);
  await there.say("Go on");

  expect(summary).toMatchObject({ by: "fallback", model: null });
  expect(summary.content).toMatch(/^\[[A-Z][a-z]{2} \d\d, \d{4}\] User: Topic 0\.$/mu);
  expect((await there.asked()).at(-1)?.system).toContain("User: Topic 0.");
});

it("is removed by its deletion, and later covers only messages that leave the window from then on", async () => {
  const script: readonly (readonly ScriptStep[])[] = [
    [{ text: "Ok." }],
    [{ text: "Secret: they met." }],
    [{ text: "Sure." }],
    [{ text: "They went on." }],
  ];
  const there = await setUp(talk(40), script);
  await there.say("And now?");
  const { messages_covered: covered } = await summaryWhenMade(there.client, there.conversationId);

  const path = `/conversations/${there.conversationId}/summary`;
  expect((await there.client("DELETE", path)).status).toBe(204);
  expect((await there.client("DELETE", path)).status).toBe(204);
  expect((await there.client("GET", path)).status).toBe(404);
  // Newer than what was planted before: another 4,000 words.
  await plant(
    there.client,
    there.conversationId,
    talk(20, 40).map((message) => ({ ...message, age: 0 })),
  );
  await there.say("Go on");
  const anew = await summaryWhenMade(there.client, there.conversationId);

  expect(anew.content).toBe("They went on.");
  const [, , turn, summarizing] = await there.asked();
  expect(turn?.system).not.toContain("they met");
  expect(summarizing?.conversation[0]).not.toContain("they met");
  expect(summarizing?.conversation[0]).not.toContain(`Topic ${covered - 1}.`);
  expect(summarizing?.conversation[0]).toContain(`Topic ${covered}.`);
});

it.each([
  ["is not sent after the session has timed out", 30, 0],
  ["is sent while the session lasts", 90, 1],
])("%s", async (_case, session_timeout_minutes, times) => {
  const there = await setUp(
    talk(4).map((message) => ({ ...message, age: 60 })),
    [[{ text: "Ok." }]],
    { session_timeout_minutes },
  );
  const [, covered] = await storedMessages(there.conversationId);
  await table.put({
    pk: `CONVERSATION#${there.conversationId}`,
    sk: "SUMMARY#rolling",
    content: "They met.",
    covers_until: covered?.["sk"] ?? "",
  });

  await there.say("And now?");

  const [turn] = await there.asked();
  expect(turn?.system.match(/They met\./gu) ?? []).toHaveLength(times);
  expect(turn?.conversation).toHaveLength(times ? 3 : 1);
});

it("is made after the next answer if the runner dies while making it", async () => {
  const script: readonly (readonly ScriptStep[])[] = [
    [{ text: "Ok." }],
    [{ hold: true }, { text: "Lost." }],
    [{ text: "Sure." }],
    [{ text: "They met." }],
  ];
  const there = await setUp(talk(40), script);
  await there.say("And now?");
  await there.isSummarizing();

  await abortAllDurableObjects();

  expect((await there.say("Go on")).text).toBe("Sure.");
  expect((await summaryWhenMade(there.client, there.conversationId)).content).toBe("They met.");
});

it("keeps its runner alive while it is made", async () => {
  const script: readonly (readonly ScriptStep[])[] = [
    [{ text: "Ok." }],
    [{ hold: true }, { text: "They met." }],
  ];
  const there = await setUp(talk(40), script);
  const runner = env.CONVERSATION_RUNNER.getByName(`${there.client.email}/${there.conversationId}`);
  const alarmIn = () =>
    runInDurableObject(
      runner,
      async (_object, state) => ((await state.storage.getAlarm()) ?? 0) - Date.now(),
    );
  await there.say("And now?");
  await there.isSummarizing();

  expect(await alarmIn()).toBeLessThan(31_000);
  await there.release();
  await summaryWhenMade(there.client, there.conversationId);
  // The events of the run are kept for a day.
  await expect.poll(alarmIn).toBeGreaterThan(60_000);
});

it("can be deleted if there is none", async () => {
  const { client, conversationId } = await setUp([], []);

  expect((await client("DELETE", `/conversations/${conversationId}/summary`)).status).toBe(204);
  expect(await summaryOf(client, conversationId)).toMatchObject({
    status: 404,
    body: { detail: "Summary not found" },
  });
});

it("is deleted with its conversation", async () => {
  const there = await setUp(talk(40), [[{ text: "Ok." }], [{ text: "They met." }]]);
  await there.say("And now?");
  await summaryWhenMade(there.client, there.conversationId);

  await there.client("DELETE", `/conversations/${there.conversationId}`);

  expect((await summaryOf(there.client, there.conversationId)).body.detail).toBe("Conversation not found");
});

it("loses no message while a summary is being written, even if the next one is long", async () => {
  const script: readonly (readonly ScriptStep[])[] = [
    [{ text: "Ok." }],
    [{ hold: true }, { text: "They went through topics." }],
    [{ text: "Sure." }],
  ];
  const there = await setUp(talk(40), script);

  await there.say("And now?");
  await there.isSummarizing();
  await there.say(`Consider this: ${"a long remark ".repeat(1_500)}`);

  const sent = (await there.asked()).at(-1)?.conversation.join("\n") ?? "";
  for (let topic = 0; topic < 40; topic++) expect(sent).toContain(`Topic ${topic}.`);
  expect(sent).toContain("And now?");
  expect(sent).toContain("Consider this: a long remark");
  expect(sent).toContain("[Shortened: ");
  await there.release();
});
