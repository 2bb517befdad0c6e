import { expect, it } from "vitest";
import { ada, beginConversation, signUp } from "../support/app.ts";
import { endUserOf, programOf } from "../support/callers.ts";
import { scriptModel } from "../support/control.ts";
import { messagesUsed, storedLines, storedMessages } from "../support/items.ts";
import { eventsAfter } from "../support/runs.ts";
import { say, textOf, typesOf } from "../support/sse.ts";
import { append, approve, askingAgent, decidePath, reject } from "../support/waiting.ts";

it("pauses a run at a tool that asks, and goes on in the same run when it is approved", async () => {
  const asking = await askingAgent([
    [{ text: "One moment. " }, append("c1", "Likes: tea")],
    [{ text: "Noted." }],
  ]);
  const { client, agentId, conversationId, path, model } = asking;

  const paused = await say(client, path, "I like tea");

  const runId = paused.last?.run_id ?? "";
  expect(typesOf(paused.events).slice(-3)).toEqual(["TOOL_CALL_START", "APPROVAL_REQUESTED", "RUN_WAITING"]);
  expect(paused.events.at(-2)).toMatchObject({
    tool_name: "core_memory_append",
    tool_args: { block: "human", content: "Likes: tea" },
    tool_call_id: "c1",
  });
  expect(await storedLines(agentId, client.email, "human")).toBeUndefined();
  const waiting = await client("GET", `/conversations/${conversationId}/runs/${runId}`);
  expect(waiting.body).toMatchObject({
    state: "waiting",
    pending_calls: [
      { tool_call_id: "c1", tool_name: "core_memory_append", waits_for: "approval", decision: null },
    ],
  });
  expect((await client("GET", `/conversations/${conversationId}/runs`)).body.items[0].state).toBe("waiting");

  const decided = await approve(client, conversationId, runId, "c1");
  expect([decided.status, decided.body.state]).toEqual([200, "running"]);
  const { events } = await eventsAfter(client, conversationId, runId, paused.last?.seq ?? 0);

  expect(typesOf(events)).toEqual([
    "APPROVAL_DECIDED",
    "TOOL_CALL_RESULT",
    "MEMORY_UPDATED",
    "AGENT_RESPONSE_TO_USER",
    "USAGE",
    "STREAM_COMPLETE",
  ]);
  expect(events[0]?.seq).toBe((paused.last?.seq ?? 0) + 1);
  expect(await storedLines(agentId, client.email, "human")).toEqual(["Likes: tea"]);
  const [, answer] = await storedMessages(conversationId);
  expect(answer).toMatchObject({
    content: "One moment. Noted.",
    status: "complete",
    run_id: runId,
    tool_calls: [{ id: client.idOf("c1"), success: true }],
  });
  expect(await messagesUsed(client.email)).toBe(1);
  expect((await client("GET", `/conversations/${conversationId}/runs/${runId}`)).body).toMatchObject({
    state: "completed",
    pending_calls: [],
  });
  const [first, second] = (await model.log()).requests.map(({ body }) => body);
  expect(JSON.stringify(second)).toContain("One moment.");
  expect(JSON.stringify(first)).not.toContain("Appended to");
  expect(JSON.stringify(second)).toContain("Appended to");
  // A replay of the whole run has one terminal event, and does not say that it waits.
  const whole = await eventsAfter(client, conversationId, runId, 0);
  expect(textOf(whole.events)).toBe("One moment. Noted.");
  expect(typesOf(whole.events)).not.toContain("RUN_WAITING");
});

it("tells the model that a call was rejected, and why", async () => {
  const asking = await askingAgent([[append("c1", "Likes: tea")], [{ text: "As you wish." }]]);
  const { client, agentId, conversationId, path, model } = asking;
  const { last } = await say(client, path, "I like tea");
  const runId = last?.run_id ?? "";

  await reject(client, conversationId, runId, "c1", "I prefer coffee");
  const { events } = await eventsAfter(client, conversationId, runId, last?.seq ?? 0);

  expect(events.at(-1)?.event_type).toBe("STREAM_COMPLETE");
  expect(events[1]).toMatchObject({ event_type: "TOOL_CALL_RESULT", success: false });
  expect(JSON.stringify((await model.log()).requests[1])).toContain("I prefer coffee");
  expect(await storedLines(agentId, client.email, "human")).toBeUndefined();
});

it("decides each call once: a repeat changes nothing, another decision is refused", async () => {
  const asking = await askingAgent([
    [append("c1", "Likes: tea"), append("c2", "Name: Alice")],
    [{ text: "Done." }],
  ]);
  const { client, agentId, conversationId, path, model } = asking;
  const { last } = await say(client, path, "Hello");
  const runId = last?.run_id ?? "";

  const first = await Promise.all([
    approve(client, conversationId, runId, "c1"),
    approve(client, conversationId, runId, "c1"),
  ]);
  const other = await reject(client, conversationId, runId, "c1");
  const open = await client("GET", `/conversations/${conversationId}/runs/${runId}`);
  await approve(client, conversationId, runId, "c2");
  const { events } = await eventsAfter(client, conversationId, runId, last?.seq ?? 0);
  const late = [
    await approve(client, conversationId, runId, "c1"),
    await reject(client, conversationId, runId, "c2"),
    await approve(client, conversationId, runId, "c3"),
  ];

  expect([...first, other].map(({ status }) => status)).toEqual([200, 200, 409]);
  expect(open.body).toMatchObject({
    state: "waiting",
    pending_calls: [
      { tool_call_id: "c1", decision: "approve" },
      { tool_call_id: "c2", decision: null },
    ],
  });
  expect(late.map(({ status }) => status)).toEqual([200, 409, 404]);
  expect(events.at(-1)?.event_type).toBe("STREAM_COMPLETE");
  expect(await storedLines(agentId, client.email, "human")).toEqual(["Likes: tea", "Name: Alice"]);
  expect((await model.log()).requests).toHaveLength(2);
});

