import { expect, it } from "vitest";
import type { ChatCompletionMessageParam, ChatCompletionTool } from "openai/resources/chat/completions";
import { signUp, table } from "../support/app.ts";
import { signUpNaming } from "../support/call-names.ts";
import { endFaults, injectFault } from "../support/control.ts";
import { messagesUsed, storedMessages } from "../support/items.ts";
import { agentWith, errorOf, user } from "./openai-client.ts";

const weather: ChatCompletionTool = {
  type: "function",
  function: {
    name: "get_weather",
    description: "Returns the weather.",
    parameters: { type: "object", properties: { city: { type: "string" } } },
  },
};
const call = (id: string, city = "Rome") => ({
  call: { id, name: "get_weather", arguments: JSON.stringify({ city }) },
});
const result = (id: string, content = "Sunny") => ({ role: "tool", tool_call_id: id, content }) as const;
const thread = (name: string) => ({ headers: { "x-conversation-id": name } });

it("ends an answer with the calls of the client's tools, and goes on in the same run with their results", async () => {
  const client = await signUpNaming();
  const {
    openai,
    agentId: model,
    model: script,
  } = await agentWith(
    client,
    [{ text: "Let me look. " }, call("c1"), call("c2", "Oslo")],
    [{ text: "Sunny in both." }],
  );
  const body = { model, tools: [weather], messages: [user("Weather?")] };

  const first = await openai.chat.completions.create(body, thread("t")).withResponse();
  const [asked] = first.data.choices;
  const messages: ChatCompletionMessageParam[] = [
    user("Weather?"),
    ...(asked ? [asked.message] : []),
    result("c1"),
    result("c2"),
  ];
  const second = await openai.chat.completions.create({ ...body, messages }, thread("t")).withResponse();
  const again = await openai.chat.completions.create({ ...body, messages }, thread("t"));

  expect(asked).toMatchObject({
    finish_reason: "tool_calls",
    message: {
      content: "Let me look. ",
      tool_calls: [
        { id: "c1", type: "function", function: { name: "get_weather", arguments: '{"city":"Rome"}' } },
        { id: "c2", function: { arguments: '{"city":"Oslo"}' } },
      ],
    },
  });
  expect(second.response.headers.get("x-run-id")).toBe(first.response.headers.get("x-run-id"));
  expect(second.data.choices[0]).toMatchObject({
    finish_reason: "stop",
    message: { content: "Sunny in both." },
  });
  expect(again.choices[0]?.message.content).toBe(second.data.choices[0]?.message.content);
  const { requests } = await script.log();
  expect(requests).toHaveLength(2);
  expect(JSON.stringify(requests[0])).toContain("Returns the weather.");
  expect(JSON.stringify(requests[1])).toContain("Sunny");
  expect(await messagesUsed(client.email)).toBe(1);
});

it("streams calls in OpenAI's form, and then what follows the results", async () => {
  const client = await signUpNaming();
  const { openai, agentId: model } = await agentWith(client, [call("c1")], [{ text: "Sunny." }]);
  const body = { model, tools: [weather], stream: true as const };

  const first = await Array.fromAsync(
    await openai.chat.completions.create({ ...body, messages: [user("Weather?")] }, thread("s")),
  );
  const calls = first.flatMap(({ choices }) => choices[0]?.delta.tool_calls ?? []);
  const messages = [user("Weather?"), assistantCalling("c1"), result("c1")];
  const second = await Array.fromAsync(
    await openai.chat.completions.create({ ...body, messages }, thread("s")),
  );

  expect(calls).toEqual([
    { index: 0, id: "c1", type: "function", function: { name: "get_weather", arguments: '{"city":"Rome"}' } },
  ]);
  expect(first.at(-1)?.choices[0]?.finish_reason).toBe("tool_calls");
  expect(second.map(({ choices }) => choices[0]?.delta.content ?? "").join("")).toBe("Sunny.");
  expect(second.at(-1)?.choices[0]?.finish_reason).toBe("stop");
});

it("refuses results that arrive late, although the calls of a later run have the same ids at the provider", async () => {
  const client = await signUpNaming();
  const { openai, agentId: model } = await agentWith(
    client,
    [call("call_0")],
    [call("call_0", "Oslo")],
    [{ text: "Snow." }],
  );
  const body = { model, tools: [weather] };
  const ask = (...messages: ChatCompletionMessageParam[]) =>
    openai.chat.completions.create({ ...body, messages }, thread("late"));
  await ask(user("Rome?"));
  const second = await ask(user("Oslo?"));

  const late = await errorOf(ask(user("Rome?"), assistantCalling("c1"), result("c1")));

  expect(late.status).toBe(409);
  const asked = second.choices[0]?.message;
  const id = asked?.tool_calls?.[0]?.id ?? "";
  expect(id).toBe("c2");
  const answer = await ask(user("Oslo?"), ...(asked ? [asked] : []), result(id, "Snow"));
  expect(answer.choices[0]?.message.content).toBe("Snow.");
});

