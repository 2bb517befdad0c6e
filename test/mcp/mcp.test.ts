import { describe, expect, it } from "vitest";
import { newId } from "../../src/shared/ids.ts";
import { beginConversation, type Client, signUp, signUpFree, table } from "../support/app.ts";
import { endUserOf, programOf } from "../support/callers.ts";
import { injectFault, scriptModel, untilMet } from "../support/control.ts";
import type { ScriptStep } from "../support/control-protocol.ts";
import { storedLines, storedMessages } from "../support/items.ts";
import { legacyClient, modernClient, type Progress } from "./clients.ts";

const ALL_TOOLS = ["chat", "memory_add", "memory_blocks", "memory_edit", "memory_read", "memory_search"];

async function agentThat(...replies: readonly (readonly ScriptStep[])[]) {
  const owner = await signUp();
  const model = await scriptModel(...replies);
  return { owner, model, ...(await beginConversation(owner, { agent_model: model.name })) };
}

const call = (name: string, input: object) => ({ call: { name, arguments: JSON.stringify(input) } });

describe.each([
  ["the revisions of 2025", legacyClient],
  ["the revision 2026-07-28", modernClient],
] as const)("the official client of %s", (_revision, connect) => {
  const toolOf =
    (client: Awaited<ReturnType<typeof connect>>) =>
    async (name: string, args: Record<string, unknown> = {}) => {
      const result = await client.use(name, args);
      const [first] = result.content as readonly { readonly text: string }[];
      return {
        isError: result.isError === true,
        text: first?.text ?? "",
        // What the tool returns is compared below.
        structured: (result.structuredContent ?? {}) as Record<string, unknown>,
      };
    };

  it("lists the tools of the agent, and chats in one conversation", async () => {
    const { owner, agentId, model } = await agentThat([{ text: "Hello, Ann." }], [{ text: "You are Ann." }]);
    const client = await connect(owner, agentId);
    const tool = toolOf(client);

    const { tools } = await client.listTools();
    const first = await tool("chat", { message: "I am Ann." });
    const second = await tool("chat", {
      message: "Who am I?",
      conversation_id: first.structured["conversation_id"],
    });

    expect(tools.map(({ name }) => name).toSorted()).toEqual(ALL_TOOLS);
    expect(first).toMatchObject({ isError: false, text: "Hello, Ann." });
    expect(second.structured).toEqual({
      answer: "You are Ann.",
      conversation_id: first.structured["conversation_id"],
      run_id: expect.any(String),
      message_id: expect.any(String),
      stop_reason: null,
    });
    expect(await storedMessages(String(first.structured["conversation_id"]))).toHaveLength(4);
    expect(JSON.stringify((await model.log()).requests[1])).toContain("I am Ann.");
  });

  it("is not promised changes of what is listed, which never come", async () => {
    const { owner, agentId } = await agentThat();

    const { tools, resources } = (await connect(owner, agentId)).getServerCapabilities() ?? {};

    expect({ tools, resources }).toEqual({
      tools: { listChanged: false },
      resources: { listChanged: false },
    });
  });

  it("is told what the agent does, with numbers that increase", async () => {
    const edit = call("core_memory_append", { block: "human", content: "Name: Ann" });
    const { owner, agentId } = await agentThat([edit], [{ text: "Noted." }]);
    const client = await connect(owner, agentId);
    const told: Progress[] = [];

    await client.use(
      "chat",
      { message: "I am Ann." },
      { onprogress: (progress) => void told.push(progress) },
    );

    const messages = told.map(({ message }) => message);
    expect(messages).toContain("Calling core_memory_append...");
    expect(messages).toContain("core_memory_append succeeded");
    expect(messages).toContain("Memory block [human] updated");
    expect(messages).toContain("Writing the answer (6 characters so far)");
    expect(told.map(({ progress }) => progress)).toEqual(told.map((_, index) => index + 1));
  });

  it("reads, searches, adds and edits what the agent remembers", async () => {
    const { owner, agentId } = await agentThat();
    const client = await connect(owner, agentId);
    const tool = toolOf(client);

    const added = await tool("memory_add", {
      content: "Ann has a cat called Tom.",
      occurred_at: "2026-06-01",
    });
    const again = await tool("memory_add", { content: "Ann has a cat called Tom." });
    const found = await tool("memory_search", { query: "cat" });
    const read = await tool("memory_read", { memory_id: added.structured["memory_id"] });
    expect(added.structured).toEqual({ memory_id: expect.any(String), created: true });
    expect(again.structured).toEqual({ ...added.structured, created: false });
    expect(found.structured).toMatchObject({ items: [{ content: "Ann has a cat called Tom." }], total: 1 });
    expect(read.structured).toMatchObject({
      content: "Ann has a cat called Tom.",
      occurred_at: "2026-06-01",
    });

    const human = async () => {
      const { structured } = await tool("memory_blocks");
      const blocks = structured["blocks"] as readonly { block: string; version: string; lines: string[] }[];
      return blocks.find(({ block }) => block === "human");
    };
    const before = await human();
    const edit = { block: "human", lines: ["Name: Ann"], version: before?.version };
    const edited = await tool("memory_edit", edit);
    const stale = await tool("memory_edit", { ...edit, lines: ["Name: Bob"] });

    expect(edited).toMatchObject({ isError: false, structured: { block: "human" } });
    expect(stale).toMatchObject({ isError: true, text: expect.stringContaining("(precondition-failed)") });
    expect(await human()).toEqual({ ...before, lines: ["Name: Ann"], version: edited.structured["version"] });
    expect(await storedLines(agentId, owner.email, "human")).toEqual(["Name: Ann"]);
  });

  it("reads the blocks of core memory as resources", async () => {
    const { owner, agentId } = await agentThat();
    await owner("PUT", `/agents/${agentId}/memory-blocks/human/content`, {
      lines: ["Name: Ann", "Likes: tea"],
    });
    const client = await connect(owner, agentId);

    const { resources } = await client.listResources();
    const { contents } = await client.readResource({ uri: "memory://blocks/human" });

    expect(resources.map(({ uri }) => uri)).toContain("memory://blocks/human");
    expect(contents).toEqual([
      { uri: "memory://blocks/human", mimeType: "text/plain", text: "Name: Ann\nLikes: tea" },
    ]);
    await expect(client.readResource({ uri: "memory://blocks/nothing" })).rejects.toThrow(/nothing/u);
  });

  it("gets a failure as a result that its model can read", async () => {
    const { owner, agentId } = await agentThat([{ status: 401, body: { error: { message: "no" } } }]);
    const tool = toolOf(await connect(owner, agentId));

    expect(await tool("chat", { message: "Hello" })).toMatchObject({
      isError: true,
      text: expect.stringContaining("(provider-auth)"),
    });
    for (const id of [crypto.randomUUID(), "../x", ""])
      expect(await tool("chat", { message: "Hello", conversation_id: id })).toMatchObject({
        isError: true,
        text: "Conversation not found (not-found)",
      });
    expect(await tool("chat", { message: " " })).toMatchObject({ isError: true });
    expect(await tool("memory_read", { memory_id: "nothing" })).toMatchObject({ isError: true });
    expect(await tool("memory_search", { query: "x", limit: 1_000 })).toMatchObject({ isError: true });
    expect(await tool("memory_edit", { block: "", lines: [], version: "0" })).toMatchObject({
      isError: true,
    });
  });

  it("sees only the tools that its key may use, and can call no other", async () => {
    const { owner, agentId } = await agentThat();
    const reader = await connect(await programOf(owner, ["memory:read"]), agentId);
    const writer = await connect(await programOf(owner, ["memory:write"]), agentId);
    const visitor = await connect(await endUserOf(owner, agentId), agentId);
    const namesOf = async (client: typeof reader) =>
      (await client.listTools()).tools.map(({ name }) => name).toSorted();

    expect(await namesOf(reader)).toEqual(["memory_blocks", "memory_read", "memory_search"]);
    expect(await namesOf(writer)).toEqual(["memory_add", "memory_edit"]);
    expect(await namesOf(visitor)).toEqual(["chat"]);
    for (const client of [reader, writer])
      await expect(client.use("chat", { message: "Hello" })).rejects.toThrow(/chat/u);
    // One of the two clients does not even ask.
    const { resources } = await writer.listResources().catch(() => ({ resources: [] }));
    expect(resources).toEqual([]);
    expect(reader.getServerCapabilities()).toHaveProperty("resources");
    expect(writer.getServerCapabilities()).not.toHaveProperty("resources");
  });

  it("lets an end user chat in conversations of their own", async () => {
    const { owner, agentId } = await agentThat([{ text: "Hello, visitor." }]);
    const visitor = await endUserOf(owner, agentId);
    const tool = toolOf(await connect(visitor, agentId));

    const { structured } = await tool("chat", { message: "Hello" });

    const id = String(structured["conversation_id"]);
    expect((await visitor("GET", `/conversations/${id}`)).status).toBe(200);
    expect((await owner("GET", `/conversations/${id}`)).status).toBe(404);
  });

  it("stops the run when it cancels its request", async () => {
    const { owner, agentId } = await agentThat([{ text: "Once upon " }, { hold: true }, { text: "a time" }]);
    const client = await connect(owner, agentId);
    const abort = new AbortController();
    let written: () => void = () => undefined;
    const isWriting = new Promise<void>((resolve) => (written = resolve));

    const called = client.use(
      "chat",
      { message: "Tell me a story" },
      {
        signal: abort.signal,
        onprogress: ({ message = "" }) => {
          if (message.startsWith("Writing")) written();
        },
      },
    );
    await isWriting;
    abort.abort("enough");
    await expect(called).rejects.toThrow(/enough/u);

    const { body } = await owner("GET", "/conversations");
    const id = body.items.find(({ title }: { readonly title: string }) => title === "Tell me a story")
      .conversation_id as string;
    await expect
      .poll(async () => (await owner("GET", `/conversations/${id}/runs`)).body.items)
      .toMatchObject([{ state: "cancelled" }]);
    const [, answer] = await storedMessages(id);
    expect(answer).toMatchObject({ content: "Once upon ", status: "interrupted" });
  });
});

