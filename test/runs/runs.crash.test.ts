import {
  abortAllDurableObjects,
  evictDurableObject,
  runDurableObjectAlarm,
  runInDurableObject,
} from "cloudflare:test";
import { expect, it } from "vitest";
import { beginConversation, type Client, signUp } from "../support/app.ts";
import { databaseRequests, endFaults, injectFault, scriptModel, untilMet } from "../support/control.ts";
import type { FaultRule, ScriptStep } from "../support/control-protocol.ts";
import { messagesUsed, storedLines, storedMessages } from "../support/items.ts";
import {
  eventsAfter,
  follow,
  readUntil,
  open,
  runnerOf,
  untilAnswered,
  untilLogged,
} from "../support/runs.ts";
import { say, textOf, typesOf } from "../support/sse.ts";

const call = {
  call: { id: "c1", name: "core_memory_append", arguments: '{"block":"human","content":"Name: Alice"}' },
};
/** A model that stops in the middle of its reply. The runner is killed meanwhile. */
const held: readonly ScriptStep[] = [{ hold: true }];

/** A text, a memory edit after the release, and another text. */
const script = (lastReply: readonly ScriptStep[]): readonly (readonly ScriptStep[])[] => [
  [{ hold: "begin" }, { text: "Wait. " }, { hold: true }, call],
  lastReply,
  [{ text: "Next." }],
];
const done: readonly ScriptStep[] = [{ text: "Done." }, { hold: "end" }];

interface Expected {
  readonly state: string;
  /** The one terminal event. */
  readonly end: string;
  readonly contents: readonly string[];
  readonly used: number;
  readonly lines: readonly string[] | undefined;
}

/** When the runner is killed. */
interface Moment {
  /** The number of the turn's transactions that the database has carried out, or withholds. */
  readonly transactions: number;
  /** Whether the first text must be in the log. */
  readonly isLogged?: boolean;
  /** How often the model must have been asked. */
  readonly asked?: number;
}

async function crash(at: Moment, fault?: Omit<FaultRule, "match">) {
  const client = await signUp();
  const model = await scriptModel(...script(at.asked === undefined ? done : [{ hold: "end" }]));
  const { agentId, conversationId, path } = await beginConversation(client, { agent_model: model.name });
  await client("GET", `/agents/${agentId}/memory-blocks`);
  if (fault) await injectFault({ match: [client.email], ...fault });
  const before = (await transactions(client)).length;

  const sending = client("POST", path, { content: "I am Alice" }).catch(() => undefined);
  if (at.isLogged) {
    await model.release("begin");
    await untilLogged(client, path, "Wait. ");
  }
  if (at.transactions > 1) await model.release();
  if (at.transactions > 2) {
    await untilLogged(client, path, "Done.");
    await model.release("end");
  }
  await expect
    .poll(async () => (await transactions(client)).length - before, { interval: 5 })
    .toBe(at.transactions);
  if (at.asked !== undefined) await model.asked(at.asked);
  await abortAllDurableObjects();
  await sending;
  await endFaults();
  await untilAnswered(client.email);
  // The replies that the dead runner has not asked for are for the messages that follow.
  for (const hold of ["begin", "", "end"]) await model.release(hold);

  const runs = await client("GET", `/conversations/${conversationId}/runs`);
  const runId = runs.body.items[0]?.run_id as string | undefined;
  const replay = runId === undefined ? undefined : await eventsAfter(client, conversationId, runId, 0);
  return { client, model, agentId, conversationId, path, runId, replay };
}

/** The transactions that the database has carried out, or lets stall. */
const transactions = async (client: Client) =>
  (await databaseRequests(client.email)).filter(
    ({ operation, endedAt }) => operation === "TransactWriteItems" && endedAt > 0,
  );

const unanswered = (after: number) =>
  ({ operation: "TransactWriteItems", after, fault: { kind: "withhold-answer" } }) as const;
const stalled = (after: number) =>
  ({ operation: "TransactWriteItems", after, fault: { kind: "stall" } }) as const;

it("stores nothing when the runner dies before the message was stored", async () => {
  const { client, conversationId, path, runId } = await crash({ transactions: 1 }, stalled(0));

  expect(runId).toBeUndefined();
  expect(await storedMessages(conversationId)).toEqual([]);
  expect(await messagesUsed(client.email)).toBeUndefined();
  expect((await say(client, path, "Again")).last?.event_type).toBe("STREAM_COMPLETE");
});

