import { env } from "cloudflare:workers";
import { runInDurableObject } from "cloudflare:test";
import { expect, it } from "vitest";
import { ada, beginConversation, signUp } from "../support/app.ts";
import { databaseRequests, endFaults, injectFault, scriptModel, untilMet } from "../support/control.ts";
import { endUserOf } from "../support/callers.ts";
import { open, untilIdle } from "../support/runs.ts";
import { append, approve, askingAgent } from "../support/waiting.ts";
import { say } from "../support/sse.ts";
import { FULL, fullBlock, ok, settled, summary, turnsOf } from "../memory/full-block.ts";
import { signUpNaming } from "../support/call-names.ts";
import { createWebhook, eventsAt, outboxOf, ringSender, startReceiver } from "../support/webhooks.ts";

/** A provider's refusal of a key. */
const REFUSED = {
  status: 401,
  body: { error: { message: "No.", type: "error", code: "invalid_api_key" } },
};

/** The requests of a turn, in alphabetical order. */
const TURN = [
  "BatchGetItem",
  "Query",
  "Query",
  "TransactWriteItems",
  "TransactWriteItems",
  "TransactWriteItems",
] as const;

const RUNS = ["run.completed", "run.failed", "run.cancelled"];

it("tells of a completed run, once, and removes the event from the table", async () => {
  const client = await signUp();
  const receiver = await startReceiver();
  await createWebhook(client, receiver, RUNS);
  const model = await scriptModel([{ text: "Hello, Alice." }]);
  const { agentId, conversationId, path } = await beginConversation(client, { agent_model: model.name });

  const { events, last } = await say(client, path, "I am Alice");
  const runId = events[0]?.run_id;
  const [{ id } = { id: "" }] = await receiver.until(1);

  expect(id).toBe(runId);
  expect(await eventsAt(receiver, 1)).toEqual([
    {
      type: "run.completed",
      data: {
        run_id: runId,
        agent_id: agentId,
        conversation_id: conversationId,
        end_user_id: null,
        state: "completed",
        message_id: last?.message_id,
        error_code: null,
        started_at: expect.any(String),
        ended_at: expect.any(String),
      },
    },
  ]);
  expect(JSON.stringify(await receiver.received())).not.toContain("Alice");
  await expect.poll(async () => (await outboxOf(client)).length).toBe(0);
});

it("tells of failed and cancelled runs, and of an end user's", async () => {
  const client = await signUp();
  const receiver = await startReceiver();
  await createWebhook(client, receiver, RUNS);
  const model = await scriptModel([{ text: "Once upon" }, { hold: true }], [REFUSED]);
  const { agentId, conversationId, path } = await beginConversation(client, { agent_model: model.name });

  const turn = await open(client, path, "Tell me a story");
  await turn.next();
  await client("POST", `/conversations/${conversationId}/runs/${turn.runId}/cancel`);
  await model.release();
  await turn.rest();
  await untilIdle(client, path);
  const endUser = await endUserOf(client, agentId, "visitor-1");
  const { body } = await endUser("POST", "/conversations", { title: "Talk", agent_id: agentId });
  await say(endUser, `/agents/${agentId}/${body.conversation_id}/send-message`, "Hello");

  const events = await eventsAt(receiver, 2);
  expect(events).toMatchObject([
    { type: "run.cancelled", data: { run_id: turn.runId, state: "cancelled", end_user_id: null } },
    {
      type: "run.failed",
      data: { state: "failed", message_id: null, error_code: "provider-auth", end_user_id: "visitor-1" },
    },
  ]);
});

it("records no event and makes no request more for an account whose endpoints do not want one", async () => {
  const [without, disabled] = await Promise.all([signUp(), signUp()]);
  const receiver = await startReceiver();
  const { path: webhook } = await createWebhook(disabled, receiver, RUNS);
  await disabled("PATCH", webhook, { enabled: false });

  const writes = [];
  for (const client of [without, disabled]) {
    const model = await scriptModel([{ text: "Hello." }]);
    const { path } = await beginConversation(client, { agent_model: model.name });
    const before = (await databaseRequests(client.email)).length;
    await say(client, path, "Hello");
    await untilIdle(client, path);
    const requests = (await databaseRequests(client.email)).slice(before);
    expect(requests.filter(({ body }) => body.includes("Webhook"))).toEqual([]);
    writes.push(requests.map(({ operation }) => operation).toSorted());
  }

  // What a turn cost before there were webhooks.
  expect(writes).toEqual([TURN, TURN]);
  expect(await receiver.received()).toEqual([]);
  const stored = await runInDurableObject(
    env.WEBHOOK_SENDER.getByName(without.email),
    (_sender, { storage }) =>
      storage.sql.exec("SELECT name FROM sqlite_master WHERE name NOT LIKE '_cf_%'").toArray(),
  );
  expect(stored).toEqual([]);
});

