import {
  abortAllDurableObjects,
  evictDurableObject,
  runDurableObjectAlarm,
  runInDurableObject,
} from "cloudflare:test";
import { expect, it } from "vitest";
import { type Client, signUpFree, subscribe, table } from "../support/app.ts";
import { namingCalls, signUpNaming } from "../support/call-names.ts";
import { endFaults, injectFault, untilMet } from "../support/control.ts";
import { messagesUsed, storedLines, storedMessages } from "../support/items.ts";
import { eventsAfter, runnerOf } from "../support/runs.ts";
import { setLimits } from "../support/limits.ts";
import { say, typesOf } from "../support/sse.ts";
import { append, approve, askingAgent } from "../support/waiting.ts";

const script = [
  [{ text: "May I? " }, append("c1", "Likes: tea")],
  [{ text: "Noted." }],
  [{ text: "Next." }],
] as const;

/** A run that waits. */
async function waiting(approvals?: Readonly<Record<string, string>>) {
  const asking = await askingAgent(script, approvals);
  const { last } = await say(asking.client, asking.path, "I like tea");
  expect(last?.event_type).toBe("RUN_WAITING");
  const runId = last?.run_id ?? "";
  const runPath = `/conversations/${asking.conversationId}/runs/${runId}`;
  return { ...asking, runId, runPath, pausedAt: last?.seq ?? 0 };
}

/** The transactions of a turn behind the one that begins it. */
const pauses = (conversationId: string) =>
  ({ operation: "TransactWriteItems", match: [conversationId], after: 1 }) as const;

const ends = (events: Parameters<typeof typesOf>[0]) =>
  typesOf(events).filter((type) => type === "ERROR" || type === "STREAM_COMPLETE");

it("waits through a restart of the runner, and goes on after it", async () => {
  const { client, agentId, conversationId, path, runId, pausedAt } = await waiting();

  await evictDurableObject(runnerOf(client, path));
  await approve(client, conversationId, runId, "c1");
  await abortAllDurableObjects();
  const { events } = await eventsAfter(client, conversationId, runId, pausedAt);

  // It has gone on before the second restart, or after it, or was interrupted by it: it has ended once, and the tool ran at most once.
  expect(ends(events)).toHaveLength(1);
  expect([undefined, ["Likes: tea"]]).toContainEqual(await storedLines(agentId, client.email, "human"));
  expect((await say(client, path, "And now?")).last?.event_type).toBe("STREAM_COMPLETE");
});

it("goes on at the alarm if the database was gone when its last call was decided, and its runner has died since", async () => {
  const { client, agentId, conversationId, path, runId, runPath, pausedAt } = await waiting();
  const down = { kind: "answer", status: 500, body: "" } as const;
  await injectFault({ operation: "BatchGetItem", match: [conversationId], times: 10_000, fault: down });
  const runner = runnerOf(client, path);

  const decided = await approve(client, conversationId, runId, "c1");
  const state = () =>
    runInDurableObject(
      runner,
      (_runner, { storage }) => storage.sql.exec("SELECT state FROM runs").one()["state"],
    );
  expect([decided.status, decided.body.state]).toEqual([200, "running"]);
  await untilMet();
  expect(await state()).toBe("decided");
  await endFaults();
  await abortAllDurableObjects();
  // The stub of an object that died repeats its error.
  await runDurableObjectAlarm(runnerOf(client, path));

  await expect.poll(async () => (await client("GET", runPath)).body.state).toBe("completed");
  expect(ends((await eventsAfter(client, conversationId, runId, pausedAt)).events)).toEqual([
    "STREAM_COMPLETE",
  ]);
  expect(await storedLines(agentId, client.email, "human")).toEqual(["Likes: tea"]);
});

it("runs an approved tool once, even if its runner dies while the model answers", async () => {
  const asking = await askingAgent([[append("c1", "Likes: tea")], [{ hold: true }], [{ text: "Next." }]]);
  const { client, agentId, conversationId, path, model } = asking;
  const { last } = await say(client, path, "I like tea");
  const runId = last?.run_id ?? "";

  await approve(client, conversationId, runId, "c1");
  await model.asked(2);
  await abortAllDurableObjects();

  const { events } = await eventsAfter(client, conversationId, runId, 0);
  expect(ends(events)).toEqual(["ERROR"]);
  expect(await storedLines(agentId, client.email, "human")).toEqual(["Likes: tea"]);
  const [, answer] = await storedMessages(conversationId);
  expect(answer).toMatchObject({
    status: "interrupted",
    tool_calls: [{ id: client.idOf("c1"), success: true }],
  });
  expect((await approve(client, conversationId, runId, "c1")).status).toBe(200);
  expect((await model.log()).requests).toHaveLength(2);
});