it.each<[string, Parameters<typeof crash>, Expected]>([
  [
    "between storing the message and its confirmation",
    [{ transactions: 1 }, unanswered(0)],
    { state: "interrupted", end: "ERROR", contents: ["I am Alice"], used: 0, lines: undefined },
  ],
  [
    "before any text is logged",
    [{ transactions: 1 }],
    { state: "interrupted", end: "ERROR", contents: ["I am Alice"], used: 0, lines: undefined },
  ],
  [
    "in the middle of the text",
    [{ transactions: 1, isLogged: true }],
    { state: "interrupted", end: "ERROR", contents: ["I am Alice", "Wait. "], used: 1, lines: undefined },
  ],
  [
    "between a memory edit and its confirmation",
    [{ transactions: 2, isLogged: true }, unanswered(1)],
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
    [{ transactions: 2, isLogged: true, asked: 2 }],
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
    [{ transactions: 3, isLogged: true }, stalled(2)],
    {
      state: "interrupted",
      end: "ERROR",
      contents: ["I am Alice", "Wait. Done."],
      used: 1,
      lines: ["Name: Alice"],
    },
  ],
  [
    "between storing the answer and its confirmation",
    [{ transactions: 3, isLogged: true }, unanswered(2)],
    {
      state: "completed",
      end: "STREAM_COMPLETE",
      contents: ["I am Alice", "Wait. Done."],
      used: 1,
      lines: ["Name: Alice"],
    },
  ],
])("recovers a run whose runner dies %s", async (_case, parameters, expected) => {
  const { client, agentId, conversationId, path, runId = "", replay } = await crash(...parameters);

  expect((await storedMessages(conversationId)).map(({ content }) => content)).toEqual(expected.contents);
  expect(await messagesUsed(client.email)).toBe(expected.used);
  expect(await storedLines(agentId, client.email, "human")).toEqual(expected.lines);
  const ends = typesOf(replay?.events ?? []).filter((type) => type === "ERROR" || type === "STREAM_COMPLETE");
  expect(ends).toEqual([expected.end]);
  expect((await client("GET", `/conversations/${conversationId}/runs/${runId}`)).body.state).toBe(
    expected.state,
  );
  // Reading again changes nothing, and the conversation continues.
  expect((await eventsAfter(client, conversationId, runId, 0)).events).toEqual(replay?.events);
  expect((await say(client, path, "Next?")).last?.event_type).toBe("STREAM_COMPLETE");
});

it("breaks a stream off if its runner dies, so that no client mistakes it for complete", async () => {
  const client = await signUp();
  const model = await scriptModel([{ text: "Half" }, ...held]);
  const { path } = await beginConversation(client, { agent_model: model.name });
  const { response } = await client.raw("POST", path, { content: "Hello" });
  const reader = response.body?.getReader();
  await reader?.read();
  const toTheEnd = async () => {
    while (!(await reader?.read())?.done);
  };

  const [end] = await Promise.allSettled([toTheEnd(), abortAllDurableObjects()]);

  expect(end.status).toBe("rejected");
});