it("acknowledges a subscription without promising anything, and ends it at once", async () => {
  const { owner, agentId } = await agentThat();
  const client = await modernClient(owner, agentId);

  const subscription = await client.listen({ toolsListChanged: true, resourcesListChanged: true });

  expect(subscription.honoredFilter).toEqual({});
  expect(await subscription.closed).toBe("graceful");
});

it("shows a key that may write but not read nothing of what is stored", async () => {
  const { owner, agentId } = await agentThat();
  const content = "Ann has a canary called Tweety.";
  await owner("POST", `/agents/${agentId}/archival-memory`, { content });
  await owner("PUT", `/agents/${agentId}/memory-blocks/human/content`, { lines: ["Tweety"] });
  const writer = await legacyClient(await programOf(owner, ["memory:write"]), agentId);

  const results = [
    await writer.use("memory_add", { content }),
    await writer.use("memory_add", { content: "Something else." }),
    await writer.use("memory_edit", { block: "human", lines: ["x"], version: "0" }),
    await writer.use("memory_edit", { block: "human", lines: ["x"], version: "1" }),
  ];

  expect(results.map(({ isError }) => isError === true)).toEqual([false, false, true, false]);
  expect(JSON.stringify(results)).not.toContain("Tweety");
});

it("goes on with a run whose client of 2025 has lost its connection", async () => {
  const { owner, agentId, model } = await agentThat([{ text: "Once " }, { hold: true }, { text: "more." }]);
  const message = {
    jsonrpc: "2.0",
    id: 1,
    method: "tools/call",
    params: { name: "chat", arguments: { message: "Go" } },
  };
  const abort = new AbortController();
  const headers = { accept: "application/json, text/event-stream" };
  const { response } = await owner.raw("POST", `/mcp/agents/${agentId}`, message, {
    headers,
    signal: abort.signal,
  });
  await model.asked(1);

  await response.body?.cancel();
  abort.abort();
  await model.release();

  const { body } = await owner("GET", "/conversations");
  const id = body.items.find(({ title }: { readonly title: string }) => title === "Go")
    .conversation_id as string;
  await expect.poll(async () => (await storedMessages(id)).at(-1)).toMatchObject({ content: "Once more." });
});

