import type { AgentId } from "../../src/shared/id-types.ts";
import { describe, expect, it } from "vitest";
import { ada, beginConversation, type Client, signUp, table } from "../support/app.ts";
import { endFaults, injectFault, untilMet } from "../support/control.ts";
import { absentPlace, problem } from "../http/route-cases.ts";
import { plantConversation } from "./plant.ts";

const STAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00$/u;

const createAgent = async (client: Client, name = "Ada") =>
  (await client("POST", "/agents", { ...ada, agent_name: name })).body.agent_id as AgentId;

const stored = ({ email }: Client) => table.query(`USER#${email}`);

describe("beginning a conversation", () => {
  it.each(["/conversations", "/conversations/"])("returns the conversation at %s", async (path) => {
    const client = await signUp();
    const agentId = await createAgent(client);

    const { status, body } = await client("POST", path, {
      title: " Talk ",
      description: "About this",
      agent_id: agentId,
    });

    expect(status).toBe(201);
    expect(body).toEqual({
      conversation_id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7/u),
      title: "Talk",
      description: "About this",
      agent_id: agentId,
      created_by: client.email,
      created_at: expect.stringMatching(STAMP),
      updated_at: null,
    });
    expect((await client("GET", `/conversations/${body.conversation_id}`)).body).toEqual(body);
  });

  it("stores it as the legacy Python service would", async () => {
    const client = await signUp();
    const agentId = await createAgent(client);

    const { body } = await client("POST", "/conversations", { title: "Talk", agent_id: agentId });

    expect(await stored(client)).toEqual([
      {
        pk: `USER#${client.email}`,
        sk: `CONVERSATION#${body.conversation_id}`,
        entity_type: "Conversation",
        conversation_id: body.conversation_id,
        title: "Talk",
        description: null,
        agent_id: agentId,
        created_by: client.email,
        created_at: body.created_at,
        updated_at: null,
        gsi1_pk: `USER#${client.email}`,
        gsi1_sk: `CONVERSATION#${body.created_at}`,
      },
    ]);
  });

  it.each(["", null, undefined])("treats %j as no description", async (description) => {
    const client = await signUp();
    const agentId = await createAgent(client);

    const { status, body } = await client("POST", "/conversations", {
      title: "Talk",
      description,
      agent_id: agentId,
    });

    expect([status, body.description]).toEqual([201, null]);
  });

  it.each<[string, Record<string, unknown>, string]>([
    ["no title", { title: undefined }, "title"],
    ["an empty title", { title: "" }, "title"],
    ["a blank title", { title: "   " }, "title"],
    ["a title of more than 200 characters", { title: "t".repeat(201) }, "title"],
    ["a number as the title", { title: 5 }, "title"],
    ["a description of more than 1,000 characters", { description: "d".repeat(1_001) }, "description"],
    ["no agent", { agent_id: undefined }, "agent_id"],
    ["an empty agent", { agent_id: "" }, "agent_id"],
  ])("refuses %s, and stores nothing", async (_case, more, member) => {
    const client = await signUp();
    const agentId = await createAgent(client);

    const { status, body } = await client("POST", "/conversations", {
      title: "Talk",
      agent_id: agentId,
      ...more,
    });

    expect(status).toBe(422);
    expect(body.errors).toEqual([{ path: [member], message: expect.any(String), code: expect.any(String) }]);
    expect(await stored(client)).toEqual([]);
  });

  it("accepts titles and descriptions up to their limits", async () => {
    const client = await signUp();
    const agentId = await createAgent(client);
    const input = { title: "語".repeat(200), description: "語".repeat(1_000), agent_id: agentId };

    expect(await client("POST", "/conversations", input)).toMatchObject({ status: 201, body: input });
  });

  it("answers 404 for an agent that is absent, malformed or another account's", async () => {
    const [client, other] = await Promise.all([signUp(), signUp()]);
    const foreign = await createAgent(other);

    for (const agentId of [absentPlace().agentId, foreign, "a#b", "\0", "x".repeat(3_000)]) {
      const { status, body } = await client("POST", "/conversations", { title: "Talk", agent_id: agentId });

      expect(status).toBe(404);
      expect(body).toEqual(problem(404, "not-found", "Agent not found"));
    }
    expect(await stored(client)).toEqual([]);
  });

  it("leaves no conversation of an agent that is deleted concurrently", async () => {
    const client = await signUp();
    const agentId = await createAgent(client);
    const title = `A late talk ${crypto.randomUUID()}`;
    await injectFault({ match: [title], fault: { kind: "hold" } });

    const beginning = client("POST", "/conversations", { title, agent_id: agentId });
    await untilMet();
    await client("DELETE", `/agents/${agentId}`);
    await endFaults();

    expect((await beginning).status).toBe(404);
    expect(await stored(client)).toEqual([]);
  });

  it("creates one conversation if the answer of the database was lost", async () => {
    const client = await signUp();
    const agentId = await createAgent(client);
    const title = `A lost talk ${crypto.randomUUID()}`;
    await injectFault({ match: [title], fault: { kind: "lose-answer" } });

    const { status } = await client("POST", "/conversations", { title, agent_id: agentId });

    expect(status).toBe(201);
    expect(await stored(client)).toHaveLength(1);
  });
});

