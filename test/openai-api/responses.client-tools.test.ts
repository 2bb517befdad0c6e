import { abortAllDurableObjects } from "cloudflare:test";
import type OpenAI from "openai";
import { expect, it } from "vitest";
import { type Client } from "../support/app.ts";
import { signUpNaming } from "../support/call-names.ts";
import { endUserOf } from "../support/callers.ts";
import { databaseRequests, endFaults, injectFault, untilMet } from "../support/control.ts";
import { messagesUsed, storedMessages } from "../support/items.ts";
import { append, approve, askingAgent, pendingCalls } from "../support/waiting.ts";
import { agentWith, errorOf, openAiOf, user } from "./openai-client.ts";

type Response = OpenAI.Responses.Response;
type Events = OpenAI.Responses.ResponseStreamEvent[];

const weather = {
  type: "function",
  name: "get_weather",
  description: "Returns the weather.",
  parameters: { type: "object", properties: { city: { type: "string" } } },
  strict: false,
} as const;
const call = (id: string, city = "Rome") => ({
  call: { id, name: "get_weather", arguments: JSON.stringify({ city }) },
});
const output = (id: string, city = "Rome") => ({
  id: `fc_${id}`,
  type: "function_call",
  call_id: id,
  name: "get_weather",
  arguments: JSON.stringify({ city }),
  status: "completed",
});
const result = (id: string, text = "Sunny") =>
  ({ type: "function_call_output", call_id: id, output: text }) as const;
const eventsOf = async (stream: PromiseLike<AsyncIterable<Events[number]>>): Promise<Events> =>
  Array.fromAsync(await stream);
const typesOf = (events: Events) => events.map(({ type }) => type.replace("response.", ""));
const lastOf = (events: Events): Response => {
  const last = events.at(-1);
  if (last?.type !== "response.completed") throw new Error(`The stream ended with ${last?.type}.`);
  return last.response;
};

/** The output of a response as the input of the next request. */
const echoOf = ({ output: items }: Response) =>
  items.filter((item) => item.type === "message" || item.type === "function_call");

/** A response whose agent has called a tool of the client, and a way to follow it. */
async function asked(client: Client, ...replies: Parameters<typeof agentWith>[1][]) {
  const made = await agentWith(client, ...replies);
  const body = { model: made.agentId, tools: [weather] };
  const first = await made.openai.responses.create({ ...body, input: "Weather?" });
  const next = (input: OpenAI.Responses.ResponseInput, more: object = {}) =>
    made.openai.responses.create({ ...body, previous_response_id: first.id, input, ...more });
  return { ...made, body, first, next };
}

it("completes with the calls of the client's tools, and goes on in the same run with their results", async () => {
  const client = await signUpNaming();
  const usage = (tokens: number) => ({ usage: { prompt_tokens: tokens, completion_tokens: 1 } });
  const { first, next, openai, model } = await asked(
    client,
    [{ text: "Let me look. " }, call("c1"), call("c2", "Oslo"), usage(10)],
    [{ text: "Sunny in both." }, usage(30)],
  );

  const second = await next([
    result("c1"),
    { type: "function_call_output", call_id: "c2", output: [{ type: "input_text", text: "Mild" }] },
  ]);
  const again = await next([result("c1"), result("c2", "Mild")]);

  expect(first.output).toEqual([
    expect.objectContaining({ type: "message", status: "completed" }),
    output("c1"),
    output("c2", "Oslo"),
  ]);
  expect(first).toMatchObject({ status: "completed", output_text: "Let me look. ", tools: [weather] });
  expect(second).toMatchObject({
    status: "completed",
    output_text: "Sunny in both.",
    previous_response_id: first.id,
    conversation: first.conversation,
  });
  expect(second.id).not.toBe(first.id);
  expect([first.usage?.input_tokens, second.usage?.input_tokens]).toEqual([10, 30]);
  expect(again).toEqual(second);
  expect(await openai.responses.retrieve(first.id)).toEqual(first);
  expect(await openai.responses.retrieve(second.id)).toEqual(second);
  const { requests } = await model.log();
  expect(requests).toHaveLength(2);
  expect(JSON.stringify(requests[1])).toMatch(/Sunny.*Mild/u);
  expect(await messagesUsed(client.email)).toBe(1);
  expect((await storedMessages(first.conversation?.id ?? "")).map(({ content }) => content)).toEqual([
    "Weather?",
    "Let me look. Sunny in both.",
  ]);
  expect((await openai.responses.inputItems.list(second.id)).data).toMatchObject([
    { type: "function_call_output", call_id: "c1", output: "Sunny" },
    { type: "function_call_output", call_id: "c2", output: "Mild" },
  ]);
});

