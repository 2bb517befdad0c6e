import { expect, it } from "vitest";
import { MODEL_TIMEOUTS, type ModelChunk, type ModelMessage } from "../../src/llm/model.ts";
import { openAiModel } from "../../src/llm/openai.ts";

const chunk = (delta: object, finish_reason: string | null = null) =>
  `data: ${JSON.stringify({ id: "x", choices: [{ index: 0, delta, finish_reason }] })}\n\n`;
const call = (index: number | undefined, part: object) =>
  chunk({ tool_calls: [{ ...(index !== undefined && { index }), ...part }] });
const USAGE = `data: ${JSON.stringify({ choices: [], usage: { prompt_tokens: 3, completion_tokens: 4, prompt_tokens_details: { cached_tokens: 1 } } })}\n\n`;
const DONE = "data: [DONE]\n\n";

/** A model whose server answers with these pieces of bytes. */
function modelThatSends(pieces: readonly Uint8Array[], asked: Request[] = [], model = "some-model") {
  const body = () =>
    new ReadableStream<Uint8Array>({
      start(controller) {
        for (const piece of pieces) controller.enqueue(piece);
        controller.close();
      },
    });

  return openAiModel({
    apiKey: "key",
    baseUrl: "http://provider.test/v1",
    model,
    contextTokens: 1_000,
    timeouts: MODEL_TIMEOUTS,
    fetch: (input, init) => {
      asked.push(new Request(input, init));
      return Promise.resolve(new Response(body(), { headers: { "content-type": "text/event-stream" } }));
    },
  });
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

async function read(
  pieces: readonly Uint8Array[],
  messages: readonly ModelMessage[] = [],
): Promise<ModelChunk[]> {
  const chunks = await Array.fromAsync(
    modelThatSends(pieces).stream({ messages, tools: [] }, new AbortController().signal),
  );
  expect(chunks.at(-1)?.type).toBe("finish");
  return chunks.slice(0, -1);
}

const RECORDED = [
  chunk({ role: "assistant", content: "" }),
  ": keep-alive\n\n",
  chunk({ content: "Grüß " }),
  chunk({ content: "dich 👋" }),
  call(0, { id: "a", type: "function", function: { name: "one", arguments: "" } }),
  call(0, { function: { arguments: '{"x":' } }),
  call(1, { id: "b", type: "function", function: { name: "two", arguments: "{}" } }),
  call(0, { function: { arguments: '"é"}' } }),
  chunk({}, "tool_calls"),
  USAGE,
  DONE,
].join("");

const EXPECTED: ModelChunk[] = [
  { type: "text", text: "Grüß " },
  { type: "text", text: "dich 👋" },
  { type: "usage", usage: { inputTokens: 3, outputTokens: 4, cachedTokens: 1 } },
  { type: "call", call: { id: "a", name: "one", arguments: '{"x":"é"}' } },
  { type: "call", call: { id: "b", name: "two", arguments: "{}" } },
];

it("reads the same from a stream wherever its bytes are cut", async () => {
  const whole = bytes(RECORDED);

  for (let at = 0; at <= whole.length; at++)
    expect(await read([whole.slice(0, at), whole.slice(at)])).toEqual(EXPECTED);
});

it("reads the same byte by byte, with carriage returns, and without a blank line at the end", async () => {
  expect(await read(Array.from(bytes(RECORDED), (byte) => Uint8Array.of(byte)))).toEqual(EXPECTED);
  expect(await read([bytes(RECORDED.replaceAll("\n", "\r\n"))])).toEqual(EXPECTED);
  expect(await read([bytes(RECORDED.trimEnd())])).toEqual(EXPECTED);
});

it.each([
  [
    "the name of an event from its data",
    'event: error\r\ndata: {"message":"No","code":"content_filter"}\r\n\r\n',
  ],
  ["the lines of one event", 'data: {"error":\r\ndata: {"code":"content_filter"}}\r\n\r\n'],
])("does not separate %s if a line end is split", async (_case, text) => {
  const whole = bytes(text);

  for (let at = 1; at < whole.length; at++)
    await expect(
      read([whole.slice(0, at), whole.slice(at, at + 1), whole.slice(at + 1)]),
    ).rejects.toMatchObject({ code: "provider-content" });
});

it("reads calls without an index or an id, and calls without a finish reason", async () => {
  const withoutIndex = [
    call(undefined, { id: "a", function: { name: "one", arguments: "{}" } }),
    call(undefined, { id: "b", function: { name: "two", arguments: "{}" } }),
  ];
  expect(
    (await read([bytes(withoutIndex.join(""))])).map((part) => part.type === "call" && part.call.name),
  ).toEqual(["one", "two"]);

  const [only] = await read([bytes(call(0, { function: { name: "one", arguments: "{}" } }))]);
  expect(only).toMatchObject({ type: "call", call: { id: expect.stringMatching(/^call_/u), name: "one" } });
});

it.each([
  ["text without an end", chunk({ content: "Hi" })],
  ["a call that breaks off", call(0, { id: "a", function: { name: "one", arguments: '{"x":' } })],
  ["nothing", ""],
  [
    "JSON lines without a last one",
    '{"message":{"content":"H"},"done":false}\n{"message":{"content":"i"},"done":false}\n',
  ],
  ["JSON lines that break off", '{"message":{"content":"H"},"done":false}\n{"message":{"con'],
])("counts %s as cut off", async (_case, text) => {
  await expect(read([bytes(text)])).rejects.toMatchObject({ code: "provider-truncated" });
});

it("tolerates a connection that breaks after the end of the answer", async () => {
  const model = openAiModel({
    apiKey: "key",
    model: "m",
    contextTokens: 1_000,
    timeouts: MODEL_TIMEOUTS,
    fetch: () => {
      const body = new ReadableStream({
        start: (controller) => controller.enqueue(bytes(chunk({ content: "Hi" }, "stop"))),
        pull: (controller) => controller.error(new Error("reset")),
      });
      return Promise.resolve(new Response(body, { headers: { "content-type": "text/event-stream" } }));
    },
  });

  const parts = await Array.fromAsync(
    model.stream({ messages: [], tools: [] }, new AbortController().signal),
  );

  expect(parts).toEqual([
    { type: "text", text: "Hi" },
    { type: "finish", reason: "stop" },
  ]);
});

it("sends roles, calls with their results, tools, the usage option, and the key as a bearer token", async () => {
  const asked: Request[] = [];
  const model = modelThatSends([bytes(chunk({}, "stop"))], asked);
  const tool = { name: "one", description: "First", parameters: { type: "object" } };

  await Array.fromAsync(
    model.stream(
      {
        messages: [
          { role: "system", content: "S" },
          { role: "user", content: "U" },
          { role: "assistant", content: "", calls: [{ id: "a", name: "one", arguments: "{}" }] },
          { role: "tool", callId: "a", content: "R" },
        ],
        tools: [tool],
      },
      new AbortController().signal,
    ),
  );

  expect(asked[0]?.url).toBe("http://provider.test/v1/chat/completions");
  expect(asked[0]?.headers.get("authorization")).toBe("Bearer key");
  expect(await asked[0]?.json()).toEqual({
    model: "some-model",
    stream: true,
    stream_options: { include_usage: true },
    messages: [
      { role: "system", content: "S" },
      { role: "user", content: "U" },
      {
        role: "assistant",
        content: "",
        tool_calls: [{ id: "a", type: "function", function: { name: "one", arguments: "{}" } }],
      },
      { role: "tool", tool_call_id: "a", content: "R" },
    ],
    tools: [{ type: "function", function: tool }],
  });
});

interface WireMessage {
  readonly tool_calls?: readonly { readonly id: string }[];
  readonly tool_call_id?: string;
}

it("renumbers calls for models that accept only ids of nine letters and digits", async () => {
  const bodyFor = async (id: string, model: string) => {
    const asked: Request[] = [];
    const calls = [
      { id, name: "one", arguments: "{}" },
      { id: "toolu_01A", name: "one", arguments: "{}" },
    ];
    const results = calls.map((call) => ({ role: "tool" as const, callId: call.id, content: "R" }));
    const messages = [{ role: "assistant" as const, content: "", calls }, ...results];
    const chat = modelThatSends([bytes(chunk({}, "stop"))], asked, model);
    await Array.fromAsync(chat.stream({ messages, tools: [] }, new AbortController().signal));
    const body = await asked[0]?.json<{ messages: WireMessage[] }>();
    return body?.messages.flatMap((one) => one.tool_call_id ?? one.tool_calls?.map((made) => made.id) ?? []);
  };

  const [kept, made, ...answered] = (await bodyFor("D681PevKs", "mistral-large-latest")) ?? [];
  expect(kept).toBe("D681PevKs");
  expect(made).toMatch(/^[A-Za-z0-9]{9}$/u);
  expect(answered).toEqual([kept, made]);
  expect(await bodyFor("call_1", "llama-3.3-70b")).toEqual(["call_1", "toolu_01A", "call_1", "toolu_01A"]);
});

it("cuts endless arguments, so that they can't exhaust memory", async () => {
  const endless = Array.from({ length: 30 }, () => call(0, { function: { arguments: "x".repeat(10_000) } }));
  const first = call(0, { id: "a", function: { name: "one", arguments: "" } });

  const [only] = await read([bytes([first, ...endless, chunk({}, "tool_calls")].join(""))]);

  expect(only?.type === "call" && only.call.arguments.length).toBe(100_000);
});

it("cuts the arguments of many calls together, too", async () => {
  const many = Array.from({ length: 100 }, (_, index) =>
    call(index, { id: `c${index}`, function: { name: "one", arguments: "x".repeat(10_000) } }),
  );

  const parts = await read([bytes([...many, chunk({}, "tool_calls")].join(""))]);

  const sizes = parts.map((part) => (part.type === "call" ? part.call.arguments.length : 0));
  expect(sizes).toHaveLength(100);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(400_000);
});

it("refuses an endless line", async () => {
  await expect(read([bytes(`data: ${"x".repeat(1_100_000)}`)])).rejects.toMatchObject({
    code: "provider-unavailable",
  });
});
