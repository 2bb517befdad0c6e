import { expect, it } from "vitest";
import { beginConversation, signUp } from "../support/app.ts";
import { scriptModel } from "../support/control.ts";
import { messagesUsed, storedMessages } from "../support/items.ts";
import { say } from "../support/sse.ts";

/** One event of OpenAI's protocol. */
const event = (json: string) => ({ raw: `data: ${json}\n\n` });
const delta = (json: string) => event(`{"choices":[{"delta":${json}}]}`);

/** A turn whose provider says "Hello" and then this. */
async function turnWith(nonsense: ReturnType<typeof event>) {
  const client = await signUp();
  const model = await scriptModel([{ text: "Hello" }, nonsense, { finish: "stop" }, { done: true }]);
  const { conversationId, path } = await beginConversation(client, { agent_model: model.name });

  const { text, last } = await say(client, path, "Hi");
  const [, answer] = await storedMessages(conversationId);
  return { text, last, answer, used: await messagesUsed(client.email) };
}

it.each([
  ["texts", '{"prompt_tokens":"many","completion_tokens":"x"}'],
  ["numbers that the table can't hold", '{"prompt_tokens":1e300,"completion_tokens":1e308}'],
  ["infinite", '{"prompt_tokens":1e999,"completion_tokens":1e999}'],
  ["negative", '{"prompt_tokens":-5,"completion_tokens":-7}'],
  ["fractions", '{"prompt_tokens":1.5,"completion_tokens":7e-200}'],
  [
    "objects and lists",
    '{"prompt_tokens":{"a":1},"completion_tokens":[2],"prompt_tokens_details":{"cached_tokens":{}},"completion_tokens_details":{"reasoning_tokens":"1"}}',
  ],
])("stores and counts an answer whose token counts are %s", async (_case, usage) => {
  const { text, last, answer, used } = await turnWith(event(`{"choices":[],"usage":${usage}}`));

  expect([text, last?.event_type, used]).toEqual(["Hello", "STREAM_COMPLETE", 1]);
  expect(answer).toMatchObject({
    content: "Hello",
    status: "complete",
    usage: { input_tokens: 0, output_tokens: 0, cached_tokens: 0 },
  });
});

it.each([
  ["content that is an object", delta('{"content":{"length":1}}')],
  ["content of other things than parts", delta('{"content":[null,7,["x"],{"text":{}}]}')],
  ["tool calls that are no list", delta('{"tool_calls":{"a":1}}')],
  ["tool calls that are null", delta('{"tool_calls":[null]}')],
  ["choices that are no list", event('{"choices":7}')],
  ["a delta that is a text", delta('"x"')],
  ["a reason to stop that is an object", event('{"choices":[{"delta":{},"finish_reason":{"a":1}}]}')],
  ["an inherited name as the reason to stop", event('{"choices":[{"finish_reason":"__proto__"}]}')],
])("ignores %s", async (_case, nonsense) => {
  const { text, last, answer } = await turnWith(nonsense);

  expect([text, last?.event_type]).toEqual(["Hello", "STREAM_COMPLETE"]);
  expect(answer).toMatchObject({ content: "Hello", status: "complete" });
});

it("counts token numbers that are sent as text", async () => {
  const usage = event('{"choices":[],"usage":{"prompt_tokens":"9","completion_tokens":"2"}}');

  const { answer } = await turnWith(usage);

  expect(answer).toMatchObject({ usage: { input_tokens: 9, output_tokens: 2 } });
});

it("reads text in content parts, without the reasoning among them", async () => {
  const parts =
    '[{"type":"thinking","thinking":[{"type":"text","text":"Hm"}]},{"type":"text","text":" there"}]';

  expect(await turnWith(delta(`{"content":${parts}}`))).toMatchObject({ text: "Hello there" });
});