it("streams calls as OpenAI does, and each part of the run can be resumed after each of its events", async () => {
  const client = await signUpNaming();
  const { openai, agentId } = await agentWith(
    client,
    [{ text: "Let me look. " }, call("c1")],
    [call("c2", "Oslo")],
    [{ text: "Sunny." }],
  );
  const body = { model: agentId, tools: [weather], stream: true as const };
  const create = (input: string | OpenAI.Responses.ResponseInput, previous?: string) =>
    eventsOf(openai.responses.create({ ...body, input, previous_response_id: previous ?? null }));

  const first = await create("Weather?");
  const second = await create([result("c1")], lastOf(first).id);
  const third = await create([result("c2")], lastOf(second).id);

  expect(typesOf(first).slice(-8)).toEqual([
    "output_text.done",
    "content_part.done",
    "output_item.done",
    "output_item.added",
    "function_call_arguments.delta",
    "function_call_arguments.done",
    "output_item.done",
    "completed",
  ]);
  expect(lastOf(second).output).toEqual([output("c2", "Oslo")]);
  expect(typesOf(third)).toContain("output_text.delta");
  for (const events of [first, second, third]) {
    const { id } = lastOf(events);
    expect(events.map(({ sequence_number: number }) => number)).toEqual(events.map((_, index) => index));
    expect(await openai.responses.retrieve(id)).toMatchObject(lastOf(events));
    for (const index of [-1, 0, 3, events.length - 2])
      expect(
        await eventsOf(
          openai.responses.retrieve(id, { stream: true, ...(index >= 0 && { starting_after: index }) }),
        ),
      ).toEqual(events.slice(index + 1));
    const read = await openai.responses.stream({ response_id: id }).finalResponse();
    expect(read.output).toMatchObject(lastOf(events).output);
  }
});

it("goes on in the background, and in a conversation that is named", async () => {
  const client = await signUpNaming();
  const { openai, agentId } = await agentWith(client, [call("c1")], [{ text: "Sunny." }]);
  const body = { model: agentId, tools: [weather], conversation: "talk", background: true };
  const first = await openai.responses.create({ ...body, input: "Weather?" });
  await eventsOf(openai.responses.retrieve(first.id, { stream: true }));
  expect(await openai.responses.retrieve(first.id)).toMatchObject({
    status: "completed",
    output: [output("c1")],
  });

  const second = await openai.responses.create({ ...body, input: [result("c1")] });
  const events = await eventsOf(openai.responses.retrieve(second.id, { stream: true }));

  expect(lastOf(events).output).toMatchObject([{ type: "message", content: [{ text: "Sunny." }] }]);
  expect(await openai.responses.retrieve(second.id)).toMatchObject({
    output_text: "Sunny.",
    background: true,
  });
});

it("is driven by a loop over its calls, with parallel calls turned off", async () => {
  const client = await signUpNaming();
  const { openai, agentId, model } = await agentWith(
    client,
    [call("c1"), call("c2", "Oslo")],
    [call("c3", "Oslo")],
    [{ text: "Done." }],
  );
  const body = { model: agentId, tools: [weather], parallel_tool_calls: false };
  const cities: unknown[] = [];

  let response = await openai.responses.create({ ...body, input: "Weather?" });
  for (;;) {
    const calls = response.output.filter((item) => item.type === "function_call");
    if (calls.length === 0) break;
    cities.push(calls.map(({ arguments: text }) => JSON.parse(text) as unknown));
    response = await openai.responses.create({
      ...body,
      previous_response_id: response.id,
      input: calls.map(({ call_id: id }) => result(id)),
    });
  }

  expect(response).toMatchObject({ output_text: "Done.", parallel_tool_calls: false });
  expect(cities).toEqual([[{ city: "Rome" }], [{ city: "Oslo" }]]);
  expect(JSON.stringify((await model.log()).requests[1])).toContain("Call this tool again");
});

