import { afterEach, describe, expect, it, vi } from "vitest";
import type { ReplyStep } from "../../scripts/model-server.ts";
import { beginConversation, signUp, table } from "../support/app.ts";
import { injectFault, scriptModel } from "../support/control.ts";
import { messagesUsed, storedLines, storedMessages } from "../support/items.ts";
import type { ScriptStep } from "../support/control-protocol.ts";
import { readUntil, open } from "../support/runs.ts";
import { say, textOf, typesOf } from "../support/sse.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

const KEY = "sk-canary-1234567890";
const refusal = (status: number, code: string | null, headers?: Record<string, string>): ReplyStep => ({
  status,
  body: { error: { message: `This is not possible with ${KEY}`, type: "error", code } },
  ...(headers && { headers }),
});

/** Failures before the first text: their code, and whether a retry may help. */
// Scenario 3.
it.each<[string, readonly (readonly ReplyStep[])[], string, boolean]>([
  ["refuses the key", [[refusal(401, "invalid_api_key")]], "provider-auth", false],
  ["has no quota left", [[refusal(429, "insufficient_quota")]], "provider-quota", false],
  [
    "limits requests for a minute",
    [[refusal(429, "rate_limit_exceeded", { "retry-after": "59" })]],
    "provider-rate",
    true,
  ],
  ["does not know the model", [[refusal(404, "model_not_found")]], "provider-unavailable", false],
  ["finds the context too long", [[refusal(400, "context_length_exceeded")]], "provider-overflow", false],
  ["refuses the content", [[refusal(400, "content_filter")]], "provider-content", false],
  ["does not accept the request", [[refusal(400, null)]], "provider-unavailable", false],
  ["fails twice", [[refusal(500, null)], [refusal(503, null)]], "provider-unavailable", true],
  [
    "answers with a page",
    [[{ status: 200, body: "<html>Bad gateway</html>" }]],
    "provider-unavailable",
    true,
  ],
  [
    "sends an error as its first event",
    [[{ raw: `data: {"error":{"message":"${KEY}"}}\n\n` }]],
    "provider-unavailable",
    true,
  ],
  ["sends text that is not JSON", [[{ raw: "data: {nonsense\n\n" }]], "provider-unavailable", true],
  ["ends without a word", [[{ end: true }]], "provider-truncated", true],
  ["says nothing and stops", [[{ finish: "stop" }]], "provider-unavailable", true],
])(
  "reports in one event that the provider %s, and returns the message to the quota",
  async (_case, replies, code, retryable) => {
    const logged = [vi.spyOn(console, "error"), vi.spyOn(console, "warn"), vi.spyOn(console, "log")];
    const client = await signUp();
    const model = await scriptModel(...replies);
    const { conversationId, path } = await beginConversation(client, { agent_model: model.name });

    const { status, body, events, last } = await say(client, path, "Hello");

    expect(status).toBe(200);
    expect(typesOf(events).filter((type) => type === "ERROR" || type === "STREAM_COMPLETE")).toEqual([
      "ERROR",
    ]);
    expect(last).toMatchObject({ event_type: "ERROR", code, retryable, message_id: null });
    expect((await storedMessages(conversationId)).map(({ role }) => role)).toEqual(["user"]);
    expect(await messagesUsed(client.email)).toBe(0);
    expect(body + JSON.stringify(logged.map(({ mock }) => mock.calls))).not.toContain("canary");
  },
);

it("stores what fits of an answer, a call's id and a tool's name that are longer than an item", async () => {
  const client = await signUp();
  const long = "x".repeat(500_000);
  const bad = { call: { id: `id ${long}`, name: `tool ${long}`, arguments: "{}" } };
  const model = await scriptModel([bad], [{ text: `The ${long}` }]);
  const { conversationId, path } = await beginConversation(client, { agent_model: model.name });

  const { text, last } = await say(client, path, "Go");
  const [, answer] = await storedMessages(conversationId);

  expect(last?.event_type).toBe("STREAM_COMPLETE");
  expect(text).toHaveLength(75_000);
  expect(answer).toMatchObject({ content: text, status: "truncated" });
});

it("ends a run whose agent is deleted after its conversation was given to another one", async () => {
  const client = await signUp();
  const model = await scriptModel([{ text: "A" }, { hold: true }, { text: "B" }]);
  const { agentId, conversationId, path } = await beginConversation(client, { agent_model: model.name });
  const other = await beginConversation(client);
  const turn = await open(client, path, "Go");
  await client("PUT", `/conversations/${conversationId}`, { agent_id: other.agentId });

  expect((await client("DELETE", `/agents/${agentId}`)).status).toBe(204);
  await model.release();
  const events = await turn.rest();
  const { body } = await client("GET", `/conversations/${conversationId}/runs/${turn.runId}`);

  expect(events.at(-1)).toMatchObject({ event_type: "ERROR", code: "not-found" });
  expect(body).toMatchObject({ state: "failed", error_code: "not-found", message_id: null });
});

