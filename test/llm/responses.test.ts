import { describe, expect, it, onTestFinished, vi } from "vitest";
import { AmendmentCache } from "../../src/llm/amendments.ts";
import {
  MODEL_TIMEOUTS,
  type ModelChunk,
  type ModelMessage,
  type ModelRequest,
} from "../../src/llm/model.ts";
import { findProvider } from "../../src/llm/providers.ts";
import { isShown, type ModelSettings } from "../../src/llm/provider.ts";
import { isObject, type Json, objectsAt, textAt } from "../../src/shared/json.ts";
import { openAiProtocol } from "./protocols/openai.ts";
import { answering, bytesOf, contextOf, type Protocol, type Step, streamed } from "./protocols/protocol.ts";
import { responsesEvent as event, responsesProtocol } from "./protocols/responses.ts";

const TOOL = { name: "now", description: "Tells the time", parameters: { type: "object", properties: {} } };
const HELLO: ModelMessage = { role: "user", content: "When?" };
const NOON: readonly Step[] = [{ text: "Noon." }, { stop: "answer" }];
const SAYS_NOON: readonly ModelChunk[] = [
  { type: "text", text: "Noon." },
  { type: "finish", reason: "stop" },
];
const CALLS = ["a", "b"].map((id) => ({ id, name: "now", arguments: "{}" }));

type Reply = (body: Json, url: string) => Response | undefined;

/** OpenAI's server. It answers at both addresses, unless `reply` returns something else. */
function server(reply: Reply = () => undefined, provider: Protocol = openAiProtocol) {
  const asked: { readonly url: string; readonly body: Json; readonly headers: Headers }[] = [];
  const context = contextOf({
    amendments: new AmendmentCache(),
    fetch: async (input: RequestInfo | URL, init?: RequestInit) => {
      const request = new Request(input, init);
      const parsed: unknown = await request.json();
      const body = isObject(parsed) ? parsed : {};
      asked.push({ url: request.url, body, headers: request.headers });
      const isResponses = request.url.includes("/responses");
      return reply(body, request.url) ?? answering(isResponses ? responsesProtocol : openAiProtocol, NOON);
    },
  });
  const ask = async (
    model: string,
    messages: readonly ModelMessage[] = [HELLO],
    more: { readonly settings?: ModelSettings; readonly tools?: ModelRequest["tools"] } = {},
  ): Promise<ModelChunk[]> => {
    const { settings = {}, tools = [] } = more;
    const opened = findProvider(provider.name, false)?.open(provider.credentials, model, settings, context);
    if (!opened) throw new Error("There is no such provider.");
    return Array.fromAsync(opened.stream({ messages, tools }, new AbortController().signal));
  };
  return { asked, ask };
}

const refusal = (status: number, message: string, more: object = {}): Response =>
  Response.json(
    { error: { message, type: "invalid_request_error", param: null, code: null, ...more } },
    { status },
  );
const sends = (...parts: readonly string[]) => streamed(responsesProtocol, [bytesOf(parts.join(""))]);
const done = (output_index: number, item: object) =>
  event("response.output_item.done", { output_index, item });
const COMPLETED = event("response.completed", { response: { object: "response", status: "completed" } });
const fn = (id: string) => ({ type: "function_call", call_id: id, name: "now", arguments: "{}" });
const thought = (id: string) => ({
  type: "reasoning",
  id,
  summary: [{ type: "summary_text", text: "Hm" }],
  encrypted_content: `secret of ${id}`,
});

const addressesOf = ({ asked }: ReturnType<typeof server>) =>
  asked.map(({ url }) => url.replace("https://api.openai.com/v1/", ""));