it("records the event in the transaction that stores the answer, and delivers it although the call was lost", async () => {
  const client = await signUp();
  const receiver = await startReceiver();
  await createWebhook(client, receiver, RUNS);
  const model = await scriptModel([{ text: "Hello." }]);
  const { path } = await beginConversation(client, { agent_model: model.name });
  // The sender can't read the table, as if it had never been called.
  await injectFault({
    match: [`"User#${client.email}"},":v1":{"S":"Webhook"}`],
    operation: "Query",
    times: 200,
    fault: { kind: "answer", status: 500, body: {} },
  });

  const { events } = await say(client, path, "Hello");
  const runId = events[0]?.run_id ?? "";
  const ends = (await databaseRequests(runId)).filter(
    ({ operation, body }) => operation === "TransactWriteItems" && body.includes("WebhookOutbox"),
  );
  expect(ends).toHaveLength(1);
  expect(ends[0]?.body).toContain('"completed"');
  await untilMet();
  await endFaults();
  expect(await outboxOf(client)).toMatchObject([{ event_id: runId, event_type: "run.completed" }]);

  // The alarm that looks for events by itself.
  await ringSender(client);
  expect((await receiver.until(1)).map(({ id }) => id)).toEqual([runId]);
});

it("queues an event once that was fetched and could not be removed from the table", async () => {
  const client = await signUp();
  const receiver = await startReceiver();
  await createWebhook(client, receiver, RUNS);
  const model = await scriptModel([{ text: "Hello." }]);
  const { path } = await beginConversation(client, { agent_model: model.name });
  await injectFault({
    match: [`"User#${client.email}"},"sk":{"S":"WebhookOutbox#`],
    operation: "BatchWriteItem",
    times: 1,
    fault: { kind: "answer", status: 400, body: { __type: "ValidationException", message: "Not now." } },
  });

  await say(client, path, "Hello");
  await receiver.until(1);
  await expect
    .poll(async () => {
      await ringSender(client);
      return (await outboxOf(client)).length;
    })
    .toBe(0);

  expect(await receiver.received()).toHaveLength(1);
});

it("delivers an event to each endpoint that wants it", async () => {
  const client = await signUp();
  const [one, other, none] = [await startReceiver(), await startReceiver(), await startReceiver()];
  await createWebhook(client, one, ["run.completed"]);
  await createWebhook(client, other, ["run.completed", "run.failed"]);
  await createWebhook(client, none, ["run.failed"]);
  const model = await scriptModel([{ text: "Hello." }]);
  const { path } = await beginConversation(client, { agent_model: model.name });

  await say(client, path, "Hello");
  const [[first], [second]] = [await one.until(1), await other.until(1)];

  expect(first?.id).toBe(second?.id);
  expect(first?.request.headers["webhook-signature"]).not.toBe(second?.request.headers["webhook-signature"]);
  expect(await none.received()).toEqual([]);
});

it("tells once of a deleted end user, however often the deletion is asked for", async () => {
  const client = await signUp();
  const receiver = await startReceiver();
  await createWebhook(client, receiver, ["end_user.deleted"]);
  const { agentId } = await beginConversation(client);
  await endUserOf(client, agentId, "visitor-1");
  await endUserOf(client, agentId, "visitor-2");

  const path = `/agents/${agentId}/end-users/visitor-1`;
  await Promise.all([1, 2, 3].map(() => client("DELETE", path)));
  await client("DELETE", path);
  const first = await eventsAt(receiver, 1);
  await client("DELETE", `/agents/${agentId}`);
  const events = await eventsAt(receiver, 2);

  const of = (id: string) => ({
    type: "end_user.deleted",
    data: { agent_id: agentId, end_user_id: id },
  });
  expect(first).toEqual([of("visitor-1")]);
  expect(events).toEqual([of("visitor-1"), of("visitor-2")]);
});

