import { env } from "cloudflare:workers";
import { runInDurableObject } from "cloudflare:test";
import { expect, it } from "vitest";
import { beginConversation, signUp, table } from "../support/app.ts";
import { scriptModel } from "../support/control.ts";
import { messagesUsed, storedMessages } from "../support/items.ts";
import { eventsAfter, follow, open, pause } from "../support/runs.ts";
import { say, textOf } from "../support/sse.ts";

const append = (content: string) => ({
  call: { name: "core_memory_append", arguments: JSON.stringify({ block: "human", content }) },
});

it("resumes from every event of a run without a gap", async () => {
  const client = await signUp();
  const model = await scriptModel(
    [{ text: "One moment. " }, append("Name: Alice")],
    [{ text: "Hello, " }, { wait: 40 }, { text: "Alice!" }],
  );
  const { conversationId, path } = await beginConversation(client, { agent_model: model.name });

  const { events } = await say(client, path, "I am Alice");
  const runId = events[0]?.run_id ?? "";

  for (const [index, { seq }] of events.slice(0, -1).entries()) {
    const resumed = await eventsAfter(client, conversationId, runId, seq);
    expect([...events.slice(0, index + 1), ...resumed.events]).toEqual(events);
  }
  expect((await eventsAfter(client, conversationId, runId, 0)).events).toEqual(events);
  expect((await model.log()).requests).toHaveLength(2);
  expect(await storedMessages(conversationId)).toHaveLength(2);
  expect(await messagesUsed(client.email)).toBe(1);
});

// Scenario 1. Scenario 2.
it("finishes a run whose client leaves at any moment", async () => {
  const client = await signUp();

  for (const pieces of [1, 2, 3, 5]) {
    const reply = [{ text: "a " }, { wait: 40 }, { text: "b " }, { wait: 40 }, append(`fact ${pieces}`)];
    const model = await scriptModel(reply, [{ wait: 40 }, { text: "c" }]);
    const { conversationId, path } = await beginConversation(client, { agent_model: model.name });

    const turn = await open(client, path, "Go");
    for (let read = 0; read < pieces; read++) await turn.next();
    await turn.leave();
    const { events } = await eventsAfter(client, conversationId, turn.runId, 0);

    expect(textOf(events)).toBe("a b c");
    expect(events.at(-1)?.event_type).toBe("STREAM_COMPLETE");
    expect((await storedMessages(conversationId))[1]).toMatchObject({ content: "a b c", status: "complete" });
  }
  expect(await messagesUsed(client.email)).toBe(4);
});

it("lets a second client follow a run while it takes place, by its id or as the active one", async () => {
  const client = await signUp();
  const model = await scriptModel([{ text: "one" }, { hold: true }, { text: " two" }]);
  const { conversationId, path } = await beginConversation(client, { agent_model: model.name });

  const turn = await open(client, path, "Count");
  const [byId, active] = await Promise.all(
    [turn.runId, "active"].map(async (run) => {
      const { response } = await client.raw("GET", `/conversations/${conversationId}/runs/${run}/events`);
      return follow(response);
    }),
  );
  await model.release();
  const events = await turn.rest();

  expect(textOf(events)).toBe("one two");
  expect(await byId?.rest()).toEqual(events);
  expect(await active?.rest()).toEqual(events);
  expect((await client("GET", `/conversations/${conversationId}/runs/active/events`)).status).toBe(204);
});

it("also resumes from `Last-Event-ID`", async () => {
  const client = await signUp();
  const { conversationId, path } = await beginConversation(client);
  const { events } = await say(client, path, "Hello");
  const runPath = `/conversations/${conversationId}/runs/${events[0]?.run_id}/events`;

  const { body } = await client("GET", runPath, undefined, { "last-event-id": "3" });

  expect(body).toMatch(/^data: .*"seq":4\}\n\n/u);
});

it("answers 204, 404 or 410 if there is nothing to follow", async () => {
  const [client, stranger] = [await signUp(), await signUp()];
  const { conversationId, path } = await beginConversation(client);
  const { events } = await say(client, path, "Hello");
  const runId = events[0]?.run_id ?? "";
  const last = events.length;
  const status = async (who: typeof client, run: string, after: number | string) =>
    (await eventsAfter(who, conversationId, run, after)).status;

  expect(await status(client, runId, last)).toBe(204);
  expect(await status(client, runId, last + 1)).toBe(400);
  expect(await status(client, runId, "x")).toBe(400);
  expect(await status(client, runId, -1)).toBe(400);
  expect(await status(client, crypto.randomUUID(), 0)).toBe(404);
  expect(await status(stranger, runId, 0)).toBe(404);
  expect(await status(stranger, "active", 0)).toBe(404);

  // A day later the runner's alarm has dropped the log; the table still knows the run.
  const runner = env.CONVERSATION_RUNNER.getByName(`${client.email}/${conversationId}`);
  await runInDurableObject(runner, (_instance, state) => {
    state.storage.sql.exec("UPDATE runs SET expires_at = 1");
    state.storage.sql.exec("UPDATE keys SET expires_at = 1");
    return state.storage.setAlarm(Date.now());
  });
  await expect.poll(() => status(client, runId, 0)).toBe(410);
  expect(await status(stranger, runId, 0)).toBe(404);
});

