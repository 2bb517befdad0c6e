import { describe, expect, it } from "vitest";
import type { ReplyStep } from "../../scripts/model-server.ts";
import { beginConversation, signUp, table } from "../support/app.ts";
import { modelWithWindow, scriptModel } from "../support/control.ts";
import { plant, words } from "../support/planted.ts";
import { say } from "../support/sse.ts";

const STATED = "This model's maximum context length is LIMIT tokens, however you requested REQUESTED tokens.";
const ANSWER: readonly ReplyStep[] = [{ text: "Ok." }];

/** A conversation of about 9,000 tokens. */
async function longTalk(modelName: string) {
  const client = await signUp();
  const agent = await beginConversation(client, { agent_model: modelName });
  await plant(
    client,
    agent.conversationId,
    Array.from({ length: 20 }, (_, index) => ({
      role: index % 2 ? "assistant" : "user",
      content: `Topic ${index}. ${words(500)}`,
    })),
  );
  return { client, ...agent };
}

const learnedOf = async (email: string) =>
  table.query(`User#${email}`, { range: { beginsWith: "ProviderWindow#" } });

it("sends a shorter request if the model's window is smaller than expected, and remembers it for a week", async () => {
  const model = await modelWithWindow({ tokens: 6_000, message: STATED }, ANSWER, ANSWER, ANSWER, ANSWER);
  const { client, path, agentId } = await longTalk(model.name);

  const first = await say(client, path, "Hello");
  const { requests } = await model.log();
  const second = await say(client, path, "Hello again");

  expect([first.last?.event_type, second.last?.event_type]).toEqual(["STREAM_COMPLETE", "STREAM_COMPLETE"]);
  expect(first.text).toBe("Ok.");
  // What was left out is the oldest of the conversation.
  const sent = requests[1]?.body.messages.map(({ content }) => content).join("\n") ?? "";
  expect(sent).toContain("Topic 19.");
  expect(sent).toContain("Hello");
  expect(sent.length).toBeLessThan(
    (requests[0]?.body.messages ?? []).map(({ content }) => content).join("\n").length,
  );
  const [learned, ...others] = await learnedOf(client.email);
  expect(others).toEqual([]);
  expect(learned).toMatchObject({ provider_name: "Demo", model: model.name, context_tokens: 6_000 });
  const days = (Number(learned?.["ttl"]) * 1_000 - Date.now()) / 86_400_000;
  expect(Math.round(days)).toBe(7);
  // The preview of the next prompt knows the window, too.
  const context = await client("GET", `/conversations/${path.split("/")[3]}/context`);
  expect(context.body.model.window_tokens).toBe(6_000);
  expect(agentId).toBe(context.body.agent_id);
});

