import { expect, it } from "vitest";
import { beginConversation, signUp } from "../support/app.ts";
import { scriptModel } from "../support/control.ts";
import { messagesUsed, storedLines, storedMessages } from "../support/items.ts";
import { eventsAfter, readUntil, open } from "../support/runs.ts";
import { say, textOf, typesOf } from "../support/sse.ts";

it("stops the model at once and keeps the text so far", async () => {
  const client = await signUp();
  const model = await scriptModel(
    [{ text: "Once upon " }, { hold: true }, { text: "a time" }],
    [{ text: "Ok." }],
  );
  const { conversationId, path } = await beginConversation(client, { agent_model: model.name });
  const turn = await open(client, path, "Tell me a story");
  await readUntil(turn, "Once upon ");

  const { status, body } = await client("POST", `/conversations/${conversationId}/runs/${turn.runId}/cancel`);
  // The model would never have gone on.
  await expect.poll(async () => (await model.log()).disconnects).toBe(1);

  const [, answer] = await storedMessages(conversationId);
  expect(status).toBe(200);
  expect(body).toMatchObject({ state: "cancelled", message_id: answer?.["message_id"] });
  expect(answer).toMatchObject({ content: "Once upon ", status: "interrupted" });
  expect((await turn.rest()).at(-1)).toMatchObject({
    event_type: "STREAM_COMPLETE",
    content: "Cancelled",
    message_id: answer?.["message_id"],
  });
  expect(await messagesUsed(client.email)).toBe(1);
  expect((await say(client, path, "Stop")).text).toBe("Ok.");
});

it("returns the message if there was no answer yet", async () => {
  const client = await signUp();
  const model = await scriptModel([{ hold: true }, { text: "late" }]);
  const { conversationId, path } = await beginConversation(client, { agent_model: model.name });
  const turn = await open(client, path, "Hello");

  const { body } = await client("POST", `/conversations/${conversationId}/runs/${turn.runId}/cancel`);
  const events = await turn.rest();

  expect(body).toMatchObject({ state: "cancelled", message_id: null });
  expect(events.at(-1)).toMatchObject({
    event_type: "STREAM_COMPLETE",
    content: "Cancelled",
    message_id: null,
  });
  expect(await storedMessages(conversationId)).toHaveLength(1);
  expect(await messagesUsed(client.email)).toBe(0);
});

it("ends a run once, however often it is cancelled, and changes nothing about one that has ended", async () => {
  const client = await signUp();
  const model = await scriptModel([{ text: "A" }, { hold: true }, { text: "B" }], [{ text: "Whole." }]);
  const { conversationId, path } = await beginConversation(client, { agent_model: model.name });
  const turn = await open(client, path, "Go");
  await readUntil(turn, "A");
  const cancel = (runId: string) => client("POST", `/conversations/${conversationId}/runs/${runId}/cancel`);

  const answers = await Promise.all([cancel(turn.runId), cancel(turn.runId), cancel(turn.runId)]);
  const { events } = await eventsAfter(client, conversationId, turn.runId, 0);
  const whole = await say(client, path, "Again");
  const late = await cancel(whole.events[0]?.run_id ?? "");

  for (const { status, body } of answers) expect([status, body.state]).toEqual([200, "cancelled"]);
  expect(typesOf(events).filter((type) => type === "STREAM_COMPLETE" || type === "ERROR")).toHaveLength(1);
  expect([late.status, late.body.state]).toEqual([200, "completed"]);
});

it("keeps the memory edits that had been made", async () => {
  const client = await signUp();
  const call = {
    call: { name: "core_memory_append", arguments: '{"block":"human","content":"Name: Alice"}' },
  };
  const model = await scriptModel([call], [{ hold: true }, { text: "late" }]);
  const { agentId, conversationId, path } = await beginConversation(client, { agent_model: model.name });
  const turn = await open(client, path, "I am Alice");
  await expect.poll(() => storedLines(agentId, client.email, "human")).toEqual(["Name: Alice"]);

  await client("POST", `/conversations/${conversationId}/runs/${turn.runId}/cancel`);

  const [, answer] = await storedMessages(conversationId);
  expect(answer).toMatchObject({
    status: "interrupted",
    content: "",
    tool_calls: [{ name: "core_memory_append" }],
  });
});

it("answers 404 for another user's run and for one that does not exist", async () => {
  const [client, stranger] = [await signUp(), await signUp()];
  const model = await scriptModel([{ text: "A" }, { hold: true }, { text: "B" }]);
  const { conversationId, path } = await beginConversation(client, { agent_model: model.name });
  const turn = await open(client, path, "Go");
  const base = `/conversations/${conversationId}/runs`;

  expect((await stranger("POST", `${base}/${turn.runId}/cancel`)).status).toBe(404);
  expect((await client("POST", `${base}/${crypto.randomUUID()}/cancel`)).status).toBe(404);
  await model.release();
  expect(textOf(await turn.rest())).toBe("AB");
});
