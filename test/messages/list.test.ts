import { describe, expect, it } from "vitest";
import { beginConversation, type Client, signUp, table } from "../support/app.ts";
import { say } from "../support/sse.ts";
import type { Item } from "../../src/table/marshal.ts";
import { absentPlace, problem } from "../http/route-cases.ts";

const stampOf = (n: number) => `2025-06-01T10:00:00.${String(n).padStart(6, "0")}+00:00`;

/** Messages as the legacy Python service wrote them: without a status and a run. */
async function plant(conversationId: string, numbers: readonly number[], more: Item = {}): Promise<void> {
  for (const n of numbers)
    await table.put({
      pk: `CONVERSATION#${conversationId}`,
      sk: `MESSAGE#${stampOf(n)}#message-${n}`,
      entity_type: "Message",
      message_id: `message-${n}`,
      conversation_id: conversationId,
      created_by: "somebody@example.com",
      role: n % 2 === 1 ? "user" : "assistant",
      content: `Message ${n}`,
      created_at: stampOf(n),
      ...more,
    });
}

async function begin(client: Client) {
  const { conversationId, path } = await beginConversation(client);
  return { conversationId, sendPath: path, path: `/conversations/${conversationId}/messages` };
}

async function pagesOf(client: Client, path: string, limit: number): Promise<string[][]> {
  const pages: string[][] = [];
  let cursor = "";
  do {
    const { status, body } = await client("GET", `${path}?limit=${limit}&cursor=${cursor}`);
    expect(status).toBe(200);
    expect(body.has_more).toBe(body.next_cursor !== null);
    pages.push((body.items as { message_id: string }[]).map(({ message_id }) => message_id));
    cursor = (body.next_cursor as string | null) ?? "";
  } while (cursor !== "");
  return pages;
}

const messages = (...numbers: number[]) => numbers.map((n) => `message-${n}`);

describe("the messages of a conversation", () => {
  it("are an empty list if there are none", async () => {
    const client = await signUp();
    const { path } = await begin(client);

    const { status, body } = await client("GET", path);

    expect(status).toBe(200);
    expect(body).toEqual({ items: [], next_cursor: null, has_more: false });
  });

  it("are shown newest first, those of the legacy Python service too", async () => {
    const client = await signUp();
    const { conversationId, path } = await begin(client);
    await plant(conversationId, [1, 2]);

    const { status, body } = await client("GET", path);

    const common = {
      conversation_id: conversationId,
      attachments: [],
      status: "complete",
      tool_calls: [],
      usage: null,
      run_id: null,
    };
    expect(status).toBe(200);
    expect(body).toEqual({
      items: [
        {
          ...common,
          message_id: "message-2",
          role: "assistant",
          content: "Message 2",
          created_at: stampOf(2),
        },
        { ...common, message_id: "message-1", role: "user", content: "Message 1", created_at: stampOf(1) },
      ],
      next_cursor: null,
      has_more: false,
    });
  });

  it("show only the names and sizes of files", async () => {
    const client = await signUp();
    const { conversationId, path } = await begin(client);
    const attachments = [
      { filename: "notes.md", content: "# Private notes", size: 15 },
      { filename: "a.csv", content: "Private,too", size: "11" },
    ];
    await plant(conversationId, [1], { attachments });

    const { body } = await client("GET", path);

    expect(body.items[0].attachments).toEqual([
      { filename: "notes.md", size: 15 },
      { filename: "a.csv", size: 11 },
    ]);
    expect(JSON.stringify(body)).not.toContain("Private");
  });

  it("show the text and the tool calls of a turn", async () => {
    const client = await signUp();
    const { path, sendPath } = await begin(client);
    const { last } = await say(client, sendPath, "My name is Alice");

    const { body } = await client("GET", path);

    expect(body.items).toHaveLength(2);
    const [answer, question] = body.items;
    expect(question).toMatchObject({ role: "user", content: "My name is Alice", run_id: last?.run_id });
    expect(answer).toMatchObject({ role: "assistant", status: "complete", run_id: last?.run_id });
    expect(answer.message_id).toBe(last?.message_id);
    expect(answer.tool_calls).toEqual([
      {
        id: expect.any(String),
        name: "core_memory_append",
        arguments: expect.stringContaining("Alice"),
        output: expect.any(String),
        success: true,
      },
    ]);
  });

  it("include malformed items with the attributes they have", async () => {
    const client = await signUp();
    const { conversationId, path } = await begin(client);
    await table.put({
      pk: `CONVERSATION#${conversationId}`,
      sk: "MESSAGE#odd",
      content: 5,
      attachments: "none",
      tool_calls: [null, {}],
      status: "lost",
      usage: [],
    });

    const { status, body } = await client("GET", path);

    expect(status).toBe(200);
    expect(body.items).toEqual([
      {
        message_id: "",
        conversation_id: "",
        role: "",
        content: "5",
        attachments: [],
        created_at: "",
        status: "complete",
        tool_calls: [{ id: "", name: "", arguments: "", output: "", success: true }],
        usage: null,
        run_id: null,
      },
    ]);
  });

  it("are hidden from other accounts", async () => {
    const [owner, stranger] = await Promise.all([signUp(), signUp()]);
    const { conversationId, path } = await begin(owner);
    await plant(conversationId, [1]);

    for (const forbidden of [path, `/conversations/${absentPlace().conversationId}/messages`]) {
      const { status, body } = await stranger("GET", forbidden);

      expect(status).toBe(404);
      expect(body).toEqual(problem(404, "not-found", "Conversation not found"));
    }
  });
});