describe("an overflow", () => {
  it.each<[string, readonly ReplyStep[]]>([
    ["as a status", [{ status: 400, body: { error: { message: "maximum context length is 6000 tokens" } } }]],
    ["as a status of its own", [{ status: 413, body: "Request too large" }]],
    [
      "as a server's error",
      [{ status: 500, body: { error: { message: "the request exceeds the available context size" } } }],
    ],
    [
      "as an error event",
      [{ raw: 'data: {"error":{"message":"Too long","code":"context_length_exceeded"}}\n\n' }],
    ],
    [
      "as a finish reason, with no room for a word",
      [{ finish: "length" }, { usage: { prompt_tokens: 9_000, completion_tokens: 0 } }],
    ],
  ])("%s is answered with a shorter request", async (_case, refusal) => {
    const model = await scriptModel(refusal, ANSWER);
    const { client, path } = await longTalk(model.name);

    const { last, text } = await say(client, path, "Hello");

    expect([last?.event_type, text]).toEqual(["STREAM_COMPLETE", "Ok."]);
    const [first, second] = (await model.log()).requests.map(({ body }) => JSON.stringify(body).length);
    expect(second).toBeLessThan(first ?? 0);
  });

  it("that the provider has charged for counts in the usage of the turn", async () => {
    const full: readonly ReplyStep[] = [
      { finish: "length" },
      { usage: { prompt_tokens: 9_000, completion_tokens: 0 } },
    ];
    const model = await scriptModel(full, [
      ...ANSWER,
      { usage: { prompt_tokens: 3_000, completion_tokens: 2 } },
    ]);
    const { client, path } = await longTalk(model.name);

    const { events } = await say(client, path, "Hello");

    expect(events.find(({ event_type }) => event_type === "USAGE")?.["usage"]).toMatchObject({
      input_tokens: 12_000,
      output_tokens: 2,
    });
  });

  it("is reported after three requests", async () => {
    const refusal = [{ status: 400, body: { error: { message: "", code: "context_length_exceeded" } } }];
    const model = await scriptModel(refusal, refusal, refusal, ANSWER);
    const { client, path } = await longTalk(model.name);

    const { last } = await say(client, path, "Hello");

    expect(last).toMatchObject({ event_type: "ERROR", code: "provider-overflow", retryable: false });
    expect((await model.log()).requests).toHaveLength(3);
  });

  it("after a tool call keeps what the turn has done", async () => {
    const call = { name: "core_memory_append", arguments: '{"block":"human","content":"Likes tea"}' };
    const refusal = [{ status: 400, body: { error: { message: "", code: "context_length_exceeded" } } }];
    const model = await scriptModel([{ call }], refusal, ANSWER);
    const { client, path } = await longTalk(model.name);

    const { last } = await say(client, path, "I like tea");

    expect(last?.event_type).toBe("STREAM_COMPLETE");
    const [, refused, again] = (await model.log()).requests;
    expect(again?.body.messages.slice(-2)).toEqual(refused?.body.messages.slice(-2));
    expect(JSON.stringify(again?.body).length).toBeLessThan(JSON.stringify(refused?.body).length);
  });
});

it("is not answered with the same request if there is nothing to leave out, nor remembered", async () => {
  const refusal = [{ status: 400, body: { error: { message: "", code: "context_length_exceeded" } } }];
  const model = await scriptModel(refusal, ANSWER);
  const client = await signUp();
  const { path } = await beginConversation(client, { agent_model: model.name });

  const { last } = await say(client, path, "Hello");

  expect(last).toMatchObject({ event_type: "ERROR", code: "provider-overflow" });
  expect((await model.log()).requests).toHaveLength(1);
  expect(await learnedOf(client.email)).toEqual([]);
});

it("corrects its estimates by what the provider counts", async () => {
  const usage = (tokens: number) => ({ usage: { prompt_tokens: tokens, completion_tokens: 1 } });
  const model = await scriptModel([...ANSWER, usage(1_000_000)], ANSWER);
  const { client, path, conversationId } = await longTalk(model.name);

  await say(client, path, "Hello");
  const before = await client("GET", `/conversations/${conversationId}/context`);
  await say(client, path, "Hello");

  // Three tokens per estimated token is the most that is believed.
  expect(before.body.history.max_tokens).toBeLessThan(6_000);
  const [first, second] = (await model.log()).requests.map(
    ({ body }) => JSON.stringify(body.messages).length,
  );
  expect(second).toBeLessThan(first ?? 0);
});

it("uses the window that the agent states, until it is removed again", async () => {
  const client = await signUp();
  const { agentId, conversationId } = await beginConversation(client, { context_window: "8000" });
  const windowOf = async () =>
    (await client("GET", `/conversations/${conversationId}/context`)).body.model.window_tokens;

  expect((await client("GET", `/agents/${agentId}`)).body.context_window).toBe(8_000);
  expect(await windowOf()).toBe(8_000);

  await client("PUT", `/agents/${agentId}`, { context_window: "none" });

  expect((await client("GET", `/agents/${agentId}`)).body.context_window).toBeNull();
  expect(await windowOf()).toBe(32_000);
  expect((await client("PUT", `/agents/${agentId}`, { context_window: 100 })).status).toBe(422);
});
