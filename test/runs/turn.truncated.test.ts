import { expect, it } from "vitest";
import { beginConversation, signUp } from "../support/app.ts";
import { scriptModel } from "../support/control.ts";
import { storedMessages } from "../support/items.ts";
import { say, textOf } from "../support/sse.ts";

const CUT = [{ text: "Once upon" }, { finish: "length" }] as const;

it("reports an answer that the model cut off, in the stream and in the stored message", async () => {
  const client = await signUp();
  const { name } = await scriptModel(CUT);
  const { path, conversationId } = await beginConversation(client, { agent_model: name });

  const { events } = await say(client, path, "Tell me a story");

  expect(events.at(-1)).toMatchObject({ event_type: "STREAM_COMPLETE", stop_reason: "length" });
  const { body } = await client("GET", `/conversations/${conversationId}/messages`);
  expect(body.items).toContainEqual(
    expect.objectContaining({ role: "assistant", status: "truncated", content: "Once upon" }),
  );
});

it("reports a cut answer without a stream, and none for a complete one", async () => {
  const client = await signUp();
  const { name } = await scriptModel(CUT, [{ text: "The end." }]);
  const { path } = await beginConversation(client, { agent_model: name });
  const ask = async () => {
    const headers = { accept: "application/json" };
    const { response } = await client.raw("POST", path, { content: "Tell me" }, { headers });
    return response.json();
  };

  expect(await ask()).toMatchObject({ stop_reason: "length", message: { status: "truncated" } });
  expect(await ask()).toMatchObject({ stop_reason: null, message: { status: "complete" } });
});

it("reports an answer that is cut off at the service's own limit", async () => {
  const client = await signUp();
  const { name } = await scriptModel([{ text: "x".repeat(80_000) }]);
  const { path, conversationId } = await beginConversation(client, { agent_model: name });

  const { events } = await say(client, path, "Go on for ever");

  expect(textOf(events)).toHaveLength(75_000);
  expect(events.at(-1)).toMatchObject({ event_type: "STREAM_COMPLETE", stop_reason: "length" });
  expect((await storedMessages(conversationId))[1]).toMatchObject({ status: "truncated" });
});

it.each([
  ["on reasoning", "reasoning", { reasoning_tokens: 16 }],
  ["without a word", "limit of its output tokens", {}],
])("reports that the model spent all its output tokens %s", async (_case, words, details) => {
  const client = await signUp();
  const usage = { prompt_tokens: 9, completion_tokens: 16, completion_tokens_details: details };
  const { name } = await scriptModel([{ finish: "length" }, { usage }]);
  const { path } = await beginConversation(client, { agent_model: name });

  const { events } = await say(client, path, "Think");

  expect(events.at(-1)).toMatchObject({
    event_type: "ERROR",
    code: "provider-truncated",
    retryable: false,
    content: expect.stringContaining(words),
  });
});
