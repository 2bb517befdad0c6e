import { expect, it } from "vitest";
import { ada, beginConversation, signUp, table } from "../support/app.ts";
import { databaseRequests, endFaults, injectFault, scriptModel, untilMet } from "../support/control.ts";
import { messagesUsed, storedMessages } from "../support/items.ts";
import { say } from "../support/sse.ts";

it.each(["absent", "malformed", "foreign"])(
  "answers the same 404 if the agent or conversation is %s",
  async (kind) => {
    const [client, stranger] = [await signUp(), await signUp()];
    const mine = await beginConversation(client);
    const theirs = await beginConversation(stranger);
    const id = { absent: crypto.randomUUID(), malformed: "a%20b%23c", foreign: "" }[kind];

    const answers = await Promise.all([
      say(client, `/agents/${id || theirs.agentId}/${mine.conversationId}/send-message`, "Hello"),
      say(client, `/agents/${mine.agentId}/${id || theirs.conversationId}/send-message`, "Hello"),
    ]);

    expect(answers.map(({ status }) => status)).toEqual([404, 404]);
    expect(answers.map(({ body }) => body.detail)).toEqual(["Agent not found", "Conversation not found"]);
    expect(await storedMessages(mine.conversationId)).toEqual([]);
    expect(await storedMessages(theirs.conversationId)).toEqual([]);
  },
);

it("answers a conversation with another agent with 404", async () => {
  const client = await signUp();
  const [first, second] = [await beginConversation(client), await beginConversation(client)];

  const { status, body } = await say(
    client,
    `/agents/${first.agentId}/${second.conversationId}/send-message`,
    "Hello",
  );

  expect([status, body.code]).toEqual([404, "not-found"]);
});

it("refuses a provider that is not configured, stores nothing and counts nothing", async () => {
  const client = await signUp();
  const { conversationId, path } = await beginConversation(client, { agent_provider: "Bedrock" });

  const { status, headers, body } = await say(client, path, "Hello");

  expect(status).toBe(409);
  expect(headers.get("content-type")).toBe("application/problem+json");
  expect(body).toMatchObject({
    code: "provider-not-configured",
    detail: "Provider 'Bedrock' is not configured. Please configure it in Settings > Provider Configuration.",
  });
  expect(await storedMessages(conversationId)).toEqual([]);
  expect(await messagesUsed(client.email)).toBeUndefined();
});

it("refuses an architecture that is no longer offered", async () => {
  const client = await signUp();
  const { agentId, path } = await beginConversation(client);
  const key = { pk: `User#${client.email}`, sk: `Agent#${agentId}` };
  await table.update(key, { set: { agent_architecture: "retired" } });

  const { status, body } = await say(client, path, "Hello");

  expect(status).toBe(409);
  expect(body.detail).toBe("Unknown architecture: 'retired'. Supported: krishna-mini, krishna-memgpt");
});

const file = (filename: string, content = "x", size = 1) => ({ filename, content, size });

it.each([
  ["six files", Array.from({ length: 6 }, () => file("a.txt")), "Maximum 5 files allowed"],
  ["a file type that is not allowed", [file("a.tar.EXE")], "File type '.exe' not allowed"],
  ["a name without a type", [file("Makefile")], "File type '' not allowed"],
  ["a file that is larger than it says", [file("a.txt", "é".repeat(51_201), 1)], "File exceeds 100KB limit"],
  [
    "files that are too large together",
    [1, 2, 3].map((number) => file(`${number}.md`, "x".repeat(100_000))),
    "Total attachment size exceeds 250KB",
  ],
])("refuses %s", async (_case, attachments, message) => {
  const client = await signUp();
  const { conversationId, path } = await beginConversation(client);

  const { status, body } = await say(client, path, "Hello", { attachments });

  expect(status).toBe(422);
  expect(body.code).toBe("validation-failed");
  expect(body.errors.map((error: { message: string }) => error.message)).toContain(message);
  expect(await storedMessages(conversationId)).toEqual([]);
});

it("accepts files of every allowed type up to the limits", async () => {
  const client = await signUp();
  const model = await scriptModel([{ text: "Ok." }]);
  const { path } = await beginConversation(client, { agent_model: model.name });
  const attachments = [file("A.TXT", "x".repeat(102_400)), file("b.c.py", "y".repeat(102_400))];

  expect((await say(client, path, "Hello", { attachments })).status).toBe(200);
});