it("lets a follower continue after the last event that it saw before the crash", async () => {
  const client = await signUp();
  const model = await scriptModel([
    { text: "One " },
    { hold: "logged" },
    { text: "two" },
    { hold: "seen" },
    { text: " three" },
    ...held,
  ]);
  const { conversationId, path } = await beginConversation(client, { agent_model: model.name });
  const turn = await open(client, path, "Count");
  await untilLogged(client, path, "One ");
  await model.release("logged");
  await readUntil(turn, "two");
  await model.release("seen");
  const seen = await readUntil(turn, "three");

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

it("sends the run's own terminal event for an answer without text, if its runner dies after the end", async () => {
  const client = await signUp();
  const model = await scriptModel([call], [{ finish: "stop" }]);
  const { agentId, conversationId, path } = await beginConversation(client, { agent_model: model.name });
  await client("GET", `/agents/${agentId}/memory-blocks`);
  await injectFault({ match: [client.email], ...unanswered(2) });
  const before = (await transactions(client)).length;

  const turn = await open(client, path, "I am Alice");
  await expect.poll(async () => (await transactions(client)).length - before).toBe(3);
  await abortAllDurableObjects();
  const { events } = await eventsAfter(client, conversationId, turn.runId, 0);

  expect(events.at(-1)).toMatchObject({
    event_type: "STREAM_COMPLETE",
    content: "Response complete (tools only)",
    message_id: null,
  });
});

it("uses no event number twice in a run with more than one block of numbers", async () => {
  const client = await signUp();
  const facts = (from: number) =>
    Array.from({ length: 32 }, (_, n) => ({
      call: {
        name: "core_memory_append",
        arguments: JSON.stringify({ block: "human", content: `f${from + n}` }),
      },
    }));
  const model = await scriptModel(facts(0), facts(32), facts(64), [{ text: "Well, " }, ...held]);
  const { conversationId, path } = await beginConversation(client, { agent_model: model.name });
  const turn = await open(client, path, "Go");
  const seen = await readUntil(turn, "Well");
  const last = seen.at(-1)?.seq ?? 0;
  expect(last).toBeGreaterThan(256);

  await abortAllDurableObjects();
  const { events } = await eventsAfter(client, conversationId, turn.runId, last);

  expect(events.map(({ event_type, seq }) => [event_type, seq])).toEqual([["ERROR", 513]]);
});

it("recovers a dead run by its alarm, without any request", async () => {
  const client = await signUp();
  const model = await scriptModel([{ text: "Lost" }, ...held]);
  const { conversationId, path } = await beginConversation(client, { agent_model: model.name });
  const turn = await open(client, path, "Hello");
  await readUntil(turn, "Lost");
  await untilLogged(client, path, "Lost");

  await abortAllDurableObjects();
  const runner = runnerOf(client, path);
  expect(await runDurableObjectAlarm(runner)).toBe(true);
  await runDurableObjectAlarm(runner);

  expect((await storedMessages(conversationId))[1]).toMatchObject({ content: "Lost", status: "interrupted" });
  const { events } = await eventsAfter(client, conversationId, turn.runId, 0);
  expect(typesOf(events).filter((type) => type === "ERROR")).toHaveLength(1);
});

it("disconnects followers and recovers the run if its events can no longer be logged", async () => {
  const client = await signUp();
  const model = await scriptModel([{ text: "A" }, { hold: "trigger" }, call, { text: "B" }, ...held]);
  const { conversationId, path } = await beginConversation(client, { agent_model: model.name });
  const runner = runnerOf(client, path);
  const sql = (statement: string) =>
    runInDurableObject(runner, (_instance, state) => void state.storage.sql.exec(statement));
  const turn = await open(client, path, "Go");

  await sql("CREATE TRIGGER no_room BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'no room'); END");
  await model.release("trigger");
  const seen = await turn.rest();
  await sql("DROP TRIGGER no_room");
  const { events } = await eventsAfter(client, conversationId, turn.runId, seen.at(-1)?.seq ?? 0);

  expect(typesOf(seen)).not.toContain("ERROR");
  expect(typesOf(events)).toEqual(["ERROR"]);
  expect((await client("GET", `/conversations/${conversationId}/runs/${turn.runId}`)).body.state).not.toBe(
    "running",
  );
});

it("returns a dead run's message if its conversation is deleted before recovery", async () => {
  const client = await signUp();
  const model = await scriptModel([...held, { text: "Late" }]);
  const { conversationId, path } = await beginConversation(client, { agent_model: model.name });
  await open(client, path, "Hello");
  expect(await messagesUsed(client.email)).toBe(1);

  await abortAllDurableObjects();
  expect((await client("DELETE", `/conversations/${conversationId}`)).status).toBe(204);

  expect(await messagesUsed(client.email)).toBe(0);
});

it("finds the run of a key after a crash", async () => {
  const client = await signUp();
  const model = await scriptModel([{ text: "Half" }, ...held], [{ text: "Whole" }]);
  const { conversationId, path } = await beginConversation(client, { agent_model: model.name });
  const send = () => client.raw("POST", path, { content: "Hello" }, { headers: { "idempotency-key": "k" } });
  await readUntil(await follow((await send()).response), "Half");
  await untilLogged(client, path, "Half");

  await abortAllDurableObjects();
  const again = await client("POST", path, { content: "Hello" }, { "idempotency-key": "k" });

  expect(again.body).toContain('"event_type":"ERROR"');
  expect((await model.log()).requests).toHaveLength(1);
  expect(await storedMessages(conversationId)).toHaveLength(2);
});

it("runs a keyed message if its runner died before storing it", async () => {
  const client = await signUp();
  const model = await scriptModel([{ text: "Lost" }], [{ text: "Found" }]);
  const { conversationId, path } = await beginConversation(client, { agent_model: model.name });
  await client("GET", "/agents");
  const fault = { kind: "stall" } as const;
  await injectFault({ match: [client.email], operation: "TransactWriteItems", times: 2, fault });

  const sending = client("POST", path, { content: "Hello" }, { "idempotency-key": "k" });
  await model.asked(1);
  await untilMet();
  await abortAllDurableObjects();
  await endFaults();
  const { status, body } = await sending;

  expect(status).toBe(200);
  expect(body).toContain("Found");
  expect((await storedMessages(conversationId)).map(({ content }) => content)).toEqual(["Hello", "Found"]);
  expect(await messagesUsed(client.email)).toBe(1);
});

it("replays a run whose runner has been evicted since", async () => {
  const client = await signUp();
  const { conversationId, path } = await beginConversation(client);
  const { events } = await say(client, path, "Hello");

  await evictDurableObject(runnerOf(client, path));

  expect((await eventsAfter(client, conversationId, events[0]?.run_id ?? "", 0)).events).toEqual(events);
});

// Scenario 12.
it("saves an answer later that the database did not accept in time", async () => {
  const client = await signUp();
  const words = `Stubborn words ${crypto.randomUUID()}`;
  const model = await scriptModel([{ text: words }]);
  const { conversationId, path } = await beginConversation(client, { agent_model: model.name });
  const down = { kind: "answer", status: 500, body: "" } as const;
  await injectFault({ match: [words], times: 10_000, fault: down });

  const { events, last } = await say(client, path, "Hello");
  const runId = events[0]?.run_id ?? "";
  const before = await client("GET", `/conversations/${conversationId}/runs/${runId}`);
  await endFaults();
  await runDurableObjectAlarm(runnerOf(client, path));

  expect(last).toMatchObject({ event_type: "ERROR", code: "persist-failed", retryable: true });
  expect(before.body).toMatchObject({ state: "failed", error_code: "persist-failed" });
  expect((await storedMessages(conversationId))[1]).toMatchObject({ content: words });
  const after = await client("GET", `/conversations/${conversationId}/runs/${runId}`);
  expect(after.body).toMatchObject({ state: "failed", error_code: "persist-failed" });
});

it("does not retry forever what the table will never accept", async () => {
  const client = await signUp();
  const words = `Words that never fit ${crypto.randomUUID()}`;
  const model = await scriptModel([{ text: words }]);
  const { conversationId, path } = await beginConversation(client, { agent_model: model.name });
  const runner = runnerOf(client, path);
  const sql = (statement: string) =>
    runInDurableObject(runner, (_instance, state) => state.storage.sql.exec(statement).toArray());
  const down = { kind: "answer", status: 500, body: "" } as const;
  await injectFault({ match: [words], times: 10_000, fault: down });
  const { events } = await say(client, path, "Hi");
  await endFaults();

  // Longer than an item may be.
  await sql(`UPDATE unsaved SET turn_end = replace(turn_end, '${words}', hex(zeroblob(250000)))`);
  await runDurableObjectAlarm(runner);

  expect(await sql("SELECT run_id FROM unsaved")).toEqual([]);
  const run = await client("GET", `/conversations/${conversationId}/runs/${events[0]?.run_id}`);
  expect(run.body).toMatchObject({ state: "failed", error_code: "persist-failed", message_id: null });
  expect(await messagesUsed(client.email)).toBe(0);
});

it("keeps itself alive by an alarm while a run is active, and for a day after", async () => {
  const client = await signUp();
  const model = await scriptModel([{ text: "A" }, ...held, { text: "B" }]);
  const { path } = await beginConversation(client, { agent_model: model.name });
  const runner = runnerOf(client, path);
  const alarm = () => runInDurableObject(runner, (_instance, state) => state.storage.getAlarm());

  const turn = await open(client, path, "Go");
  const during = (await alarm()) ?? 0;
  expect(await runDurableObjectAlarm(runner)).toBe(true);
  const again = (await alarm()) ?? 0;
  await model.release();
  expect(textOf(await turn.rest())).toBe("AB");

  expect(during - Date.now()).toBeLessThan(31_000);
  expect(again).toBeGreaterThanOrEqual(during);
  // The run is over shortly after its last word.
  await expect.poll(async () => ((await alarm()) ?? 0) - Date.now()).toBeGreaterThan(23 * 60 * 60 * 1000);
});

it("logs events in batches, and never a row per piece of text", async () => {
  const client = await signUp();
  const model = await scriptModel(
    Array.from({ length: 60 }, (_, index) => [{ text: `w${index} ` }, { wait: 10 }]).flat(),
  );
  const { path } = await beginConversation(client, { agent_model: model.name });
  const { events } = await say(client, path, "Go");

  const rows = await runInDurableObject(runnerOf(client, path), (_instance, state) =>
    Number(state.storage.sql.exec("SELECT COUNT(*) AS n FROM events").one()["n"]),
  );

  const pieces = typesOf(events).filter((type) => type === "AGENT_RESPONSE_TO_USER").length;
  expect(pieces).toBeGreaterThan(12);
  expect(rows - (events.length - pieces)).toBeLessThan(pieces / 2);
});