it("answers 404 for decisions of strangers and about runs that do not exist", async () => {
  const { client, conversationId, path } = await askingAgent([[append("c1", "x")], [{ text: "Done." }]]);
  const { client: stranger } = await askingAgent([]);
  const { last } = await say(client, path, "Hello");
  const runId = last?.run_id ?? "";

  expect((await approve(stranger, conversationId, runId, client.idOf("c1"))).status).toBe(404);
  expect((await approve(client, conversationId, crypto.randomUUID(), "c1")).status).toBe(404);
  const malformed = await client("POST", decidePath(conversationId, runId, "c1"), { decision: "perhaps" });
  expect(malformed.status).toBe(422);
  expect((await approve(client, conversationId, runId, "c1")).status).toBe(200);
});

it("lets an end user decide in their own conversation, and nobody else's", async () => {
  const owner = await signUp();
  const model = await scriptModel([append("c1", "Likes: tea")], [{ text: "Noted." }]);
  const { body: agent } = await owner("POST", "/agents", {
    ...ada,
    agent_model: model.name,
    tool_approvals: { "*": "always" },
  });
  const visitor = await endUserOf(owner, agent.agent_id, "visitor-1");
  const { body: conversation } = await visitor("POST", "/conversations", {
    title: "Talk",
    agent_id: agent.agent_id,
  });
  const conversationId = conversation.conversation_id as string;
  const { events: asked, last } = await say(
    visitor,
    `/agents/${agent.agent_id}/${conversationId}/send-message`,
    "I like tea",
  );
  const runId = last?.run_id ?? "";

  const callId = String(asked.at(-2)?.["tool_call_id"]);
  const stranger = await endUserOf(owner, agent.agent_id, "visitor-2");
  expect((await approve(stranger, conversationId, runId, callId)).status).toBe(404);
  expect((await approve(owner, conversationId, runId, callId)).status).toBe(404);
  expect((await approve(visitor, conversationId, runId, callId)).status).toBe(200);
  const { events } = await eventsAfter(visitor, conversationId, runId, last?.seq ?? 0);
  expect(events.at(-1)?.event_type).toBe("STREAM_COMPLETE");
});

it("refuses calls that ask where nobody can be asked", async () => {
  const client = await signUp();
  const model = await scriptModel([append("c1", "Likes: tea")], [{ text: "I may not." }]);
  const { agentId } = await beginConversation(client, {
    agent_model: model.name,
    tool_approvals: { "*": "always" },
  });

  const { body } = await client("POST", "/v1/chat/completions", {
    model: agentId,
    messages: [{ role: "user", content: "I like tea" }],
  });

  expect(body.choices[0]).toMatchObject({ finish_reason: "stop", message: { content: "I may not." } });
  expect(JSON.stringify((await model.log()).requests[1])).toContain("nobody can be asked");
  expect(await storedLines(agentId, client.email, "human")).toBeUndefined();
});

it("lets one of two win who decide differently at the same time", async () => {
  const asking = await askingAgent([[append("c1", "Likes: tea")], [{ text: "Done." }]]);
  const { client, agentId, conversationId, path, model } = asking;
  const { last } = await say(client, path, "Hello");
  const runId = last?.run_id ?? "";

  const [yes, no] = await Promise.all([
    approve(client, conversationId, runId, "c1"),
    reject(client, conversationId, runId, "c1"),
  ]);
  const { events } = await eventsAfter(client, conversationId, runId, last?.seq ?? 0);

  expect([yes.status, no.status].toSorted((a, b) => a - b)).toEqual([200, 409]);
  expect(events.at(-1)?.event_type).toBe("STREAM_COMPLETE");
  expect(events[0]?.success).toBe(yes.status === 200);
  const lines = await storedLines(agentId, client.email, "human");
  expect(lines).toEqual(yes.status === 200 ? ["Likes: tea"] : undefined);
  expect((await model.log()).requests).toHaveLength(2);
});

it("shows a program that may only write that the call is decided, and nothing of it", async () => {
  const asking = await askingAgent([[append("c1", "Likes: tea")], [{ text: "Done." }]]);
  const { client, conversationId, path } = asking;
  const { last } = await say(client, path, "Hello");
  const program = await programOf(client, ["conversations:write"]);

  const { status, body } = await approve(program, conversationId, last?.run_id ?? "", client.idOf("c1"));

  expect([status, body.state]).toEqual([200, "running"]);
  expect(JSON.stringify(body)).not.toContain("tea");
});
