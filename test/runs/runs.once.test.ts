import { abortAllDurableObjects } from "cloudflare:test";
import { expect, it } from "vitest";
import { ada, beginConversation, type Client, signUp, table } from "../support/app.ts";
import { injectFault, scriptModel } from "../support/control.ts";
import { messagesUsed, storedMessages } from "../support/items.ts";
import { open } from "../support/runs.ts";
import { parseEvents, say, textOf } from "../support/sse.ts";

/** Sends the same message so many times at once, with one key. Resolves when all answers have begun. */
const beginWithKey = (client: Client, path: string, times: number) =>
  Promise.all(
    Array.from({ length: times }, async () => {
      const init = { headers: { "idempotency-key": "k1" } };
      const answer = await client.raw("POST", path, { content: "Hello" }, init);
      const rest = async () => {
        const body = await answer.response.text();
        await answer.ended();
        return body;
      };
      return { status: answer.response.status, rest };
    }),
  );

// Scenario 17.
it("accepts one of fifty parallel messages, and names the active run to the others", async () => {
  const client = await signUp();
  const model = await scriptModel([{ text: "Busy" }, { hold: true }, { text: "." }]);
  const { conversationId, path } = await beginConversation(client, { agent_model: model.name });

  let refusals = 0;
  const sending = Array.from({ length: 50 }, async () => {
    const answer = await say(client, path, "Hello");
    if (answer.status !== 200) refusals++;
    return answer;
  });
  await expect.poll(() => refusals).toBe(49);
  await model.release();
  const answers = await Promise.all(sending);

  const accepted = answers.filter(({ status }) => status === 200);
  const refused = answers.filter(({ status }) => status === 409);
  expect([accepted.length, refused.length]).toEqual([1, 49]);
  for (const { headers, body } of refused) {
    expect(body).toMatchObject({ code: "conversation-busy", run_id: accepted[0]?.events[0]?.run_id });
    expect(headers.get("retry-after")).toBe("2");
  }
  expect(await storedMessages(conversationId)).toHaveLength(2);
  expect(await messagesUsed(client.email)).toBe(1);
});

// Scenario 18.
it("starts one run for ten identical messages with one key, and streams it to all", async () => {
  const client = await signUp();
  const model = await scriptModel([{ text: "Once" }, { hold: true }, { text: "." }]);
  const { conversationId, path } = await beginConversation(client, { agent_model: model.name });

  const begun = await beginWithKey(client, path, 10);
  await model.release();
  const bodies = await Promise.all(begun.map(({ rest }) => rest()));
  const later = await client("POST", path, { content: "Hello" }, { "idempotency-key": "k1" });

  expect(begun.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 200));
  for (const body of [...bodies, later.body]) expect(body).toBe(bodies[0]);
  expect(textOf(parseEvents(later.body))).toBe("Once.");
  expect((await model.log()).requests).toHaveLength(1);
  expect(await storedMessages(conversationId)).toHaveLength(2);
  expect(await messagesUsed(client.email)).toBe(1);
});

// Scenario 18.
it("refuses a key that was used with another message", async () => {
  const client = await signUp();
  const { path } = await beginConversation(client);
  await client("POST", path, { content: "Hello" }, { "idempotency-key": "k1" });

  const other = await client("POST", path, { content: "Hello!" }, { "idempotency-key": "k1" });
  const files = [{ filename: "a.txt", content: "x" }];
  const more = await client(
    "POST",
    path,
    { content: "Hello", attachments: files },
    { "idempotency-key": "k1" },
  );

  expect([other.status, other.body.code]).toEqual([422, "idempotency-mismatch"]);
  expect([more.status, more.body.code]).toEqual([422, "idempotency-mismatch"]);
});

it("neither replays a run to a deactivated account nor reveals that there is one", async () => {
  const client = await signUp();
  const model = await scriptModel([{ text: "A" }], [{ text: "B" }, { hold: true }]);
  const { path } = await beginConversation(client, { agent_model: model.name });
  const send = (content: string, headers: Record<string, string> = {}) =>
    client("POST", path, { content }, headers);
  await send("Hello", { "idempotency-key": "k1" });
  const turn = await open(client, path, "Go on");
  await table.update({ pk: `User#${client.email}`, sk: "User#Metadata" }, { set: { status: "inactive" } });

  const refused = [
    await send("Hello", { "idempotency-key": "k1" }),
    await send("Other", { "idempotency-key": "k1" }),
    await send("Hello"),
  ];

  expect(refused.map(({ status }) => status)).toEqual([403, 403, 403]);
  await model.release();
  await turn.rest();
});

