import { describe, expect, it } from "vitest";
import { beginConversation, type Client, signUp, table } from "../support/app.ts";
import { beginOwnConversation, endUserOf, programOf } from "../support/callers.ts";
import { databaseRequests, injectFault, scriptModel } from "../support/control.ts";
import { messagesUsed, storedLines } from "../support/items.ts";
import { eventsAfter, open } from "../support/runs.ts";
import { say, typesOf } from "../support/sse.ts";
import { SLOW, sequentialWaits } from "../support/waits.ts";

const remember = (content: string) => [
  { call: { name: "core_memory_append", arguments: JSON.stringify({ block: "human", content }) } },
  { call: { name: "archival_memory_insert", arguments: JSON.stringify({ content }) } },
];

/** An agent, and an end user who has talked to it. */
async function talked(owner: Client, id = "visitor", fact = "Name: Zed") {
  const model = await scriptModel(remember(fact), [{ text: "Hello Zed." }], [{ text: "Again." }]);
  const own = await beginConversation(owner, { agent_model: model.name });
  const endUser = await endUserOf(owner, own.agentId, id);
  const place = await beginOwnConversation(endUser, own.agentId);
  const turn = await say(endUser, place.path, "I am Zed");
  if (turn.last?.event_type !== "STREAM_COMPLETE") throw new Error(JSON.stringify(turn.last));
  return { own, endUser, place, turn, model, base: `/agents/${own.agentId}/end-users/${id}` };
}

/** Stores a memory of the end user and changes it, so that its former text is kept. */
async function keepFormerText(owner: Client, agentId: string) {
  const memories = `/agents/${agentId}/archival-memory`;
  const { body } = await owner("POST", `${memories}?end_user_id=visitor`, { content: "Lives in Lisbon" });
  const at = `${memories}/${body.memory_id}?end_user_id=visitor`;
  const { status } = await owner("PATCH", at, { content: "Lives in Porto" });
  expect(status).toBe(200);
}

/** What the table holds of an end user. */
const leftOf = async (owner: Client, agentId: string, conversationId: string, id = "visitor") =>
  (
    await Promise.all(
      [
        `Agent#${agentId}`,
        `Agent#${agentId}#User#${id}`,
        `USER#${owner.email}#EndUser#${agentId}#${id}`,
        `CONVERSATION#${conversationId}`,
      ].map((partition) => table.query(partition)),
    )
  ).flat();