it("offers the tools of the request with the results, and what else that request says", async () => {
  const client = await signUpNaming();
  const { next, first, openai, model } = await asked(client, [call("c1")], [{ text: "Sunny." }]);
  const other = { ...weather, name: "get_time" };

  const second = await next([result("c1"), { role: "developer", content: "Be brief." }], {
    tools: [other],
    tool_choice: { type: "function", name: "get_time" },
    instructions: "Answer in rhyme.",
    metadata: { step: "2" },
  });

  const [, asking] = (await model.log()).requests.map(({ body }) => body as { tool_choice?: unknown });
  const text = JSON.stringify(asking);
  expect(asking?.tool_choice).toEqual({ type: "function", function: { name: "get_time" } });
  expect(text).toContain("Be brief.");
  expect(text).toContain("Answer in rhyme.");
  expect(await openai.responses.retrieve(second.id)).toMatchObject({
    tools: [other],
    tool_choice: { type: "function", name: "get_time" },
    metadata: { step: "2" },
  });
  expect(await openai.responses.retrieve(first.id)).toMatchObject({ tools: [weather], tool_choice: "auto" });
});

it("takes results together with the user's next message, which another run answers", async () => {
  const client = await signUpNaming();
  const { next, first, openai, model } = await asked(client, [call("c1")], [{ text: "Oslo is mild." }]);
  const input = [result("c1"), user("And Oslo?")];

  const missing = await errorOf(next([result("c9"), user("And Oslo?")]));
  const second = await next(input, {});
  const contradicted = await errorOf(next([result("c1", "Rainy"), user("And Oslo?")]));

  expect([missing.status, contradicted.status]).toEqual([409, 409]);
  expect(second.output_text).toBe("Oslo is mild.");
  const { requests } = await model.log();
  expect(requests).toHaveLength(2);
  expect(JSON.stringify(requests[1])).toMatch(/Sunny.*And Oslo\?/u);
  expect(JSON.stringify(requests[1])).not.toContain("Not run");
  expect(await openai.responses.retrieve(first.id)).toEqual(first);
  expect(await messagesUsed(client.email)).toBe(2);
});

it("ends a waiting run with the user's next message, and refuses whatever else follows the same response", async () => {
  const client = await signUpNaming();
  const { next, first, openai } = await asked(
    client,
    [call("c1")],
    [{ text: "Never mind, then." }],
    [{ text: "No." }],
  );

  const second = await next([user("Never mind")]);
  const late = await errorOf(next([result("c1")]));
  const stale = await errorOf(next([user("Again")]));

  expect(second.output_text).toBe("Never mind, then.");
  expect([late.status, late.code, stale.status, stale.code]).toEqual([409, "conflict", 409, "conflict"]);
  expect(await openai.responses.retrieve(first.id)).toEqual(first);
});

it("does not let a message follow a response whose calls have been answered", async () => {
  const client = await signUpNaming();
  const { next } = await asked(client, [call("c1")], [{ text: "Sunny." }], [{ text: "No." }]);
  await next([result("c1")]);

  expect((await errorOf(next([user("Again")]))).code).toBe("conflict");
});

it("refuses results that do not fit, and the run goes on waiting", async () => {
  const [client, stranger] = [await signUpNaming(), await signUpNaming()];
  const { next, body, first, openai } = await asked(
    client,
    [call("c1"), call("c2")],
    [call("c3")],
    [{ text: "Sunny." }],
  );
  const theirs = await agentWith(stranger, [{ text: "No." }]);
  const statuses = async (...requests: Promise<unknown>[]) =>
    (await Promise.all(requests.map(errorOf))).map(({ status }) => status);

  expect(
    await statuses(
      next([result("c1")]),
      next([result("c9")]),
      next([result("c1"), result("c1"), result("c2")]),
      next([result("c1"), result("c2", "x".repeat(200_001))]),
      next([user("Weather?"), result("c1"), result("c2")]),
      next([result("c1"), result("c2"), { role: "developer", content: "x".repeat(200_001) }]),
      next([result("c1"), result("c2")], { model: theirs.agentId }),
      openai.responses.create({ ...body, conversation: "never seen", input: [result("c1")] }),
      openai.responses.create({ ...body, input: [result("c1")] }),
      theirs.openai.responses.create({
        model: theirs.agentId,
        previous_response_id: first.id,
        input: [result("c1"), result("c2")],
      }),
    ),
  ).toEqual([422, 409, 422, 422, 422, 422, 404, 404, 422, 404]);

  const second = await next([result("c1"), result("c2")]);
  expect(second.output).toEqual([output("c3")]);
  // The calls of a later response.
  expect(await statuses(next([result("c3")]), next([result("c1", "Rainy"), result("c2")]))).toEqual([
    409, 409,
  ]);
  const third = await openai.responses.create({
    ...body,
    previous_response_id: second.id,
    input: [result("c3")],
  });
  expect(third.output_text).toBe("Sunny.");
});