// Scenario 5.
it("tries a provider that failed once more before anything was shown", async () => {
  const client = await signUp();
  const model = await scriptModel([refusal(500, null)], [{ text: "Here." }]);
  const { path } = await beginConversation(client, { agent_model: model.name });

  const { text, last } = await say(client, path, "Hello");

  expect([text, last?.event_type]).toEqual(["Here.", "STREAM_COMPLETE"]);
  expect((await model.log()).requests).toHaveLength(2);
});

it.each<[string, readonly ReplyStep[], string]>([
  ["ends early", [{ end: true }], "provider-truncated"],
  ["loses the connection", [{ cut: true }], "provider-unavailable"],
  ["reports an error", [{ raw: 'data: {"error":{"message":"overloaded"}}\n\n' }], "provider-unavailable"],
  ["sends nonsense", [{ raw: "data: }{\n\n" }], "provider-unavailable"],
  ["stops for the content", [{ finish: "content_filter" }], "provider-content"],
])("keeps the text so far if the provider %s in mid-answer", async (_case, ending, code) => {
  const client = await signUp();
  const model = await scriptModel(
    [{ text: "Half of " }, { text: "it" }, { hold: true }, ...ending],
    [{ text: "Go on." }],
  );
  const { conversationId, path } = await beginConversation(client, { agent_model: model.name });

  const turn = await open(client, path, "Tell me");
  const seen = await readUntil(turn, "it");
  await model.release();
  const events = [...seen, ...(await turn.rest())];
  const next = await say(client, path, "And?");

  expect(textOf(events)).toBe("Half of it");
  expect(events.at(-1)).toMatchObject({ event_type: "ERROR", code });
  const [, answer] = await storedMessages(conversationId);
  expect(answer).toMatchObject({ role: "assistant", content: "Half of it", status: "interrupted" });
  expect(await messagesUsed(client.email)).toBe(2);
  expect(next.text).toBe("Go on.");
});

it("completes an answer that ends without a finish reason but with an end mark", async () => {
  const client = await signUp();
  const model = await scriptModel([{ text: "All of it" }, { done: true }]);
  const { conversationId, path } = await beginConversation(client, { agent_model: model.name });

  const { last } = await say(client, path, "Tell me");

  expect(last?.event_type).toBe("STREAM_COMPLETE");
  expect((await storedMessages(conversationId))[1]).toMatchObject({
    content: "All of it",
    status: "complete",
  });
});

// Scenario 4.
// These tests wait for the timeouts of the service, so they wait together.
describe.concurrent("a provider that takes too long", () => {
  const comments = Array.from({ length: 60 }, () => [{ raw: ": ping\n\n" }, { wait: 200 }]).flat();

  it.each<[string, readonly ScriptStep[]]>([
    ["silent", [{ hold: true }]],
    ["silent but for comments", [...comments, { text: "!" }]],
  ])("is abandoned when it falls %s in mid-answer, and what it said is kept", async (_case, ending) => {
    const client = await signUp();
    const model = await scriptModel([{ text: "One" }, { text: " two" }, ...ending], [{ text: "Go on." }]);
    const { conversationId, path } = await beginConversation(client, { agent_model: model.name });

    const { text, last } = await say(client, path, "Count");
    const next = await say(client, path, "And?");

    expect(text).toBe("One two");
    expect(last).toMatchObject({ event_type: "ERROR", code: "provider-stalled", retryable: true });
    const [, answer] = await storedMessages(conversationId);
    expect(answer).toMatchObject({ role: "assistant", content: "One two", status: "interrupted" });
    expect(await messagesUsed(client.email)).toBe(2);
    expect(next.text).toBe("Go on.");
    // `expect.poll` does not know which of several concurrent tests it belongs to.
    const hasLeft = async () => expect((await model.log()).disconnects).toBe(1);
    await vi.waitFor(hasLeft, { timeout: 300_000, interval: 20 });
  });

  it.each([
    ["headers", [{ hold: true }, { text: "late" }]],
    ["the end", Array.from({ length: 200 }, () => [{ text: "x" }, { wait: 100 }]).flat()],
  ] as const)("is abandoned when it does so for %s", async (_case, reply) => {
    const client = await signUp();
    const model = await scriptModel(reply);
    const { path } = await beginConversation(client, { agent_model: model.name });

    const { last } = await say(client, path, "Hello");

    expect(last).toMatchObject({ event_type: "ERROR", code: "provider-stalled" });
  });
});