describe("an end user", () => {
  it("uses the account's plan and has a memory of their own", async () => {
    const owner = await signUp();
    const { own, endUser, place, turn } = await talked(owner);
    const { agentId } = own;

    expect(typesOf(turn.events)).toContain("MEMORY_UPDATED");
    expect(await messagesUsed(owner.email)).toBe(1);
    expect(await storedLines(agentId, "visitor", "human")).toEqual(["Name: Zed"]);
    expect(await table.query(`Agent#${agentId}#User#${owner.email}`)).toEqual([]);
    const [conversation, ...more] = await table.query(`USER#${owner.email}#EndUser#${agentId}#visitor`);
    expect(more).toEqual([]);
    expect(conversation).toMatchObject({ conversation_id: place.conversationId, created_by: "visitor" });

    const shown = await endUser("GET", `/conversations/${place.conversationId}/messages`);
    const listed = await endUser("GET", "/conversations");
    const renamed = await endUser("PUT", `/conversations/${place.conversationId}`, { title: "Mine" });
    const runs = await endUser("GET", `/conversations/${place.conversationId}/runs`);
    expect(shown.body.items).toHaveLength(2);
    expect(listed.body.items).toHaveLength(1);
    expect(renamed.body).toMatchObject({ title: "Mine", created_by: "visitor" });
    expect(runs.body.items).toMatchObject([{ state: "completed" }]);
    expect(JSON.stringify([turn.body, shown.body, listed.body, renamed.body, runs.body])).not.toContain(
      owner.email,
    );
  });

  it("can't reach conversations and memories of the owner or of another end user", async () => {
    const owner = await signUp();
    const { own, endUser, place } = await talked(owner);
    const other = await endUserOf(owner, own.agentId, "other");

    const mine = await owner("GET", "/conversations");
    const lines = await owner("GET", `/agents/${own.agentId}/memory-blocks/human/content`);

    expect(mine.body.items).toMatchObject([{ conversation_id: own.conversationId }]);
    expect(lines.body.lines).toEqual([]);
    expect((await owner("GET", `/conversations/${place.conversationId}`)).status).toBe(404);
    expect((await other("GET", "/conversations")).body.items).toEqual([]);
    expect((await other("GET", `/conversations/${place.conversationId}/messages`)).status).toBe(404);
    expect((await endUser("GET", `/conversations/${own.conversationId}/messages`)).status).toBe(404);
  });

  it("follows and cancels their own runs", async () => {
    const owner = await signUp();
    const model = await scriptModel([{ text: "Once " }, { hold: true }, { text: "more" }]);
    const { agentId } = await beginConversation(owner, { agent_model: model.name });
    const [endUser, other] = await Promise.all([endUserOf(owner, agentId), endUserOf(owner, agentId)]);
    const { conversationId, path } = await beginOwnConversation(endUser, agentId);
    const turn = await open(endUser, path, "Go");
    const run = `/conversations/${conversationId}/runs/${turn.runId}`;

    for (const stranger of [other, owner])
      for (const [method, what] of [
        ["GET", run],
        ["GET", `${run}/events`],
        ["POST", `${run}/cancel`],
      ] as const)
        expect((await stranger(method, what)).status).toBe(404);
    const cancelled = await endUser("POST", `${run}/cancel`);

    expect(cancelled.body.state).toBe("cancelled");
    await turn.rest();
    const { events } = await eventsAfter(endUser, conversationId, turn.runId, 0);
    expect(typesOf(events).at(-1)).toBe("STREAM_COMPLETE");
  });

  it("waits for the table once before the model is called", async () => {
    const owner = await signUp();
    const { endUser, place, model, own } = await talked(owner);
    const texts = [owner.email, place.conversationId, own.agentId];
    const before = (await databaseRequests(...texts)).length;
    await injectFault({ match: texts, times: 1_000, fault: SLOW });

    await say(endUser, place.path, "Again");

    const requests = (await databaseRequests(...texts)).slice(before);
    const askedAt = (await model.log()).requests[2]?.at ?? 0;
    const waited = requests.filter(({ endedAt }) => endedAt <= askedAt);
    expect(sequentialWaits(waited)).toBe(1);
    expect(waited.map(({ operation }) => operation).toSorted()).toEqual([
      "BatchGetItem",
      "Query",
      "Query",
      "Query",
    ]);
  });

  it("can't move a conversation to another agent of the owner", async () => {
    const owner = await signUp();
    const [{ agentId }, other] = await Promise.all([beginConversation(owner), beginConversation(owner)]);
    const endUser = await endUserOf(owner, agentId);
    const { conversationId } = await beginOwnConversation(endUser, agentId);

    const moved = await endUser("PUT", `/conversations/${conversationId}`, { agent_id: other.agentId });
    const begun = await endUser("POST", "/conversations", { title: "T", agent_id: other.agentId });

    expect([moved.status, begun.status]).toEqual([404, 404]);
    expect((await endUser("GET", `/conversations/${conversationId}`)).body.agent_id).toBe(agentId);
  });
});

