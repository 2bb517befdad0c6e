import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { portsFrom } from "../../src/deps/ports.ts";
import { createDeps } from "../../src/deps/request.ts";
import { agentIdOf } from "../../src/shared/id-types.ts";
import type { Item } from "../../src/table/marshal.ts";
import { beginConversation, type Client, signUp, table } from "../support/app.ts";
import { beginOwnConversation, endUserOf } from "../support/callers.ts";
import { databaseRequests, endFaults, injectFault, scriptModel, untilMet } from "../support/control.ts";
import { eventsAfter, open, readUntil, runnerOf, untilIdle } from "../support/runs.ts";
import { say, textOf } from "../support/sse.ts";
import { createKey } from "../support/widget.ts";

const ID = "visitor-1";

/** What a model says in a conversation, and in a new one with the same id. */
const REPLIES = [
  [{ text: "The former one." }],
  [{ text: "The new " }, { hold: true }, { text: "one." }],
] as const;

const statusOf = async (client: Client, path: string) => (await client("DELETE", path)).status;

/** An agent with an end user who has a conversation and a memory. */
async function withEndUser() {
  const owner = await signUp();
  const { agentId } = await beginConversation(owner);
  const memory = { pk: `Agent#${agentId}#User#${ID}`, sk: "Archival#1" };
  const create = async (content: string) => {
    const endUser = await endUserOf(owner, agentId, ID);
    const { conversationId } = await beginOwnConversation(endUser, agentId);
    await table.put({ ...memory, content });
    return { endUser, conversationId };
  };
  await create("The former one likes tea.");
  return { owner, agentId, path: `/agents/${agentId}/end-users/${ID}`, create, memory };
}

/** Holds the first query of a partition. */
const holdQuery = (partition: string) =>
  injectFault({ match: [`"${partition}"`], operation: "Query", fault: { kind: "hold" } });

/** Holds the answer to the next such request about a conversation, and waits until it has been carried out when called. */
async function holdAnswer(conversationId: string, operation: string) {
  const sent = async () =>
    (await databaseRequests(conversationId)).filter((request) => request.operation === operation);
  const { length: before } = await sent();
  await injectFault({ match: [conversationId], operation, times: 1, fault: { kind: "hold-answer" } });
  return () => expect.poll(async () => (await sent())[before]?.endedAt ?? 0).toBeGreaterThan(0);
}

it.each([
  [
    "its conversations are listed",
    (agentId: string, email: string) => `USER#${email}#EndUser#${agentId}#${ID}`,
  ],
  ["its memories are read", (agentId: string) => `Agent#${agentId}#User#${ID}`],
])(
  "a repeat of an end user's deletion that is late when %s leaves a new one with the id alone",
  async (_case, partitionIn) => {
    const { owner, agentId, path, create, memory } = await withEndUser();
    await holdQuery(partitionIn(agentId, owner.email));
    const repeat = statusOf(owner, path);
    await untilMet();

    expect(await statusOf(owner, path)).toBe(204);
    const { endUser, conversationId } = await create("The new one likes coffee.");
    await endFaults();

    expect(await repeat).toBe(204);
    expect((await endUser("GET", `/conversations/${conversationId}/messages`)).status).toBe(200);
    expect((await table.get(memory))?.["content"]).toContain("coffee");
  },
);

it("a continued deletion of an end user does not begin one of a new end user with the id", async () => {
  const { owner, agentId, path, create } = await withEndUser();
  await table.update({ pk: `Agent#${agentId}`, sk: `EndUser#${ID}` }, { set: { deleting_at: "before" } });
  // The second read is that of the agent, behind the one of the mark.
  const match = [`"Agent#${agentId}"`];
  await injectFault({ match, operation: "GetItem", after: 1, times: 1, fault: { kind: "hold" } });
  const { partialDeletionService } = createDeps(await portsFrom(env), () => {});
  const endUserRef = { agentId: agentIdOf(agentId), id: ID };
  const part = partialDeletionService.continue(owner.email, { kind: "end-user", endUser: endUserRef });
  await untilMet();

  expect(await statusOf(owner, path)).toBe(204);
  const { endUser, conversationId } = await create("The new one likes coffee.");
  await endFaults();

  expect(await part).toBe(true);
  expect((await endUser("GET", `/conversations/${conversationId}/messages`)).status).toBe(200);
});

it("a repeat of a conversation's deletion leaves a new one with the id alone", async () => {
  const owner = await signUp();
  const { conversationId } = await beginConversation(owner);
  const path = `/conversations/${conversationId}`;
  const items = await table.query(`USER#${owner.email}`, {
    range: { beginsWith: `CONVERSATION#${conversationId}` },
  });
  const message = { pk: `CONVERSATION#${conversationId}`, sk: "MESSAGE#1" };
  await holdQuery(message.pk);
  const repeat = statusOf(owner, path);
  await untilMet();

  expect(await statusOf(owner, path)).toBe(204);
  await store([...items, message]);
  await endFaults();

  expect(await repeat).toBe(204);
  expect(await table.get(message)).toBeDefined();
  expect((await owner("GET", `${path}/messages`)).status).toBe(200);
});

