import { describe, expect, it } from "vitest";
import { beginConversation, type Client, signUp } from "../support/app.ts";
import { plant } from "../support/planted.ts";

/** A query and two texts. Of equal words, the newer one would come first. */
interface Case {
  readonly query: string;
  readonly older: string;
  readonly newer: string;
}

/** Other texts, so that words have different weights. */
const OTHERS = Array.from({ length: 8 }, (_, n) => `Note ${n}: the garden gate is closed`);
const HOURS = 60;

/** Stores the texts as memories of different days, so that none is a neighbour of another. */
async function foundMemories(client: Client, agentId: string, { query, older, newer }: Case) {
  const items = [...OTHERS, older, newer].map((content, n) => ({
    content,
    occurred_at: `2024-05-${String(n + 1).padStart(2, "0")}`,
  }));
  const base = `/agents/${agentId}/archival-memory`;
  expect((await client("POST", `${base}/batch`, { items })).status).toBe(200);
  return client("GET", `${base}/search?query=${encodeURIComponent(query)}`);
}

const contentsOf = ({ body }: Awaited<ReturnType<Client>>): readonly string[] =>
  body.items.map(({ content }: { content: string }) => content);

describe("a search in memories prefers", () => {
  it.each<[string, Case]>([
    [
      "what the person in question says",
      {
        query: "What did Caroline adopt?",
        older: "Caroline: A beagle was adopted",
        newer: "Melanie: Caroline has adopted",
      },
    ],
    [
      "what users say about themselves",
      {
        query: "Which dog did I adopt?",
        older: "user: A dog was adopted",
        newer: "assistant: A dog was adopted",
      },
    ],
    [
      "a text with a time, if the query asks when",
      {
        query: "When did Anna move to Rome?",
        older: "Anna moved to Rome on Monday",
        newer: "Anna moved to Rome by train",
      },
    ],
    [
      "a statement to a short question",
      { query: "Anna in Rome", older: "Anna moved to Rome", newer: "Anna moved to Rome?" },
    ],
  ])("%s", async (_case, texts) => {
    const client = await signUp();
    const { agentId } = await beginConversation(client);

    const found = await foundMemories(client, agentId, texts);

    expect(contentsOf(found)).toEqual([texts.older, texts.newer]);
  });

  it("the newer of two texts if the query asks for neither a person nor a time", async () => {
    const client = await signUp();
    const { agentId } = await beginConversation(client);

    const texts = {
      query: "Which dog was adopted?",
      older: "user: A dog was adopted on Monday",
      newer: "assistant: A dog was adopted on foot",
    };

    expect(contentsOf(await foundMemories(client, agentId, texts))).toEqual([texts.newer, texts.older]);
  });
});

describe("a search in conversations prefers", () => {
  it.each([
    {
      what: "what the users themselves said",
      query: "Which dog did I adopt?",
      older: { role: "user", content: "A dog was adopted" },
      newer: { role: "assistant", content: "A dog was adopted" },
    },
    {
      what: "a message with a time, if the query asks when",
      query: "When did Anna move to Rome?",
      older: { role: "user", content: "Anna moved to Rome on Monday" },
      newer: { role: "user", content: "Anna moved to Rome by train" },
    },
    {
      what: "a statement to a short question",
      query: "Anna in Rome",
      older: { role: "user", content: "Anna moved to Rome" },
      newer: { role: "user", content: "Anna moved to Rome?" },
    },
  ])("$what", async ({ query, older, newer }) => {
    const client = await signUp();
    const { agentId, conversationId } = await beginConversation(client);
    const others = OTHERS.map((content) => ({ role: "user", content }));
    // Hours apart, so that no message is a neighbour of another.
    const messages = [...others, older, newer].map((message, n) => ({
      ...message,
      age: (20 - n) * 2 * HOURS,
    }));
    await plant(client, conversationId, messages);

    const found = await client("GET", `/agents/${agentId}/recall?query=${encodeURIComponent(query)}`);

    expect(found.body.items.map(({ role, content }: typeof older) => ({ role, content }))).toEqual([
      older,
      newer,
    ]);
  });
});