it("does not let one caller cancel what another began", async () => {
  const { owner, agentId, model } = await agentThat([{ text: "Once " }, { hold: true }, { text: "more." }]);
  const other = await programOf(owner, ["conversations:write"]);
  const headers = { accept: "application/json, text/event-stream", "mcp-session-id": "the-same" };
  const path = `/mcp/agents/${agentId}`;
  const params = { name: "chat", arguments: { message: "Go" } };
  const { response } = await owner.raw(
    "POST",
    path,
    { jsonrpc: "2.0", id: 7, method: "tools/call", params },
    { headers },
  );
  await model.asked(1);

  const cancel = { jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 7 } };
  expect((await other("POST", path, cancel, headers)).status).toBe(202);
  await model.release();

  expect(await response.text()).toContain("Once more.");
});

it("leaves no empty conversation behind when a message is refused", async () => {
  const owner = await signUpFree();
  // The plan allows no more runs at once.
  const runs = new Set(Array.from({ length: 5 }, () => newId(Date.now())));
  await table.put({ pk: `User#${owner.email}`, sk: "TurnSlots", run_ids: runs });
  const model = await scriptModel([{ text: "Never." }]);
  const { agentId, conversationId } = await beginConversation(owner, { agent_model: model.name });
  const client = await legacyClient(owner, agentId);

  const repeated = { idempotency_key: "my-key" };
  for (const more of [{}, {}, repeated, repeated])
    expect(await client.use("chat", { message: "Hello", ...more })).toMatchObject({
      isError: true,
      content: [{ text: expect.stringContaining("(limit-exceeded)") }],
    });
  // A conversation that the client has named stays.
  await client.use("chat", { message: "Hello", conversation_id: conversationId });

  const { body } = await owner("GET", "/conversations");
  expect(body.items.map((item: { readonly conversation_id: string }) => item.conversation_id)).toEqual([
    conversationId,
  ]);
  expect((await model.log()).requests).toEqual([]);
});

