import { expect, it } from "vitest";
import { beginConversation, signUp } from "../support/app.ts";
import { scriptModel } from "../support/control.ts";
import { storedMessages } from "../support/items.ts";
import { say, textOf, typesOf } from "../support/sse.ts";

const reasoning = (text: string) => ({
  raw: `data: ${JSON.stringify({ choices: [{ delta: { reasoning_content: text } }] })}\n\n`,
});
const THINKING = [
  reasoning("Let me "),
  reasoning("think."),
  { text: "<think>More.</think>\nHere." },
] as const;

it("shows what the model thinks to callers who ask for it, and stores none of it", async () => {
  const client = await signUp();
  const model = await scriptModel(THINKING, [{ text: "There." }]);
  const { path, conversationId } = await beginConversation(client, { agent_model: model.name });

  const { events } = await say(client, `${path}?reasoning=1`, "Hello");

  const thoughts = events.filter(({ event_type }) => event_type === "REASONING");
  expect(thoughts.map(({ content }) => content).join("")).toBe("Let me think.More.");
  expect(textOf(events)).toBe("Here.");
  expect((await storedMessages(conversationId))[1]).toMatchObject({ content: "Here." });

  await say(client, path, "And?");
  const [, second] = (await model.log()).requests;
  expect(JSON.stringify(second)).not.toContain("think.");
});

it("shows no reasoning to others, and refuses other values", async () => {
  const client = await signUp();
  const { name } = await scriptModel(THINKING);
  const { path } = await beginConversation(client, { agent_model: name });

  expect(typesOf((await say(client, path, "Hello")).events)).not.toContain("REASONING");
  expect((await client("POST", `${path}?reasoning=yes`, { content: "Hello" })).status).toBe(422);
});

it("answers without tools if the model has none, and says that memory can only be read", async () => {
  const client = await signUp();
  const refusal = { status: 400, body: { error: { message: "This model does not support tools" } } };
  const { name } = await scriptModel([refusal], [{ text: "Hi." }]);
  const { path } = await beginConversation(client, { agent_model: name });

  const { events } = await say(client, path, "Hello");

  expect(textOf(events)).toBe("Hi.");
  expect(events.map(({ content }) => content)).toContain(
    "This model can't use tools: memory can be read in this turn, but not changed.",
  );
});