/** A run of an account with limits that the table has let go on, and that does not know it: the answers are lost. */
async function goingOnUnknowingly() {
  const asking = await askingAgent(script, undefined, namingCalls(await signUpFree()));
  const { client, conversationId, path } = asking;
  const { last } = await say(client, path, "I like tea");
  const runId = last?.run_id ?? "";
  const runPath = `/conversations/${conversationId}/runs/${runId}`;
  const lost = { kind: "lose-answer" } as const;
  await injectFault({ operation: "TransactWriteItems", match: [runId], times: 10_000, fault: lost });
  await approve(client, conversationId, runId, "c1");
  const { status } = await client("GET", `${runPath}/events?after=${last?.seq}`);
  expect([status, await slotsOf(client)]).toEqual([503, new Set([runId])]);
  return { ...asking, runPath };
}

const slotsOf = async ({ email }: Client) =>
  (await table.get({ pk: `User#${email}`, sk: "TurnSlots" }))?.["run_ids"];

it("returns the slot of a run that is cancelled before it knows that it goes on", async () => {
  const { client, conversationId, path, runPath } = await goingOnUnknowingly();
  const down = { kind: "answer", status: 500, body: "" } as const;
  await injectFault({ operation: "BatchGetItem", match: [conversationId], times: 10_000, fault: down });

  await client("POST", `${runPath}/cancel`);

  expect(await slotsOf(client)).toBeUndefined();
  await untilMet();
  await endFaults();
  await runDurableObjectAlarm(runnerOf(client, path));
  expect((await client("GET", runPath)).body.state).toBe("cancelled");
});

it("returns the slot of a run that fails before it knows that it goes on", async () => {
  const { client, agentId, runPath } = await goingOnUnknowingly();
  const agent = { pk: `User#${client.email}`, sk: `Agent#${agentId}` };
  await table.update(agent, { set: { agent_provider: "OpenAI", agent_model: "gpt-5" } });

  await expect.poll(async () => (await client("GET", runPath)).body.state).toBe("failed");

  expect(await slotsOf(client)).toBeUndefined();
});

it("takes a slot when it goes on if the plan has gained a limit meanwhile, and returns it although its runner dies", async () => {
  const client = await signUpNaming();
  const asking = await askingAgent([[append("c1", "Likes: tea")], [{ hold: true }]], undefined, client);
  const { conversationId, path, model } = asking;
  const { last } = await say(client, path, "I like tea");
  const runId = last?.run_id ?? "";
  await subscribe(client, { plan: "enterprise", status: "canceled" });

  await approve(client, conversationId, runId, "c1");
  await model.asked(2);
  const taken = await slotsOf(client);
  await abortAllDurableObjects();
  const { events } = await eventsAfter(client, conversationId, runId, 0);

  expect(taken).toEqual(new Set([runId]));
  expect(ends(events)).toEqual(["ERROR"]);
  expect(await slotsOf(client)).toBeUndefined();
});

it("takes no slot when it goes on if the plan has lost its limit meanwhile", async () => {
  const client = namingCalls(await signUpFree());
  const asking = await askingAgent(
    [[append("c1", "Likes: tea")], [{ hold: true }, { text: "Noted." }]],
    undefined,
    client,
  );
  const { conversationId, path, model } = asking;
  const { last } = await say(client, path, "I like tea");
  const runId = last?.run_id ?? "";
  await subscribe(client, { plan: "enterprise" });

  await approve(client, conversationId, runId, "c1");
  await model.asked(2);
  const taken = await slotsOf(client);
  await model.release();
  const { events } = await eventsAfter(client, conversationId, runId, last?.seq ?? 0);

  expect(ends(events)).toEqual(["STREAM_COMPLETE"]);
  expect([taken, await slotsOf(client)]).toEqual([undefined, undefined]);
});

it("fails, and waits for nothing, if the pause could not be stored", async () => {
  const asking = await askingAgent([[append("c1", "Likes: tea")], [{ text: "Next." }]]);
  const { client, conversationId, path } = asking;
  const down = { kind: "answer", status: 500, body: "" } as const;
  await injectFault({ ...pauses(conversationId), times: 10_000, fault: down });

  const { events, last } = await say(client, path, "I like tea");
  await endFaults();

  expect(ends(events)).toEqual(["ERROR"]);
  const { body } = await client("GET", `/conversations/${conversationId}/runs/${last?.run_id}`);
  expect(body).toMatchObject({ state: "failed", pending_calls: [] });
});