describe("changing a conversation", () => {
  it("renames it and describes it, and nothing else", async () => {
    const client = await signUp();
    const { conversationId } = await beginConversation(client);
    const path = `/conversations/${conversationId}`;
    const [item] = await stored(client);
    const before = await client("GET", path);

    const { status, body } = await client("PUT", path, {
      title: " New ",
      description: "More",
    });

    const changed = { title: "New", description: "More", updated_at: expect.stringMatching(STAMP) };
    expect(status).toBe(200);
    expect(body).toEqual({ ...before.body, ...changed });
    expect((await client("GET", path)).body).toEqual(body);
    expect(await stored(client)).toEqual([{ ...item, ...changed }]);
  });

  it.each(["", null, undefined])("treats %j as unchanged, in every member", async (blank) => {
    const client = await signUp();
    const agentId = await createAgent(client);
    const created = await client("POST", "/conversations", {
      title: "Talk",
      description: "About this",
      agent_id: agentId,
    });

    const { status, body } = await client("PUT", `/conversations/${created.body.conversation_id}`, {
      title: blank,
      description: blank,
      agent_id: blank,
    });

    expect(status).toBe(200);
    expect(body).toEqual(created.body);
  });

  it("moves it to another agent of the account, but not of another account", async () => {
    const [client, other] = await Promise.all([signUp(), signUp()]);
    const { conversationId } = await beginConversation(client);
    const path = `/conversations/${conversationId}`;
    const own = await createAgent(client, "Bob");
    const foreign = await createAgent(other);

    const given = await client("PUT", path, { agent_id: own });
    expect([given.status, given.body.agent_id]).toEqual([200, own]);

    for (const agentId of [foreign, absentPlace().agentId, "a#b", "x".repeat(3_000)]) {
      const refused = await client("PUT", path, { agent_id: agentId, title: "Stolen" });
      expect(refused.status).toBe(404);
      expect(refused.body).toEqual(problem(404, "not-found", "Agent not found"));
    }
    expect((await client("GET", path)).body).toEqual(given.body);
  });

  it.each<[string, unknown]>([
    ["title", "   "],
    ["title", "t".repeat(201)],
    ["title", 5],
    ["description", "d".repeat(1_001)],
    ["description", ["d"]],
    ["agent_id", 5],
  ])("refuses %s = %j, and changes nothing", async (member, value) => {
    const client = await signUp();
    const { conversationId } = await beginConversation(client);
    const before = await stored(client);

    const { status, body } = await client("PUT", `/conversations/${conversationId}`, { [member]: value });

    expect(status).toBe(422);
    expect(body.errors).toEqual([{ path: [member], message: expect.any(String), code: expect.any(String) }]);
    expect(await stored(client)).toEqual(before);
  });

  it("answers 404 for an unknown conversation and creates none", async () => {
    const client = await signUp();

    const { status, body } = await client("PUT", `/conversations/${absentPlace().conversationId}`, {
      title: "T",
    });

    expect(status).toBe(404);
    expect(body).toEqual(problem(404, "not-found", "Conversation not found"));
    expect(await stored(client)).toEqual([]);
  });
});

describe("deleting a conversation", () => {
  it("removes it with its messages and answers 404 when repeated", async () => {
    const client = await signUp();
    const { conversationId } = await beginConversation(client);
    const path = `/conversations/${conversationId}`;
    const pk = `CONVERSATION#${conversationId}`;
    await table.batchWrite(
      Array.from({ length: 60 }, (_, n) => ({ put: { pk, sk: `MESSAGE#${100 + n}`, content: "Hello" } })),
    );

    const first = await client("DELETE", path);
    const second = await client("DELETE", path);

    expect([first.status, first.body]).toEqual([204, ""]);
    expect(second.status).toBe(404);
    expect(second.body).toEqual(problem(404, "not-found", "Conversation not found"));
    expect((await client("GET", path)).status).toBe(404);
    expect([await stored(client), await table.query(pk)]).toEqual([[], []]);
  });

  it("can be repeated after a failure, and hides the conversation meanwhile", async () => {
    const client = await signUp();
    const { conversationId } = await beginConversation(client);
    const path = `/conversations/${conversationId}`;
    const pk = `CONVERSATION#${conversationId}`;
    await table.put({ pk, sk: "MESSAGE#1", content: "Hello" });
    const fault = { kind: "answer", status: 500, body: {} } as const;
    // Behind the one that marks the conversation.
    const removal = { operation: "TransactWriteItems", after: 1, times: 4 } as const;
    await injectFault({ match: [conversationId], ...removal, fault });

    expect((await client("DELETE", path)).status).toBe(503);
    for (const gone of [path, `${path}/messages`]) expect((await client("GET", gone)).status).toBe(404);
    expect((await client("PUT", path, { title: "T" })).status).toBe(404);
    expect((await client("GET", "/conversations")).body.items).toEqual([]);

    expect((await client("DELETE", path)).status).toBe(204);
    expect([await stored(client), await table.query(pk)]).toEqual([[], []]);
  });

  it("removes one of the legacy Python service", async () => {
    const client = await signUp();
    const id = await plantConversation(client.email);

    expect((await client("DELETE", `/conversations/${id}`)).status).toBe(204);
    expect(await stored(client)).toEqual([]);
  });
});

it("hides expired conversations", async () => {
  const client = await signUp();
  const id = await plantConversation(client.email, { attributes: { ttl: 1_000 } });

  expect((await client("GET", `/conversations/${id}`)).status).toBe(404);
});
