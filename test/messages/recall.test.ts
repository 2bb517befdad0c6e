import { describe, expect, it } from "vitest";
import { problem } from "../http/route-cases.ts";
import { beginConversation, signUp } from "../support/app.ts";
import { scriptModel } from "../support/control.ts";
import { say } from "../support/sse.ts";

/** A user who has sent these messages in one conversation. */
async function talked(...said: readonly string[]) {
  const client = await signUp();
  const model = await scriptModel(...said.map(() => [{ text: "I see." }]));
  const place = await beginConversation(client, { agent_model: model.name });
  for (const content of said) await say(client, place.path, content);
  return { client, ...place, recall: `/agents/${place.agentId}/recall` };
}

describe("GET /agents/{agent}/recall", () => {
  it("returns matching messages with their conversations, page by page", async () => {
    const { client, conversationId, recall } = await talked("I like green tea", "And black tea");
    const { body: conversation } = await client("GET", `/conversations/${conversationId}`);

    const first = await client("GET", `${recall}?query=tea&limit=1`);
    const second = await client("GET", `${recall}?query=tea&limit=1&cursor=${first.body.next_cursor}`);

    expect(first.status).toBe(200);
    expect(first.body).toEqual({
      items: [
        {
          message_id: expect.any(String),
          conversation_id: conversationId,
          conversation_title: conversation.title,
          role: "user",
          content: expect.stringContaining("tea"),
          file_passage: null,
          created_at: expect.any(String),
          score: expect.any(Number),
        },
      ],
      total: 2,
      next_cursor: expect.any(String),
      has_more: true,
      notes: [],
      evidence: {
        matched_terms: ["tea"],
        missing_terms: [],
        considered: 4,
        newest_at: expect.any(String),
      },
    });
    expect(second.body).toMatchObject({ total: 2, next_cursor: null, has_more: false });
    const contents = [first, second].map(({ body }) => body.items[0].content);
    expect(new Set(contents)).toEqual(new Set(["And black tea", "I like green tea"]));
  });

  it("finds messages of failed turns", async () => {
    const client = await signUp();
    const model = await scriptModel([{ text: "I see." }]);
    const place = await beginConversation(client, { agent_model: model.name });
    await say(client, place.path, "Tea");
    const before = (await client("GET", `/conversations/${place.conversationId}`)).body.updated_at;

    expect((await say(client, place.path, "More tea")).last?.event_type).toBe("ERROR");

    const { body } = await client("GET", `/conversations/${place.conversationId}`);
    expect(body.updated_at > before).toBe(true);
    expect((await client("GET", `/agents/${place.agentId}/recall?query=tea`)).body.total).toBe(2);
  });

  it("lists all messages, newest first, if the query is empty", async () => {
    const { client, recall } = await talked("One", "Two");

    const { body } = await client("GET", recall);

    const contents = body.items.map(({ content }: { content: string }) => content);
    expect(contents).toEqual(["I see.", "Two", "I see.", "One"]);
  });

  it("finds nothing in a conversation that was deleted, or with an agent that was", async () => {
    const { client, agentId, conversationId, recall } = await talked("I like green tea");
    expect((await client("GET", `${recall}?query=tea`)).body.total).toBe(1);

    await client("DELETE", `/conversations/${conversationId}`);
    expect((await client("GET", `${recall}?query=tea`)).body).toMatchObject({
      items: [],
      total: 0,
      notes: ["nothing-stored"],
    });

    await client("DELETE", `/agents/${agentId}`);
    expect((await client("GET", recall)).body).toEqual(problem(404, "not-found", "Agent not found"));
  });

  it("refuses the cursor of another query, and a query as long as a document", async () => {
    const { client, recall } = await talked("Tea", "More tea");
    const { body } = await client("GET", `${recall}?query=tea&limit=1`);

    expect((await client("GET", `${recall}?query=see&cursor=${body.next_cursor}`)).status).toBe(400);
    expect((await client("GET", `${recall}?query=${"x".repeat(20_001)}`)).status).toBe(422);
    expect((await client("GET", `${recall}?query=${encodeURIComponent('"NEAR(')}`)).status).toBe(200);
  });
});