it("pauses although the database's answer to it is lost", async () => {
  const asking = await askingAgent([[append("c1", "Likes: tea")], [{ text: "Noted." }]]);
  const { client, conversationId, path } = asking;
  await injectFault({ ...pauses(conversationId), times: 1, fault: { kind: "lose-answer" } });

  const { last } = await say(client, path, "I like tea");
  await approve(client, conversationId, last?.run_id ?? "", "c1");

  expect(last?.event_type).toBe("RUN_WAITING");
  const { events } = await eventsAfter(client, conversationId, last?.run_id ?? "", last?.seq ?? 0);
  expect(ends(events)).toEqual(["STREAM_COMPLETE"]);
});

it("ends when another message is sent, which the agent answers knowing that the call was not run", async () => {
  const { client, agentId, conversationId, path, model, runId, runPath, pausedAt } = await waiting();

  const next = await say(client, path, "Never mind");

  expect(next.text).toBe("Noted.");
  expect((await client("GET", runPath)).body).toMatchObject({ state: "cancelled", pending_calls: [] });
  const { events } = await eventsAfter(client, conversationId, runId, pausedAt);
  expect(typesOf(events)).toEqual(["TOOL_CALL_RESULT", "STREAM_COMPLETE"]);
  expect((await approve(client, conversationId, runId, "c1")).status).toBe(409);
  const [, old] = await storedMessages(conversationId);
  expect(old).toMatchObject({ content: "May I? ", status: "interrupted", tool_calls: [{ success: false }] });
  expect(JSON.stringify((await model.log()).requests[1])).toContain("sent another message");
  expect(await storedLines(agentId, client.email, "human")).toBeUndefined();
  expect(await messagesUsed(client.email)).toBe(2);
});

it("ends when it is cancelled, once", async () => {
  const { client, conversationId, runId, runPath } = await waiting();

  const answers = await Promise.all([
    client("POST", `${runPath}/cancel`),
    client("POST", `${runPath}/cancel`),
    approve(client, conversationId, runId, "c1"),
  ]);

  await expect.poll(async () => (await client("GET", runPath)).body.state).toMatch(/cancelled|completed/u);
  expect(answers.slice(0, 2).map(({ status }) => status)).toEqual([200, 200]);
  expect([200, 409]).toContain(answers[2]?.status);
  expect(ends((await eventsAfter(client, conversationId, runId, 0)).events)).toHaveLength(1);
});

it("ends at the alarm when nobody has decided for a day", async () => {
  const { client, conversationId, path, runId, runPath, pausedAt } = await waiting();
  const runner = runnerOf(client, path);
  const alarm = await runInDurableObject(runner, (_runner, { storage }) => storage.getAlarm());

  await runInDurableObject(
    runner,
    (_runner, { storage }) => void storage.sql.exec("UPDATE runs SET expires_at = 0 WHERE state = 'waiting'"),
  );
  await runDurableObjectAlarm(runner);

  expect((alarm ?? 0) - Date.now()).toBeGreaterThan(23 * 60 * 60 * 1000);
  expect((await client("GET", runPath)).body.state).toBe("cancelled");
  expect(ends((await eventsAfter(client, conversationId, runId, pausedAt)).events)).toEqual([
    "STREAM_COMPLETE",
  ]);
  expect((await approve(client, conversationId, runId, "c1")).status).toBe(409);
});

it("ends with its conversation, and leaves nothing behind", async () => {
  const { client, conversationId, path, runPath } = await waiting();

  expect((await client("DELETE", `/conversations/${conversationId}`)).status).toBe(204);

  expect((await client("GET", runPath)).status).toBe(404);
  expect(await storedMessages(conversationId)).toEqual([]);
  const rows = await runInDurableObject(runnerOf(client, path), async (_runner, { storage }) =>
    storage.getAlarm(),
  );
  expect(rows).toBeNull();
});

