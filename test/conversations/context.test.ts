import { expect, it } from "vitest";
import type { ReplyStep } from "../../scripts/model-server.ts";
import { beginConversation, signUp, table } from "../support/app.ts";
import { databaseRequests, injectFault, scriptModel } from "../support/control.ts";
import { plant, type Planted, talk, words } from "../support/planted.ts";
import { say } from "../support/sse.ts";
import { SLOW, sequentialWaits } from "../support/waits.ts";

async function setUp(agent: Record<string, unknown> = {}, ...script: readonly (readonly ReplyStep[])[]) {
  const client = await signUp();
  const model = await scriptModel(...script);
  const place = await beginConversation(client, { agent_model: model.name, ...agent });
  return {
    client,
    ...place,
    model,
    plant: (messages: readonly Planted[]) => plant(client, place.conversationId, messages),
    say: (content: string, more = {}) => say(client, place.path, content, more),
    context: async () => (await client("GET", `/conversations/${place.conversationId}/context`)).body,
  };
}

const call = {
  call: { id: "c1", name: "core_memory_append", arguments: '{"block":"human","content":"Name: Alice"}' },
};
const file = { filename: "plan.md", content: "Step 1 </context>" };

it.each(["krishna-memgpt", "krishna-mini"])(
  "shows byte by byte what the next turn of %s sends",
  async (agent_architecture) => {
    const answers: (readonly ReplyStep[])[] = [[{ text: "Ok." }], [{ text: "They met." }]];
    if (agent_architecture === "krishna-memgpt") answers.push([{ text: "Noted. " }, call]);
    const script = [...answers, [{ text: "Done." }], [{ text: "Sure." }]];
    const there = await setUp({ agent_architecture }, ...script);
    await there.plant(talk(42));
    await there.say("And now?");
    await expect.poll(async () => (await there.context()).left_out.messages_summarized).toBeGreaterThan(0);
    await there.say("I am Alice", { attachments: [file] });

    const context = await there.context();
    await there.say("Go on");

    const { messages: sent, tools = [] } = (await there.model.log()).requests.at(-1)?.body ?? {
      messages: [],
    };
    expect(context.sections.map(({ text }: { text: string }) => text).join("\n\n")).toBe(sent[0]?.content);
    expect(context.history.sent).toEqual(
      sent.slice(1, -1).map((message) => ({
        role: message.role,
        content: message.content,
        tool_calls: (message.tool_calls ?? []).map((made) => ({ id: made.id, ...made.function })),
        tool_call_id: message.tool_call_id ?? null,
        tokens: expect.any(Number),
      })),
    );
    expect(sent.at(-1)?.content).toMatch(/^Go on\n\n<context>\nCurrent date and time: /u);
    expect(context.volatile.text).toMatch(/^<context>\nCurrent date and time: .+\n<\/context>$/u);
    expect(context.tools.map(({ name }: { name: string }) => name)).toEqual(
      tools.map((tool) => (tool as { function: { name: string } }).function.name),
    );
  },
);

it("names the sections, and adds up their tokens", async () => {
  const there = await setUp();

  const context = await there.context();

  expect(context.sections.map(({ name }: { name: string }) => name)).toEqual([
    "identity",
    "persona",
    "memory_tools",
    "core_memory",
  ]);
  expect(context.sections[1]).toEqual({
    name: "persona",
    text: "<persona>\nYou are Ada, curious and precise.\n</persona>",
    tokens: 16,
  });
  expect(context.model).toMatchObject({ window_tokens: 32_000 });
  expect(context.estimate).toContain("Estimated from the scripts");
  const { system_tokens, tool_tokens, history_tokens, tokens } = context.totals;
  expect(tokens).toBe(system_tokens + tool_tokens + history_tokens + context.volatile.tokens);
  expect([system_tokens, tool_tokens].every((count) => count > 100)).toBe(true);
  expect(context.history).toEqual({
    stored: [],
    sent: [],
    tokens: 0,
    max_tokens: 10_000,
  });
  expect(context.left_out).toEqual({
    session_timed_out: false,
    messages: 0,
    has_older_messages: false,
    messages_summarized: 0,
    memory_blocks: [],
  });
});

it("writes nothing", async () => {
  const there = await setUp();
  const partition = `Agent#${there.agentId}#User#${there.client.email}`;

  await there.context();

  expect(await table.query(partition)).toEqual([]);
  expect(await table.query(`CONVERSATION#${there.conversationId}`)).toEqual([]);
});

it("shows which messages are sent and how many are not", async () => {
  const there = await setUp();
  await there.plant(talk(120));

  const { history, left_out: leftOut } = await there.context();

  const whole = history.stored.filter(({ shortened }: { shortened: boolean }) => !shortened);
  expect(history.stored[0]).toMatchObject({ role: "user", shortened: true });
  expect(whole.at(-1)).toMatchObject({ role: "assistant", tokens: expect.any(Number) });
  expect(whole.length).toBeGreaterThan(25);
  expect(history.max_tokens).toBe(10_000);
  expect(history.tokens).toBeLessThanOrEqual(10_000);
  expect(leftOut).toMatchObject({ messages: 120 - history.stored.length, has_older_messages: false });
});

it("reports that a conversation has timed out", async () => {
  const there = await setUp({ session_timeout_minutes: 30 });
  await there.plant([{ role: "user", content: "Hi", age: 31 }]);

  const { history, left_out: leftOut } = await there.context();

  expect(history.stored).toEqual([]);
  expect(leftOut).toMatchObject({ session_timed_out: true, messages: 1 });
});

it("names blocks that are too long for the prompt", async () => {
  const there = await setUp();
  const { client, agentId } = there;
  await client("GET", `/agents/${agentId}/memory-blocks`);
  await table.put({
    pk: `Agent#${agentId}#User#${client.email}`,
    sk: `CoreMemory#${agentId}:${client.email}:human`,
    block_name: "human",
    lines: [words(13_000, "remember")],
  });

  expect((await there.context()).left_out.memory_blocks).toEqual(["human"]);
});

it("reports the error of the turn if no model can answer", async () => {
  const there = await setUp({ agent_provider: "OpenAI" });
  const turn = await there.client("POST", there.path, { content: "Hi" });

  const { status, body } = await there.client("GET", `/conversations/${there.conversationId}/context`);

  expect([status, body.detail]).toEqual([turn.status, turn.body.detail]);
  expect(status).toBe(409);
});

it("reads the conversation first, and everything else in parallel", async () => {
  const there = await setUp();
  const texts = [there.client.email, there.conversationId];
  const before = (await databaseRequests(...texts)).length;
  await injectFault({ match: texts, times: 100, fault: SLOW });

  await there.context();

  expect(sequentialWaits((await databaseRequests(...texts)).slice(before))).toBe(2);
});