describe("a model of OpenAI", () => {
  it.each(["gpt-5.1-codex", "gpt-5.1-codex-max", "codex-mini-latest", "o3-pro-2025-06-10", "gpt-5.4-pro"])(
    "that only the Responses API offers is asked there: %s",
    async (model) => {
      const openAi = server();
      expect(await openAi.ask(model)).toEqual(SAYS_NOON);
      expect(addressesOf(openAi)).toEqual(["responses"]);
    },
  );

  it.each(["gpt-4.1", "gpt-5.4", "o3", "gpt-5-chat-latest"])(
    "that chats is asked in the chat completions API: %s",
    async (model) => {
      const openAi = server();
      expect(await openAi.ask(model)).toEqual(SAYS_NOON);
      expect(addressesOf(openAi)).toEqual(["chat/completions"]);
    },
  );

  it.each([
    [404, "This model is only supported in v1/responses and not in v1/chat/completions."],
    [
      404,
      "This is not a chat model and thus not supported in the v1/chat/completions endpoint. Did you mean to use v1/completions?",
    ],
    [
      400,
      "Function tools with reasoning_effort are not supported for gpt-9 in /v1/chat/completions. Please use /v1/responses instead.",
    ],
  ])(
    "that refuses to chat with %i is asked in the Responses API from then on: %s",
    async (status, message) => {
      const openAi = server((_body, url) => (url.includes("/chat/") ? refusal(status, message) : undefined));

      expect(await openAi.ask("gpt-9", [HELLO], { tools: [TOOL] })).toEqual(SAYS_NOON);
      expect(await openAi.ask("gpt-9", [HELLO], { tools: [TOOL] })).toEqual(SAYS_NOON);

      expect(addressesOf(openAi)).toEqual(["chat/completions", "responses", "responses"]);
      expect(objectsAt(openAi.asked[1]?.body ?? {}, "tools")).toHaveLength(1);
    },
  );

  it("that no API offers is unknown", async () => {
    const openAi = server((_body, url) =>
      url.includes("/chat/")
        ? refusal(404, "This model is only supported in v1/responses")
        : refusal(404, "The model `gpt-9` does not exist", { code: "model_not_found" }),
    );

    await expect(openAi.ask("gpt-9")).rejects.toMatchObject({
      code: "provider-unavailable",
      message: expect.stringContaining("does not offer"),
    });
  });
});

it("sends instructions, items in the flat form, limits, and nothing to be stored", async () => {
  const { asked, ask } = server();
  const messages: readonly ModelMessage[] = [
    { role: "system", content: "You are Ada." },
    { role: "system", content: "You remember." },
    HELLO,
    { role: "assistant", content: "I look.", calls: [{ id: "a", name: "now", arguments: "" }] },
    { role: "tool", callId: "a", content: "noon" },
    { role: "system", content: "Be brief." },
    { role: "user", content: "And now?" },
  ];

  await ask("gpt-5-pro", messages, { settings: { temperature: 0.2, maxOutputTokens: 5 }, tools: [TOOL] });

  expect(asked[0]?.headers.get("authorization")).toBe("Bearer sk-openai");
  expect(asked[0]?.body).toEqual({
    model: "gpt-5-pro",
    stream: true,
    store: false,
    instructions: "You are Ada.\n\nYou remember.",
    input: [
      { role: "user", content: "When?" },
      { role: "assistant", content: "I look." },
      { type: "function_call", call_id: "a", name: "now", arguments: "{}" },
      { type: "function_call_output", call_id: "a", output: "noon" },
      { role: "developer", content: "Be brief." },
      { role: "user", content: "And now?" },
    ],
    tools: [{ type: "function", ...TOOL, strict: false }],
    include: ["reasoning.encrypted_content"],
    reasoning: { summary: "auto" },
    max_output_tokens: 16,
  });
});

