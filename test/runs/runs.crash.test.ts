import { env } from "cloudflare:workers";
import {
  abortAllDurableObjects,
  evictDurableObject,
  runDurableObjectAlarm,
  runInDurableObject,
} from "cloudflare:test";
import { afterEach, expect, it } from "vitest";
import type { ReplyStep } from "../../scripts/model-server.ts";
import { beginConversation, type Client, signUp } from "../support/app.ts";
import { databaseRequests, endFaults, injectFault, scriptModel } from "../support/control.ts";
import type { FaultRule } from "../support/control-protocol.ts";
import { messagesUsed, storedLines, storedMessages } from "../support/items.ts";
import { eventsAfter, open, pause } from "../support/runs.ts";
import { say, textOf, typesOf } from "../support/sse.ts";

afterEach(endFaults);

const runnerOf = (client: Client, conversationId: string) =>
  env.CONVERSATION_RUNNER.getByName(`${client.email}/${conversationId}`);

const call = {
  call: { id: "c1", name: "core_memory_append", arguments: '{"block":"human","content":"Name: Alice"}' },
};
const script: readonly (readonly ReplyStep[])[] = [
  // The pauses are longer than text waits to be logged.
  [{ text: "Wait. " }, { wait: 600 }, call],
  [{ wait: 300 }, { text: "Done." }, { wait: 400 }],
  [{ text: "Next." }],
];

interface Expected {
  readonly state: string;
  /** The one terminal event. */
  readonly end: string;
  readonly contents: readonly string[];
  readonly used: number;
  readonly lines: readonly string[] | undefined;
}

/** Kills the runner when the database has got so many of the turn's transactions, or so long after that. */
async function crash(at: { transactions: number; afterMs?: number }, fault?: Omit<FaultRule, "match">) {
  const client = await signUp();
  const model = await scriptModel(...script);
  const { agentId, conversationId, path } = await beginConversation(client, { agent_model: model.name });
  await client("GET", `/agents/${agentId}/memory-blocks`);
  if (fault) await injectFault({ match: [client.email], ...fault });
  const before = (await transactions(client)).length;

  const sending = client("POST", path, { content: "I am Alice" }).catch(() => undefined);
  await expect
    .poll(async () => (await transactions(client)).length - before, { interval: 5, timeout: 4_000 })
    .toBe(at.transactions);
  await pause(at.afterMs ?? 0);
  await abortAllDurableObjects();
  await sending;
  await endFaults();
  // Whatever the dead runner had on its way to the database arrives.
  await pause(400);

  const runs = await client("GET", `/conversations/${conversationId}/runs`);
  const runId = runs.body.items[0]?.run_id as string | undefined;
  const replay = runId === undefined ? undefined : await eventsAfter(client, conversationId, runId, 0);
  return { client, model, agentId, conversationId, path, runId, replay };
}

const transactions = async (client: Client) =>
  (await databaseRequests(client.email)).filter(({ operation }) => operation === "TransactWriteItems");

const late = (after: number) =>
  ({ operation: "TransactWriteItems", after, fault: { kind: "delay-answer", ms: 300 } }) as const;
const held = (after: number) =>
  ({ operation: "TransactWriteItems", after, fault: { kind: "stall" } }) as const;

it("stores nothing when the runner dies before the message was stored", async () => {
  const { client, conversationId, path, runId } = await crash({ transactions: 1, afterMs: 20 }, held(0));

  expect(runId).toBeUndefined();
  expect(await storedMessages(conversationId)).toEqual([]);
  expect(await messagesUsed(client.email)).toBeUndefined();
  expect((await say(client, path, "Again")).last?.event_type).toBe("STREAM_COMPLETE");
});

