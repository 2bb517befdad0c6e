import { describe, expect, it } from "vitest";
import type { ReplyStep } from "../../scripts/model-server.ts";
import { beginConversation, type Client, signUp, table } from "../support/app.ts";
import { beginOwnConversation, endUserOf } from "../support/callers.ts";
import { injectFault, scriptModel } from "../support/control.ts";
import { say, typesOf } from "../support/sse.ts";

const today = () => new Date().toISOString().slice(0, 10);
const counted = ({ email }: Client) =>
  table.query(`User#${email}`, { range: { beginsWith: "UsageTokens#" } });

const answer = (input: number, output: number, more: object = {}): readonly ReplyStep[] => [
  { text: "Hi." },
  { finish: "stop" },
  {
    raw: `data: ${JSON.stringify({ choices: [], usage: { prompt_tokens: input, completion_tokens: output, ...more } })}\n\n`,
  },
  { raw: "data: [DONE]\n\n" },
];

it("counts the provider's tokens by day, agent and model, together with the answer", async () => {
  const client = await signUp();
  const model = await scriptModel(
    answer(100, 20, { prompt_tokens_details: { cached_tokens: 60 } }),
    answer(11, 2, { completion_tokens_details: { reasoning_tokens: 1 } }),
  );
  const { agentId, path } = await beginConversation(client, { agent_model: model.name });

  await say(client, path, "Hello");
  const second = await say(client, path, "Hello");

  expect(await counted(client)).toEqual([
    {
      pk: `User#${client.email}`,
      sk: `UsageTokens#${today()}#${agentId}#Demo%2F${model.name}`,
      entity_type: "UsageTokens",
      user_email: client.email,
      day: today(),
      agent_id: agentId,
      provider: "Demo",
      model: model.name,
      runs: 2,
      input_tokens: 111,
      output_tokens: 22,
      cached_tokens: 60,
      reasoning_tokens: 1,
      updated_at: expect.stringMatching(/\+00:00$/u),
    },
  ]);
  expect(second.events.find(({ event_type }) => event_type === "USAGE")?.["usage"]).toEqual({
    input_tokens: 11,
    output_tokens: 2,
    cached_tokens: 0,
    reasoning_tokens: 1,
  });
});

it("counts for the model that answered when a fallback took over", async () => {
  const client = await signUp();
  const first = await scriptModel([{ status: 401, body: { error: { message: "No" } } }]);
  const second = await scriptModel(answer(7, 3));
  const { path } = await beginConversation(client, { agent_model: first.name, fallback_model: second.name });

  await say(client, path, "Hello");

  expect(await counted(client)).toEqual([
    expect.objectContaining({ model: second.name, runs: 1, input_tokens: 7, output_tokens: 3 }),
  ]);
});

it("counts end users' runs as their owner's", async () => {
  const client = await signUp();
  const model = await scriptModel(answer(5, 1));
  const { agentId } = await beginConversation(client, { agent_model: model.name });
  const visitor = await endUserOf(client, agentId);

  await say(visitor, (await beginOwnConversation(visitor, agentId)).path, "Hello");

  expect(await counted(client)).toEqual([expect.objectContaining({ agent_id: agentId, input_tokens: 5 })]);
});

it.each([
  ["its answer is lost once", 1],
  ["it is tried again from the beginning", 4],
])("counts once if the write that stores the answer succeeds and %s", async (_case, times) => {
  const client = await signUp();
  const model = await scriptModel(answer(9, 4));
  const { conversationId, path } = await beginConversation(client, { agent_model: model.name });
  await injectFault({
    match: [`CONVERSATION#${conversationId}`],
    operation: "TransactWriteItems",
    after: 1,
    times,
    fault: { kind: "lose-answer" },
  });

  const { events } = await say(client, path, "Hello");

  expect(typesOf(events).at(-1)).toBe("STREAM_COMPLETE");
  expect(await counted(client)).toEqual([
    expect.objectContaining({ runs: 1, input_tokens: 9, output_tokens: 4 }),
  ]);
});

describe("GET /usage/tokens", () => {
  const planted = (email: string, day: string, agentId: string, model: string, input: number, runs = 1) => ({
    put: {
      pk: `User#${email}`,
      sk: `UsageTokens#${day}#${agentId}#${encodeURIComponent(model)}`,
      day,
      agent_id: agentId,
      provider: model.split("/")[0] ?? "",
      model: model.split("/")[1] ?? "",
      runs,
      input_tokens: input,
      output_tokens: 10,
      cached_tokens: 1,
    },
  });
  const row = (key: string, runs: number, input: number, items: number) => ({
    key,
    runs,
    usage: { input_tokens: input, output_tokens: 10 * items, cached_tokens: items },
  });

  it.each([
    ["agent", [row("a", 4, 310, 3), row("b", 1, 5, 1)]],
    ["model", [row("Demo/x", 3, 105, 2), row("Other/y", 2, 210, 2)]],
    ["day", [row("2026-01-01", 3, 110, 2), row("2026-01-02", 1, 200, 1), row("2026-01-03", 1, 5, 1)]],
  ])("sums up by %s", async (groupBy, items) => {
    const client = await signUp();
    const { email } = client;
    await table.batchWrite([
      planted(email, "2025-12-31", "a", "Demo/x", 1_000),
      planted(email, "2026-01-01", "a", "Demo/x", 100, 2),
      planted(email, "2026-01-01", "a", "Other/y", 10),
      planted(email, "2026-01-02", "a", "Other/y", 200),
      planted(email, "2026-01-03", "b", "Demo/x", 5),
      planted(email, "2026-01-04", "b", "Demo/x", 1_000),
    ]);

    const query = `group_by=${groupBy}&from=2026-01-01&to=2026-01-03`;
    const { status, body } = await client("GET", `/usage/tokens?${query}`);

    expect([status, body]).toEqual([200, { group_by: groupBy, from: "2026-01-01", to: "2026-01-03", items }]);
  });
});
