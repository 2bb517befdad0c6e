import { expect, it } from "vitest";
import { beginConversation, signUp, table } from "../support/app.ts";
import { scriptModel } from "../support/control.ts";
import { messagesUsed, storedMessages } from "../support/items.ts";
import { open } from "../support/runs.ts";
import { say, textOf, typesOf } from "../support/sse.ts";

const STAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00$/u;

it("streams a turn with a tool call in the order that clients know", async () => {
  const client = await signUp();
  const model = await scriptModel(
    [
      { text: "One moment. " },
      {
        call: {
          id: "c1",
          name: "core_memory_append",
          arguments: '{"block":"human","content":"Name: Alice"}',
        },
      },
      { usage: { prompt_tokens: 40, completion_tokens: 5, prompt_tokens_details: { cached_tokens: 30 } } },
    ],
    [{ text: "Nice to meet you, Alice!" }, { usage: { prompt_tokens: 50, completion_tokens: 7 } }],
  );
  const { path } = await beginConversation(client, { agent_model: model.name });

  const { events } = await say(client, path, "My name is Alice");

  const none = { content: null, message_id: null, tool_name: null, tool_args: null, success: null };
  const status = (content: string) => ({ event_type: "LIFECYCLE_NOTIFICATION", ...none, content });
  const [{ run_id: runId } = { run_id: "" }] = events;
  const expected = [
    status("Loading agent information..."),
    status("Validating conversation..."),
    { event_type: "MESSAGE_SAVED", ...none, content: "User message saved", message_id: expect.any(String) },
    status("Loading provider configuration..."),
    status("Loading memory..."),
    status("Building conversation context..."),
    status("Connecting to AI model..."),
    { event_type: "AGENT_RESPONSE_TO_USER", ...none, content: "One moment. " },
    {
      event_type: "TOOL_CALL_START",
      ...none,
      content: "Calling core_memory_append...",
      tool_name: "core_memory_append",
      tool_args: { block: "human", content: "Name: Alice" },
      tool_call_id: "c1",
    },
    {
      event_type: "TOOL_CALL_RESULT",
      ...none,
      content: 'Appended to [human] at line 1: "Name: Alice" (2/5000 words)',
      tool_name: "core_memory_append",
      success: true,
      tool_call_id: "c1",
    },
    {
      event_type: "MEMORY_UPDATED",
      ...none,
      content: "Memory block [human] updated",
      block: "human",
      version: 1,
    },
    { event_type: "AGENT_RESPONSE_TO_USER", ...none, content: "Nice to meet you, Alice!" },
    { event_type: "USAGE", ...none, usage: { input_tokens: 90, output_tokens: 12, cached_tokens: 30 } },
    { event_type: "STREAM_COMPLETE", ...none, content: "Response complete", message_id: expect.any(String) },
  ];
  expect(events).toEqual(expected.map((event, index) => ({ ...event, run_id: runId, seq: index + 1 })));
});

it("begins every payload with the six members that clients read, in their order", async () => {
  const client = await signUp();
  const { path } = await beginConversation(client);

  const { events } = await say(client, path, "I live in London");

  for (const event of events) {
    expect(Object.keys(event).slice(0, 6)).toEqual([
      "event_type",
      "content",
      "message_id",
      "tool_name",
      "tool_args",
      "success",
    ]);
  }
});