it.each<[string, Parameters<typeof crash>, Expected]>([
  [
    "between storing the message and hearing of it",
    [{ transactions: 1, afterMs: 100 }, late(0)],
    { state: "interrupted", end: "ERROR", contents: ["I am Alice"], used: 0, lines: undefined },
  ],
  [
    "before anything that was said is logged",
    [{ transactions: 1 }],
    { state: "interrupted", end: "ERROR", contents: ["I am Alice"], used: 0, lines: undefined },
  ],
  [
    "in the middle of the text",
    [{ transactions: 1, afterMs: 400 }],
    { state: "interrupted", end: "ERROR", contents: ["I am Alice", "Wait. "], used: 1, lines: undefined },
  ],
  [
    "between a memory edit and hearing of it",
    [{ transactions: 2, afterMs: 100 }, late(1)],
    {
      state: "interrupted",
      end: "ERROR",
      contents: ["I am Alice", "Wait. "],
      used: 1,
      lines: ["Name: Alice"],
    },
  ],
  [
    "between a memory edit and the model's next word",
    [{ transactions: 2, afterMs: 100 }],
    {
      state: "interrupted",
      end: "ERROR",
      contents: ["I am Alice", "Wait. "],
      used: 1,
      lines: ["Name: Alice"],
    },
  ],
  [
    "before the answer was stored",
    [{ transactions: 3, afterMs: 20 }, held(2)],
    {
      state: "interrupted",
      end: "ERROR",
      contents: ["I am Alice", "Wait. Done."],
      used: 1,
      lines: ["Name: Alice"],
    },
  ],
  [
    "between storing the answer and hearing of it",
    [{ transactions: 3, afterMs: 100 }, late(2)],
    {
      state: "completed",
      end: "STREAM_COMPLETE",
      contents: ["I am Alice", "Wait. Done."],
      used: 1,
      lines: ["Name: Alice"],
    },
  ],
])(
  "settles a run whose runner dies %s",
  async (_case, parameters, expected) => {
    const { client, agentId, conversationId, path, runId = "", replay } = await crash(...parameters);

    expect((await storedMessages(conversationId)).map(({ content }) => content)).toEqual(expected.contents);
    expect(await messagesUsed(client.email)).toBe(expected.used);
    expect(await storedLines(agentId, client.email, "human")).toEqual(expected.lines);
    const ends = typesOf(replay?.events ?? []).filter(
      (type) => type === "ERROR" || type === "STREAM_COMPLETE",
    );
    expect(ends).toEqual([expected.end]);
    expect((await client("GET", `/conversations/${conversationId}/runs/${runId}`)).body.state).toBe(
      expected.state,
    );
    // Looking again changes nothing, and the conversation goes on.
    expect((await eventsAfter(client, conversationId, runId, 0)).events).toEqual(replay?.events);
    expect((await say(client, path, "Next?")).last?.event_type).toBe("STREAM_COMPLETE");
  },
  20_000,
);

it("lets a follower go on behind whatever it had seen before the crash", async () => {
  const client = await signUp();
  const model = await scriptModel([
    { text: "One " },
    { wait: 400 },
    { text: "two" },
    { wait: 60 },
    { text: " three" },
    { wait: 1_000 },
  ]);
  const { conversationId, path } = await beginConversation(client, { agent_model: model.name });
  const turn = await open(client, path, "Count");
  const seen = [...(await turn.next())];
  while (!textOf(seen).includes("three")) seen.push(...(await turn.next()));

  await abortAllDurableObjects();
  const last = seen.at(-1)?.seq ?? 0;
  const { status, events } = await eventsAfter(client, conversationId, turn.runId, last);

  expect(status).toBe(200);
  expect(events.at(-1)).toMatchObject({ event_type: "ERROR", code: "unavailable", retryable: true });
  expect(events.at(-1)?.seq).toBeGreaterThan(last);
  const end = events.at(-1)?.seq ?? 0;
  expect((await eventsAfter(client, conversationId, turn.runId, end)).status).toBe(204);
  expect((await eventsAfter(client, conversationId, turn.runId, end - 1)).events).toHaveLength(1);
  expect((await eventsAfter(client, conversationId, turn.runId, end + 1)).status).toBe(400);
});

it("tells of a run without words as it would have itself, when its runner dies behind the end", async () => {
  const client = await signUp();
  const model = await scriptModel([call], [{ finish: "stop" }]);
  const { agentId, conversationId, path } = await beginConversation(client, { agent_model: model.name });
  await client("GET", `/agents/${agentId}/memory-blocks`);
  await injectFault({ match: [client.email], ...late(2) });
  const before = (await transactions(client)).length;

  const turn = await open(client, path, "I am Alice");
  await expect.poll(async () => (await transactions(client)).length - before, { interval: 5 }).toBe(3);
  await pause(100);
  await abortAllDurableObjects();
  const { events } = await eventsAfter(client, conversationId, turn.runId, 0);

  expect(events.at(-1)).toMatchObject({
    event_type: "STREAM_COMPLETE",
    content: "Response complete (tools only)",
    message_id: null,
  });
});