describe("the pages of messages", () => {
  it("have 2, 2 and 1 of five messages with a limit of 2", async () => {
    const client = await signUp();
    const { conversationId, path } = await begin(client);
    await plant(conversationId, [1, 2, 3, 4, 5]);

    expect(await pagesOf(client, path, 2)).toEqual([messages(5, 4), messages(3, 2), messages(1)]);
  });

  it("end with the last page even if it is full", async () => {
    const client = await signUp();
    const { conversationId, path } = await begin(client);
    await plant(conversationId, [1, 2, 3, 4]);

    expect(await pagesOf(client, path, 2)).toEqual([messages(4, 3), messages(2, 1)]);
  });

  it("have twenty messages by default, and at most a hundred", async () => {
    const client = await signUp();
    const { conversationId, path } = await begin(client);
    await plant(
      conversationId,
      Array.from({ length: 22 }, (_, n) => n + 1),
    );

    expect((await client("GET", path)).body.items).toHaveLength(20);
    expect((await client("GET", `${path}?limit=100`)).body.items).toHaveLength(22);
    for (const limit of ["0", "101", "abc"]) {
      const { status, body } = await client("GET", `${path}?limit=${limit}`);
      expect([status, body.errors[0].path]).toEqual([422, ["limit"]]);
    }
  });

  it("are complete for a conversation that exceeds one response of the database", async () => {
    const client = await signUp();
    const { conversationId, path } = await begin(client);
    await plant(conversationId, [1, 2, 3, 4, 5, 6], { content: "x".repeat(300_000) });

    expect((await pagesOf(client, path, 20)).flat()).toEqual(messages(6, 5, 4, 3, 2, 1));
  });

  it("omit expired items, and nothing else", async () => {
    const client = await signUp();
    const { conversationId, path } = await begin(client);
    await plant(conversationId, [1, 3, 5, 7]);
    await plant(conversationId, [2, 6], { ttl: 1_000 });
    await plant(conversationId, [4], { ttl: Math.floor(Date.now() / 1000) + 600 });

    for (const limit of [1, 2, 3, 10])
      expect((await pagesOf(client, path, limit)).flat()).toEqual(messages(7, 5, 4, 3, 1));
  });

  it("contain only messages, whatever else is stored with the conversation", async () => {
    const client = await signUp();
    const { conversationId, path } = await begin(client);
    await plant(conversationId, [1]);
    const pk = `CONVERSATION#${conversationId}`;
    await table.batchWrite(["RUN#1", "MESSAGE", "SUMMARY#1"].map((sk) => ({ put: { pk, sk } })));

    expect(await pagesOf(client, path, 10)).toEqual([messages(1)]);
  });

  it("accept only cursors of the same conversation", async () => {
    const client = await signUp();
    const [one, other] = [await begin(client), await begin(client)];
    await plant(one.conversationId, [1, 2, 3]);
    await plant(other.conversationId, [1, 2, 3]);
    const { next_cursor: cursor } = (await client("GET", `${one.path}?limit=1`)).body;

    expect((await client("GET", `${one.path}?cursor=${cursor}`)).body.items).toHaveLength(2);
    for (const bad of [
      `${other.path}?cursor=${cursor}`,
      `${one.path}?cursor=A${cursor.slice(1)}`,
      `${one.path}?cursor=${btoa('{"pk":"a","sk":"b"}')}`,
    ]) {
      const { status, body } = await client("GET", bad);
      expect(status).toBe(400);
      expect(body).toEqual(
        problem(
          400,
          "malformed-request",
          "The cursor is not one of this list. Start again without a cursor.",
        ),
      );
    }
  });

  it("stay the same while messages are added", async () => {
    const client = await signUp();
    const { conversationId, path } = await begin(client);
    await plant(conversationId, [1, 2, 3, 4]);
    const { next_cursor: cursor } = (await client("GET", `${path}?limit=2`)).body;
    await plant(conversationId, [5, 6]);

    const { body } = await client("GET", `${path}?limit=2&cursor=${cursor}`);

    expect(body.items.map(({ message_id }: { message_id: string }) => message_id)).toEqual(messages(2, 1));
  });
});