it("keeps its idempotency key across the pause", async () => {
  const asking = await askingAgent([[append("c1", "Likes: tea")], [{ text: "Noted." }]]);
  const { client, conversationId, path, model } = asking;
  const send = () =>
    client(
      "POST",
      path,
      { content: "I like tea" },
      { accept: "application/json", "idempotency-key": "once" },
    );

  const [first, second] = [await send(), await send()];
  await approve(client, conversationId, first.body.run_id, "c1");
  const third = await send();

  expect(first.body).toMatchObject({ stop_reason: "waiting", pending_calls: [{ tool_call_id: "c1" }] });
  expect(second.body).toEqual(first.body);
  expect(third.body).toMatchObject({
    run_id: first.body.run_id,
    stop_reason: null,
    message: { content: "Noted." },
  });
  expect((await model.log()).requests).toHaveLength(2);
});

it("pauses twice in one run, and asks again for a tool that asks always", async () => {
  const asking = await askingAgent([
    [append("c1", "Likes: tea")],
    [append("c2", "Name: Alice")],
    [{ text: "Done." }],
  ]);
  const { client, agentId, conversationId, path } = asking;
  const { last } = await say(client, path, "Hello");
  const runId = last?.run_id ?? "";

  await approve(client, conversationId, runId, "c1");
  const second = await eventsAfter(client, conversationId, runId, last?.seq ?? 0);
  await approve(client, conversationId, runId, "c2");
  const third = await eventsAfter(client, conversationId, runId, second.events.at(-1)?.seq ?? 0);

  expect(second.events.at(-1)?.event_type).toBe("RUN_WAITING");
  expect(ends(third.events)).toEqual(["STREAM_COMPLETE"]);
  expect(await storedLines(agentId, client.email, "human")).toEqual(["Likes: tea", "Name: Alice"]);
  expect(await messagesUsed(client.email)).toBe(1);
});

it("asks once per conversation for a tool that asks at first", async () => {
  const asking = await askingAgent(
    [
      [append("c1", "Likes: tea")],
      [append("c2", "Name: Alice")],
      [{ text: "Done." }],
      [append("c3", "Age: 7")],
      [{ text: "Too." }],
    ],
    { "*": "first", core_memory_read: "never" },
  );
  const { client, agentId, conversationId, path } = asking;
  const { last } = await say(client, path, "Hello");

  await approve(client, conversationId, last?.run_id ?? "", "c1");
  const { events } = await eventsAfter(client, conversationId, last?.run_id ?? "", last?.seq ?? 0);
  const next = await say(client, path, "I am seven");

  expect(ends(events)).toEqual(["STREAM_COMPLETE"]);
  expect(next.text).toBe("Too.");
  expect(await storedLines(agentId, client.email, "human")).toEqual(["Likes: tea", "Name: Alice", "Age: 7"]);
});

it("edits the line that the model meant, although the block has changed since", async () => {
  const remove = {
    call: { id: "c1", name: "core_memory_delete", arguments: '{"block":"human","line_number":2}' },
  };
  const asking = await askingAgent([[remove], [{ text: "Gone." }]], { core_memory_delete: "always" });
  const { client, agentId, conversationId, path } = asking;
  const content = `/agents/${agentId}/memory-blocks/human/content`;
  await client("GET", `/agents/${agentId}/memory-blocks`);
  await client("PUT", content, { lines: ["One", "Two", "Three"] });
  const { last } = await say(client, path, "Forget the second");

  await client("PUT", content, { lines: ["Zero", "One", "Two", "Three"] });
  await approve(client, conversationId, last?.run_id ?? "", "c1");
  await eventsAfter(client, conversationId, last?.run_id ?? "", last?.seq ?? 0);

  expect(await storedLines(agentId, client.email, "human")).toEqual(["Zero", "One", "Three"]);
});

it("takes none of the concurrent runs while it waits, and one again when it goes on", async () => {
  const client = namingCalls(await signUpFree());
  setLimits("free", { concurrent_runs: 1 });
  const asking = await askingAgent(
    [[append("c1", "Likes: tea")], [{ text: "Other." }], [{ hold: true }, { text: "Noted." }]],
    undefined,
    client,
  );
  const { agentId, conversationId, path, model } = asking;
  const { last } = await say(client, path, "I like tea");
  const runId = last?.run_id ?? "";
  const { body } = await client("POST", "/conversations", { title: "Other", agent_id: agentId });
  const other = `/agents/${agentId}/${body.conversation_id}/send-message`;

  const meanwhile = await say(client, other, "Hello");
  await approve(client, conversationId, runId, "c1");
  await model.asked(3);
  const refused = await say(client, other, "Hello again");
  await model.release();
  await expect
    .poll(async () => (await client("GET", `/conversations/${conversationId}/runs/${runId}`)).body.state)
    .toBe("completed");

  expect(meanwhile.text).toBe("Other.");
  expect(refused.status).toBe(429);
});