it("sends headers that keep proxies from buffering, caching or changing the stream", async () => {
  const client = await signUp();
  const { path } = await beginConversation(client);

  const { headers } = await say(client, path, "Hello");

  expect(headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
  expect(headers.get("cache-control")).toBe("no-store, no-transform");
  expect(headers.get("x-accel-buffering")).toBe("no");
  expect(headers.get("connection")).toBeNull();
});

it("answers without memory and without tools with the small architecture", async () => {
  const client = await signUp();
  const model = await scriptModel([{ text: "Hi." }]);
  const { path } = await beginConversation(client, {
    agent_model: model.name,
    agent_architecture: "krishna-mini",
  });

  const { events } = await say(client, path, "Hello");

  const [request] = (await model.log()).requests;
  expect(events.map(({ content }) => content)).not.toContain("Loading memory...");
  expect(request?.body.tools).toBeUndefined();
  expect(request?.body.messages[0]?.content).not.toContain("<core_memory>");
  expect(request?.body.messages[0]?.content).toContain(
    "<persona>\nYou are Ada, curious and precise.\n</persona>",
  );
  expect(textOf(events)).toBe("Hi.");
});

it("stores both messages, touches the conversation and counts one message", async () => {
  const client = await signUp();
  const model = await scriptModel([{ text: "Hi." }, { usage: { prompt_tokens: 9, completion_tokens: 2 } }]);
  const { agentId, conversationId, path } = await beginConversation(client, { agent_model: model.name });

  const { events, last } = await say(client, path, "Hello", {
    attachments: [{ filename: "notes.md", content: "# Ünïcode", size: 1 }],
  });

  const [runId, saved] = [events[0]?.run_id, events.find(({ event_type }) => event_type === "MESSAGE_SAVED")];
  const [user, assistant, ...more] = await storedMessages(conversationId);
  const common = {
    pk: `CONVERSATION#${conversationId}`,
    entity_type: "Message",
    conversation_id: conversationId,
    created_by: client.email,
    created_at: expect.stringMatching(STAMP),
    status: "complete",
    run_id: runId,
  };
  expect(more).toEqual([]);
  expect(user).toEqual({
    ...common,
    sk: `MESSAGE#${String(user?.["created_at"])}#${saved?.message_id}`,
    message_id: saved?.message_id,
    role: "user",
    content: "Hello",
    attachments: [{ filename: "notes.md", content: "# Ünïcode", size: 11 }],
  });
  expect(assistant).toEqual({
    ...common,
    sk: `MESSAGE#${String(assistant?.["created_at"])}#${last?.message_id}`,
    message_id: last?.message_id,
    role: "assistant",
    content: "Hi.",
    usage: { input_tokens: 9, output_tokens: 2, cached_tokens: 0 },
  });

  const month = new Date().toISOString().slice(0, 7);
  expect(await table.get({ pk: `User#${client.email}`, sk: `Usage#${month}` })).toEqual({
    pk: `User#${client.email}`,
    sk: `Usage#${month}`,
    entity_type: "Usage",
    user_email: client.email,
    period_key: month,
    messages_used: 1,
    kb_pages_used: 0,
    agents_active: 0,
    created_at: expect.stringMatching(STAMP),
    updated_at: expect.stringMatching(STAMP),
  });
  expect(await table.get({ pk: `User#${client.email}`, sk: `UsageEvent#${runId}` })).toEqual({
    pk: `User#${client.email}`,
    sk: `UsageEvent#${runId}`,
    entity_type: "UsageEvent",
    event_type: "Message",
    state: "reserved",
    created_at: expect.stringMatching(STAMP),
    ttl: expect.any(Number),
  });
  const conversation = await client("GET", `/conversations/${conversationId}`);
  expect(conversation.body.updated_at).toMatch(STAMP);
  expect(conversation.body.agent_id).toBe(agentId);
});

it("shows the whole turn in the conversation's messages", async () => {
  const client = await signUp();
  const { conversationId, path } = await beginConversation(client);
  await say(client, path, "I like tea");

  const { body } = await client("GET", `/conversations/${conversationId}/messages`);

  const [answer, question] = body.items;
  expect(question).toMatchObject({ role: "user", content: "I like tea", tool_calls: [], status: "complete" });
  expect(answer).toMatchObject({
    role: "assistant",
    status: "complete",
    run_id: question.run_id,
    tool_calls: [
      {
        name: "core_memory_append",
        output: 'Appended to [human] at line 1: "Likes: tea" (2/5000 words)',
        success: true,
      },
    ],
    usage: { input_tokens: expect.any(Number), output_tokens: expect.any(Number), cached_tokens: 0 },
  });
});

it("keeps a rename that was made while the answer was being written", async () => {
  const client = await signUp();
  const model = await scriptModel([{ text: "Working" }, { hold: true }, { text: " done" }]);
  const { conversationId, path } = await beginConversation(client, { agent_model: model.name });

  const turn = await open(client, path, "Go");

  await client("PUT", `/conversations/${conversationId}`, { title: "Renamed" });
  await model.release();

  expect(textOf(await turn.rest())).toBe("Working done");
  expect((await client("GET", `/conversations/${conversationId}`)).body.title).toBe("Renamed");
});

it("joins text that comes faster than clients need it, and loses none of it", async () => {
  const client = await signUp();
  const words = Array.from({ length: 300 }, (_, index) => ({ text: `w${index} ` }));
  const model = await scriptModel(words);
  const { path } = await beginConversation(client, { agent_model: model.name });

  const { events } = await say(client, path, "Go");

  const pieces = typesOf(events).filter((type) => type === "AGENT_RESPONSE_TO_USER").length;
  expect(textOf(events)).toBe(words.map(({ text }) => text).join(""));
  expect(pieces).toBeLessThan(100);
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
});

it("counts a message per turn, and none for other requests", async () => {
  const client = await signUp();
  const { path } = await beginConversation(client);

  await say(client, path, "Hello");
  await say(client, path, "What is my name?");
  await client("GET", "/conversations");

  expect(await messagesUsed(client.email)).toBe(2);
});
