import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { expect, it } from "vitest";
import { agentIdOf } from "../../src/shared/id-types.ts";
import { beginConversation, type Client, signUp, table } from "../support/app.ts";
import { endUserOf } from "../support/callers.ts";
import { endFaults, injectFault, untilMet } from "../support/control.ts";
import { deletionRunnerOf, keptFor, storedBy } from "./kept.ts";

const NOTHING = { tables: [], alarm: null };

/** More end users than one request removes. */
const MANY = 21;

/** An agent of which one request can't remove everything. */
async function busyAgent(client: Client): Promise<string> {
  const { agentId } = await beginConversation(client);
  await table.batchWrite(
    Array.from({ length: MANY }, (_, index) => `visitor-${index}`).map((id) => ({
      put: {
        pk: `Agent#${agentId}`,
        sk: `EndUser#${id}`,
        agent_id: agentId,
        end_user_id: id,
        generation: "g",
        created_by: client.email,
      },
    })),
  );
  return agentId;
}

const remove = async (client: Client, agentId: string) =>
  (await client("DELETE", `/agents/${agentId}`)).status;

/** What is left of an agent and its end users. */
const leftOf = async (client: Client, agentId: string) => [
  ...(await table.query(`Agent#${agentId}`)),
  ...(await table.query(`User#${client.email}`, { range: { beginsWith: `Agent#${agentId}` } })),
];

/** An agent whose deletion has begun. */
async function begun(client: Client): Promise<string> {
  const agentId = await busyAgent(client);
  await table.update({ pk: `User#${client.email}`, sk: `Agent#${agentId}` }, { set: { deleting_at: "now" } });
  return agentId;
}

const keep = (client: Client, agentId: string) =>
  deletionRunnerOf(client).keep(client.email, { kind: "agent", agentId: agentIdOf(agentId) }, 0);

/** Lets every part of an agent's deletion fail, at its first operation of this kind. */
const failParts = (agentId: string, operation: "GetItem" | "Query" = "GetItem") =>
  injectFault({
    match: [`Agent#${agentId}`],
    operation,
    times: 100,
    fault: { kind: "answer", status: 400, body: { __type: "ValidationException", message: "Not now." } },
  });

it("goes on by itself after a 202, and leaves nothing behind", async () => {
  const client = await signUp();
  const agentId = await busyAgent(client);

  expect(await remove(client, agentId)).toBe(202);

  await expect.poll(() => keptFor(client)).toEqual([]);
  expect(await leftOf(client, agentId)).toEqual([]);
  expect(await remove(client, agentId)).toBe(204);
  expect(await storedBy(client)).toEqual(NOTHING);
});

it("goes on although its request has died after the mark", async () => {
  const client = await signUp();
  const { agentId } = await beginConversation(client);
  await failParts(agentId, "Query");
  expect(await remove(client, agentId)).toBeGreaterThanOrEqual(500);
  await expect.poll(() => keptFor(client)).toMatchObject([{ failures: 0 }]);
  const { alarm } = await storedBy(client);
  expect(alarm).not.toBeNull();
  await endFaults();

  await runDurableObjectAlarm(deletionRunnerOf(client));

  expect(await leftOf(client, agentId)).toEqual([]);
  expect(await storedBy(client)).toEqual(NOTHING);
});

it("that one request has finished leaves nothing to look after", async () => {
  const client = await signUp();
  const { agentId, conversationId } = await beginConversation(client);
  expect((await client("DELETE", `/conversations/${conversationId}`)).status).toBe(204);
  // Looked after, but never asked for.
  await keep(client, agentId);

  await expect
    .poll(async () => {
      await runDurableObjectAlarm(deletionRunnerOf(client));
      return storedBy(client);
    })
    .toEqual(NOTHING);
  expect((await client("GET", `/agents/${agentId}`)).status).toBe(200);
});

it("is postponed before each part, so that a crash neither ends it nor holds up the others", async () => {
  const client = await signUp();
  const agentId = await begun(client);
  const match = [`"Agent#${agentId}"`];
  await injectFault({ match, operation: "GetItem", times: 1, fault: { kind: "hold" } });

  await keep(client, agentId);
  await untilMet();

  // As it is during the part.
  expect((await keptFor(client)).map(({ failures }) => failures)).toEqual([1]);
  const [{ due_at: dueAt } = {}] = await keptFor(client);
  expect((await storedBy(client)).alarm).toBe(dueAt);
});

it("goes on after a part that has failed", async () => {
  const client = await signUp();
  const agentId = await begun(client);
  await failParts(agentId);
  await keep(client, agentId);
  await untilMet();
  await expect.poll(async () => (await keptFor(client)).map(({ failures }) => failures)).toEqual([1]);
  const alarm = await runInDurableObject(deletionRunnerOf(client), (_runner, { storage }) =>
    storage.getAlarm(),
  );
  expect(alarm).not.toBeNull();
  await endFaults();
  await runDurableObjectAlarm(deletionRunnerOf(client));

  await expect.poll(() => keptFor(client)).toEqual([]);
  expect(await leftOf(client, agentId)).toEqual([]);
});

it("of something else goes on although one fails", async () => {
  const client = await signUp();
  const [broken, other] = [await begun(client), await begun(client)];
  await failParts(broken);

  for (const agentId of [broken, other]) await keep(client, agentId);
  await untilMet();

  await expect
    .poll(async () => (await keptFor(client)).map(({ deletion }) => JSON.parse(String(deletion))))
    .toEqual([{ kind: "agent", agentId: broken }]);
  expect(await leftOf(client, other)).toEqual([]);
});

it("does not delete a new end user with the id of a deleted one", async () => {
  const client = await signUp();
  const { agentId } = await beginConversation(client);
  const endUser = await endUserOf(client, agentId, "visitor-1");
  const { body } = await endUser("POST", "/conversations", { title: "Talk", agent_id: agentId });

  // As if a repeated request had finished the deletion of the former one.
  const deletion = { kind: "end-user", endUser: { agentId, id: "visitor-1" } } as const;
  await deletionRunnerOf(client).keep(client.email, deletion, 0);

  await expect.poll(() => keptFor(client)).toEqual([]);
  expect((await endUser("GET", `/conversations/${body.conversation_id}/messages`)).status).toBe(200);
});

it("is finished although the account is deleted meanwhile", async () => {
  const client = await signUp();
  const agentId = await busyAgent(client);
  expect(await remove(client, agentId)).toBe(202);

  expect((await client("DELETE", "/users/me")).status).toBe(200);

  await expect.poll(() => keptFor(client)).toEqual([]);
  await expect.poll(() => table.query(`Agent#${agentId}`)).toEqual([]);
});