it.each(["", " ", "x".repeat(256), "schlüssel"])("refuses %j as a key", async (key) => {
  const client = await signUp();
  const { path } = await beginConversation(client);

  const { status, body } = await client(
    "POST",
    path,
    { content: "Hello" },
    { "idempotency-key": encodeURI(key) === key ? key : "a b" },
  );

  expect([status, body.code]).toEqual([400, "malformed-request"]);
});

it("frees the key of a refused message", async () => {
  const client = await signUp();
  const model = await scriptModel([{ text: "Now." }]);
  const { agentId, path } = await beginConversation(client, { agent_provider: "Bedrock" });
  const send = () => client("POST", path, { content: "Hello" }, { "idempotency-key": "k1" });

  const refused = await Promise.all([send(), send()]);
  await client("PUT", `/agents/${agentId}`, { agent_provider: "Demo", agent_model: model.name });
  const accepted = await send();

  expect(refused.map(({ status }) => status)).toEqual([409, 409]);
  expect(textOf(parseEvents(accepted.body))).toBe("Now.");
});

it("returns the same refusal to parallel messages with one key", async () => {
  const client = await signUp();
  const { path } = await beginConversation(client, { agent_provider: "Bedrock" });
  const send = () => client("POST", path, { content: "Hello" }, { "idempotency-key": "k1" });

  const refused = await Promise.all(Array.from({ length: 6 }, send));

  for (const { body } of refused) expect(body.code).toBe("provider-not-configured");
});

it("starts one run for parallel messages with one key that wait for the recovery of a dead run", async () => {
  const client = await signUp();
  const model = await scriptModel([{ text: "Lost" }, { hold: true }], [{ text: "Found" }, { hold: "all" }]);
  const { path } = await beginConversation(client, { agent_model: model.name });
  await open(client, path, "Go");
  await abortAllDurableObjects();

  const begun = await beginWithKey(client, path, 6);
  await model.release("all");
  const bodies = await Promise.all(begun.map(({ rest }) => rest()));

  expect(begun.map(({ status }) => status)).toEqual(Array.from({ length: 6 }, () => 200));
  for (const body of bodies) expect(body).toBe(bodies[0]);
  expect((await model.log()).requests).toHaveLength(2);
});

it("returns the complete answer to callers that do not stream, and again on a repeat", async () => {
  const client = await signUp();
  const call = {
    id: "c1",
    name: "core_memory_append",
    arguments: '{"block":"human","content":"Name: Alice"}',
  };
  const model = await scriptModel(
    [{ call }],
    [{ text: "Hi, Alice." }, { usage: { prompt_tokens: 3, completion_tokens: 4 } }],
  );
  const { conversationId, path } = await beginConversation(client, { agent_model: model.name });
  const headers = { accept: "application/json", "idempotency-key": "k1" };

  const first = await client("POST", path, { content: "I am Alice" }, headers);
  const again = await client("POST", path, { content: "I am Alice" }, headers);
  const streamed = await client("POST", path, { content: "I am Alice" }, { "idempotency-key": "k1" });

  expect(first.status).toBe(200);
  const [, stored] = (
    await client("GET", `/conversations/${conversationId}/messages`)
  ).body.items.toReversed();
  expect(first.body).toEqual({
    message: stored,
    tool_calls: [
      { ...call, output: 'Appended to [human] at line 1: "Name: Alice" (2/5000 words)', success: true },
    ],
    usage: { input_tokens: expect.any(Number), output_tokens: expect.any(Number), cached_tokens: 0 },
    run_id: stored.run_id,
    stop_reason: null,
  });
  expect(again.body).toEqual(first.body);
  expect(textOf(parseEvents(streamed.body))).toBe("Hi, Alice.");
});

it("returns a problem document to callers that do not stream if the run fails", async () => {
  const client = await signUp();
  const model = await scriptModel([{ status: 401, body: { error: { message: "sk-canary" } } }]);
  const { path } = await beginConversation(client, { agent_model: model.name });

  const { status, headers, body } = await client(
    "POST",
    path,
    { content: "Hello" },
    { accept: "application/json" },
  );

  expect(status).toBe(502);
  expect(headers.get("content-type")).toBe("application/problem+json");
  expect(body).toMatchObject({ code: "provider-auth", instance: path, run_id: expect.any(String) });
  expect(JSON.stringify(body)).not.toContain("canary");
});

