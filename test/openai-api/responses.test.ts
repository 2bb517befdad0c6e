import type OpenAI from "openai";
import { describe, expect, it } from "vitest";
import { signUp } from "../support/app.ts";
import { agentWith, errorOf } from "./openai-client.ts";
import { storedLines, storedMessages } from "../support/items.ts";

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
});
