import { conversationIdOf } from "../../src/shared/id-types.ts";
import { expect, it } from "vitest";
import { ConversationRepository } from "../../src/conversations/repository.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { deriveHmacKey } from "../../src/shared/crypto.ts";
import { Cursors } from "../../src/table/cursor.ts";
import { beginConversation, signUp, table } from "../support/app.ts";
import { beginOwnConversation, endUserOf } from "../support/callers.ts";
import { patientTable } from "../support/limits.ts";

const LIMIT = 1_000;

async function visitor() {
  const owner = await signUp();
  const { agentId } = await beginConversation(owner);
  const client = await endUserOf(owner, agentId);
  const key = { pk: `Agent#${agentId}#User#${client.endUserId}`, sk: "Usage#conversations" };
  return {
    owner,
    agentId,
    client,
    begin: (headers: Record<string, string> = {}) =>
      client("POST", "/conversations", { title: "Talk", agent_id: agentId }, headers),
    count: async () => (await table.get(key))?.["conversations"],
    has: (count: number) =>
      table.update(key, { set: { conversations: count, counted_at: "2026-01-29T11:51:36.123456+00:00" } }),
  };
}

it("counts an end user's conversations, including those from before counting began", async () => {
  const { owner, agentId, client, begin, count } = await visitor();
  // A conversation from before counting began.
  const old = { conversation_id: "old", agent_id: agentId, created_by: client.endUserId, title: "Old" };
  const pk = `USER#${owner.email}#EndUser#${agentId}#${client.endUserId}`;
  await table.put({ pk, sk: "CONVERSATION#old", entity_type: "Conversation", ...old });

  const { conversationId } = await beginOwnConversation(client, agentId);
  const key = { "idempotency-key": crypto.randomUUID() };
  expect((await begin(key)).status).toBe(201);
  expect((await begin(key)).status).toBe(201);
  expect(await count()).toBe(3);

  await client("DELETE", `/conversations/${conversationId}`);
  await client("DELETE", `/conversations/${conversationId}`);
  expect(await count()).toBe(2);
  await owner("DELETE", `/agents/${agentId}/end-users/${client.endUserId}`);
  expect(await count()).toBeUndefined();
});

it("refuses a conversation beyond an end user's limit", async () => {
  const { owner, agentId, begin, has, client } = await visitor();
  const { conversationId } = await beginOwnConversation(client, agentId);
  await has(LIMIT);

  const { status, headers, body } = await begin();

  expect([status, headers.get("retry-after")]).toEqual([429, null]);
  expect(body).toMatchObject({
    code: "limit-exceeded",
    detail: "Conversation limit for one end user reached (1000). Delete some to start others.",
    limit: LIMIT,
    current: LIMIT,
    tier: "enterprise",
    resets_at: null,
    upgrade_url: "https://app.example.com/pricing",
  });
  // The owner, and others, have room.
  expect((await owner("POST", "/conversations", { title: "Mine", agent_id: agentId })).status).toBe(201);
  await beginOwnConversation(await endUserOf(owner, agentId), agentId);
  await client("DELETE", `/conversations/${conversationId}`);
  expect((await begin()).status).toBe(201);
});

it("accepts exactly three of many concurrent conversations at three below the limit", async () => {
  const { owner, agentId, client, has, count } = await visitor();
  await has(LIMIT - 3);
  const cursors = new Cursors(await deriveHmacKey("a secret for tests only", "list cursors"));
  const conversations = new ConversationRepository({ table: patientTable, cursors });
  const scope = { accountEmail: owner.email, endUser: { agentId, id: client.endUserId } };
  const createdAt = systemClock.timestamp();
  const talk = {
    title: "Talk",
    description: null,
    agentId,
    createdBy: client.endUserId,
    createdAt,
    messageCount: 0,
  };

  const outcomes = await Promise.all(
    Array.from({ length: 100 }, () =>
      conversations.create(scope, { ...talk, id: conversationIdOf(crypto.randomUUID()), updatedAt: null }),
    ),
  );

  expect(outcomes.filter((outcome) => "id" in outcome)).toHaveLength(3);
  const refused = outcomes.filter((outcome) => "tooMany" in outcome);
  expect(refused).toEqual(Array.from({ length: 97 }, () => ({ tooMany: LIMIT })));
  expect(await count()).toBe(LIMIT);
});