it("takes the next message as soon as a run has ended", async () => {
  const client = await signUp();
  const model = await scriptModel([{ text: "1" }], [{ text: "2" }], [{ text: "3" }]);
  const { path } = await beginConversation(client, { agent_model: model.name });

  for (const expected of ["1", "2", "3"]) expect((await say(client, path, "Next")).text).toBe(expected);
});

it("creates a conversation and an agent once per key, despite races and lost answers", async () => {
  const client = await signUp();
  const { agentId } = await beginConversation(client);
  const conversation = { title: "Once", agent_id: agentId };
  const send = (path: string, body: unknown, key = "k1") =>
    client("POST", path, body, { "idempotency-key": key });

  const many = await Promise.all(Array.from({ length: 5 }, () => send("/conversations", conversation)));
  const agents = [
    await send("/agents", { ...ada, agent_name: "Once" }),
    await send("/agents", { ...ada, agent_name: "Once" }),
  ];
  const title = `Lost title ${crypto.randomUUID()}`;
  await injectFault({ match: [title], operation: "TransactWriteItems", fault: { kind: "lose-answer" } });
  const lost = await send("/conversations", { ...conversation, title }, "k2");
  const list = await client("GET", "/conversations");

  for (const { status, body } of many) expect([status, body]).toEqual([201, many[0]?.body]);
  expect(agents.map(({ status, body }) => [status, body.agent_id])).toEqual([
    [201, agents[0]?.body.agent_id],
    [201, agents[0]?.body.agent_id],
  ]);
  expect(lost.status).toBe(201);
  const titles = list.body.items.map((item: { title: string }) => item.title);
  expect(titles.toSorted()).toEqual([title, "Once", "Talk"]);
  expect((await send("/conversations", { ...conversation, title: "Other" })).body.code).toBe(
    "idempotency-mismatch",
  );
});

it("executes a request again, with the same id, if its first execution died", async () => {
  const client = await signUp();
  const { agentId } = await beginConversation(client);
  const send = () =>
    client("POST", "/conversations", { title: "T", agent_id: agentId }, { "idempotency-key": "k1" });
  const first = await send();
  const [record] = await table.query(`User#${client.email}`, { range: { beginsWith: "Idempotency#" } });

  // The state after a crash between creating the conversation and storing the answer.
  await table.update(
    { pk: String(record?.["pk"]), sk: String(record?.["sk"]) },
    { set: { claimed_at: Date.now() - 60_000 }, remove: ["status", "answer"] },
  );
  const again = await send();

  expect([again.status, again.body]).toEqual([201, first.body]);
});

it("creates nothing twice if the first request was executed although its answer was an error", async () => {
  const client = await signUp();
  const { agentId } = await beginConversation(client);
  const title = `In doubt ${crypto.randomUUID()}`;
  const send = () =>
    client("POST", "/conversations", { title, agent_id: agentId }, { "idempotency-key": "k1" });
  const fault = { kind: "lose-answer" } as const;
  await injectFault({ match: [title], operation: "TransactWriteItems", times: 4, fault });

  const failed = await send();
  const again = await send();
  const { body } = await client("GET", "/conversations");

  expect([failed.status, again.status]).toEqual([503, 201]);
  expect(body.items.map((item: { title: string }) => item.title)).toEqual([title, "Talk"]);
});

it("treats both spellings of a path as one request", async () => {
  const client = await signUp();
  const { agentId } = await beginConversation(client);
  const body = { title: "T", agent_id: agentId };

  const first = await client("POST", "/conversations", body, { "idempotency-key": "k1" });
  const again = await client("POST", "/conversations/", body, { "idempotency-key": "k1" });

  expect([again.status, again.body]).toEqual([201, first.body]);
});

it("frees the key of a refused request, and stores none for an invalid one", async () => {
  const client = await signUp();
  const send = (agent: string) =>
    client("POST", "/conversations", { title: "T", agent_id: agent }, { "idempotency-key": "k1" });

  expect((await send(crypto.randomUUID())).status).toBe(404);
  const { agentId } = await beginConversation(client);
  expect((await send(agentId)).status).toBe(201);
});

it("ends a run before its conversation is deleted", async () => {
  const client = await signUp();
  const model = await scriptModel([{ text: "Never " }, { hold: true }, { text: "ending" }]);
  const { conversationId, path } = await beginConversation(client, { agent_model: model.name });

  const turn = await open(client, path, "Go");
  expect((await client("DELETE", `/conversations/${conversationId}`)).status).toBe(204);
  await turn.rest();

  expect(await table.query(`CONVERSATION#${conversationId}`)).toEqual([]);
  await expect.poll(async () => (await model.log()).disconnects).toBe(1);
});
