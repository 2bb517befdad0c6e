import { describe, expect, it } from "vitest";
import { ada, beginConversation, type Client, signUp } from "../support/app.ts";
import { scriptModel } from "../support/control.ts";
import type { ScriptStep } from "../support/control-protocol.ts";
import { messagesUsed, storedMessages } from "../support/items.ts";
import { chat, chatBody, openChat } from "../support/wires.ts";

/** A chat whose first message has been answered. */
async function answered(...replies: readonly (readonly ScriptStep[])[]) {
  const client = await signUp();
  const model = await scriptModel(...replies);
  const { body } = await client("POST", "/agents", { ...ada, agent_model: model.name });
  const agentId = body.agent_id as string;
  const { conversationId } = await chat(client, agentId, chatBody("c", "What is tea?", "m1"));
  return { client, model, agentId, conversationId, answerId: await lastId(conversationId) };
}

const lastId = async (conversationId: string) =>
  String((await storedMessages(conversationId)).at(-1)?.["message_id"]);
const contents = async (conversationId: string) =>
  (await storedMessages(conversationId)).map(({ content }) => content);

const again = (messageId: string | undefined, text = "What is tea?", userMessageId = "m1") => ({
  ...chatBody("c", text, userMessageId),
  trigger: "regenerate-message",
  ...(messageId !== undefined && { messageId }),
});

/** The id of the answer that a stream begins with. */
const startedId = (frames: unknown): string => /"messageId":"([^"]+)"/u.exec(String(frames))?.[1] ?? "";

const refusal = ({ status, body }: Awaited<ReturnType<Client>>) => [status, body.code];