it("tells of changes of core memory and of the archive, by people and by agents, without their text", async () => {
  const client = await signUp();
  const receiver = await startReceiver();
  await createWebhook(client, receiver, ["memory.changed"]);
  const call = (name: string, input: object) => ({ call: { name, arguments: JSON.stringify(input) } });
  const model = await scriptModel(
    [
      call("core_memory_append", { block: "human", content: "Likes tea" }),
      call("archival_memory_insert", { content: "Alice was born in Oslo" }),
    ],
    [{ text: "Noted." }],
  );
  const { agentId, path } = await beginConversation(client, { agent_model: model.name });
  const [blocks, archive] = [`/agents/${agentId}/memory-blocks`, `/agents/${agentId}/archival-memory`];
  await client("GET", blocks);

  await client("POST", blocks, { name: "jobs", description: "Work" });
  await client("PUT", `${blocks}/jobs/content`, { lines: ["A baker"] });
  await client("PUT", `${blocks}/jobs/content`, { lines: ["A baker in Oslo"] });
  await client("POST", `${blocks}/jobs/restore`, { version: 1 });
  await client("DELETE", `${blocks}/jobs`);
  const memory = (await client("POST", archive, { content: "Alice has a cat" })).body.memory_id;
  await client("POST", archive, { content: "Alice has a cat" });
  await client("PATCH", `${archive}/${memory}`, { content: "Alice has a dog" });
  await client("DELETE", `${archive}/${memory}`);
  const byPeople = await eventsAt(receiver, 7);
  const { events } = await say(client, path, "I am Alice, I like tea and was born in Oslo");
  const all = await eventsAt(receiver, 9);

  const change = (action: string, by: string, about: object, run_id: unknown = null) => ({
    type: "memory.changed",
    data: {
      agent_id: agentId,
      end_user_id: null,
      action,
      block_name: null,
      memory_id: null,
      ...about,
      by,
      run_id,
    },
  });
  expect(byPeople).toEqual([
    change("updated", "user", { block_name: "jobs" }),
    change("updated", "user", { block_name: "jobs" }),
    change("updated", "restore", { block_name: "jobs" }),
    change("removed", "user", { block_name: "jobs" }),
    change("added", "user", { memory_id: memory }),
    change("updated", "user", { memory_id: memory }),
    change("removed", "user", { memory_id: memory }),
  ]);
  expect(all).toHaveLength(9);
  expect(all.slice(7)).toEqual(
    expect.arrayContaining([
      change("updated", "agent", { block_name: "human" }, events[0]?.run_id),
      change("added", "agent", { memory_id: expect.any(String) }, events[0]?.run_id),
    ]),
  );
  expect(JSON.stringify(await receiver.received())).not.toMatch(/Alice|tea|baker/u);
});

it("tells of a compaction and of what it archives, although nobody asks for anything afterwards", async () => {
  const memory = await fullBlock([ok, ok, ok, summary]);
  const receiver = await startReceiver();
  await createWebhook(memory.client, receiver, ["memory.changed"]);

  for (const turn of [1, 2]) {
    await memory.turn();
    await expect.poll(() => turnsOf(memory)).toBe(turn);
  }
  const { events } = await memory.turn();
  await settled(memory);

  const changes = await eventsAt(receiver, FULL.length + 1);
  expect(changes).toHaveLength(FULL.length + 1);
  const run_id = events[0]?.run_id;
  expect(changes.filter(({ data }) => data["block_name"] !== null)).toMatchObject([
    { type: "memory.changed", data: { action: "updated", block_name: "jobs", by: "compaction", run_id } },
  ]);
  expect(changes.filter(({ data }) => data["memory_id"] !== null)).toMatchObject(
    FULL.map(() => ({ type: "memory.changed", data: { action: "added", run_id } })),
  );
});

it("reports that a call waits for an approval", async () => {
  const client = await signUpNaming();
  const receiver = await startReceiver();
  await createWebhook(client, receiver, ["approval.requested"]);
  const { agentId, conversationId, path } = await askingAgent(
    [[append("c1", "Likes: tea")]],
    undefined,
    client,
  );

  const { last } = await say(client, path, "I like tea");
  await receiver.until(1);

  expect(await eventsAt(receiver, 1)).toEqual([
    {
      type: "approval.requested",
      data: {
        run_id: last?.run_id,
        agent_id: agentId,
        conversation_id: conversationId,
        end_user_id: null,
        tool_call_id: client.idOf("c1"),
        tool_name: "core_memory_append",
        expires_at: last?.["expires_at"],
      },
    },
  ]);
});

it("reports memory changes as soon as a run waits, and a run that fails after it was approved", async () => {
  const client = await signUpNaming();
  const receiver = await startReceiver();
  await createWebhook(client, receiver, ["memory.changed", "run.failed"]);
  const { conversationId, path, model } = await askingAgent(
    [[append("m1", "Likes: tea"), { call: { id: "m2", name: "archival_memory_search", arguments: "{}" } }]],
    { archival_memory_search: "always" },
    client,
  );
  const { last } = await say(client, path, "I like tea");
  const [first] = await eventsAt(receiver, 1);
  const { body: other } = await client("POST", "/agents", {
    ...ada,
    agent_name: "Other",
    agent_model: model.name,
  });

  await client("PATCH", `/conversations/${conversationId}`, { agent_id: other.agent_id });
  await approve(client, conversationId, last?.run_id ?? "", "c1");
  const [, second] = await eventsAt(receiver, 2);

  expect(first).toMatchObject({ type: "memory.changed", data: { action: "updated" } });
  expect(second).toMatchObject({
    type: "run.failed",
    data: { run_id: last?.run_id, error_code: "not-found" },
  });
});
