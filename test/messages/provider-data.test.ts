import { expect, it } from "vitest";
import { toConversation } from "../../src/architectures/history.ts";
import { conversationIdOf } from "../../src/shared/id-types.ts";
import { type Message, messageFrom, messageItem, type ResponseData } from "../../src/messages/model.ts";

const data = (step: number, value: string): ResponseData => ({
  step,
  providerData: { source: "api.test/m", data: { signature: value } },
});
const call = (id: string, step: number) => ({
  id,
  name: "now",
  arguments: "{}",
  output: "noon",
  success: true,
  step,
});

const answer = (more: Partial<Message>): Message => ({
  id: "m",
  conversationId: conversationIdOf("c"),
  createdBy: "u",
  role: "assistant",
  content: "It is noon.",
  attachments: [],
  createdAt: "2026-01-29T11:51:36.123456+00:00",
  status: "complete",
  toolCalls: [],
  usage: null,
  tokenRatio: null,
  runId: null,
  ...more,
});

it("is stored with the message and read back", () => {
  const message = answer({
    status: "truncated",
    toolCalls: [call("a", 0), call("b", 1)],
    providerData: [data(0, "one"), data(2, "three")],
  });

  expect(messageFrom(messageItem(message))).toEqual(message);
});

it("is omitted, oldest first, if the message would exceed the size of an item", () => {
  const message = answer({
    content: "x".repeat(75_000),
    providerData: [data(0, "a".repeat(200_000)), data(1, "b".repeat(200_000)), data(2, "c".repeat(90_000))],
  });

  const stored = messageFrom(messageItem(message));

  expect(stored.providerData?.map(({ step }) => step)).toEqual([1, 2]);
  expect(JSON.stringify(messageItem(message)).length).toBeLessThan(400_000);
});

it("goes back to the model with the response it came with", () => {
  const message = answer({
    toolCalls: [call("a", 0), call("b", 0), call("c", 1)],
    providerData: [data(0, "one"), data(2, "three")],
  });

  const [, first, , , second, , text] = toConversation(
    [answer({ role: "user", content: "When?" }), message].map((whole) => ({
      message: whole,
      maxTokens: null,
    })),
    undefined,
  );

  expect(first).toMatchObject({
    calls: [{ id: "a" }, { id: "b" }],
    providerData: { data: { signature: "one" } },
  });
  expect(second).toMatchObject({ calls: [{ id: "c" }] });
  expect(second).not.toHaveProperty("providerData");
  expect(text).toMatchObject({ content: "It is noon.", providerData: { data: { signature: "three" } } });
});
