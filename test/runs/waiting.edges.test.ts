import { abortAllDurableObjects, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { expect, it } from "vitest";
import { openAiOf } from "../openai-api/openai-client.ts";
import { ada } from "../support/app.ts";
import { endFaults, injectFault, untilMet } from "../support/control.ts";
import { storedLines } from "../support/items.ts";
import { eventsAfter, open, runnerOf } from "../support/runs.ts";
import { say, type WireEvent } from "../support/sse.ts";
import { append, approve, askingAgent, decidePath, pendingCalls } from "../support/waiting.ts";
import { chat } from "../support/wires.ts";

const down = { kind: "answer", status: 500, body: "" } as const;

it("takes a decision as soon as a call asks, before the run has begun to wait", async () => {
  const asking = await askingAgent([[append("c1", "Likes: tea")], [{ text: "Noted." }]]);
  const { client, agentId, conversationId, path } = asking;
  await injectFault({
    operation: "TransactWriteItems",
    match: [conversationId],
    after: 1,
    fault: { kind: "hold" },
  });
  const turn = await open(client, path, "I like tea");
  const { runId } = turn;
  let event: WireEvent | undefined;
  while (event?.event_type !== "APPROVAL_REQUESTED") event = (await turn.next()).at(-1);
  await untilMet();

  const deciding = approve(client, conversationId, runId, "c1");
  await endFaults();

  expect((await deciding).status).toBe(200);
  const { events } = await eventsAfter(client, conversationId, runId, event.seq);
  expect(events.at(-1)?.event_type).toBe("STREAM_COMPLETE");
  expect(await storedLines(agentId, client.email, "human")).toEqual(["Likes: tea"]);
});

it("does not end a run that another agent's message is sent to, and lets a conversation go on that was given to another agent", async () => {
  const asking = await askingAgent([[append("c1", "Likes: tea")], [{ text: "Hello." }]]);
  const { client, conversationId, path, model } = asking;
  const { last } = await say(client, path, "I like tea");
  const { body: other } = await client("POST", "/agents", {
    ...ada,
    agent_name: "Other",
    agent_model: model.name,
  });
  const otherPath = `/agents/${other.agent_id}/${conversationId}/send-message`;
  const state = async () =>
    (await client("GET", `/conversations/${conversationId}/runs/${last?.run_id}`)).body.state;

  expect((await client("POST", otherPath, { content: "Hello" })).status).toBe(404);
  expect(await state()).toBe("waiting");
  const moved = await client("PATCH", `/conversations/${conversationId}`, { agent_id: other.agent_id });
  expect(moved.status).toBe(200);
  const next = await say(client, otherPath, "Hello");

  expect(next.text).toBe("Hello.");
  expect(await state()).toBe("cancelled");
});

it("records nothing of decisions that contradict each other, and counts one that is repeated once", async () => {
  const asking = await askingAgent([
    [append("c1", "Likes: tea"), append("c2", "Name: Alice")],
    [{ text: "Done." }],
  ]);
  const { client, agentId, conversationId, path } = asking;
  const { last } = await say(client, path, "Hello");
  const part = (toolCallId: string, approved: boolean) => ({
    type: "dynamic-tool",
    toolCallId,
    state: "approval-responded",
    approval: { id: toolCallId, approved },
  });
  const decide = (...parts: readonly object[]) =>
    chat(
      client,
      agentId,
      {
        id: conversationId,
        trigger: "submit-message",
        messages: [{ id: "a", role: "assistant", parts }],
      },
      "?ai_sdk=6",
    );
  const pending = async () => {
    const { body } = await client("GET", `/conversations/${conversationId}/runs/${last?.run_id}`);
    return [body.state, ...body.pending_calls.map(({ decision }: { decision: string | null }) => decision)];
  };

  expect((await decide(part("c1", true), part("c1", false))).status).toBe(409);
  expect(await pending()).toEqual(["waiting", null, null]);
  expect((await decide(part("c1", true), part("c1", true))).status).toBe(200);
  expect(await pending()).toEqual(["waiting", "approve", null]);
});

it("says that a decided run can't go on yet, instead of that it waits or that nothing follows", async () => {
  const asking = await askingAgent([[append("c1", "Likes: tea")], [{ text: "Noted." }]]);
  const { client, conversationId, path } = asking;
  const { last } = await say(client, path, "I like tea");
  const runId = last?.run_id ?? "";
  await injectFault({ operation: "BatchGetItem", match: [conversationId], times: 10_000, fault: down });

  expect((await approve(client, conversationId, runId, "c1")).body.state).toBe("running");
  const rest = await client(
    "GET",
    `/conversations/${conversationId}/runs/${runId}/events?after=${last?.seq}`,
  );
  await endFaults();

  expect([rest.status, rest.body.code]).toEqual([503, "unavailable"]);
  const { events } = await eventsAfter(client, conversationId, runId, last?.seq ?? 0);
  expect(events.at(-1)?.event_type).toBe("STREAM_COMPLETE");
});

it("rings again after a while, and not at once, if a run that nobody has decided can't be ended", async () => {
  const asking = await askingAgent([[append("c1", "Likes: tea")]]);
  const { client, path } = asking;
  await say(client, path, "I like tea");
  await runInDurableObject(
    runnerOf(client, path),
    (_runner, { storage }) => void storage.sql.exec("UPDATE runs SET expires_at = 1 WHERE state = 'waiting'"),
  );
  await abortAllDurableObjects();
  await injectFault({ match: [client.email], times: 10_000, fault: down });

  await runDurableObjectAlarm(runnerOf(client, path));

  const alarm = await runInDurableObject(runnerOf(client, path), (_runner, { storage }) =>
    storage.getAlarm(),
  );
  expect(alarm).toBeGreaterThan(Date.now());
});

it("answers 404 for an id of a call that is not one, however it is written", async () => {
  const asking = await askingAgent([[append("c1", "Likes: tea")]]);
  const { client, conversationId, path } = asking;
  const { last } = await say(client, path, "I like tea");
  const runId = last?.run_id ?? "";

  for (const id of ["C1", "c1 ", "__proto__", "toString", "c1/../c1", "%", "é"]) {
    const { status } = await client("POST", decidePath(conversationId, runId, id), { decision: "approve" });
    expect([id, status]).toEqual([id, 404]);
  }
});

it("does not take a decision that is repeated late for one about a later call, to which the model gave the same id", async () => {
  const asking = await askingAgent([
    [append("c1", "Likes: tea")],
    [append("c1", "Likes: coffee")],
    [{ text: "Noted." }],
  ]);
  const { client, agentId, conversationId, path } = asking;
  const { last } = await say(client, path, "Hello");
  const runId = last?.run_id ?? "";

  await approve(client, conversationId, runId, "c1");
  const { events } = await eventsAfter(client, conversationId, runId, last?.seq ?? 0);
  const late = await approve(client, conversationId, runId, "c1");

  expect(events.at(-1)?.event_type).toBe("RUN_WAITING");
  expect([late.status, late.body.state]).toEqual([200, "waiting"]);
  expect(await storedLines(agentId, client.email, "human")).toEqual(["Likes: tea"]);
  const [{ tool_call_id: second }] = late.body.pending_calls;
  await approve(client, conversationId, runId, second);
  await eventsAfter(client, conversationId, runId, events.at(-1)?.seq ?? 0);
  expect(await storedLines(agentId, client.email, "human")).toEqual(["Likes: tea", "Likes: coffee"]);
});

it("keeps what the application has said once, however many of the run's calls are decided one by one", async () => {
  const { client, agentId, model } = await askingAgent([
    [append("c1", "Likes: tea"), append("c2", "Name: Alice"), append("c3", "Age: 7")],
    [{ text: "Noted." }],
  ]);
  const { data: response, response: answer } = await openAiOf(client)
    .responses.create({ model: agentId, input: "Hello", instructions: "Be brief." })
    .withResponse();
  const [conversationId = "", runId = ""] = ["x-conversation-id", "x-run-id"].map(
    (name) => answer.headers.get(name) ?? "",
  );

  const [c1 = "", c2 = "", c3 = ""] = await pendingCalls(client, conversationId, runId);
  await approve(client, conversationId, runId, c1);
  await approve(client, conversationId, runId, c2);
  const log = await runInDurableObject(
    runnerOf(client, `/agents/-/${conversationId}`),
    (_runner, { storage }) => JSON.stringify(storage.sql.exec("SELECT events FROM events").toArray()),
  );
  await approve(client, conversationId, runId, c3);

  expect(log.split("Be brief.")).toHaveLength(2);
  await expect
    .poll(async () => (await openAiOf(client).responses.retrieve(response.id)).output_text)
    .toBe("Noted.");
  expect(JSON.stringify((await model.log()).requests[1])).toContain("Be brief.");
});

it("goes on although a memory block was added meanwhile whose name every object has", async () => {
  const asking = await askingAgent([[append("c1", "Likes: tea")], [{ text: "Noted." }]]);
  const { client, agentId, conversationId, path } = asking;
  const { last } = await say(client, path, "Hello");
  const block = { name: "constructor", description: "How things are built" };
  expect((await client("POST", `/agents/${agentId}/memory-blocks`, block)).status).toBe(201);

  await approve(client, conversationId, last?.run_id ?? "", "c1");
  const { events } = await eventsAfter(client, conversationId, last?.run_id ?? "", last?.seq ?? 0);

  expect(events.at(-1)?.event_type).toBe("STREAM_COMPLETE");
  expect(await storedLines(agentId, client.email, "human")).toEqual(["Likes: tea"]);
});
