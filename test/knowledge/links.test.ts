import { expect, it } from "vitest";
import { ada, beginConversation, type Client, signUp, table } from "../support/app.ts";
import { programOf } from "../support/callers.ts";
import { createBase } from "../support/knowledge.ts";

const stamp = expect.stringMatching(/^20\d\d-.*\+00:00$/u);

const createAgent = async (client: Client): Promise<string> =>
  (await client("POST", "/agents", { ...ada, agent_name: `Ada ${crypto.randomUUID()}` })).body.agent_id;

const link = (client: Client, agentId: string, kbId: string) =>
  client("POST", `/agents/${agentId}/knowledge-bases?kb_id=${kbId}`);

/** The bases that a turn of the agent searches. */
const searched = async (agentId: string) =>
  (await table.get({ pk: `Agent#${agentId}`, sk: "LinkedKnowledgeBases" }))?.["kb_ids"] ?? [];

const backlinks = async (kbId: string) =>
  (await table.query(`KnowledgeBase#${kbId}`, { range: { beginsWith: "Agent#" } })).map(({ sk }) => sk);

it("links a base to an agent once, with the sentences of the contract", async () => {
  const client = await signUp();
  const [agentId, { kbId }] = await Promise.all([createAgent(client), createBase(client)]);
  const ends = { kb_id: kbId, agent_id: agentId };

  const first = await link(client, agentId, kbId);
  const second = await link(client, agentId, kbId);

  expect([first.status, first.body]).toEqual([
    201,
    { message: "Knowledge base linked successfully", ...ends, linked_at: stamp },
  ]);
  expect([second.status, second.body]).toEqual([201, { message: "Knowledge base already linked", ...ends }]);
  const listed = await client("GET", `/agents/${agentId}/knowledge-bases`);
  expect(listed.body).toMatchObject([{ kb_id: kbId, name: "Handbook" }]);
  expect(await searched(agentId)).toEqual([kbId]);
  expect(await backlinks(kbId)).toEqual([`Agent#${agentId}`]);
  expect(await table.get({ pk: `Agent#${agentId}`, sk: `KnowledgeBase#${kbId}` })).toMatchObject({
    linked_at: first.body.linked_at,
    linked_by: client.email,
  });
});

it("removes a link, and does nothing if there is none", async () => {
  const client = await signUp();
  const [agentId, kept, removed] = [
    await createAgent(client),
    await createBase(client),
    await createBase(client),
  ];
  await link(client, agentId, kept.kbId);
  await link(client, agentId, removed.kbId);
  const path = `/agents/${agentId}/knowledge-bases`;

  expect((await client("DELETE", `${path}/${removed.kbId}`)).status).toBe(204);
  expect((await client("DELETE", `${path}/${removed.kbId}`)).status).toBe(204);

  expect((await client("GET", path)).body).toMatchObject([{ kb_id: kept.kbId }]);
  expect(await searched(agentId)).toEqual([kept.kbId]);
  expect(await backlinks(removed.kbId)).toEqual([]);
});

it("neither links nor lists what belongs to another account", async () => {
  const [owner, stranger] = await Promise.all([signUp(), signUp()]);
  const [agentId, { kbId }] = await Promise.all([createAgent(owner), createBase(owner)]);
  const [foreignAgent, foreign] = await Promise.all([createAgent(stranger), createBase(stranger)]);

  const answers = [
    await link(owner, agentId, foreign.kbId),
    await link(owner, agentId, "none"),
    await link(owner, foreignAgent, kbId),
    await owner("GET", `/agents/${foreignAgent}/knowledge-bases`),
    await owner("DELETE", `/agents/${foreignAgent}/knowledge-bases/${kbId}`),
  ];

  expect(answers.map(({ status, body }) => [status, body.detail])).toEqual([
    [404, "Knowledge base not found"],
    [404, "Knowledge base not found"],
    [404, "Agent not found"],
    [404, "Agent not found"],
    [404, "Agent not found"],
  ]);
  expect(await backlinks(foreign.kbId)).toEqual([]);
});