it("a repeat of a conversation's deletion that is late does not end a run of a new one with the id", async () => {
  const owner = await signUp();
  const model = await scriptModel(...REPLIES);
  const { agentId } = await beginConversation(owner, { agent_model: model.name });
  // The id of the conversation follows from the key.
  const ask = async () => {
    const body = { model: agentId, stream: true, messages: [{ role: "user", content: "Hello" }] };
    const headers = { "Idempotency-Key": "once" };
    const { response } = await owner.raw("POST", "/v1/chat/completions", body, { headers });
    return { id: response.headers.get("x-conversation-id") ?? "", response };
  };
  const former = await ask();
  expect(await former.response.text()).toContain("The former one.");
  await untilIdle(owner, `/agents/${agentId}/${former.id}`);
  const path = `/conversations/${former.id}`;
  const marked = await holdAnswer(former.id, "TransactWriteItems");
  const repeat = statusOf(owner, path);
  await marked();

  expect(await statusOf(owner, path)).toBe(204);
  const { id, response } = await ask();
  await model.asked(2);
  await endFaults();

  expect([id, await repeat]).toEqual([former.id, 204]);
  await model.release();
  const words = /"content":"([^"]*)"/gu;
  const text = [...(await response.text()).matchAll(words)].map(([, word]) => word).join("");
  expect(text).toBe("The new one.");
});

it("a runner that is late with a deletion removes nothing of a new conversation with the id", async () => {
  const owner = await signUp();
  const model = await scriptModel(...REPLIES);
  const { conversationId, path } = await beginConversation(owner, { agent_model: model.name });
  await say(owner, path, "Hello");
  await untilIdle(owner, path);
  const key = { pk: `USER#${owner.email}`, sk: `CONVERSATION#${conversationId}` };
  const items = await table.query(key.pk, { range: { beginsWith: key.sk } });
  await table.update(key, { set: { deleting_at: "before" } });
  const looked = await holdAnswer(conversationId, "GetItem");
  const late = runnerOf(owner, path).forget();
  await looked();

  expect(await statusOf(owner, `/conversations/${conversationId}`)).toBe(204);
  await store(items);
  const turn = await open(owner, path, "Hello again");
  await readUntil(turn, "The new ");
  await endFaults();
  expect(await late).toEqual({ answer: true });
  await model.release();

  expect(textOf(await turn.rest())).toBe("one.");
  const { events } = await eventsAfter(owner, conversationId, turn.runId, 0);
  expect(textOf(events)).toBe("The new one.");
});

it("a repeat of an agent's deletion leaves a new one with the id alone", async () => {
  const owner = await signUp();
  const { agentId, conversationId } = await beginConversation(owner);
  const endUser = await endUserOf(owner, agentId, ID);
  await createKey(owner, agentId);
  const [own, parts, conversations] = await Promise.all([
    table.query(`User#${owner.email}`, { range: { beginsWith: `Agent#${agentId}` } }),
    table.query(`Agent#${agentId}`),
    table.query(`USER#${owner.email}`),
  ]);
  // The first part after the mark.
  await holdQuery(`Agent#${agentId}`);
  const repeat = statusOf(owner, `/agents/${agentId}`);
  await untilMet();

  expect(await statusOf(owner, `/agents/${agentId}`)).toBe(204);
  await store([...own, ...parts, ...conversations]);
  await endFaults();

  expect(await repeat).toBe(204);
  expect(await table.query(`Agent#${agentId}`)).toEqual(parts);
  expect((await owner("GET", `/conversations/${conversationId}/messages`)).status).toBe(200);
  expect((await endUser("GET", "/conversations")).status).toBe(200);
});

it("two deletions of a long conversation at the same time remove all of it", async () => {
  const owner = await signUp();
  const { conversationId } = await beginConversation(owner);
  const pk = `CONVERSATION#${conversationId}`;
  await store(Array.from({ length: 250 }, (_, n) => ({ pk, sk: `MESSAGE#${n}` })));
  // The first transactions, with and after the mark, meet another one.
  const reasons = [{ Code: "TransactionConflict" }];
  const body = { __type: "TransactionCanceledException", message: "No.", CancellationReasons: reasons };
  const fault = { kind: "answer", status: 400, body } as const;
  await injectFault({ match: [conversationId], operation: "TransactWriteItems", times: 4, fault });

  const path = `/conversations/${conversationId}`;
  const statuses = await Promise.all([statusOf(owner, path), statusOf(owner, path)]);

  // The deletion that the conflicts delay may find that nothing is left.
  expect(statuses).toContain(204);
  expect([204, 404]).toEqual(expect.arrayContaining(statuses));
  expect(await table.query(pk)).toEqual([]);
  const range = { beginsWith: `CONVERSATION#${conversationId}` };
  expect(await table.query(`USER#${owner.email}`, { range })).toEqual([]);
});

it("a deletion that began with a mark of another form ends", async () => {
  const { owner, agentId, path, memory } = await withEndUser();
  const key = { pk: `Agent#${agentId}`, sk: `EndUser#${ID}` };
  await table.update(key, { set: { deleting_at: 1_700_000_000 } });

  expect(await statusOf(owner, path)).toBe(204);

  expect(await table.get(key)).toBeUndefined();
  expect(await table.get(memory)).toBeUndefined();
});

const store = (items: readonly Item[]): Promise<void> => table.batchWrite(items.map((put) => ({ put })));
