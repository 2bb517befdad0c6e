import type OpenAI from "openai";
import { describe, expect, it } from "vitest";
import { type Client, signUp, table } from "../support/app.ts";
import { endUserOf, programOf } from "../support/callers.ts";
import { messagesUsed, storedLines, storedMessages } from "../support/items.ts";
import { agentWith, countingAgent, errorOf, openAiOf, user } from "./openai-client.ts";

const append = (content: string) => ({
  call: { name: "core_memory_append", arguments: JSON.stringify({ block: "human", content }) },
});

const conversationsOf = async (client: Client) =>
  (await client("GET", "/conversations")).body.items as { conversation_id: string }[];

describe("a chat completion", () => {
  it("is answered by the agent, with the tokens that its provider has counted", async () => {
    const client = await signUp();
    const usage = {
      prompt_tokens: 12,
      completion_tokens: 5,
      prompt_tokens_details: { cached_tokens: 8 },
    };
    const { agentId, openai } = await agentWith(
      client,
      [
        { text: "One moment. " },
        append("Name: Alice"),
        { usage: { prompt_tokens: 100, completion_tokens: 7 } },
      ],
      [{ text: "Hello, Alice." }, { usage }],
    );

    const { data, response } = await openai.chat.completions
      .create({ model: agentId, messages: [user("I am Alice")], temperature: 0.1, seed: 7 })
      .withResponse();

    const runId = response.headers.get("x-run-id");
    expect(data).toEqual({
      id: `chatcmpl-${runId}`,
      object: "chat.completion",
      created: expect.any(Number),
      model: agentId,
      choices: [
        {
          index: 0,
          message: { role: "assistant", content: "One moment. Hello, Alice.", refusal: null },
          logprobs: null,
          finish_reason: "stop",
        },
      ],
      usage: {
        prompt_tokens: 112,
        completion_tokens: 12,
        total_tokens: 124,
        prompt_tokens_details: { cached_tokens: 8 },
      },
    });
    expect(Math.abs(data.created - Date.now() / 1000)).toBeLessThan(600);
    expect(await storedLines(agentId, client.email, "human")).toEqual(["Name: Alice"]);
    const run = `/conversations/${response.headers.get("x-conversation-id")}/runs/${runId}`;
    expect((await client("GET", run)).body.state).toBe("completed");
  });

  it("is streamed in chunks, with the tokens in the last one if they are asked for", async () => {
    const client = await signUp();
    const { name, openai } = await agentWith(client, [
      { text: "Hello, " },
      { text: "Alice." },
      { usage: { prompt_tokens: 12, completion_tokens: 5 } },
    ]);

    const stream = await openai.chat.completions.create({
      model: name.toUpperCase(),
      messages: [user("I am Alice")],
      stream: true,
      stream_options: { include_usage: true },
    });
    const chunks = await Array.fromAsync(stream);

    expect(chunks.map(({ choices }) => choices[0]?.delta.content ?? "").join("")).toBe("Hello, Alice.");
    expect(chunks[0]?.choices[0]?.delta.role).toBe("assistant");
    expect(chunks.at(-2)?.choices[0]?.finish_reason).toBe("stop");
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { prompt_tokens: 12, total_tokens: 17 } });
    expect(new Set(chunks.map(({ model }) => model))).toEqual(new Set([name.toUpperCase()]));
  });

  it("reads its history from the request if it names no conversation, and keeps only memory", async () => {
    const client = await signUp();
    const { model, agentId, openai } = await agentWith(
      client,
      [{ text: "It is Tom." }],
      [{ text: "Hello." }],
    );
    const { response } = await openai.chat.completions
      .create({
        model: agentId,
        messages: [
          { role: "system", content: "Answer in one sentence." },
          user("My cat is called Tom"),
          { role: "assistant", content: "A nice name." },
          { role: "user", content: [{ type: "text", text: "What is it called?" }] },
        ],
      })
      .withResponse();
    await openai.chat.completions.create({ model: agentId, messages: [user("Hello")] });

    const [first, second] = (await model.log()).requests;
    const said = first?.body.messages.filter(({ role }) => role !== "system") ?? [];
    expect(said.map(({ role }) => role)).toEqual(["user", "assistant", "user"]);
    expect(said[0]?.content).toContain("Instructions from the application:\nAnswer in one sentence.");
    expect(said[0]?.content).toContain("My cat is called Tom");
    expect(said[2]?.content).toContain("What is it called?");
    expect(JSON.stringify(second)).not.toContain("Tom");

    // It can be looked up for a day, and is part of nothing else.
    const conversationId = response.headers.get("x-conversation-id") ?? "";
    expect(await conversationsOf(client)).toEqual([]);
    expect((await client("GET", `/agents/${agentId}/recall?query=called`)).body.items).toEqual([]);
    const items = [
      ...(await table.query(`CONVERSATION#${conversationId}`)),
      await table.get({ pk: `USER#${client.email}`, sk: `CONVERSATION#${conversationId}` }),
    ];
    expect(items).toHaveLength(4);
    const tomorrow = Date.now() / 1000 + 24 * 60 * 60;
    for (const item of items) expect(Math.abs(Number(item?.["ttl"]) - tomorrow)).toBeLessThan(600);
  });

  it("goes on in the conversation that a header or its metadata names, and reads only the last message", async () => {
    const client = await signUp();
    const { model, agentId, openai } = await countingAgent(client);
    const headers = { "X-Conversation-Id": "ticket 4711" };

    const { response } = await openai.chat.completions
      .create({ model: agentId, messages: [user("My cat is called Tom")] }, { headers })
      .withResponse();
    const invented = [user("My dog is called Rex"), { role: "assistant", content: "Ok" } as const];
    await openai.chat.completions.create({
      model: agentId,
      messages: [...invented, user("And now?")],
      metadata: { conversation_id: "ticket 4711" },
    });
    const conversationId = response.headers.get("x-conversation-id") ?? "";
    await openai.chat.completions.create(
      { model: agentId, messages: [user("Last")] },
      { headers: { "X-Conversation-Id": conversationId } },
    );

    expect((await conversationsOf(client)).map(({ conversation_id: id }) => id)).toEqual([conversationId]);
    expect((await storedMessages(conversationId)).map(({ content }) => content)).toEqual([
      "My cat is called Tom",
      "One.",
      "And now?",
      "Two.",
      "Last",
      "Three.",
    ]);
    const asked = JSON.stringify((await model.log()).requests[1]);
    expect([asked.includes("Tom"), asked.includes("Rex")]).toEqual([true, false]);
  });

  it("may contain text files", async () => {
    const client = await signUp();
    const { model, agentId, openai } = await agentWith(client, [{ text: "Read." }]);
    const file = (text: string) =>
      ({
        type: "file",
        file: { filename: "notes.md", file_data: `data:text/markdown;base64,${btoa(text)}` },
      }) as const;

    await openai.chat.completions.create({
      model: agentId,
      messages: [
        { role: "user", content: [file("# Earlier"), { type: "text", text: "First" }] },
        { role: "assistant", content: "Ok" },
        { role: "user", content: [file("# Now")] },
      ],
    });

    const asked = JSON.stringify((await model.log()).requests[0]);
    expect([asked.includes("# Earlier"), asked.includes("# Now")]).toEqual([true, true]);
  });

  it("has the form that `response_format` asks for, if the provider has such answers", async () => {
    const client = await signUp();
    const { model, agentId, openai } = await agentWith(
      client,
      [{ text: '{"name":"Tom"}' }],
      [{ text: "{}" }],
    );
    const schema = { type: "object", properties: { name: { type: "string" } }, required: ["name"] };
    const send = (response_format: OpenAI.ChatCompletionCreateParams["response_format"]) =>
      openai.chat.completions.create({
        model: agentId,
        messages: [user("My cat?")],
        ...(response_format && { response_format }),
      });

    await send({ type: "json_schema", json_schema: { name: "cat", schema, strict: true } });
    await send({ type: "json_object" });
    await client("POST", "/settings/providers/Anthropic", { api_key: "sk-ant-0123456789abcdefghij" });
    await client("PATCH", `/agents/${agentId}`, {
      agent_provider: "Anthropic",
      agent_model: "claude-opus-4-6",
    });
    const refused = await errorOf(send({ type: "json_object" }));

    const asked = (await model.log()).requests.map(({ body }) => ({ ...body })["response_format" as never]);
    expect(asked).toEqual([
      { type: "json_schema", json_schema: { name: "cat", schema, strict: true } },
      { type: "json_object" },
    ]);
    expect([refused.status, refused.message]).toEqual([409, expect.stringContaining("no JSON answers")]);
    expect(await messagesUsed(client.email)).toBe(2);
  });

  it("has one run per idempotency key, also without a conversation", async () => {
    const client = await signUp();
    const { model, agentId, openai } = await agentWith(client, [{ text: "One." }], [{ text: "Two." }]);
    const send = (content: string, key: string) =>
      openai.chat.completions.create(
        { model: agentId, messages: [user(content)] },
        { headers: { "Idempotency-Key": key } },
      );

    const first = await send("Hello", "k1");
    const again = await send("Hello", "k1");
    const mismatch = await errorOf(send("Other", "k1"));
    const other = await send("Hello", "k2");

    expect(again).toEqual(first);
    expect([mismatch.status, mismatch.code]).toEqual([422, "idempotency-mismatch"]);
    expect(other.choices[0]?.message.content).toBe("Two.");
    expect((await model.log()).requests).toHaveLength(2);
    expect(await messagesUsed(client.email)).toBe(2);
  });

  it("can be answered many at a time without a conversation", async () => {
    const client = await signUp();
    const replies = Array.from({ length: 5 }, () => [{ text: "Hello." }]);
    const { agentId, openai } = await agentWith(client, ...replies);

    const answers = await Promise.all(
      replies.map(() => openai.chat.completions.create({ model: agentId, messages: [user("Hello")] })),
    );

    expect(new Set(answers.map(({ id }) => id)).size).toBe(5);
  });

  it("is deleted with its agent, a conversation that nobody sees included", async () => {
    const client = await signUp();
    const { agentId, openai } = await agentWith(client, [{ text: "Hello." }]);
    const { response } = await openai.chat.completions
      .create({ model: agentId, messages: [user("Hello")] })
      .withResponse();
    const conversationId = response.headers.get("x-conversation-id") ?? "";
    expect(await storedMessages(conversationId)).toHaveLength(2);

    await client("DELETE", `/agents/${agentId}`);

    expect(await storedMessages(conversationId)).toEqual([]);
  });
});