it("keeps the memory that was stored before the provider failed", async () => {
  const client = await signUp();
  const call = {
    call: { name: "core_memory_append", arguments: '{"block":"human","content":"Name: Alice"}' },
  };
  const model = await scriptModel([call], [refusal(401, null)]);
  const { agentId, conversationId, path } = await beginConversation(client, { agent_model: model.name });

  const { last } = await say(client, path, "I am Alice");

  expect(last).toMatchObject({ event_type: "ERROR", code: "provider-auth" });
  expect(await storedLines(agentId, client.email, "human")).toEqual(["Name: Alice"]);
  const [, answer] = await storedMessages(conversationId);
  expect(answer).toMatchObject({
    content: "",
    status: "interrupted",
    tool_calls: [{ name: "core_memory_append" }],
  });
  expect(await messagesUsed(client.email)).toBe(1);
});

it("saves the answer when the database comes back after a while", async () => {
  const client = await signUp();
  const words = `Precious words ${crypto.randomUUID()}`;
  const model = await scriptModel([{ text: words }]);
  const { conversationId, path } = await beginConversation(client, { agent_model: model.name });
  const down = { kind: "answer", status: 503, body: "" } as const;
  await injectFault({ match: [words], operation: "TransactWriteItems", times: 6, fault: down });

  const { last } = await say(client, path, "Hello");

  expect(last?.event_type).toBe("STREAM_COMPLETE");
  expect((await storedMessages(conversationId)).map(({ content }) => content)).toEqual(["Hello", words]);
});

it("saves nothing when the conversation was deleted while the answer was being written", async () => {
  const client = await signUp();
  const model = await scriptModel([{ text: "Too " }, { hold: true }, { text: "late" }]);
  const { conversationId, path } = await beginConversation(client, { agent_model: model.name });
  const turn = await open(client, path, "Hello");
  await readUntil(turn, "Too ");

  await client("DELETE", `/conversations/${conversationId}`);
  await model.release();

  expect((await turn.rest()).at(-1)).toMatchObject({ event_type: "ERROR", code: "not-found" });
  expect(await storedMessages(conversationId)).toEqual([]);
});

it("makes no memory edit in a conversation that is being deleted", async () => {
  const client = await signUp();
  const call = {
    call: { name: "core_memory_append", arguments: '{"block":"human","content":"Name: Alice"}' },
  };
  const model = await scriptModel([{ text: "Wait " }, { hold: true }, call], [{ text: "Done" }]);
  const { agentId, conversationId, path } = await beginConversation(client, { agent_model: model.name });
  const turn = await open(client, path, "I am Alice");
  await readUntil(turn, "Wait ");

  // As a deletion marks it, before it has reached the conversation's runner.
  await table.update(
    { pk: `USER#${client.email}`, sk: `CONVERSATION#${conversationId}` },
    { set: { deleting_at: "now" } },
  );
  await model.release();

  expect((await turn.rest()).at(-1)).toMatchObject({ event_type: "ERROR", code: "not-found" });
  expect(await storedLines(agentId, client.email, "human")).toBeUndefined();
});

// Scenario 10.
it.each([0, 1, 2])("stores everything exactly once when the answer to write %i is lost", async (nth) => {
  const client = await signUp();
  const call = {
    call: { name: "core_memory_append", arguments: '{"block":"human","content":"Name: Alice"}' },
  };
  const model = await scriptModel([{ text: "Hi." }], [call], [{ text: "Noted." }]);
  const { agentId, conversationId, path } = await beginConversation(client, { agent_model: model.name });
  await say(client, path, "Hello");
  const fault = { kind: "lose-answer" } as const;
  await injectFault({ match: [client.email], operation: "TransactWriteItems", after: nth, fault });

  const { last } = await say(client, path, "I am Alice");

  expect(last?.event_type).toBe("STREAM_COMPLETE");
  expect((await storedMessages(conversationId)).map(({ content }) => content)).toEqual([
    "Hello",
    "Hi.",
    "I am Alice",
    "Noted.",
  ]);
  expect(await storedLines(agentId, client.email, "human")).toEqual(["Name: Alice"]);
  expect(await messagesUsed(client.email)).toBe(2);
});

// Scenario 9.
it("succeeds when the database throttles the first two attempts of every request", async () => {
  const client = await signUp();
  const model = await scriptModel([{ text: "Hi." }]);
  const { conversationId, path } = await beginConversation(client, { agent_model: model.name });
  const fault = { kind: "answer", status: 400, body: { __type: "x#ThrottlingException" } } as const;
  for (const operation of ["BatchGetItem", "Query", "TransactWriteItems"]) {
    await injectFault({ match: [client.email, conversationId], operation, times: 2, fault });
  }

  const { last } = await say(client, path, "Hello");

  expect(last?.event_type).toBe("STREAM_COMPLETE");
  expect(await storedMessages(conversationId)).toHaveLength(2);
  expect(await messagesUsed(client.email)).toBe(1);
});
