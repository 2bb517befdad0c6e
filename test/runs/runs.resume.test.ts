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

it("goes on from every event of a run as if the client had never left", async () => {
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
  const model = await scriptModel([{ text: "one" }, { wait: 300 }, { text: " two" }]);
  const { conversationId, path } = await beginConversation(client, { agent_model: model.name });

  const turn = await open(client, path, "Count");
  const [byId, active] = await Promise.all([
    eventsAfter(client, conversationId, turn.runId, 0),
    client("GET", `/conversations/${conversationId}/runs/active/events`),
  ]);
  const events = await turn.rest();

  expect(textOf(events)).toBe("one two");
  expect(byId.events).toEqual(events);
  expect(active.body).toContain(`"run_id":"${turn.runId}"`);
  expect((await client("GET", `/conversations/${conversationId}/runs/active/events`)).status).toBe(204);
});

it("takes the place to go on from `Last-Event-ID` too", async () => {
  const client = await signUp();
  const { conversationId, path } = await beginConversation(client);
  const { events } = await say(client, path, "Hello");
  const runPath = `/conversations/${conversationId}/runs/${events[0]?.run_id}/events`;

  const { body } = await client("GET", runPath, undefined, { "last-event-id": "3" });

  expect(body).toMatch(/^data: .*"seq":4\}\n\n/u);
});

it("tells what there is to follow: nothing more, nothing there, nothing any more", async () => {
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
  expect((await client("GET", `${base}/${first.events[0]?.run_id}`)).body).toEqual(oldest.body.items[0]);
  expect((await client("GET", `${base}/${crypto.randomUUID()}`)).status).toBe(404);
  expect((await stranger("GET", base)).status).toBe(404);
  expect((await stranger("GET", `${base}/${first.events[0]?.run_id}`)).status).toBe(404);
});

it("keeps nothing for those who ask about what does not exist", async () => {
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

it("knows no run of a conversation that is being deleted", async () => {
  const client = await signUp();
  const { conversationId, path } = await beginConversation(client);
  const { events } = await say(client, path, "Hello");
  const run = `/conversations/${conversationId}/runs/${events[0]?.run_id}`;

  // As it stands when a deletion has stopped half-way.
  const key = { pk: `USER#${client.email}`, sk: `CONVERSATION#${conversationId}` };
  await table.update(key, { set: { deleting_at: "2026-01-29T11:51:36.123456+00:00" } });

  expect((await client("GET", run)).status).toBe(404);
  expect((await client("POST", `${run}/cancel`)).status).toBe(404);
});

it("answers a hundred followers without taking longer", async () => {
  const client = await signUp();
  const reply = Array.from({ length: 20 }, (_, index) => [{ text: `w${index} ` }, { wait: 30 }]).flat();
  const model = await scriptModel(reply, reply);
  const { conversationId, path } = await beginConversation(client, { agent_model: model.name });

  const run = async (followers: number) => {
    const startedAt = Date.now();
    const turn = await open(client, path, "Go");
    const runPath = `/conversations/${conversationId}/runs/${turn.runId}/events`;
    const following = Array.from({ length: followers }, async (_, index) => {
      const { response } = await client.raw("GET", runPath);
      const follower = await follow(response);
      // Some read, some hang, some leave at once.
      if (index % 3 === 0) return follower.rest();
      if (index % 3 === 1) await follower.leave();
      return undefined;
    });
    const events = await turn.rest();
    return { duration: Date.now() - startedAt, events, followed: await Promise.all(following) };
  };

  const alone = await run(0);
  const watched = await run(100);

  for (const events of watched.followed.filter((seen) => seen !== undefined))
    expect(events).toEqual(watched.events);
  expect(textOf(watched.events)).toBe(textOf(alone.events));
  // The model takes 600 ms by itself: followers must not add to that what a reader could notice.
  expect(watched.duration).toBeLessThan(alone.duration + 1_000);
}, 20_000);

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