it("refuses a body over a megabyte, and a message that no item can hold", async () => {
  const client = await signUp();
  const { conversationId, path } = await beginConversation(client);

  const tooLong = await say(client, path, "x".repeat(1_100_000));
  const tooLarge = await say(client, path, "word ".repeat(100_000));

  expect([tooLong.status, tooLong.body.code]).toEqual([413, "payload-too-large"]);
  expect([tooLarge.status, tooLarge.body.code]).toEqual([413, "payload-too-large"]);
  expect(await storedMessages(conversationId)).toEqual([]);
  expect(await messagesUsed(client.email)).toBeUndefined();
});

it("answers 503 before a stream opens while the database can't be read", async () => {
  const client = await signUp();
  const { conversationId, path } = await beginConversation(client);
  const down = { kind: "answer", status: 500, body: { __type: "InternalServerError" } } as const;
  await injectFault({ match: [client.email], operation: "BatchGetItem", times: 100, fault: down });

  const { status, headers, body } = await say(client, path, "Hello");
  await endFaults();

  expect([status, body.code]).toEqual([503, "unavailable"]);
  expect(headers.get("retry-after")).toBe("1");
  expect(await storedMessages(conversationId)).toEqual([]);
  expect(await messagesUsed(client.email)).toBeUndefined();
});

it("answers 503 and discards the model's answer if the message can't be stored", async () => {
  const client = await signUp();
  // An answer that nobody gives up ends a while after the release, before any timeout of the service.
  const model = await scriptModel([{ text: "Never" }, { hold: true }, { wait: 5_000 }, { text: " seen" }]);
  const { conversationId, path } = await beginConversation(client, { agent_model: model.name });
  await client("GET", `/conversations/${conversationId}`);
  const down = { kind: "answer", status: 500, body: { __type: "InternalServerError" } } as const;
  await injectFault({ match: [conversationId], operation: "TransactWriteItems", times: 4, fault: down });

  const { status, body } = await say(client, path, "Hello");
  await model.release();

  expect([status, body.code]).toEqual([503, "unavailable"]);
  await expect.poll(async () => (await model.log()).disconnects).toBe(1);
  expect(await storedMessages(conversationId)).toEqual([]);
  expect(await messagesUsed(client.email)).toBeUndefined();
});

it("answers 404 when the conversation is deleted between reading and writing", async () => {
  const client = await signUp();
  const model = await scriptModel([{ text: "Hi" }]);
  const { conversationId, path } = await beginConversation(client, { agent_model: model.name });
  await injectFault({
    match: [conversationId],
    operation: "TransactWriteItems",
    fault: { kind: "hold" },
  });

  const sending = say(client, path, "Hello");
  await model.asked(1);
  await untilMet();
  const deleting = client("DELETE", `/conversations/${conversationId}`);
  const key = { pk: `USER#${client.email}`, sk: `CONVERSATION#${conversationId}` };
  await expect.poll(() => table.get(key)).toHaveProperty("deleting_at");
  await endFaults();
  const [turn] = await Promise.all([sending, deleting]);

  expect([turn.status, turn.body.code]).toEqual([404, "not-found"]);
  expect(await table.query(`CONVERSATION#${conversationId}`)).toEqual([]);
  expect(await messagesUsed(client.email)).toBeUndefined();
});

it("reads nothing for a request that is refused for its body", async () => {
  const client = await signUp();
  const { conversationId, path } = await beginConversation(client);
  const before = (await databaseRequests(client.email, conversationId)).length;

  const { status } = await client("POST", path, { content: 5 });

  expect(status).toBe(422);
  expect((await databaseRequests(client.email, conversationId)).length).toBe(before);
});

it("refuses a deactivated account in the same wave", async () => {
  const client = await signUp();
  const { path } = await beginConversation(client, { ...ada, agent_name: "Only" });
  await table.update({ pk: `User#${client.email}`, sk: "User#Metadata" }, { set: { status: "inactive" } });

  const { status, body } = await say(client, path, "Hello");

  expect([status, body.code]).toEqual([403, "forbidden"]);
});
