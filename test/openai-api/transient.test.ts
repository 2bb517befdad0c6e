import { describe, expect, it } from "vitest";
import { untilPhase } from "../accounts/deletions.ts";
import { type Client, signUp, table } from "../support/app.ts";
import { endUserOf } from "../support/callers.ts";
import { storedMessages } from "../support/items.ts";
import { agentWith, errorOf, openAiOf, user } from "./openai-client.ts";

/** Sends a chat completion without a conversation, and returns the id of the one that keeps it for a day. */
async function complete(caller: Client, agentId: string, text: string, more: object = {}) {
  const { response } = await openAiOf(caller)
    .chat.completions.create({ model: agentId, messages: [user(text)], ...more })
    .withResponse();
  return response.headers.get("x-conversation-id") ?? "";
}

const linesOf = (body: string) =>
  body
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe("a chat completion without a conversation", () => {
  it("can be looked up by its caller and nobody else, and takes no further chat completions", async () => {
    const [client, stranger] = [await signUp(), await signUp()];
    const { agentId } = await agentWith(client, [{ text: "Hello." }], [{ text: "Hello, Bob." }]);
    const [alice, bob] = [await endUserOf(client, agentId), await endUserOf(client, agentId)];

    const id = await complete(alice, agentId, "I am Alice");

    expect((await alice("GET", `/conversations/${id}`)).status).toBe(200);
    for (const other of [client, stranger, bob]) {
      expect((await other("GET", `/conversations/${id}`)).status).toBe(404);
      expect((await other("GET", `/conversations/${id}/messages`)).status).toBe(404);
      expect((await other("GET", `/conversations/${id}/runs`)).status).toBe(404);
      expect((await other("GET", `/conversations/${id}/runs/active/events`)).status).toBe(404);
      expect((await other("DELETE", `/conversations/${id}`)).status).toBe(404);
      const sent = await other("POST", `/agents/${agentId}/${id}/send-message`, { content: "Hello" });
      expect(sent.status).toBe(404);
    }
    const more = { metadata: { conversation_id: id } };
    expect((await errorOf(complete(alice, agentId, "More", more))).status).toBe(404);
    // For anybody else it is a name like any other, for a conversation of their own.
    const own = await complete(bob, agentId, "More", more);
    expect(own).not.toBe(id);
    expect((await alice("GET", `/conversations/${own}`)).status).toBe(404);
    expect(await storedMessages(id)).toHaveLength(2);
  });

  it("is no conversation of its end user, in lists and in limits", async () => {
    const client = await signUp();
    const { agentId } = await agentWith(client, [{ text: "Hello." }], [{ text: "Hello." }]);
    const visitor = await endUserOf(client, agentId);
    const key = { pk: `Agent#${agentId}#User#${visitor.endUserId}`, sk: "Usage#conversations" };

    await visitor("POST", "/conversations", { title: "Talk", agent_id: agentId });
    const id = await complete(visitor, agentId, "Hello");

    expect((await table.get(key))?.["conversations"]).toBe(1);
    expect((await visitor("GET", "/conversations")).body.items).toHaveLength(1);
    expect((await visitor("DELETE", `/conversations/${id}`)).status).toBe(204);
    expect((await table.get(key))?.["conversations"]).toBe(1);
    expect(await storedMessages(id)).toEqual([]);
  });

  it("is exported with its end user while it is kept", async () => {
    const client = await signUp();
    const { agentId } = await agentWith(client, [{ text: "Hello, Alice." }]);
    const visitor = await endUserOf(client, agentId, "alice");
    const id = await complete(visitor, agentId, "I am Alice");

    const { body } = await client("GET", `/agents/${agentId}/end-users/alice/export`);

    const about = linesOf(body).filter(({ conversation_id: about }) => about === id);
    expect(about.map(({ type, content }) => [type, content])).toEqual([
      ["conversation", undefined],
      ["message", "Hello, Alice."],
      ["message", "I am Alice"],
      ["run", undefined],
    ]);
  });

  it("is exported and deleted with its account, and so are the names of conversations", async () => {
    const client = await signUp();
    const { agentId } = await agentWith(client, [{ text: "One." }], [{ text: "Two." }]);
    const id = await complete(client, agentId, "I am Alice");
    await complete(client, agentId, "Hello", { metadata: { conversation_id: "ticket" } });
    const names = () =>
      table.query(`Agent#${agentId}#User#${client.email}`, { range: { beginsWith: "ThreadName#" } });

    const { body } = await client("GET", "/users/me/export");

    const lines = linesOf(body);
    const contents = lines.filter(({ type, conversation_id: about }) => type === "message" && about === id);
    expect(contents.map(({ content }) => content)).toEqual(["I am Alice", "One."]);
    expect(lines.filter(({ kind }) => kind === "ThreadName")).toHaveLength(1);
    expect(await names()).toHaveLength(1);

    await client("DELETE", "/users/me");
    await untilPhase(client, "completed");

    expect([await names(), await table.query(`CONVERSATION#${id}`)]).toEqual([[], []]);
    expect(await table.get({ pk: `USER#${client.email}`, sk: `CONVERSATION#${id}` })).toBeUndefined();
  });
});