it("reads calls and their results in a history that the client keeps", async () => {
  const client = await signUpNaming();
  const { openai, agentId, model } = await agentWith(
    client,
    [call("c1"), call("c2", "Oslo")],
    [{ text: "Sunny." }],
    [{ text: "You asked about Rome." }],
  );
  const body = { model: agentId, tools: [weather], store: false };
  const input: OpenAI.Responses.ResponseInput = [user("Weather?")];

  const first = await openai.responses.create({ ...body, input });
  const reasoning = {
    type: "reasoning",
    id: "rs_1",
    summary: [],
    content: [{ type: "reasoning_text", text: "Hm." }],
  } as const;
  input.push({ ...reasoning, content: [...reasoning.content], summary: [] }, ...echoOf(first));
  input.push(result("c1"), result("c2", "Mild"));
  const second = await openai.responses.create({ ...body, input });
  input.push(...echoOf(second), user("What did I ask?"));
  const third = await openai.responses.create({ ...body, input });

  expect(first).toMatchObject({
    status: "completed",
    store: false,
    output: [output("c1"), output("c2", "Oslo")],
  });
  expect(await openai.responses.retrieve(first.id)).toEqual(first);
  expect([second.output_text, third.output_text]).toEqual(["Sunny.", "You asked about Rome."]);
  const [, two, three] = (await model.log()).requests.map((request) => JSON.stringify(request));
  expect(two).toMatch(/Sunny.*Mild/u);
  expect(two).not.toContain("Hm.");
  expect(three).toContain("get_weather");
});

it("leaves a response in progress while another call waits for an approval", async () => {
  const { client, agentId } = await askingAgent([
    [call("c1"), append("a1", "Likes: sun")],
    [{ text: "Noted." }],
  ]);
  const openai = openAiOf(client);
  const body = { model: agentId, tools: [weather] };
  const { data: first, response } = await openai.responses.create({ ...body, input: "Hi" }).withResponse();
  const second = await openai.responses.create({
    ...body,
    previous_response_id: first.id,
    input: [result("c1")],
  });
  expect(first.output).toEqual([output("c1")]);
  expect(second).toMatchObject({ status: "in_progress", output: [] });

  const [conversationId, runId] = ["x-conversation-id", "x-run-id"].map((name) => response.headers.get(name));
  const callId = (await pendingCalls(client, conversationId ?? "", runId ?? "")).at(-1) ?? "";
  await approve(client, conversationId ?? "", runId ?? "", callId);
  const events = await eventsOf(openai.responses.retrieve(second.id, { stream: true }));

  expect(lastOf(events).output).toMatchObject([{ content: [{ text: "Noted." }] }]);
  expect(await openai.responses.retrieve(second.id)).toMatchObject({ output_text: "Noted." });
});

it("returns a response that has left its calls to the client as it is when it is cancelled", async () => {
  const client = await signUpNaming();
  const { next, first, openai } = await asked(client, [call("c1")], [{ text: "Sunny." }]);

  expect(await openai.responses.cancel(first.id)).toMatchObject({
    id: first.id,
    status: "completed",
    output: first.output,
  });
  expect((await next([result("c1")])).output_text).toBe("Sunny.");
});

it("goes on after its runner has died, once, and answers 503 to results with which it can't go on yet", async () => {
  const client = await signUpNaming();
  const { next, first, model } = await asked(client, [call("c1")], [{ text: "Sunny." }]);
  await abortAllDurableObjects();
  await injectFault({
    operation: "BatchGetItem",
    match: [first.conversation?.id ?? ""],
    times: 10_000,
    fault: { kind: "answer", status: 500, body: "" },
  });

  const refused = await errorOf(next([result("c1")]));
  await endFaults();
  await abortAllDurableObjects();
  const second = await next([result("c1")]);

  expect([refused.status, second.output_text]).toEqual([503, "Sunny."]);
  expect((await model.log()).requests).toHaveLength(2);
});