it("answers although the run could not be stored for its cancellation", async () => {
  const { owner, agentId, model } = await agentThat([{ text: "Hello, Ann." }]);
  const client = await legacyClient(owner, agentId);
  const match = [`"User#${owner.email}"},"sk":{"S":"McpCall#`];
  await injectFault({ match, operation: "GetItem", times: 50, fault: { kind: "refuse" } });

  expect(await client.use("chat", { message: "I am Ann." })).toMatchObject({
    content: [{ text: "Hello, Ann." }, { text: expect.any(String) }],
  });
  await untilMet();

  expect((await model.log()).requests).toHaveLength(1);
});

/** Sends a request for a chat as a client of 2025 with a session does, and returns its answer when it has arrived. */
async function chatBy(caller: Client, agentId: string, id: number, args: object, session = "one") {
  const headers = {
    accept: "application/json, text/event-stream",
    ...(session !== "" && { "mcp-session-id": session }),
  };
  const params = { name: "chat", arguments: args };
  const message = { jsonrpc: "2.0", id, method: "tools/call", params };
  const { response } = await caller.raw("POST", `/mcp/agents/${agentId}`, message, { headers });
  return response.text();
}

const cancelBy = (caller: Client, agentId: string, requestId: number) =>
  caller(
    "POST",
    `/mcp/agents/${agentId}`,
    { jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId } },
    { accept: "application/json, text/event-stream", "mcp-session-id": "one" },
  );

