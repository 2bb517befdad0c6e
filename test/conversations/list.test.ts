import { describe, expect, it } from "vitest";
import { beginConversation, type Client, signUp, table } from "../support/app.ts";
import { problem } from "../http/route-cases.ts";
import { oldId, plantConversation } from "./plant.ts";

interface Listed {
  readonly conversation_id: string;
}

/** Begins this many conversations one after the other. Returns their ids, newest first. */
async function begin(client: Client, count: number): Promise<string[]> {
  const { agentId, conversationId } = await beginConversation(client);
  const ids = [conversationId];
  for (let n = 1; n < count; n++) {
    // Ids have a precision of a millisecond.
    await scheduler.wait(2);
    const created = await client("POST", "/conversations", { title: `Talk ${n}`, agent_id: agentId });
    ids.unshift(created.body.conversation_id);
  }
  return ids;
}

/** All pages of the list: the ids of each. */
async function pagesOf(client: Client, limit: number): Promise<string[][]> {
  const pages: string[][] = [];
  let cursor = "";
  do {
    const { status, body } = await client("GET", `/conversations?limit=${limit}&cursor=${cursor}`);
    expect(status).toBe(200);
    expect(body.has_more).toBe(body.next_cursor !== null);
    pages.push((body.items as Listed[]).map(({ conversation_id }) => conversation_id));
    cursor = (body.next_cursor as string | null) ?? "";
  } while (cursor !== "");
  return pages;
}

describe("the list of conversations", () => {
  it("is empty if there are no conversations", async () => {
    const client = await signUp();

    const { status, body } = await client("GET", "/conversations");

    expect(status).toBe(200);
    expect(body).toEqual({ items: [], next_cursor: null, has_more: false });
  });

  it.each(["/conversations", "/conversations/"])(
    "shows the newest first at %s, each with all fields",
    async (path) => {
      const [client, other] = await Promise.all([signUp(), signUp()]);
      await begin(other, 1);
      const ids = await begin(client, 3);

      const { status, body } = await client("GET", path);

      const items = [];
      for (const id of ids) items.push((await client("GET", `/conversations/${id}`)).body);
      expect(status).toBe(200);
      expect(body).toEqual({ items, next_cursor: null, has_more: false });
    },
  );

  it("comes in pages of 2, 2 and 1 for five with a limit of 2", async () => {
    const client = await signUp();
    const ids = await begin(client, 5);

    expect(await pagesOf(client, 2)).toEqual([ids.slice(0, 2), ids.slice(2, 4), ids.slice(4)]);
  });

  it("has no next page after a full last page", async () => {
    const client = await signUp();
    const ids = await begin(client, 4);

    expect(await pagesOf(client, 2)).toEqual([ids.slice(0, 2), ids.slice(2)]);
    expect(await pagesOf(client, 4)).toEqual([ids]);
  });

  it("has pages of 10 by default and of at most 100", async () => {
    const client = await signUp();
    for (let n = 0; n < 12; n++) await plantConversation(client.email);

    expect((await client("GET", "/conversations")).body.items).toHaveLength(10);
    expect((await client("GET", "/conversations?limit=&cursor=")).body.items).toHaveLength(10);
    expect((await client("GET", "/conversations?limit=100")).body.items).toHaveLength(12);
  });

  it.each(["0", "101", "abc", "-1", "1.5", "1e1", "999999999999999999", "2&limit=3"])(
    "refuses a limit of %s",
    async (limit) => {
      const client = await signUp();

      const { status, body } = await client("GET", `/conversations?limit=${limit}`);

      expect(status).toBe(422);
      expect(body.code).toBe("validation-failed");
      expect(body.errors).toEqual([
        { path: ["limit"], message: expect.any(String), code: expect.any(String) },
      ]);
    },
  );

  it("continues at the cursor after conversations were created or deleted", async () => {
    const client = await signUp();
    const ids = await begin(client, 5);
    const first = await client("GET", "/conversations?limit=2");
    await client("DELETE", `/conversations/${ids[1]}`);
    await client("DELETE", `/conversations/${ids[2]}`);
    await begin(client, 1);

    const second = await client("GET", `/conversations?limit=2&cursor=${first.body.next_cursor}`);

    expect((second.body.items as Listed[]).map(({ conversation_id }) => conversation_id)).toEqual(
      ids.slice(3),
    );
  });
});