describe("reasoning", () => {
  const CODEX = "gpt-5.1-codex";
  const firstAnswer = () =>
    sends(
      done(0, thought("rs_1")),
      done(1, { type: "message", phase: "commentary", content: [{ type: "output_text", text: "I look." }] }),
      done(2, thought("rs_2")),
      done(3, fn("a")),
      done(4, fn("b")),
      COMPLETED,
    );

  /** Asks once, and returns the answer as the message that goes back. */
  async function answerOf(ask: ReturnType<typeof server>["ask"], model = CODEX): Promise<ModelMessage> {
    const chunks = await ask(model, [HELLO], { tools: [TOOL] });
    const [data] = chunks.flatMap((chunk) => (chunk.type === "provider-data" ? [chunk.providerData] : []));
    const content = chunks.map((chunk) => (chunk.type === "text" ? chunk.text : "")).join("");
    const calls = chunks.flatMap((chunk) => (chunk.type === "call" ? [chunk.call] : []));
    return { role: "assistant", content, calls, ...(data && { providerData: data }) };
  }
  const withResults = (answer: ModelMessage): readonly ModelMessage[] => [
    HELLO,
    answer,
    ...CALLS.map(({ id }) => ({ role: "tool" as const, callId: id, content: "noon" })),
  ];
  const typesIn = (body: Json | undefined) =>
    objectsAt(body ?? {}, "input").map(
      (item) => textAt(item, "id") || textAt(item, "type") || textAt(item, "role"),
    );
  const RESULTS = ["function_call_output", "function_call_output"];

  it("goes back encrypted, in its place, with the calls that it led to", async () => {
    const openAi = server((body) => (objectsAt(body, "input").length === 1 ? firstAnswer() : undefined));

    const answer = await answerOf(openAi.ask);
    await openAi.ask(CODEX, withResults(answer));

    expect(dataOf(answer).providerData?.source).toBe(`api.openai.com/responses/${CODEX}`);
    const { body } = openAi.asked[1] ?? {};
    expect(typesIn(body)).toEqual([
      "user",
      "rs_1",
      "assistant",
      "rs_2",
      "function_call",
      "function_call",
      ...RESULTS,
    ]);
    expect(objectsAt(body ?? {}, "input").slice(1, 4)).toEqual([
      thought("rs_1"),
      { role: "assistant", content: "I look.", phase: "commentary" },
      thought("rs_2"),
    ]);
  });

  it("goes back to the same model and API only, and only with what followed it", async () => {
    const openAi = server((body) => (objectsAt(body, "input").length === 1 ? firstAnswer() : undefined));
    const answer = await answerOf(openAi.ask);

    await openAi.ask("gpt-5.1-codex-max", withResults(answer));
    await openAi.ask("gpt-5.1", withResults(answer));
    await openAi.ask(CODEX, [HELLO, { role: "assistant", calls: [], content: "", ...dataOf(answer) }, HELLO]);

    const [, other, chat, cut] = openAi.asked;
    expect(typesIn(other?.body)).toEqual(["user", "assistant", "function_call", "function_call", ...RESULTS]);
    expect(JSON.stringify(chat?.body)).not.toMatch(/secret|phase|output/u);
    expect(typesIn(cut?.body)).toEqual(["user", "user"]);
  });

  it("that is not encrypted does not go back, because the server has not stored it", async () => {
    const plain = { ...thought("rs_1"), encrypted_content: null };
    const openAi = server(() => sends(done(0, plain), done(1, fn("a")), COMPLETED));

    expect(await answerOf(openAi.ask)).not.toHaveProperty("providerData");
  });

  it("keeps only the purpose of a message after an answer without calls", async () => {
    const message = {
      type: "message",
      phase: "final_answer",
      content: [{ type: "output_text", text: "Hi" }],
    };
    const openAi = server(() => sends(done(0, thought("rs_1")), done(1, message), COMPLETED));

    expect(await answerOf(openAi.ask)).toMatchObject({ providerData: { data: { phase: "final_answer" } } });
    expect(JSON.stringify(await answerOf(openAi.ask))).not.toContain("secret");
  });

  it.each([
    [
      400,
      "The encrypted content gAAA... could not be verified. Reason: it could not be decrypted or parsed.",
    ],
    [404, "Item with id 'rs_1' not found. Items are not persisted when `store` is set to false."],
  ])("that another key made is left out of the refused request only (%i)", async (status, message) => {
    let isOtherKey = false;
    const openAi = server((body) => {
      if (objectsAt(body, "input").length === 1) return firstAnswer();
      return isOtherKey && JSON.stringify(body).includes("secret of") ? refusal(status, message) : undefined;
    });
    const answer = await answerOf(openAi.ask);

    isOtherKey = true;
    expect(await openAi.ask(CODEX, withResults(answer))).toEqual(SAYS_NOON);
    isOtherKey = false;
    await openAi.ask(CODEX, withResults(answer));

    const sent = openAi.asked.map(({ body }) => JSON.stringify(body).includes("secret of"));
    expect(sent).toEqual([false, true, false, true]);
  });

  it("keeps an answer alive for as long as the server sends signs of progress", async () => {
    const pieces = [
      event("response.output_item.added", { output_index: 0, item: { type: "reasoning", summary: [] } }),
      ...Array.from({ length: 20 }, () => event("keepalive")),
      event("response.output_text.delta", { output_index: 1, delta: "Noon." }) + COMPLETED,
    ];
    // Each read moves the clock on, so that pieces arrive in time on any machine.
    vi.useFakeTimers({ toFake: ["Date"] });
    onTestFinished(() => void vi.useRealTimers());
    const body = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          vi.setSystemTime(Date.now() + 500);
          const piece = pieces.shift();
          if (piece === undefined) controller.close();
          else controller.enqueue(bytesOf(piece));
        },
      },
      { highWaterMark: 0 },
    );
    const context = contextOf({
      fetch: () => Promise.resolve(new Response(body)),
      timeouts: { ...MODEL_TIMEOUTS, headersMs: 100, idleMs: 600 },
    });
    const model = findProvider("OpenAI", false)?.open({ api_key: "k" }, CODEX, {}, context);
    const chunks = model?.stream({ messages: [HELLO], tools: [] }, new AbortController().signal);

    expect(await Array.fromAsync(chunks ?? [])).toEqual(SAYS_NOON);
  });

  const dataOf = (message: ModelMessage) =>
    message.role === "assistant" && message.providerData ? { providerData: message.providerData } : {};
});