describe("a request of the AI SDK to write an answer again", () => {
  it("has one run, even if two tabs send it, and is repeated as often as it is lost", async () => {
    const { client, model, agentId, conversationId, answerId } = await answered(
      [{ text: "A leaf." }],
      [{ text: "A dr" }, { hold: true }, { text: "ink." }],
    );

    const first = await openChat(client, agentId, again(answerId));
    await first.until("A dr");
    const second = await openChat(client, agentId, again(answerId));
    await second.until("A dr");
    await model.release();
    const whole = await first.rest();
    const late = await chat(client, agentId, again(answerId));

    expect(await second.rest()).toBe(whole);
    expect(late.body).toBe(whole);
    expect(await contents(conversationId)).toEqual(["What is tea?", "A drink."]);
    expect((await model.log()).requests).toHaveLength(2);
    expect(await messagesUsed(client.email)).toBe(2);
  });

  it("begins another run after one that failed", async () => {
    const { client, agentId, conversationId, answerId } = await answered(
      [{ text: "A leaf." }],
      [{ status: 401, body: { error: { message: "no" } } }],
      [{ text: "A drink." }],
    );

    const failed = await chat(client, agentId, again(answerId));
    const before = await contents(conversationId);
    const second = await chat(client, agentId, again(answerId));

    expect(failed.parts).toContainEqual({ type: "error", errorText: expect.any(String) });
    expect(before).toEqual(["What is tea?", "A leaf."]);
    expect(second.text).toBe("A drink.");
    expect(await contents(conversationId)).toEqual(["What is tea?", "A drink."]);
  });

  it("may name an answer that was begun and not kept, which is what its client shows", async () => {
    const { client, model, agentId, conversationId, answerId } = await answered(
      [{ text: "A leaf." }],
      [{ text: "A dr" }, { hold: true }],
      [{ text: "A drink." }],
      [{ status: 401, body: { error: { message: "no" } } }],
      [{ text: "Yes." }],
    );
    const stopped = await openChat(client, agentId, again(answerId));
    await stopped.until("A dr");
    const runId = stopped.response.headers.get("x-run-id");
    await client("POST", `/conversations/${conversationId}/runs/${runId}/cancel`);

    const second = await chat(client, agentId, again(startedId(await stopped.rest())));
    const stale = await chat(client, agentId, again(startedId(await stopped.rest())));
    const failed = await chat(client, agentId, chatBody("c", "Is it hot?", "m2"));
    const third = await chat(client, agentId, again(startedId(failed.body), "Is it hot?", "m2"));

    expect([second.text, third.text]).toEqual(["A drink.", "Yes."]);
    expect(stale.body).toBe(second.body);
    expect(await contents(conversationId)).toEqual(["What is tea?", "A drink.", "Is it hot?", "Yes."]);
    expect((await model.log()).requests).toHaveLength(5);
  });

  it("is refused for an answer that was stopped and has been replaced since", async () => {
    const { client, agentId, conversationId } = await answered(
      [{ text: "A leaf." }],
      [{ text: "Y" }, { hold: true }],
      [{ text: "Yes." }],
    );
    const stopped = await openChat(client, agentId, chatBody("c", "Is it hot?", "m2"));
    await stopped.until("Y");
    const runId = stopped.response.headers.get("x-run-id");
    await client("POST", `/conversations/${conversationId}/runs/${runId}/cancel`);
    const formerId = await lastId(conversationId);
    await client("POST", `/conversations/${conversationId}/messages/${formerId}/regenerate`);

    const stale = await chat(client, agentId, again(formerId, "Is it hot?", "m2"));

    expect(refusal(stale)).toEqual([409, "conflict"]);
    expect(await contents(conversationId)).toEqual(["What is tea?", "A leaf.", "Is it hot?", "Yes."]);
  });

  it("sends a message that was refused, although the one before has the same text", async () => {
    const { client, agentId, conversationId } = await answered([{ text: "A leaf." }], [{ text: "A drink." }]);
    await client("PATCH", `/agents/${agentId}`, { agent_provider: "OpenAI" });
    const refused = await chat(client, agentId, chatBody("c", "What is tea?", "m2"));
    await client("PATCH", `/agents/${agentId}`, { agent_provider: "Demo" });

    await chat(client, agentId, again(undefined, "What is tea?", "m2"));

    expect(refused.status).toBe(409);
    expect(await contents(conversationId)).toEqual(["What is tea?", "A leaf.", "What is tea?", "A drink."]);
  });

  it("knows a message by the id under which it is stored, too", async () => {
    const client = await signUp();
    const model = await scriptModel([{ text: "A leaf." }], [{ text: "A drink." }]);
    const { agentId, conversationId, path } = await beginConversation(client, { agent_model: model.name });
    await client("POST", path, { content: "What is tea?" }, { "idempotency-key": "k1" });
    const [question] = await storedMessages(conversationId);

    const body = {
      ...again(undefined, "What is tea?", String(question?.["message_id"])),
      id: conversationId,
    };
    await chat(client, agentId, body);

    expect(await contents(conversationId)).toEqual(["What is tea?", "A drink."]);
  });

  it("is refused from a tab that does not show the last answer", async () => {
    const { client, agentId, conversationId, answerId } = await answered(
      [{ text: "A leaf." }],
      [{ text: "Yes." }],
    );
    await chat(client, agentId, chatBody("c", "Is it green?", "m2"));

    const refused = [
      await chat(client, agentId, again(answerId)),
      await chat(client, agentId, again(undefined)),
      await chat(client, agentId, again("m1")),
    ];

    expect(refused.map(refusal)).toEqual(refused.map(() => [409, "conflict"]));
    expect(await contents(conversationId)).toEqual(["What is tea?", "A leaf.", "Is it green?", "Yes."]);
  });

  it("is refused for an answer of a chat that does not exist, and for an unknown reason to send", async () => {
    const { client, agentId, answerId } = await answered([{ text: "A leaf." }]);

    const absent = await chat(client, agentId, { ...again(answerId), id: "another chat" });
    const odd = await chat(client, agentId, { ...again(answerId), trigger: "undo-message" });

    expect([refusal(absent), refusal(odd)]).toEqual([
      [404, "not-found"],
      [422, "validation-failed"],
    ]);
  });

  it("answers the stored message, whatever the client takes for its text", async () => {
    const { client, model, agentId, answerId } = await answered(
      [{ text: "A leaf." }],
      [{ text: "A drink." }],
    );

    await chat(client, agentId, again(answerId, "Something else", "m9"));

    const asked = JSON.stringify((await model.log()).requests[1]);
    expect(asked).toContain("What is tea?");
    expect(asked).not.toContain("Something else");
  });
});