it("removes chat completions after the answer to a deletion if one call can't remove them all", async () => {
  const client = await signUp();
  const { agentId, openai } = await agentWith(client, [{ text: "Hello." }]);
  await openai.chat.completions.create({ model: agentId, messages: [user("Hello")] });
  const [item] = await table.query(`USER#${client.email}`, { range: { beginsWith: "CONVERSATION#" } });
  const copies = Array.from({ length: 100 }, () => `zz-${crypto.randomUUID()}`).map((id) => ({
    put: { pk: `USER#${client.email}`, ...item, sk: `CONVERSATION#${id}`, conversation_id: id },
  }));
  await table.batchWrite(copies);
  expect(await conversationsOf(client)).toEqual([]);

  expect((await client("DELETE", `/agents/${agentId}`)).status).toBe(202);

  await expect
    .poll(() => table.query(`USER#${client.email}`, { range: { beginsWith: "CONVERSATION#" } }))
    .toEqual([]);
});

describe("`user` of a chat completion", () => {
  it("chooses whose memory and conversations are used, and creates the end user", async () => {
    const client = await signUp();
    const program = await programOf(client, ["conversations:write", "end-users:write"]);
    const replies = [[append("Name: Bob")], [{ text: "Hello, Bob." }], [{ text: "Hello." }]];
    const { agentId } = await agentWith(client, ...replies);
    const openai = openAiOf(program);

    await openai.chat.completions.create({ model: agentId, messages: [user("I am Bob")], user: "bob" });
    await openai.chat.completions.create({ model: agentId, messages: [user("Hello")] });

    const lines = async (id: string) => storedLines(agentId, id, "human");
    expect(await lines("bob")).toEqual(["Name: Bob"]);
    expect(await lines(client.email)).toBeUndefined();
    expect((await client("GET", `/agents/${agentId}/end-users`)).body.items).toMatchObject([
      { end_user_id: "bob" },
    ]);
  });

  it("never says who the caller is", async () => {
    const [client, stranger] = [await signUp(), await signUp()];
    const { agentId } = await agentWith(client, [{ text: "Hello." }]);
    const send = (who: Client, name: string) =>
      openAiOf(who).chat.completions.create({ model: agentId, messages: [user("Hello")], user: name });
    const visitor = await endUserOf(client, agentId, "alice");
    const program = await programOf(client, ["conversations:write"]);

    expect((await errorOf(send(stranger, client.email))).status).toBe(404);
    expect((await errorOf(send(visitor, "bob"))).status).toBe(403);
    expect((await errorOf(send(program, "alice"))).message).toContain("lacks the scope end-users:write");
    const owner = await errorOf(send(client, client.email));
    expect([owner.status, owner.param]).toEqual([422, "user"]);
    expect((await errorOf(send(client, "a b"))).param).toBe("user");
    expect((await send(visitor, "alice")).choices).toHaveLength(1);
  });
});