it.each([0, 1])(
  "goes on once if the table loses its answer to write %i of the continuation",
  async (after) => {
    const client = await signUpNaming();
    const { next, first, model, openai } = await asked(client, [call("c1")], [{ text: "Sunny." }]);
    await injectFault({
      operation: "TransactWriteItems",
      match: [first.conversation?.id ?? ""],
      after,
      fault: { kind: "lose-answer" },
    });

    const second = await next([result("c1")]);

    expect(second.output_text).toBe("Sunny.");
    expect(await openai.responses.retrieve(second.id)).toEqual(second);
    expect((await model.log()).requests).toHaveLength(2);
  },
);

it("does not show an end user the tools of the application", async () => {
  const client = await signUpNaming();
  const { openai, agentId } = await agentWith(client, [call("c1")], [{ text: "Sunny." }]);
  const bob = openAiOf(await endUserOf(client, agentId, "bob"));
  const secret = { ...weather, description: "The secret source." };

  const { id } = await openai.responses.create({ model: agentId, input: "Hi", user: "bob", tools: [secret] });

  expect(JSON.stringify(await bob.responses.retrieve(id))).not.toContain("secret");
});

it("answers the repeat of a request as before when the run has gone on, and when it has failed later", async () => {
  const client = await signUpNaming();
  const { openai, agentId } = await agentWith(
    client,
    [{ text: "Let me look. " }, call("c1")],
    [call("c2")],
    [{ status: 400, body: { error: { message: "No." } } }],
  );
  const body = { model: agentId, tools: [weather] };
  const create = () =>
    openai.responses.create({ ...body, input: "Weather?" }, { headers: { "idempotency-key": "k1" } });
  const goOn = (id: string, callId: string) =>
    openai.responses.create({ ...body, previous_response_id: id, input: [result(callId)] });

  const first = await create();
  const second = await goOn(first.id, "c1");
  expect(await create()).toEqual(first);
  expect((await errorOf(goOn(second.id, "c2"))).status).toBeGreaterThanOrEqual(400);

  expect(await create()).toEqual(first);
  expect(await goOn(first.id, "c1")).toEqual(second);
});

it("takes results of earlier calls again together with new ones", async () => {
  const client = await signUpNaming();
  const { next, openai, body, first } = await asked(client, [call("c1")], [call("c2")], [{ text: "Sunny." }]);
  const second = await next([result("c1")]);

  const third = await openai.responses.create({
    ...body,
    previous_response_id: second.id,
    input: [result("c1"), result("c2", "Mild")],
  });

  expect(third.output_text).toBe("Sunny.");
  expect(await openai.responses.retrieve(second.id)).toEqual(second);
  expect((await openai.responses.inputItems.list(second.id)).data).toMatchObject([{ call_id: "c1" }]);
  expect((await openai.responses.inputItems.list(third.id)).data).toMatchObject([
    { call_id: "c2", output: "Mild" },
  ]);
  expect(first.id).not.toBe(third.id);
});

it("takes one of two contradicting results that come at once, and keeps the request of that one", async () => {
  const client = await signUpNaming();
  const { next, first, openai } = await asked(client, [call("c1")], [{ text: "Sunny." }]);
  const conversationId = first.conversation?.id ?? "";
  const texts = ["Sunny", "Rainy"].map((text) => `${text} ${crypto.randomUUID()}`);
  const [sunny = "", rainy = ""] = texts;
  const reads = async () =>
    (await databaseRequests(conversationId)).filter(
      ({ operation, endedAt }) => operation === "GetItem" && endedAt > 0,
    ).length;
  await injectFault({
    operation: "TransactWriteItems",
    match: texts,
    times: 5,
    fault: { kind: "hold" },
  });

  const one = next([result("c1", sunny)]);
  await untilMet();
  const before = await reads();
  const other = errorOf(next([result("c1", rainy)]));
  // The other one has read everything that it decides by, while the first one is being stored.
  await expect.poll(reads).toBeGreaterThan(before);
  await endFaults();

  expect((await other).status).toBe(409);
  expect((await openai.responses.inputItems.list((await one).id)).data).toMatchObject([
    { call_id: "c1", output: sunny },
  ]);
});

it("returns calls whose arguments are too long for the item of the run", async () => {
  const client = await signUpNaming();
  const { first, next, openai } = await asked(client, [call("c1", "é".repeat(60_000))], [{ text: "Sunny." }]);

  expect(first.output).toEqual([output("c1", "é".repeat(60_000))]);
  expect((await next([result("c1")])).output_text).toBe("Sunny.");
  expect(await openai.responses.retrieve(first.id)).toEqual(first);
});