describe("a refusal of", () => {
  const whole = () =>
    Response.json({
      object: "response",
      status: "completed",
      output: [{ type: "message", content: [{ type: "output_text", text: "Noon." }] }],
    });
  const streams = ({ asked }: ReturnType<typeof server>) => asked.map(({ body }) => body["stream"]);

  it("streaming leads to a whole answer, and is remembered", async () => {
    const openAi = server((body) =>
      body["stream"] === true
        ? refusal(400, "Unsupported value: 'stream' does not support true with this model.")
        : whole(),
    );

    expect(await openAi.ask("o1-pro")).toEqual(SAYS_NOON);
    expect(await openAi.ask("o1-pro")).toEqual(SAYS_NOON);
    expect(streams(openAi)).toEqual([true, false, false]);
  });

  it("streaming leads to a wait for the whole answer beyond the header timeout", async () => {
    let asked = 0;
    const context = contextOf({
      fetch: async (input: RequestInfo | URL, init?: RequestInit) => {
        if (asked++ === 0) return refusal(400, "'stream' does not support true with this model.");
        const { signal } = new Request(input, init);
        await new Promise((resolve, reject) => {
          signal.addEventListener("abort", () => reject(new DOMException("Aborted", "AbortError")));
          setTimeout(resolve, 1_500);
        });
        return whole();
      },
      timeouts: { ...MODEL_TIMEOUTS, headersMs: 1_000 },
    });
    const model = findProvider("OpenAI", false)?.open({ api_key: "k" }, "o1-pro", {}, context);
    const chunks = model?.stream({ messages: [HELLO], tools: [] }, new AbortController().signal);

    expect(await Array.fromAsync(chunks ?? [])).toEqual(SAYS_NOON);
  });

  it("streaming leads to a whole answer in the chat completions API, too", async () => {
    const openAi = server((body) =>
      body["stream"] === true
        ? refusal(400, "Unsupported value: 'stream' does not support true with this model.")
        : Response.json({ choices: [{ message: { content: "Noon." }, finish_reason: "stop" }] }),
    );

    expect(await openAi.ask("o1")).toEqual(SAYS_NOON);
    expect(openAi.asked[1]?.body).not.toHaveProperty("stream_options");
  });

  it("an organisation's request is not remembered for other organisations", async () => {
    const openAi = server((body) =>
      body["stream"] === true
        ? refusal(400, "Your organization must be verified to stream this model.", { param: "stream" })
        : whole(),
    );

    expect(await openAi.ask("o3-pro")).toEqual(SAYS_NOON);
    await openAi.ask("o3-pro");
    expect(streams(openAi)).toEqual([true, false, true, false]);
  });

  it.each([
    [
      "summaries",
      "reasoning",
      "Unsupported parameter: 'reasoning.summary' is not supported with this model.",
    ],
    ["encrypted reasoning", "include", "Encrypted content is not supported with this model."],
  ])("%s is answered without them, and remembered", async (_case, member, message) => {
    const openAi = server((body) => (body[member] === undefined ? undefined : refusal(400, message)));

    expect(await openAi.ask("o1-pro")).toEqual(SAYS_NOON);
    expect(await openAi.ask("o1-pro")).toEqual(SAYS_NOON);
    expect(openAi.asked.map(({ body }) => body[member] !== undefined)).toEqual([true, false, false]);
  });

  it("a limit that is too high lowers it", async () => {
    const openAi = server((body) =>
      Number(body["max_output_tokens"]) > 1_000
        ? refusal(400, "max_output_tokens is too large: 5000. This model supports at most 1000 output tokens")
        : undefined,
    );

    expect(await openAi.ask("gpt-5-pro", [HELLO], { settings: { maxOutputTokens: 5_000 } })).toEqual(
      SAYS_NOON,
    );
    expect(openAi.asked[1]?.body).toMatchObject({ max_output_tokens: 1_000 });
  });
});