it("refuses results that arrive late although the messages with their calls are no longer among those that a turn reads", async () => {
  const client = await signUp();
  const { openai, agentId: model } = await agentWith(client, [call("call_0")], [call("call_0", "Oslo")]);
  const body = { model, tools: [weather] };
  const first = await openai.chat.completions
    .create({ ...body, messages: [user("Rome?")] }, thread("long"))
    .withResponse();
  const conversationId = first.response.headers.get("x-conversation-id") ?? "";
  const asked = first.data.choices[0]?.message;
  await client(
    "POST",
    `/conversations/${conversationId}/runs/${first.response.headers.get("x-run-id")}/cancel`,
  );
  for (const { pk, sk } of await storedMessages(conversationId))
    await table.remove({ pk: String(pk), sk: String(sk) });
  await openai.chat.completions.create({ ...body, messages: [user("Oslo?")] }, thread("long"));

  const messages = [user("Rome?"), ...(asked ? [asked] : []), result(asked?.tool_calls?.[0]?.id ?? "")];
  const late = await errorOf(openai.chat.completions.create({ ...body, messages }, thread("long")));

  expect(late.status).toBe(409);
});

it("gives calls ids that every provider accepts, and sends the provider the ones that clients see", async () => {
  const client = await signUp();
  const long = "x".repeat(90);
  const {
    openai,
    agentId: model,
    model: script,
  } = await agentWith(client, [call(long)], [{ text: "Sunny." }]);
  const body = { model, tools: [weather] };
  const first = await openai.chat.completions.create({ ...body, messages: [user("Rome?")] }, thread("ids"));
  const asked = first.choices[0]?.message;
  const id = asked?.tool_calls?.[0]?.id ?? "";

  const messages = [user("Rome?"), ...(asked ? [asked] : []), result(id)];
  await openai.chat.completions.create({ ...body, messages }, thread("ids"));

  expect(id).toMatch(/^[\w-]{1,40}$/u);
  const [, second] = (await script.log()).requests;
  expect(second?.body.messages.flatMap(({ tool_calls: calls = [] }) => calls.map((made) => made.id))).toEqual(
    [id],
  );
  expect(second?.body.messages.at(-1)?.tool_call_id).toBe(id);
});

it("takes calls and results from the history of a request without a conversation", async () => {
  const client = await signUpNaming();
  const {
    openai,
    agentId: model,
    model: script,
  } = await agentWith(client, [call("c1")], [{ text: "Sunny." }], [{ text: "You asked about Rome." }]);
  const body = { model, tools: [weather] };

  const first = await openai.chat.completions.create({ ...body, messages: [user("Weather?")] });
  const message = first.choices[0]?.message;
  const messages: ChatCompletionMessageParam[] = [
    user("Weather?"),
    ...(message ? [message] : []),
    result("c1"),
  ];
  const second = await openai.chat.completions.create({ ...body, messages });
  const third = await openai.chat.completions.create({
    ...body,
    messages: [...messages, { role: "assistant", content: "Sunny." }, user("What did I ask?")],
  });

  expect(first.choices[0]?.finish_reason).toBe("tool_calls");
  expect(second.choices[0]).toMatchObject({ finish_reason: "stop", message: { content: "Sunny." } });
  expect(third.choices[0]?.message.content).toBe("You asked about Rome.");
  const [, two, three] = (await script.log()).requests.map((request) => JSON.stringify(request));
  expect(two).toContain("Sunny");
  expect(three).toContain("get_weather");
});

it("offers no tools of the client with `none`, and passes the other choices to the provider", async () => {
  const client = await signUpNaming();
  const {
    openai,
    agentId: model,
    model: script,
  } = await agentWith(client, [{ text: "1" }], [{ text: "2" }], [{ text: "3" }]);
  const body = { model, tools: [weather], messages: [user("Hi")] };

  await openai.chat.completions.create({ ...body, tool_choice: "none" });
  await openai.chat.completions.create({ ...body, tool_choice: "required" });
  const named = { type: "function", function: { name: "get_weather" } } as const;
  await openai.chat.completions.create({ ...body, tool_choice: named });

  const sent = (await script.log()).requests.map(
    ({ body: text }) => text as { tools?: object; tool_choice?: unknown },
  );
  expect(JSON.stringify(sent[0])).not.toContain("get_weather");
  expect(sent.map(({ tool_choice: choice }) => choice)).toEqual([undefined, "required", named]);
});

const assistantCalling = (...ids: readonly string[]) => ({
  role: "assistant" as const,
  tool_calls: ids.map((id) => ({
    id,
    type: "function" as const,
    function: { name: "get_weather", arguments: "{}" },
  })),
});
const named = (name: string) => ({ type: "function", function: { name } });