it("keeps a key that is limited to an agent from opening other bases to that agent", async () => {
  const client = await signUp();
  const [agentId, { kbId }] = await Promise.all([createAgent(client), createBase(client)]);
  const scopes = ["knowledge:read", "knowledge:write"];
  const limited = await programOf(client, scopes, { agent_ids: [agentId] });

  expect((await link(limited, agentId, kbId)).body.detail).toBe("Knowledge base not found");
  expect((await limited("GET", "/knowledge-bases")).body).toEqual([]);
  expect((await limited("POST", "/knowledge-bases", { name: "Mine" })).status).toBe(403);
  await link(client, agentId, kbId);
  expect((await limited("GET", `/agents/${agentId}/knowledge-bases`)).body).toMatchObject([{ kb_id: kbId }]);
  expect((await limited("GET", `/knowledge-bases/${kbId}`)).status).toBe(404);
});

it("refuses the 21st link of an agent with 409, exactly under concurrency", async () => {
  const client = await signUp();
  const agentId = await createAgent(client);
  const bases = await Promise.all(Array.from({ length: 23 }, () => createBase(client)));
  for (const { kbId } of bases.slice(0, 18)) await link(client, agentId, kbId);

  const answers = await Promise.all(bases.slice(18).map(({ kbId }) => link(client, agentId, kbId)));

  expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 201, 409, 409, 409]);
  expect(answers.find(({ status }) => status === 409)?.body.detail).toBe(
    "An agent can be linked to at most 20 knowledge bases. Unlink one to link another.",
  );
  expect(await searched(agentId)).toHaveLength(20);
  expect((await client("GET", `/agents/${agentId}/knowledge-bases`)).body).toHaveLength(20);
});

it("lists a link of the legacy service, and completes it when it is made again", async () => {
  const client = await signUp();
  const [agentId, { kbId }] = await Promise.all([createAgent(client), createBase(client)]);
  const linkedAt = "2025-06-01T10:00:00.123456+00:00";
  await table.put({
    pk: `Agent#${agentId}`,
    sk: `KnowledgeBase#${kbId}`,
    entity_type: "AgentKnowledgeBase",
    gsi2_pk: `KnowledgeBase#${kbId}`,
    gsi2_sk: `Agent#${agentId}`,
    linked_at: linkedAt,
    linked_by: client.email,
  });
  expect((await client("GET", `/agents/${agentId}/knowledge-bases`)).body).toMatchObject([{ kb_id: kbId }]);

  const again = await link(client, agentId, kbId);

  expect(again.body.message).toBe("Knowledge base already linked");
  expect(await searched(agentId)).toEqual([kbId]);
  expect(await table.get({ pk: `Agent#${agentId}`, sk: `KnowledgeBase#${kbId}` })).toMatchObject({
    linked_at: linkedAt,
  });
});

it("removes a deleted base from its agents", async () => {
  const client = await signUp();
  const [agentId, { kbId }] = await Promise.all([createAgent(client), createBase(client)]);
  await link(client, agentId, kbId);

  await client("DELETE", `/knowledge-bases/${kbId}`);

  expect((await client("GET", `/agents/${agentId}/knowledge-bases`)).body).toEqual([]);
  expect(await searched(agentId)).toEqual([]);
  expect((await link(client, agentId, kbId)).body.detail).toBe("Knowledge base not found");
});

it("removes a deleted agent from its bases", async () => {
  const client = await signUp();
  const { agentId } = await beginConversation(client);
  const { kbId } = await createBase(client);
  await link(client, agentId, kbId);

  expect((await client("DELETE", `/agents/${agentId}`)).status).toBe(204);

  expect(await backlinks(kbId)).toEqual([]);
  expect(await table.query(`Agent#${agentId}`)).toEqual([]);
});