it("counts the tokens of reasoning and of the cache", async () => {
  const usage = {
    input_tokens: 20,
    input_tokens_details: { cached_tokens: 4 },
    output_tokens: 5,
    output_tokens_details: { reasoning_tokens: 3 },
  };
  const { ask } = server(() =>
    sends(event("response.completed", { response: { status: "completed", usage } })),
  );

  expect(await ask("gpt-5-pro")).toContainEqual({
    type: "usage",
    usage: { inputTokens: 20, outputTokens: 5, cachedTokens: 4, reasoningTokens: 3 },
  });
});

describe("a failed response", () => {
  const failed = (code: string) =>
    event("response.created", { response: { object: "response", status: "in_progress" } }) +
    event("response.failed", { response: { status: "failed", error: { code, message: "Sorry" } } });

  it.each(["server_error", "rate_limit_exceeded"])(
    "is retried before the answer begins: %s",
    async (code) => {
      const openAi = server(() => (openAi.asked.length === 1 ? sends(failed(code)) : undefined));

      expect(await openAi.ask("gpt-5-pro")).toEqual(SAYS_NOON);
      expect(openAi.asked).toHaveLength(2);
    },
  );

  it.each<[string, string]>([
    ["the request is invalid", failed("invalid_prompt")],
    [
      "the answer has begun",
      event("response.output_text.delta", { output_index: 0, delta: "Half" }) + failed("server_error"),
    ],
  ])("is final if %s", async (_case, text) => {
    const openAi = server(() => sends(text));

    await expect(openAi.ask("gpt-5-pro")).rejects.toMatchObject({ code: "provider-unavailable" });
    expect(openAi.asked).toHaveLength(1);
  });
});

it("asks Azure in the version of the API that has responses, by the name of the deployment", async () => {
  const azure: Protocol = {
    ...openAiProtocol,
    name: "OpenAICompatible",
    credentials: { base_url: "https://contoso.openai.azure.com", api_key: "key" },
  };
  const { asked, ask } = server(
    (_body, url) =>
      url.includes("/chat/")
        ? refusal(400, "The chatCompletion operation does not work with the specified model, gpt-5-codex.")
        : undefined,
    azure,
  );

  expect(await ask("mine")).toEqual(SAYS_NOON);

  expect(asked[1]?.url).toBe("https://contoso.openai.azure.com/openai/v1/responses");
  expect(asked[1]?.headers.get("api-key")).toBe("key");
  expect(asked[1]?.headers.has("authorization")).toBe(false);
  expect(asked[1]?.body).toMatchObject({ model: "mine" });
});

it("lists models of both APIs, and none that needs tools of OpenAI's own", async () => {
  const ids = [
    "gpt-5-pro",
    "gpt-5.1-codex",
    "codex-mini-latest",
    "o3-deep-research",
    "gpt-image-1",
    "gpt-4o",
  ];
  const context = contextOf({
    fetch: () => Promise.resolve(Response.json({ data: ids.map((id) => ({ id })) })),
  });

  const models = await findProvider("OpenAI", false)?.listModels(
    { api_key: "k" },
    context,
    new AbortController().signal,
  );

  expect(models?.filter(isShown).map(({ id }) => id)).toEqual([
    "gpt-5-pro",
    "gpt-5.1-codex",
    "codex-mini-latest",
    "gpt-4o",
  ]);
});