it("gives no number twice to a run that had used more than one block of them", async () => {
  const client = await signUp();
  const facts = (from: number) =>
    Array.from({ length: 32 }, (_, n) => ({
      call: {
        name: "core_memory_append",
        arguments: JSON.stringify({ block: "human", content: `f${from + n}` }),
      },
    }));
  const model = await scriptModel(facts(0), facts(32), facts(64), [{ text: "Well, " }, { wait: 1_400 }]);
  const { conversationId, path } = await beginConversation(client, { agent_model: model.name });
  const turn = await open(client, path, "Go");
  const seen = [...(await turn.next())];
  while (!textOf(seen).includes("Well")) seen.push(...(await turn.next()));
  const last = seen.at(-1)?.seq ?? 0;
  expect(last).toBeGreaterThan(256);

  await abortAllDurableObjects();
  const { events } = await eventsAfter(client, conversationId, turn.runId, last);

  expect(events.map(({ event_type, seq }) => [event_type, seq])).toEqual([["ERROR", 513]]);
}, 20_000);

it("settles a dead run by its alarm, when nobody asks", async () => {
  const client = await signUp();
  const model = await scriptModel([{ text: "Lost" }, { wait: 400 }, { text: "?" }, { wait: 1_000 }]);
  const { conversationId, path } = await beginConversation(client, { agent_model: model.name });
  const turn = await open(client, path, "Hello");
  await pause(350);

  await abortAllDurableObjects();
  const runner = runnerOf(client, conversationId);
  expect(await runDurableObjectAlarm(runner)).toBe(true);
  await runDurableObjectAlarm(runner);

  expect((await storedMessages(conversationId))[1]).toMatchObject({ content: "Lost", status: "interrupted" });
  const { events } = await eventsAfter(client, conversationId, turn.runId, 0);
  expect(typesOf(events).filter((type) => type === "ERROR")).toHaveLength(1);
});

it("cuts followers off and settles the run when its events can't be logged any more", async () => {
  const client = await signUp();
  const model = await scriptModel([{ text: "A" }, { wait: 300 }, call, { text: "B" }, { wait: 1_400 }]);
  const { conversationId, path } = await beginConversation(client, { agent_model: model.name });
  const runner = runnerOf(client, conversationId);
  const sql = (statement: string) =>
    runInDurableObject(runner, (_instance, state) => void state.storage.sql.exec(statement));
  const turn = await open(client, path, "Go");

  await sql("CREATE TRIGGER no_room BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'no room'); END");
  const seen = await turn.rest();
  await sql("DROP TRIGGER no_room");
  const { events } = await eventsAfter(client, conversationId, turn.runId, seen.at(-1)?.seq ?? 0);

  expect(typesOf(seen)).not.toContain("ERROR");
  expect(typesOf(events)).toEqual(["ERROR"]);
  expect((await client("GET", `/conversations/${conversationId}/runs/${turn.runId}`)).body.state).not.toBe(
    "running",
  );
}, 10_000);

it("gives a dead run's message back when its conversation is deleted before anybody settles it", async () => {
  const client = await signUp();
  const model = await scriptModel([{ wait: 1_000 }, { text: "Late" }]);
  const { conversationId, path } = await beginConversation(client, { agent_model: model.name });
  await open(client, path, "Hello");
  expect(await messagesUsed(client.email)).toBe(1);

  await abortAllDurableObjects();
  expect((await client("DELETE", `/conversations/${conversationId}`)).status).toBe(204);

  expect(await messagesUsed(client.email)).toBe(0);
});

it("lets a key stand for its run after a crash", async () => {
  const client = await signUp();
  const model = await scriptModel([{ text: "Half" }, { wait: 1_400 }], [{ text: "Whole" }]);
  const { conversationId, path } = await beginConversation(client, { agent_model: model.name });
  const send = () => client.raw("POST", path, { content: "Hello" }, { headers: { "idempotency-key": "k" } });
  const { response } = await send();
  void response.text().catch(() => undefined);
  await pause(350);

  await abortAllDurableObjects();
  const again = await client("POST", path, { content: "Hello" }, { "idempotency-key": "k" });

  expect(again.body).toContain('"event_type":"ERROR"');
  expect((await model.log()).requests).toHaveLength(1);
  expect(await storedMessages(conversationId)).toHaveLength(2);
});

it("carries a keyed message out when its runner died before it was stored", async () => {
  const client = await signUp();
  const model = await scriptModel([{ text: "Lost" }], [{ text: "Found" }]);
  const { conversationId, path } = await beginConversation(client, { agent_model: model.name });
  await client("GET", "/agents");
  const fault = { kind: "stall" } as const;
  await injectFault({ match: [client.email], operation: "TransactWriteItems", times: 2, fault });

  const sending = client("POST", path, { content: "Hello" }, { "idempotency-key": "k" });
  await expect.poll(async () => (await model.log()).requests.length).toBe(1);
  await abortAllDurableObjects();
  await endFaults();
  const { status, body } = await sending;

  expect(status).toBe(200);
  expect(body).toContain("Found");
  expect((await storedMessages(conversationId)).map(({ content }) => content)).toEqual(["Hello", "Found"]);
  expect(await messagesUsed(client.email)).toBe(1);
});

