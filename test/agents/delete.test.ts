import type { ConversationId } from "../../src/shared/id-types.ts";
import { describe, expect, it } from "vitest";
import { ada, beginConversation, type Client, signUp, table } from "../support/app.ts";
import { say } from "../support/sse.ts";
import { plantOldAgent, storedAgents } from "./old-items.ts";

/** An agent that has been talked to, so that everything an agent can have is there. */
async function livedIn(client: Client, name = "Ada") {
  const place = await beginConversation(client, { agent_name: name });
  const other = await client("POST", "/conversations", { title: "Other", agent_id: place.agentId });
  await say(client, place.path, "My name is Alice and I work at Google");
  return { ...place, otherId: other.body.conversation_id as ConversationId };
}

const partitionsOf = (agentId: string, email: string, conversationIds: readonly string[]) =>
  Promise.all(
    [
      `USER#${email}`,
      `Agent#${agentId}`,
      `Agent#${agentId}#User#${email}`,
      ...conversationIds.map((id) => `CONVERSATION#${id}`),
    ].map((partition) => table.query(partition)),
  );

describe("deleting an agent", () => {
  it("removes it with its name, its conversations, their messages and its memory", async () => {
    const client = await signUp();
    const { agentId, conversationId, otherId } = await livedIn(client);
    const ids = [conversationId, otherId];
    const before = await partitionsOf(agentId, client.email, ids);
    // Conversations, definitions and contents of memory, messages: there is something to remove.
    expect(before[0]).toHaveLength(2);
    expect(before[2]?.length).toBeGreaterThan(2);
    expect(before[3]?.length).toBeGreaterThanOrEqual(2);

    const { status, body } = await client("DELETE", `/agents/${agentId}`);

    expect([status, body]).toEqual([204, ""]);
    expect(await storedAgents(client.email)).toEqual({ agents: [], guards: [] });
    expect((await partitionsOf(agentId, client.email, ids)).flat()).toEqual([]);
    for (const path of [
      `/agents/${agentId}`,
      `/conversations/${conversationId}`,
      `/agents/${agentId}/memory-blocks`,
    ])
      expect((await client("GET", path)).status).toBe(404);
    expect((await client("GET", "/agents")).body).toEqual([]);
    expect((await client("GET", "/conversations")).body.items).toEqual([]);
  });

  // Scenario 14.
  it("removes more than a thousand messages, including expired ones", async () => {
    const client = await signUp();
    const { agentId, conversationId } = await beginConversation(client);
    const pk = `CONVERSATION#${conversationId}`;
    const puts = Array.from({ length: 1_010 }, (_, n) => ({
      put: {
        pk,
        sk: `MESSAGE#2025-06-01T10:00:00.${String(n).padStart(6, "0")}+00:00#${n}`,
        content: `Message ${n}`,
        ...(n % 10 === 0 && { ttl: 1_000 }),
      },
    }));
    await table.batchWrite(puts);

    const { status } = await client("DELETE", `/agents/${agentId}`);

    expect(status).toBe(204);
    // Without `ttl` among the attributes, expired items are read too.
    expect(await table.query(pk, { attributes: ["pk", "sk"] })).toEqual([]);
  });

  it("frees its name", async () => {
    const client = await signUp();
    const { agentId } = await beginConversation(client, { agent_name: "Ada" });
    await client("DELETE", `/agents/${agentId}`);

    const { status, body } = await client("POST", "/agents", ada);

    expect(status).toBe(201);
    expect(body.agent_id).not.toBe(agentId);
    expect((await client("GET", `/agents/${body.agent_id}/memory-blocks/human/content`)).body.lines).toEqual(
      [],
    );
  });

  it("keeps other agents and their conversations", async () => {
    const client = await signUp();
    const doomed = await livedIn(client, "Ada");
    const kept = await livedIn(client, "Bob");
    const read = async () =>
      Promise.all([
        client("GET", "/agents"),
        client("GET", `/agents/${kept.agentId}/memory-blocks/human/content`),
        client("GET", `/conversations/${kept.conversationId}/messages`),
      ]);
    const before = await read();

    await client("DELETE", `/agents/${doomed.agentId}`);

    const [agents, memory, messages] = await read();
    expect(agents.body).toHaveLength(1);
    expect([memory.body, messages.body]).toEqual([before[1].body, before[2].body]);
    expect(messages.body.items).toHaveLength(2);
  });

  it("keeps a conversation that was moved to another agent", async () => {
    const client = await signUp();
    const { agentId, conversationId } = await beginConversation(client, { agent_name: "Ada" });
    const bob = await client("POST", "/agents", { ...ada, agent_name: "Bob" });
    await client("PUT", `/conversations/${conversationId}`, { agent_id: bob.body.agent_id });

    await client("DELETE", `/agents/${agentId}`);

    expect((await client("GET", `/conversations/${conversationId}`)).status).toBe(200);
  });

  it("answers 204 for repeated deletions and for unknown agents", async () => {
    const client = await signUp();
    const { agentId } = await beginConversation(client);

    const statuses = [];
    for (const id of [agentId, agentId, crypto.randomUUID(), "nonsense"])
      statuses.push((await client("DELETE", `/agents/${id}`)).status);

    expect(statuses).toEqual([204, 204, 204, 204]);
  });

  it("succeeds for concurrent requests", async () => {
    const client = await signUp();
    const { agentId, conversationId } = await livedIn(client);

    const answers = await Promise.all(
      Array.from({ length: 5 }, () => client("DELETE", `/agents/${agentId}`)),
    );

    expect(answers.map(({ status }) => status)).toEqual([204, 204, 204, 204, 204]);
    expect((await partitionsOf(agentId, client.email, [conversationId])).flat()).toEqual([]);
    expect(await storedAgents(client.email)).toEqual({ agents: [], guards: [] });
  });

  it("answers 204 to another account and leaves the agent unchanged", async () => {
    const [owner, stranger] = await Promise.all([signUp(), signUp()]);
    const { agentId, conversationId } = await livedIn(owner);
    const before = [
      await partitionsOf(agentId, owner.email, [conversationId]),
      await storedAgents(owner.email),
    ];

    const { status } = await stranger("DELETE", `/agents/${agentId}`);

    expect(status).toBe(204);
    expect([
      await partitionsOf(agentId, owner.email, [conversationId]),
      await storedAgents(owner.email),
    ]).toEqual(before);
  });

  it("removes an agent of the legacy Python service, which has no guard", async () => {
    const client = await signUp();
    const id = await plantOldAgent(client.email);

    expect((await client("DELETE", `/agents/${id}`)).status).toBe(204);
    expect(await storedAgents(client.email)).toEqual({ agents: [], guards: [] });
  });

  it("removes an agent of the legacy Python service whose name is too long for a guard", async () => {
    const client = await signUp();
    const id = await plantOldAgent(client.email, { agent_name: "語".repeat(400) });

    expect((await client("DELETE", `/agents/${id}`)).status).toBe(204);
    expect(await storedAgents(client.email)).toEqual({ agents: [], guards: [] });
  });

  it("keeps the name reserved if the legacy Python service stored two agents with it", async () => {
    const client = await signUp();
    const kept = await client("POST", "/agents", ada);
    const doomed = await plantOldAgent(client.email, { agent_name: "ADA" });

    expect((await client("DELETE", `/agents/${doomed}`)).status).toBe(204);

    const { agents, guards } = await storedAgents(client.email);
    expect([...agents, ...guards].map((item) => item["agent_id"])).toEqual([
      kept.body.agent_id,
      kept.body.agent_id,
    ]);
    expect((await client("POST", "/agents", ada)).status).toBe(200);
  });
});
