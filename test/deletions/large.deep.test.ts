import { describe, expect, it } from "vitest";
import { beginConversation, type Client, signUp, table } from "../support/app.ts";
import { endUserOf } from "../support/callers.ts";
import { createBase } from "../support/knowledge.ts";
import { keptFor } from "./kept.ts";

/** More items than one request removes from any partition. */
const MANY = 10_001;

const fill = (partition: string, prefix: string): Promise<void> =>
  table.batchWrite(
    Array.from({ length: MANY }, (_, index) => ({ put: { pk: partition, sk: `${prefix}${index}` } })),
  );

const statusOf = async (client: Client, path: string) => (await client("DELETE", path)).status;

const conversationsOf = (scope: string) =>
  table.query(`USER#${scope}`, { range: { beginsWith: "CONVERSATION#" } });

describe("a deletion that one request can't finish goes on by itself", () => {
  it("of an end user", async () => {
    const client = await signUp();
    const { agentId } = await beginConversation(client);
    await endUserOf(client, agentId, "visitor-1");
    const memory = `Agent#${agentId}#User#visitor-1`;
    await fill(memory, "Block#");
    const path = `/agents/${agentId}/end-users/visitor-1`;

    expect(await statusOf(client, path)).toBe(202);

    await expect.poll(() => keptFor(client)).toEqual([]);
    expect(await table.query(memory)).toEqual([]);
    expect(await table.query(`Agent#${agentId}`, { range: { beginsWith: "EndUser#" } })).toEqual([]);
    expect(await statusOf(client, path)).toBe(204);
  });

  it("of a conversation, the owner's and an end user's", async () => {
    const client = await signUp();
    const { agentId, conversationId } = await beginConversation(client);
    const endUser = await endUserOf(client, agentId, "visitor-1");
    const { body } = await endUser("POST", "/conversations", { title: "Talk", agent_id: agentId });
    const scopes = [client.email, `${client.email}#EndUser#${agentId}#visitor-1`];

    for (const [who, id] of [
      [client, conversationId],
      [endUser, String(body.conversation_id)],
    ] as const) {
      await fill(`CONVERSATION#${id}`, "MESSAGE#");
      expect(await statusOf(who, `/conversations/${id}`)).toBe(202);
      await expect.poll(() => keptFor(client)).toEqual([]);
      expect(await table.query(`CONVERSATION#${id}`)).toEqual([]);
      expect(await statusOf(who, `/conversations/${id}`)).toBe(404);
    }

    for (const scope of scopes) expect(await conversationsOf(scope)).toEqual([]);
  });

  it("of a knowledge base", async () => {
    const client = await signUp();
    const { kbId } = await createBase(client);
    await fill(`KnowledgeBase#${kbId}`, "Chunk#");

    expect(await statusOf(client, `/knowledge-bases/${kbId}`)).toBe(202);

    await expect.poll(() => keptFor(client)).toEqual([]);
    expect(await table.query(`KnowledgeBase#${kbId}`)).toEqual([]);
    expect((await client("GET", `/knowledge-bases/${kbId}`)).body).toMatchObject({ status: "deleted" });
    expect(await statusOf(client, `/knowledge-bases/${kbId}`)).toBe(404);
  });
});