describe("the list of conversations of both services", () => {
  /** Legacy ids from the whole range of sort keys, with times in the opposite order; newest first. */
  async function plantOld({ email }: Client): Promise<string[]> {
    const ids = ["0000", "018c", "0291", "7", "ffff", "a", "0290f"].map((start) => oldId(start));
    for (const [n, id] of ids.entries())
      await plantConversation(email, { id, createdAt: `2025-06-0${n + 1}T10:00:00.000000+00:00` });
    return ids.toReversed();
  }

  it.each([1, 2, 3, 4, 7, 10, 100])(
    "shows new ones first, then legacy ones by time, %i to a page",
    async (limit) => {
      const client = await signUp();
      const old = await plantOld(client);
      const ids = [...(await begin(client, 3)), ...old];

      const pages = await pagesOf(client, limit);

      expect(pages.flat()).toEqual(ids);
      expect(pages.slice(0, -1).every((page) => page.length === limit)).toBe(true);
    },
  );

  it("lists a legacy conversation whose random id looks like a time exactly once", async () => {
    const client = await signUp();
    const inBetween = [oldId("0190"), oldId("01ff"), oldId("0290"), oldId("018d")];
    for (const id of inBetween) await plantConversation(client.email, { id });
    const old = await plantOld(client);
    const fresh = await begin(client, 2);

    const listed = (await pagesOf(client, 2)).flat();

    expect(listed.toSorted()).toEqual([...inBetween, ...old, ...fresh].toSorted());
  });

  it("orders legacy conversations of the same time by id and loses none between pages", async () => {
    const client = await signUp();
    const ids = ["1", "5", "9", "c"].map((start) => oldId(start));
    for (const id of ids) await plantConversation(client.email, { id });

    expect(await pagesOf(client, 1)).toEqual(ids.toReversed().map((id) => [id]));
  });

  it("omits expired conversations, new and legacy ones", async () => {
    const client = await signUp();
    const fresh = await begin(client, 4);
    const kept = await plantConversation(client.email);
    await plantConversation(client.email, { attributes: { ttl: Math.floor(Date.now() / 1000) - 1 } });
    const living = await plantConversation(client.email, {
      createdAt: "2025-01-01T10:00:00.000000+00:00",
      attributes: { ttl: Math.floor(Date.now() / 1000) + 600 },
    });
    for (const id of [fresh[0], fresh[2]])
      await table.update({ pk: `USER#${client.email}`, sk: `CONVERSATION#${id}` }, { set: { ttl: 1_000 } });

    const expected = [fresh[1], fresh[3], kept, living];
    expect((await pagesOf(client, 1)).flat()).toEqual(expected);
    expect((await pagesOf(client, 3)).flat()).toEqual(expected);
  });

  it("lists a malformed legacy conversation with the attributes that it has", async () => {
    const client = await signUp();
    const pk = `USER#${client.email}`;
    await table.put({ pk, sk: "CONVERSATION#f-bare", title: 5, description: ["odd"] });

    const { status, body } = await client("GET", "/conversations");

    expect(status).toBe(200);
    expect(body.items).toEqual([
      {
        conversation_id: "f-bare",
        title: "5",
        description: null,
        agent_id: "",
        created_by: "",
        created_at: "",
        updated_at: null,
      },
    ]);
  });
});

describe("a cursor", () => {
  const sentence = "The cursor is not one of this list. Start again without a cursor.";

  async function cursorOf(client: Client): Promise<string> {
    await begin(client, 2);
    return (await client("GET", "/conversations?limit=1")).body.next_cursor as string;
  }

  it.each<[string, (cursor: string) => string]>([
    ["of the legacy Python service", () => btoa('{"offset": 2}')],
    ["of an empty text", () => "nonsense"],
    ["without its code", (cursor) => cursor.split(".")[0] ?? ""],
    ["with an empty code", (cursor) => `${cursor.split(".")[0]}.`],
    ["of a dot", () => "."],
    ["with an additional part", (cursor) => `${cursor}.${cursor}`],
    ["with another position", (cursor) => `A${cursor.slice(1)}`],
    ["with another code", (cursor) => `${cursor.slice(0, -5)}AAAAA`],
    ["that is cut off", (cursor) => cursor.slice(0, -1)],
    ["with another spelling", (cursor) => `${cursor}=`],
  ])("%s is refused, and never starts the list again", async (_case, change) => {
    const client = await signUp();
    const cursor = encodeURIComponent(change(await cursorOf(client)));

    const { status, body } = await client("GET", `/conversations?cursor=${cursor}`);

    expect(status).toBe(400);
    expect(body).toEqual(problem(400, "malformed-request", sentence));
  });

  it("of another user is refused", async () => {
    const [client, other] = await Promise.all([signUp(), signUp()]);
    const cursor = await cursorOf(other);

    expect((await client("GET", `/conversations?cursor=${cursor}`)).status).toBe(400);
    expect((await other("GET", `/conversations?cursor=${cursor}`)).status).toBe(200);
  });

  it("of a conversation's messages is refused, and the other way round", async () => {
    const client = await signUp();
    const { conversationId } = await beginConversation(client);
    const pk = `CONVERSATION#${conversationId}`;
    for (const n of [1, 2]) await table.put({ pk, sk: `MESSAGE#${n}`, content: "Hello" });
    const path = `/conversations/${conversationId}/messages`;
    const ofMessages = (await client("GET", `${path}?limit=1`)).body.next_cursor as string;
    const ofConversations = await cursorOf(client);

    expect((await client("GET", `/conversations?cursor=${ofMessages}`)).status).toBe(400);
    expect((await client("GET", `${path}?cursor=${ofConversations}`)).status).toBe(400);
  });

  it("of unreasonable length is refused", async () => {
    const client = await signUp();

    expect((await client("GET", `/conversations?cursor=${"a".repeat(2_049)}`)).status).toBe(422);
  });
});