describe("a repeated chat sends nothing twice, and returns the same answer", () => {
  it.each([
    ["with the id of a request in a session", 7, {}, "one"],
    ["with an idempotency key, whatever the request's id is", 8, { idempotency_key: "my-key" }, ""],
  ])("%s", async (_case, secondId, more, session) => {
    const { owner, agentId, model } = await agentThat([
      { text: "Hello, " },
      { hold: true },
      { text: "Ann." },
    ]);
    const args = { message: "I am Ann.", ...more };

    const first = chatBy(owner, agentId, 7, args, session);
    await model.asked(1);
    const during = chatBy(owner, agentId, secondId, args, session);
    await model.release();
    const texts = [await first, await during, await chatBy(owner, agentId, secondId, args, session)];

    for (const text of texts) expect(text).toContain("Hello, Ann.");
    const ids = texts.map((text) => /"run_id":"(?<id>[^"]+)"/u.exec(text)?.groups?.["id"]);
    expect(new Set(ids).size).toBe(1);
    expect((await model.log()).requests).toHaveLength(1);
    const { body } = await owner("GET", "/conversations");
    expect(body.items.filter(({ title }: { readonly title: string }) => title === "I am Ann.")).toHaveLength(
      1,
    );
  });

  it("in a conversation that it names", async () => {
    const { owner, agentId, conversationId, model } = await agentThat([{ text: "Hello, Ann." }]);
    const args = { message: "I am Ann.", conversation_id: conversationId, idempotency_key: "my-key" };

    const texts = [await chatBy(owner, agentId, 1, args, ""), await chatBy(owner, agentId, 2, args, "")];

    for (const text of texts) expect(text).toContain("Hello, Ann.");
    expect((await model.log()).requests).toHaveLength(1);
    expect(await storedMessages(conversationId)).toHaveLength(2);
  });

  it("and refuses another message under the same key without touching the first", async () => {
    const { owner, agentId, model } = await agentThat([{ text: "Hello, Ann." }]);
    await chatBy(owner, agentId, 1, { message: "I am Ann.", idempotency_key: "my-key" }, "");

    const other = await chatBy(owner, agentId, 2, { message: "I am Bob.", idempotency_key: "my-key" }, "");
    const again = await chatBy(owner, agentId, 3, { message: "I am Ann.", idempotency_key: "my-key" }, "");

    expect(other).toContain("(idempotency-mismatch)");
    expect(again).toContain("Hello, Ann.");
    expect((await model.log()).requests).toHaveLength(1);
  });

  it("but that of another caller is another request", async () => {
    const { owner, agentId, model } = await agentThat(
      [{ text: "Hello, Ann." }],
      [{ text: "Hello, program." }],
    );
    const program = await programOf(owner, ["conversations:write"]);
    await chatBy(owner, agentId, 1, { message: "Hello", idempotency_key: "my-key" });

    expect(await chatBy(program, agentId, 1, { message: "Hello", idempotency_key: "my-key" })).toContain(
      "Hello, program.",
    );
    expect((await model.log()).requests).toHaveLength(2);
  });
});

it("stops a run whose cancellation has arrived before the run was stored", async () => {
  const { owner, agentId } = await agentThat([{ text: "Once upon " }, { hold: true }, { text: "a time" }]);

  expect((await cancelBy(owner, agentId, 7)).status).toBe(202);
  const answer = await chatBy(owner, agentId, 7, { message: "Tell me a story" });

  expect(answer).toContain('"stop_reason":"cancelled"');
});

it("stores nothing about a request of a deleted agent that is cancelled", async () => {
  const { owner, agentId } = await agentThat();
  await owner("DELETE", `/agents/${agentId}`);

  expect((await cancelBy(owner, agentId, 7)).status).toBe(404);

  expect(await table.query(`User#${owner.email}`, { range: { beginsWith: "McpCall#" } })).toEqual([]);
});
