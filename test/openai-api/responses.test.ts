import type OpenAI from "openai";
import { describe, expect, it } from "vitest";
import { signUp, table } from "../support/app.ts";
import { messagesUsed, storedLines, storedMessages } from "../support/items.ts";
import { agentWith, countingAgent, errorOf, user } from "./openai-client.ts";

type Events = OpenAI.Responses.ResponseStreamEvent[];

const append = (content: string) => ({
  call: { name: "core_memory_append", arguments: JSON.stringify({ block: "human", content }) },
});

const eventsOf = async (
  stream: PromiseLike<AsyncIterable<OpenAI.Responses.ResponseStreamEvent>>,
): Promise<Events> => Array.fromAsync(await stream);

describe("a response", () => {
  it("is answered by the agent, with the tokens that its provider has counted", async () => {
    const client = await signUp();
    const usage = { prompt_tokens: 12, completion_tokens: 5, prompt_tokens_details: { cached_tokens: 8 } };
    const { agentId, openai } = await agentWith(
      client,
      [
        { text: "One moment. " },
        append("Name: Alice"),
        { usage: { prompt_tokens: 100, completion_tokens: 7 } },
      ],
      [{ text: "Hello, Alice." }, { usage }],
    );

    const { data, response } = await openai.responses
      .create({ model: agentId, input: "I am Alice", temperature: 0.1, metadata: { ticket: "4711" } })
      .withResponse();

    const conversationId = response.headers.get("x-conversation-id");
    const runId = response.headers.get("x-run-id");
    expect(data.output_text).toBe("One moment. Hello, Alice.");
    const { output_text: _, ...whole } = data;
    expect(whole).toEqual({
      id: expect.stringMatching(/^resp_[\w-]+$/u),
      object: "response",
      created_at: expect.any(Number),
      status: "completed",
      background: false,
      error: null,
      incomplete_details: null,
      instructions: null,
      max_output_tokens: null,
      max_tool_calls: null,
      metadata: { ticket: "4711" },
      model: agentId,
      output: [
        {
          id: expect.stringMatching(/^msg_/u),
          type: "message",
          role: "assistant",
          status: "completed",
          content: [
            { type: "output_text", text: "One moment. Hello, Alice.", annotations: [], logprobs: [] },
          ],
        },
      ],
      parallel_tool_calls: true,
      previous_response_id: null,
      conversation: { id: conversationId },
      reasoning: null,
      store: true,
      temperature: null,
      text: { format: { type: "text" } },
      tool_choice: "auto",
      tools: [],
      top_p: null,
      truncation: "disabled",
      usage: {
        input_tokens: 112,
        input_tokens_details: { cached_tokens: 8 },
        output_tokens: 12,
        output_tokens_details: { reasoning_tokens: 0 },
        total_tokens: 124,
      },
    });
    expect(Math.abs(data.created_at - Date.now() / 1000)).toBeLessThan(600);
    expect(await storedLines(agentId, client.email, "human")).toEqual(["Name: Alice"]);
    expect((await client("GET", `/conversations/${conversationId}/runs/${runId}`)).body.state).toBe(
      "completed",
    );
    expect(await openai.responses.retrieve(data.id)).toEqual(data);
  });

  it("is streamed, and its events can be resumed after each of them", async () => {
    const client = await signUp();
    const { name, openai } = await agentWith(
      client,
      [{ text: "One moment. " }, append("Name: Alice")],
      [
        { text: "Hello, " },
        { wait: 40 },
        { text: "Alice." },
        { usage: { prompt_tokens: 12, completion_tokens: 5 } },
      ],
    );

    const events = await eventsOf(
      openai.responses.create({ model: name, input: "I am Alice", stream: true }),
    );

    expect(events.map(({ sequence_number: number }) => number)).toEqual(events.map((_, index) => index));
    const last = events.at(-1);
    if (last?.type !== "response.completed") throw new Error(`The stream ended with ${last?.type}.`);
    const { response } = last;
    const stored = await openai.responses.retrieve(response.id);
    expect(stored).toMatchObject({ ...response, output_text: "One moment. Hello, Alice." });
    for (const index of events.keys()) {
      const resumed = await eventsOf(
        openai.responses.retrieve(response.id, { stream: true, starting_after: index }),
      );
      expect(resumed).toEqual(events.slice(index + 1));
    }
    expect(await eventsOf(openai.responses.retrieve(response.id, { stream: true }))).toEqual(events);
    // The client's own reader of streams checks that each event fits those before.
    const read = await openai.responses.stream({ response_id: response.id }).finalResponse();
    expect(read.output_text).toBe("One moment. Hello, Alice.");
  });

  it("continues from the newest response of its conversation, and from no other", async () => {
    const client = await signUp();
    const { model, agentId, openai } = await agentWith(
      client,
      [{ text: "One." }],
      [{ text: "Two." }],
      [{ text: "No." }],
    );

    const first = await openai.responses.create({ model: agentId, input: "My cat is called Tom" });
    const next = { model: agentId, input: "What is it called?", previous_response_id: first.id };
    const second = await openai.responses.create(next);
    const refused = await errorOf(openai.responses.create({ ...next, input: "And again?" }));

    expect(second).toMatchObject({ previous_response_id: first.id, conversation: first.conversation });
    expect([refused.status, refused.code]).toEqual([409, "conflict"]);
    expect(refused.message).toContain("Continue from its newest one.");
    const { requests } = await model.log();
    expect(requests).toHaveLength(2);
    expect(JSON.stringify(requests[1])).toContain("My cat is called Tom");
    expect((await storedMessages(first.conversation?.id ?? "")).map(({ content }) => content)).toEqual([
      "My cat is called Tom",
      "One.",
      "What is it called?",
      "Two.",
    ]);
  });

  it("goes on in the conversation that the request names, by its id or any name", async () => {
    const client = await signUp();
    const { agentId, openai } = await countingAgent(client);
    const create = (more: object) => openai.responses.create({ model: agentId, input: "Hello", ...more });

    const { data: first, response } = await openai.responses
      .create({ model: agentId, input: "Hello", conversation: "ticket 4711" })
      .withResponse();
    const id = first.conversation?.id ?? "";
    const second = await create({ conversation: { id: "ticket 4711" } });
    const third = await create({ previous_response_id: second.id });

    expect(response.headers.get("x-conversation-id")).toBe(id);
    expect([second, third].map(({ conversation }) => conversation?.id)).toEqual([id, id]);
    expect(await storedMessages(id)).toHaveLength(6);
    expect((await client("GET", "/conversations")).body.items).toHaveLength(1);
  });

  it.each<[string, object]>([
    ["is not to be stored", { store: false }],
    ["brings its history along", {}],
  ])("keeps nothing but memory if the request %s", async (_case, more) => {
    const client = await signUp();
    const { model, agentId, openai } = await agentWith(client, [{ text: "Tom." }], [{ text: "No." }]);
    const said = [user("My cat is called Tom"), { role: "assistant", content: "A nice name." } as const];
    const input = [...("store" in more ? [] : said), user("What is it called?")];

    const first = await openai.responses.create({ model: agentId, input, ...more });
    const next = { model: agentId, input: "Again", previous_response_id: first.id };
    const refused = await errorOf(openai.responses.create(next));

    expect(first).toMatchObject({ output_text: "Tom.", store: false, conversation: null });
    expect([refused.status, refused.param]).toEqual([422, "previous_response_id"]);
    expect(refused.message).toContain("was not stored");
    expect((await client("GET", "/conversations")).body.items).toEqual([]);
    expect(await openai.responses.retrieve(first.id)).toEqual(first);
    const [asked] = (await model.log()).requests;
    expect(asked?.body.messages.filter(({ role }) => role !== "system").map(({ role }) => role)).toEqual(
      input.map(({ role }) => role),
    );
  });

  it("hears instructions in this turn only, as words of the user", async () => {
    const client = await signUp();
    const { model, agentId, openai } = await agentWith(client, [{ text: "One." }], [{ text: "Two." }]);

    const first = await openai.responses.create({
      model: agentId,
      instructions: "Answer in rhyme.",
      input: [
        { role: "developer", content: "Be brief." },
        user("My cat is called Tom."),
        { type: "message", role: "user", content: [{ type: "input_text", text: "What is it called?" }] },
      ],
    });
    await openai.responses.create({ model: agentId, input: "And now?", previous_response_id: first.id });

    const [one, two] = (await model.log()).requests.map(({ body }) =>
      body.messages.filter(({ role }) => role !== "system"),
    );
    expect(one?.map(({ role }) => role)).not.toContain("assistant");
    const asked = JSON.stringify(one);
    expect(asked).toContain("Instructions from the application:\\nAnswer in rhyme.");
    expect(asked).toContain("Instructions from the application:\\nBe brief.");
    expect(JSON.stringify(two)).not.toMatch(/rhyme|brief/u);
    expect(first.instructions).toBe("Answer in rhyme.");
    const [stored] = await storedMessages(first.conversation?.id ?? "");
    expect(stored?.["content"]).toBe("My cat is called Tom.\n\nWhat is it called?");
  });

  it("may be about text files, which are a part of its input", async () => {
    const client = await signUp();
    const { model, agentId, openai } = await agentWith(client, [{ text: "Read." }]);
    const file = {
      type: "input_file",
      filename: "notes.md",
      file_data: `data:text/markdown;base64,${btoa("# Now")}`,
    } as const;

    const { id } = await openai.responses.create({
      model: agentId,
      input: [{ role: "user", content: [file, { type: "input_text", text: "Read this" }] }],
    });
    const items = await Array.fromAsync(openai.responses.inputItems.list(id, { limit: 10, order: "asc" }));
    const rest = await openai.responses.inputItems.list(id, { after: items[0]?.id ?? "" });

    expect(JSON.stringify((await model.log()).requests[0])).toContain("# Now");
    expect(items).toEqual([
      {
        id: expect.stringMatching(/^msg_/u),
        type: "message",
        role: "user",
        status: "completed",
        content: [
          { type: "input_text", text: "Read this" },
          { type: "input_file", filename: "notes.md", file_data: "data:text/plain;charset=utf-8,%23%20Now" },
        ],
      },
    ]);
    // Clients that do not read `has_more` ask for pages until one is empty.
    expect(rest.data).toEqual([]);
  });

  it("is parsed by OpenAI's client if it has the form of a JSON schema", async () => {
    const client = await signUp();
    const { model, agentId, openai } = await agentWith(client, [{ text: '{"name":"Tom"}' }]);
    const schema = { type: "object", properties: { name: { type: "string" } }, required: ["name"] };
    const format = { type: "json_schema", name: "cat", schema, strict: true } as const;

    const parsed = await openai.responses.parse({ model: agentId, input: "My cat?", text: { format } });
    await client("POST", "/settings/providers/Anthropic", { api_key: "sk-ant-0123456789abcdefghij" });
    await client("PATCH", `/agents/${agentId}`, {
      agent_provider: "Anthropic",
      agent_model: "claude-opus-4-6",
    });
    const refused = await errorOf(
      openai.responses.create({ model: agentId, input: "My cat?", text: { format } }),
    );

    expect(parsed.output_parsed).toEqual({ name: "Tom" });
    expect(parsed.text).toEqual({ format });
    const [asked] = (await model.log()).requests.map(({ body }) => ({ ...body })["response_format" as never]);
    expect(asked).toEqual({ type: "json_schema", json_schema: { name: "cat", schema, strict: true } });
    expect([refused.status, refused.message]).toEqual([409, expect.stringContaining("no JSON answers")]);
  });

  it("is one run per idempotency key, which also begins one conversation", async () => {
    const client = await signUp();
    const { model, agentId, openai } = await agentWith(client, [{ text: "One." }], [{ text: "Two." }]);
    const create = (input: string, key: string) =>
      openai.responses.create({ model: agentId, input }, { headers: { "Idempotency-Key": key } });

    const [first, again] = await Promise.all([create("Hello", "k1"), create("Hello", "k1")]);
    const mismatch = await errorOf(create("Other", "k1"));
    const other = await create("Hello", "k2");

    expect(again).toEqual(first);
    expect([mismatch.status, mismatch.code]).toEqual([422, "idempotency-mismatch"]);
    expect(other.conversation).not.toEqual(first.conversation);
    expect((await model.log()).requests).toHaveLength(2);
    expect(await messagesUsed(client.email)).toBe(2);
    expect((await client("GET", "/conversations")).body.items).toHaveLength(2);
  });

  it("keeps the conversation of a key if another request with that key is refused", async () => {
    const client = await signUp();
    const { model, agentId, openai } = await agentWith(client, [{ text: "One." }]);
    const headers = { "Idempotency-Key": "k1" };
    const create = (input: string) => openai.responses.create({ model: agentId, input }, { headers });

    const answers = await Promise.allSettled(["Hello", "Other", "Third"].map(create));

    const [answered] = answers.filter((answer) => answer.status === "fulfilled");
    expect(answers.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected", "rejected"]);
    expect(await openai.responses.retrieve(answered?.value.id ?? "")).toEqual(answered?.value);
    expect((await model.log()).requests).toHaveLength(1);
  });

  it("is found by its key although others have followed it", async () => {
    const client = await signUp();
    const { model, agentId, openai } = await countingAgent(client);
    const headers = { "Idempotency-Key": "k1" };
    const first = await openai.responses.create({ model: agentId, input: "Hello" });
    const next = { model: agentId, input: "And?", previous_response_id: first.id };

    const second = await openai.responses.create(next, { headers });
    const third = { ...next, previous_response_id: second.id };
    await openai.responses.create(third);
    const mismatch = await errorOf(openai.responses.create(third, { headers }));

    expect(await openai.responses.create(next, { headers })).toEqual(second);
    expect([mismatch.status, mismatch.code]).toEqual([422, "idempotency-mismatch"]);
    expect((await model.log()).requests).toHaveLength(3);
  });

  it("is followed by one response, even if many are created at once", async () => {
    const client = await signUp();
    const { model, agentId, openai } = await agentWith(client, [{ text: "One." }], [{ text: "Two." }]);
    const first = await openai.responses.create({ model: agentId, input: "Hello" });
    const next = { model: agentId, input: "And?", previous_response_id: first.id };

    const answers = await Promise.allSettled(Array.from({ length: 6 }, () => openai.responses.create(next)));

    const refusals = answers.filter((answer) => answer.status === "rejected");
    expect(refusals).toHaveLength(5);
    for (const { reason } of refusals) expect(reason).toMatchObject({ status: 409 });
    expect((await model.log()).requests).toHaveLength(2);
    expect(await storedMessages(first.conversation?.id ?? "")).toHaveLength(4);
  });

  it("begins another conversation with a key that is older than runners know it", async () => {
    const client = await signUp();
    const { agentId, openai } = await agentWith(client, [{ text: "One." }], [{ text: "Two." }]);
    const create = () =>
      openai.responses.create({ model: agentId, input: "Hello" }, { headers: { "Idempotency-Key": "k1" } });

    const first = await create();
    const key = { pk: `USER#${client.email}`, sk: `CONVERSATION#${first.conversation?.id}` };
    const longAgo = new Date(Date.now() - 25 * 60 * 60 * 1000).toISOString();
    await table.update(key, { set: { created_at: longAgo } });
    const second = await create();
    const repeated = await create();

    expect(second.conversation).not.toEqual(first.conversation);
    expect(repeated).toEqual(second);
  });

  it.each<[string, Record<string, string>]>([
    ["without an idempotency key", {}],
    ["with one", { "Idempotency-Key": "k1" }],
  ])("leaves no conversation behind if its first message is refused, %s", async (_case, headers) => {
    const client = await signUp();
    const { agentId, openai } = await agentWith(client, [{ text: "One." }]);
    await client("PATCH", `/agents/${agentId}`, { agent_provider: "OpenAI", agent_model: "gpt-4o" });
    await client("DELETE", "/settings/providers/OpenAI");

    const create = () => openai.responses.create({ model: agentId, input: "Hello" }, { headers });
    const refused = await errorOf(create());

    expect([refused.status, refused.code]).toEqual([409, "provider-not-configured"]);
    expect((await client("GET", "/conversations")).body.items).toEqual([]);
    expect((await errorOf(create())).code).toBe("provider-not-configured");
  });

  it("is exported, and deleted with its conversation", async () => {
    const client = await signUp();
    const { agentId, openai } = await agentWith(client, [{ text: "One." }]);
    const { id, conversation } = await openai.responses.create({
      model: agentId,
      input: "Hello",
      metadata: { ticket: "4711" },
    });

    const { body } = await client("GET", "/users/me/export");
    expect(body).toContain(String.raw`\"metadata\":{\"ticket\":\"4711\"}`);
    await client("DELETE", `/conversations/${conversation?.id}`);

    expect((await errorOf(openai.responses.retrieve(id))).status).toBe(404);
    const next = { model: agentId, input: "Hello", previous_response_id: id };
    expect((await errorOf(openai.responses.create(next))).status).toBe(404);
  });
});