describe("the owner", () => {
  it("lists end users, page by page, and their conversations and messages", async () => {
    const owner = await signUp();
    const { own, place, base } = await talked(owner, "b");
    await endUserOf(owner, own.agentId, "a");
    await endUserOf(owner, own.agentId, "c");
    const program = await programOf(owner, ["end-users:read"]);

    const first = await program("GET", `/agents/${own.agentId}/end-users?limit=2`);
    const second = await program(
      "GET",
      `/agents/${own.agentId}/end-users?limit=2&cursor=${first.body.next_cursor}`,
    );
    const one = await owner("GET", base);
    const conversations = await owner("GET", `${base}/conversations`);
    const messages = await owner("GET", `${base}/conversations/${place.conversationId}/messages`);
    const foreign = await owner("GET", `${base}/conversations/${own.conversationId}/messages`);

    const ids = [...first.body.items, ...second.body.items].map((item) => item.end_user_id as string);
    expect(ids).toEqual(["a", "b", "c"]);
    expect(one.body).toEqual({ end_user_id: "b", agent_id: own.agentId, created_at: expect.any(String) });
    expect(conversations.body.items).toMatchObject([{ conversation_id: place.conversationId }]);
    expect(messages.body.items).toMatchObject([{ content: "Hello Zed." }, { content: "I am Zed" }]);
    expect(foreign.status).toBe(404);
  });

  it("reads and changes an end user's memory, without affecting any other", async () => {
    const owner = await signUp();
    const { own } = await talked(owner);
    const memory = (path: string, query = "?end_user=visitor") => `/agents/${own.agentId}/${path}${query}`;
    const header = { "idempotency-key": "one" };
    const fact = { content: "Likes tea" };

    const lines = await owner("GET", memory("memory-blocks/human/content"));
    await owner("PUT", memory("memory-blocks/human/content"), { lines: ["Name: Zoe"] });
    const versions = await owner("GET", memory("memory-blocks/human/versions"));
    const theirs = await owner("POST", memory("archival-memory"), fact, header);
    const mine = await owner("POST", memory("archival-memory", ""), fact, header);
    const found = await owner("GET", memory("archival-memory/search", "?query=tea&end_user=visitor"));

    expect(lines.body.lines).toEqual(["Name: Zed"]);
    expect(await storedLines(own.agentId, "visitor", "human")).toEqual(["Name: Zoe"]);
    expect(versions.body.items.map(({ by }: { by: string }) => by)).toEqual(["user", "agent"]);
    expect([theirs.status, mine.status]).toEqual([201, 201]);
    expect(mine.body.memory_id).not.toBe(theirs.body.memory_id);
    expect(found.body.items).toMatchObject([{ memory_id: theirs.body.memory_id }]);
    expect((await owner("GET", memory("archival-memory", ""))).body.items).toHaveLength(1);
  });

  it("allows only keys with the end users' scopes to read and change their data", async () => {
    const owner = await signUp();
    const { own } = await talked(owner);
    const path = (what: string) => `/agents/${own.agentId}/${what}end_user=visitor`;
    const [blind, reader, writer] = await Promise.all([
      programOf(owner, ["conversations:read", "memory:read", "memory:write"]),
      programOf(owner, ["conversations:read", "memory:read", "memory:write", "end-users:read"]),
      programOf(owner, ["memory:write", "end-users:write"]),
    ]);
    const reads = [path("memory-blocks?"), path("archival-memory?"), path("recall?query=Zed&")];
    const lines = { lines: ["Name: Zed"] };
    const write = path("memory-blocks/human/content?");
    const lacks = (scope: string) => [403, `This API key lacks the scope ${scope}`];

    for (const read of reads) {
      const refused = await blind("GET", read);
      expect([refused.status, refused.body.detail]).toEqual(lacks("end-users:read"));
      expect((await reader("GET", read)).status).toBe(200);
    }
    for (const program of [blind, reader]) {
      const refused = await program("PUT", write, lines);
      expect([refused.status, refused.body.detail]).toEqual(lacks("end-users:write"));
    }
    expect((await writer("PUT", write, lines)).status).toBe(200);
    expect((await blind("GET", `/agents/${own.agentId}/memory-blocks`)).status).toBe(200);
  });

  it("gets 404 for an unknown end user, and another account gets 404 for the agent", async () => {
    const [owner, stranger] = await Promise.all([signUp(), signUp()]);
    const { own } = await talked(owner);
    const path = (id: string) => `/agents/${own.agentId}/memory-blocks?end_user=${id}`;

    for (const id of ["nobody", "a%23b", "x".repeat(200)])
      expect((await owner("GET", path(id))).body).toMatchObject({
        status: 404,
        detail: "End user not found",
      });
    for (const id of ["visitor", "nobody", "a%23b"])
      expect((await stranger("GET", path(id))).body).toMatchObject({
        status: 404,
        detail: "Agent not found",
      });
    expect(await table.query(`Agent#${own.agentId}#User#nobody`)).toEqual([]);
  });

  it("exports an end user as lines of JSON with a final line that says it is complete", async () => {
    const owner = await signUp();
    const { own, place, base } = await talked(owner);
    await keepFormerText(owner, own.agentId);

    const { status, headers, body } = await owner("GET", `${base}/export`);
    const lines = (body as string)
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);

    expect(status).toBe(200);
    expect(headers.get("content-type")).toBe("application/x-ndjson");
    expect(lines.map(({ type }) => type)).toEqual([
      "end_user",
      "conversation",
      "message",
      "message",
      "run",
      "memory_block",
      "memory_block_version",
      "memory_block",
      "memory",
      "memory",
      "memory_version",
      "end",
    ]);
    expect(lines[0]).toMatchObject({ end_user_id: "visitor", agent_id: own.agentId });
    expect(lines[1]).toMatchObject({ conversation_id: place.conversationId });
    expect(lines[4]).toMatchObject({ conversation_id: place.conversationId, state: "completed" });
    expect(lines[5]).toMatchObject({
      block_name: "human",
      name: "human",
      description: "Facts about the user",
      lines: ["Name: Zed"],
      created_at: expect.stringMatching(/^20/u),
    });
    const memories = lines.slice(8, -1).map(({ content }) => content);
    expect(memories).toEqual(["Lives in Porto", "Name: Zed", "Lives in Lisbon"]);
    expect(lines.at(-2)).toMatchObject({
      memory_id: lines[8]?.["memory_id"],
      created_at: lines[8]?.["created_at"],
      superseded_at: expect.stringMatching(/^20/u),
    });
  });

  it("ends an export without the final line if the table fails", async () => {
    const owner = await signUp();
    const { own, base } = await talked(owner);
    const failure = { kind: "answer", status: 500, body: { __type: "x#InternalServerError" } } as const;
    await injectFault({ match: [`Agent#${own.agentId}#User#visitor`], times: 100, fault: failure });

    const sent = await owner.raw("GET", `${base}/export`);

    expect(sent.response.status).toBe(200);
    const lines = (await sent.response.text()).trimEnd().split("\n");
    expect(JSON.parse(lines.at(-1) ?? "")).toEqual({
      type: "error",
      code: "unavailable",
      detail: "The database is not answering at the moment. Please try again.",
      retryable: true,
    });
    await sent.ended();
  });

  it("deletes an end user with all data, and nothing else", async () => {
    const owner = await signUp();
    const { own, place, base, endUser } = await talked(owner);
    const other = await endUserOf(owner, own.agentId, "other");
    await beginOwnConversation(other, own.agentId);
    await keepFormerText(owner, own.agentId);
    const versions = { range: { beginsWith: "ArchivalVersion#" } };
    expect(await table.query(`Agent#${own.agentId}#User#visitor`, versions)).toHaveLength(1);

    const first = await owner("DELETE", base);
    const second = await owner("DELETE", base);

    expect([first.status, second.status]).toEqual([204, 204]);
    const left = await leftOf(owner, own.agentId, place.conversationId);
    expect(left.map(({ sk }) => sk)).toEqual(["EndUser#other"]);
    expect((await endUser("GET", "/conversations")).status).toBe(401);
    expect((await owner("GET", base)).status).toBe(404);
    expect((await owner("GET", `/conversations/${own.conversationId}`)).status).toBe(200);
    expect((await other("GET", "/conversations")).body.items).toHaveLength(1);
    const search = `/agents/${own.agentId}/archival-memory/search?query=Zed&end_user=visitor`;
    await endUserOf(owner, own.agentId, "visitor");
    for (const query of [search, `${search}&as_of=2999`])
      expect((await owner("GET", query)).body).toMatchObject({ total: 0, notes: ["nothing-stored"] });
  });

  it("ends an end user's active run when they are deleted", async () => {
    const owner = await signUp();
    const model = await scriptModel([{ text: "Once " }, { hold: true }, { text: "more" }]);
    const { agentId } = await beginConversation(owner, { agent_model: model.name });
    const endUser = await endUserOf(owner, agentId, "visitor");
    const { conversationId, path } = await beginOwnConversation(endUser, agentId);
    const turn = await open(endUser, path, "Go");

    const { status } = await owner("DELETE", `/agents/${agentId}/end-users/visitor`);

    expect(status).toBe(204);
    await turn.rest();
    expect(await leftOf(owner, agentId, conversationId)).toEqual([]);
  });

  it.each<
    [string, string, (ids: { agentId: string; conversationId: string; email: string }) => string, number?]
  >([
    ["finding conversations", "Query", ({ email, agentId }) => `USER#${email}#EndUser#${agentId}`],
    // Behind the one that marks the conversation.
    ["removing messages", "TransactWriteItems", ({ conversationId }) => conversationId, 1],
    ["removing memories", "TransactWriteItems", ({ agentId }) => `Agent#${agentId}#User#visitor`],
    [
      "removing the end user",
      "DeleteItem",
      ({ agentId }) => `"Agent#${agentId}"},"sk":{"S":"EndUser#visitor"`,
    ],
  ])("resumes a deletion that was interrupted while %s", async (_step, operation, textOf, after = 0) => {
    const owner = await signUp();
    const { own, place, base, endUser } = await talked(owner);
    const { agentId } = own;
    const ids = { agentId, conversationId: place.conversationId, email: owner.email };
    const failure = { kind: "answer", status: 500, body: { __type: "x#InternalServerError" } } as const;
    await injectFault({ match: [textOf(ids)], operation, after, times: 4, fault: failure });

    const first = await owner("DELETE", base);

    expect(first.status).toBe(503);
    expect((await endUser("GET", "/conversations")).status).toBe(401);
    expect((await owner("GET", base)).status).toBe(404);
    expect((await owner("GET", `/agents/${agentId}/end-users`)).body.items).toEqual([]);
    const wish = { end_user_id: "visitor" };
    expect((await owner("POST", `/agents/${agentId}/client-tokens`, wish)).status).toBe(409);
    expect((await owner("DELETE", base)).status).toBe(204);
    expect(await leftOf(owner, agentId, place.conversationId)).toEqual([]);
  });

  it("deletes an agent's end users with their conversations and memories when the agent is deleted", async () => {
    const owner = await signUp();
    const { own, place, endUser } = await talked(owner);

    const { status } = await owner("DELETE", `/agents/${own.agentId}`);

    expect(status).toBe(204);
    expect(await leftOf(owner, own.agentId, place.conversationId)).toEqual([]);
    expect((await endUser("GET", "/conversations")).status).toBe(401);
  });

  it("deletes more end users than fit into one request after its answer", async () => {
    const owner = await signUp();
    const { agentId } = await beginConversation(owner);
    await table.batchWrite(
      Array.from({ length: 21 }, (_, n) => ({
        put: {
          pk: `Agent#${agentId}`,
          sk: `EndUser#v${n}`,
          agent_id: agentId,
          end_user_id: `v${n}`,
          generation: "g",
          created_by: owner.email,
        },
      })),
    );

    expect((await owner("DELETE", `/agents/${agentId}`)).status).toBe(202);

    await expect.poll(() => table.query(`Agent#${agentId}`)).toEqual([]);
  });
});