it("lists a conversation's runs, newest first, and shows each", async () => {
  const [client, stranger] = [await signUp(), await signUp()];
  const model = await scriptModel(
    [{ text: "Hi." }, { usage: { prompt_tokens: 5, completion_tokens: 2 } }],
    [{ status: 401, body: { error: { message: "no" } } }],
  );
  const { agentId, conversationId, path } = await beginConversation(client, { agent_model: model.name });
  const first = await say(client, path, "Hello");
  const second = await say(client, path, "Again");
  const base = `/conversations/${conversationId}/runs`;

  const newest = await client("GET", `${base}?limit=1`);
  const oldest = await client("GET", `${base}?limit=1&cursor=${newest.body.next_cursor}`);

  const stamp = expect.stringMatching(/^\d{4}-.*\+00:00$/u);
  expect(newest.body.items).toEqual([
    {
      run_id: second.events[0]?.run_id,
      conversation_id: conversationId,
      agent_id: agentId,
      state: "failed",
      started_at: stamp,
      ended_at: stamp,
      user_message_id: expect.any(String),
      message_id: null,
      usage: null,
      error_code: "provider-auth",
    },
  ]);
  expect(oldest.body).toMatchObject({ has_more: false, next_cursor: null });
  expect(oldest.body.items[0]).toMatchObject({
    run_id: first.events[0]?.run_id,
    state: "completed",
    message_id: first.last?.message_id,
    usage: { input_tokens: 5, output_tokens: 2, cached_tokens: 0 },
    error_code: null,
  });
  expect((await client("GET", `${base}/${first.events[0]?.run_id}`)).body).toEqual({
    ...oldest.body.items[0],
    pending_calls: [],
  });
  expect((await client("GET", `${base}/${crypto.randomUUID()}`)).status).toBe(404);
  expect((await stranger("GET", base)).status).toBe(404);
  expect((await stranger("GET", `${base}/${first.events[0]?.run_id}`)).status).toBe(404);
});

it("stores nothing for requests about what does not exist", async () => {
  const client = await signUp();
  const id = crypto.randomUUID();
  const runner = env.CONVERSATION_RUNNER.getByName(`${client.email}/${id}`);

  await client("GET", `/conversations/${id}/runs/${crypto.randomUUID()}`);
  await client("GET", `/conversations/${id}/runs/active/events`);
  await client("POST", `/agents/${id}/${id}/send-message`, { content: "Hello" });
  const kept = await runInDurableObject(runner, async (_instance, { storage }) => [
    storage.sql.exec("SELECT name FROM sqlite_master WHERE name = 'runs'").toArray(),
    await storage.getAlarm(),
  ]);

  expect(kept).toEqual([[], null]);
});

it("answers 404 for runs of a conversation that is being deleted", async () => {
  const client = await signUp();
  const { conversationId, path } = await beginConversation(client);
  const { events } = await say(client, path, "Hello");
  const run = `/conversations/${conversationId}/runs/${events[0]?.run_id}`;

  // The state after an interrupted deletion.
  const key = { pk: `USER#${client.email}`, sk: `CONVERSATION#${conversationId}` };
  await table.update(key, { set: { deleting_at: "2026-01-29T11:51:36.123456+00:00" } });

  expect((await client("GET", run)).status).toBe(404);
  expect((await client("POST", `${run}/cancel`)).status).toBe(404);
});

it("is not delayed by a hundred followers that read, hang or leave", async () => {
  const client = await signUp();
  const words = Array.from({ length: 20 }, (_, index) => [{ text: `w${index} ` }, { wait: 10 }]).flat();
  const model = await scriptModel([{ text: "Go: " }, { hold: true }, ...words]);
  const { conversationId, path } = await beginConversation(client, { agent_model: model.name });
  const turn = await open(client, path, "Go");
  const runPath = `/conversations/${conversationId}/runs/${turn.runId}/events`;

  const followers = await Promise.all(
    Array.from({ length: 100 }, async () => follow((await client.raw("GET", runPath)).response)),
  );
  await model.release();
  const following = followers.map(async (follower, index) => {
    // Those that hang are never read, so they would stop the run for good if it waited for them.
    if (index % 3 === 0) return follower.rest();
    if (index % 3 === 1) await follower.leave();
    return undefined;
  });
  const events = await turn.rest();

  expect(textOf(events)).toMatch(/^Go: w0 .* w19 $/u);
  for (const seen of await Promise.all(following)) if (seen !== undefined) expect(seen).toEqual(events);
});

it("keeps what a slow follower has not read yet", async () => {
  const client = await signUp();
  const model = await scriptModel(
    Array.from({ length: 50 }, (_, index) => [{ text: `w${index} ` }, { wait: 5 }]).flat(),
  );
  const { conversationId, path } = await beginConversation(client, { agent_model: model.name });

  const turn = await open(client, path, "Go");
  const { response } = await client.raw("GET", `/conversations/${conversationId}/runs/${turn.runId}/events`);
  const slow = await follow(response);
  const events = await turn.rest();
  await pause(100);

  expect(await slow.rest()).toEqual(events);
});