it.each<[string, object, string]>([
  ["an unknown call", { messages: [user("a"), assistantCalling("c1"), result("c2")] }, "messages"],
  ["a result without a call", { messages: [user("a"), result("c1")] }, "messages"],
  ["a missing result", { messages: [user("a"), assistantCalling("c1", "c2"), result("c1")] }, "messages"],
  [
    "a result twice",
    { messages: [user("a"), assistantCalling("c1"), result("c1"), result("c1")] },
    "messages",
  ],
  ["an id twice", { messages: [user("a"), assistantCalling("c1", "c1"), result("c1")] }, "messages"],
  ["a result without a question", { messages: [assistantCalling("c1"), result("c1")] }, "messages"],
  ["a tool of the agent", { tools: [named("core_memory_append")] }, "tools"],
  ["a name twice", { tools: [named("a"), named("a")] }, "tools"],
  ["a hostile name", { tools: [named("a b\n")] }, "tools"],
  ["a name that objects can't hold", { tools: [named("__proto__")] }, "tools"],
  ["another type", { tools: [{ type: "custom", custom: { name: "x" } }] }, "tools"],
  ["too many tools", { tools: Array.from({ length: 65 }, (_, index) => named(`t${index}`)) }, "tools"],
  [
    "huge tools",
    { tools: [{ type: "function", function: { name: "a", parameters: { x: "y".repeat(70_000) } } }] },
    "tools",
  ],
  ["a choice without tools", { tool_choice: "required" }, "tool_choice"],
  ["a choice of an unknown tool", { tools: [named("a")], tool_choice: named("b") }, "tool_choice"],
])("refuses %s with an error in OpenAI's form", async (_case, more, param) => {
  const { openai, agentId: model } = await agentWith(await signUpNaming(), [{ text: "Never." }]);
  // The cast sends what the types forbid.
  const body = { model, messages: [user("Hi")], ...more } as unknown as Parameters<
    typeof openai.chat.completions.create
  >[0];

  const error = await errorOf(openai.chat.completions.create(body));

  expect(error.status).toBe(422);
  expect(error.param).toContain(param);
});

it("refuses results of calls that nobody has made in the conversation, and other results than before", async () => {
  const client = await signUpNaming();
  const { openai, agentId: model } = await agentWith(client, [call("c1")], [{ text: "Sunny." }]);
  const body = { model, tools: [weather], messages: [user("Weather?")] };
  await openai.chat.completions.create(body, thread("r"));
  const send = (id: string, text: string) =>
    openai.chat.completions.create(
      { ...body, messages: [user("Weather?"), assistantCalling(id), result(id, text)] },
      thread("r"),
    );

  expect((await errorOf(send("c9", "Sunny"))).status).toBe(409);
  expect((await send("c1", "Sunny")).choices[0]?.finish_reason).toBe("stop");
  expect((await errorOf(send("c1", "Rainy"))).status).toBe(409);
  const unknown = openai.chat.completions.create(
    { ...body, messages: [user("Weather?"), assistantCalling("c1"), result("c1")] },
    thread("never seen"),
  );
  expect((await errorOf(unknown)).status).toBe(404);
});

it("refuses a result that is too long to be kept, and the run goes on waiting", async () => {
  const client = await signUpNaming();
  const { openai, agentId: model } = await agentWith(client, [call("c1"), call("c2")], [{ text: "Sunny." }]);
  const body = { model, tools: [weather], messages: [user("Weather?")] };
  await openai.chat.completions.create(body, thread("long"));
  const send = (text: string) =>
    openai.chat.completions.create(
      {
        ...body,
        messages: [user("Weather?"), assistantCalling("c1", "c2"), result("c1"), result("c2", text)],
      },
      thread("long"),
    );

  const error = await errorOf(send("\u0001".repeat(400_000)));

  expect([error.status, error.param]).toEqual([422, "messages.3.content"]);
  // All of them are control characters, which take most room when they are stored.
  expect((await send("\u0001".repeat(200_000))).choices[0]?.finish_reason).toBe("stop");
});

it("answers 503 to results with which the run can't go on yet, and takes them again", async () => {
  const client = await signUpNaming();
  const { openai, agentId: model } = await agentWith(client, [call("c1")], [{ text: "Sunny." }]);
  const body = { model, tools: [weather], messages: [user("Weather?")] };
  const first = await openai.chat.completions.create(body, thread("down")).withResponse();
  const send = () =>
    openai.chat.completions.create(
      { ...body, messages: [user("Weather?"), assistantCalling("c1"), result("c1")] },
      thread("down"),
    );
  await injectFault({
    operation: "BatchGetItem",
    match: [first.response.headers.get("x-conversation-id") ?? ""],
    times: 10_000,
    fault: { kind: "answer", status: 500, body: "" },
  });

  const error = await errorOf(send());
  await endFaults();

  expect(error.status).toBe(503);
  expect((await send()).choices[0]?.message.content).toBe("Sunny.");
});