it("replays a run whose runner was evicted since", async () => {
  const client = await signUp();
  const { conversationId, path } = await beginConversation(client);
  const { events } = await say(client, path, "Hello");

  await evictDurableObject(runnerOf(client, conversationId));

  expect((await eventsAfter(client, conversationId, events[0]?.run_id ?? "", 0)).events).toEqual(events);
});

it("saves an answer later that the database did not take in time", async () => {
  const client = await signUp();
  const model = await scriptModel([{ text: "Stubborn words" }]);
  const { conversationId, path } = await beginConversation(client, { agent_model: model.name });
  const down = { kind: "answer", status: 500, body: "" } as const;
  await injectFault({ match: ["Stubborn words"], times: 10_000, fault: down });

  const { events, last } = await say(client, path, "Hello");
  const runId = events[0]?.run_id ?? "";
  const before = await client("GET", `/conversations/${conversationId}/runs/${runId}`);
  await endFaults();
  await runDurableObjectAlarm(runnerOf(client, conversationId));

  expect(last).toMatchObject({ event_type: "ERROR", code: "persist-failed", retryable: true });
  expect(before.body).toMatchObject({ state: "failed", error_code: "persist-failed" });
  expect((await storedMessages(conversationId))[1]).toMatchObject({ content: "Stubborn words" });
  const after = await client("GET", `/conversations/${conversationId}/runs/${runId}`);
  expect(after.body).toMatchObject({ state: "failed", error_code: "persist-failed" });
}, 15_000);

it("does not try for ever to save what the table will never take", async () => {
  const client = await signUp();
  const model = await scriptModel([{ text: "Words that never fit." }]);
  const { conversationId, path } = await beginConversation(client, { agent_model: model.name });
  const runner = runnerOf(client, conversationId);
  const sql = (statement: string) =>
    runInDurableObject(runner, (_instance, state) => state.storage.sql.exec(statement).toArray());
  const down = { kind: "answer", status: 500, body: "" } as const;
  await injectFault({ match: ["Words that never fit."], times: 10_000, fault: down });
  const { events } = await say(client, path, "Hi");
  await endFaults();

  // Longer than an item may be.
  await sql(
    "UPDATE unsaved SET turn_end = replace(turn_end, 'Words that never fit.', hex(zeroblob(250000)))",
  );
  await runDurableObjectAlarm(runner);

  expect(await sql("SELECT run_id FROM unsaved")).toEqual([]);
  const run = await client("GET", `/conversations/${conversationId}/runs/${events[0]?.run_id}`);
  expect(run.body).toMatchObject({ state: "failed", error_code: "persist-failed", message_id: null });
  expect(await messagesUsed(client.email)).toBe(0);
}, 15_000);

it("keeps itself alive by an alarm while a run is active, and for a day after", async () => {
  const client = await signUp();
  const model = await scriptModel([{ text: "A" }, { wait: 300 }, { text: "B" }]);
  const { conversationId, path } = await beginConversation(client, { agent_model: model.name });
  const runner = runnerOf(client, conversationId);
  const alarm = () => runInDurableObject(runner, (_instance, state) => state.storage.getAlarm());

  const turn = await open(client, path, "Go");
  const during = (await alarm()) ?? 0;
  expect(await runDurableObjectAlarm(runner)).toBe(true);
  const again = (await alarm()) ?? 0;
  expect(textOf(await turn.rest())).toBe("AB");
  await pause(50);
  const after = (await alarm()) ?? 0;

  expect(during - Date.now()).toBeLessThan(31_000);
  expect(again).toBeGreaterThanOrEqual(during);
  expect(after - Date.now()).toBeGreaterThan(23 * 60 * 60 * 1000);
});

it("logs events in batches, and never a row per piece of text", async () => {
  const client = await signUp();
  const model = await scriptModel(
    Array.from({ length: 60 }, (_, index) => [{ text: `w${index} ` }, { wait: 10 }]).flat(),
  );
  const { conversationId, path } = await beginConversation(client, { agent_model: model.name });
  const { events } = await say(client, path, "Go");

  const rows = await runInDurableObject(runnerOf(client, conversationId), (_instance, state) =>
    Number(state.storage.sql.exec("SELECT COUNT(*) AS n FROM events").one()["n"]),
  );

  const pieces = typesOf(events).filter((type) => type === "AGENT_RESPONSE_TO_USER").length;
  expect(pieces).toBeGreaterThan(12);
  expect(rows - (events.length - pieces)).toBeLessThan(pieces / 2);
});
