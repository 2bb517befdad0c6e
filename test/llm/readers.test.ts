import { expect, it } from "vitest";
import { anthropicProtocol } from "./protocols/anthropic.ts";
import { bedrockProtocol } from "./protocols/bedrock.ts";
import { compatibleProtocol } from "./protocols/openai.ts";
import { bytesOf, openWith, type Protocol, streamed } from "./protocols/protocol.ts";

const read = (protocol: Protocol, bytes: Uint8Array) =>
  Array.fromAsync(
    openWith(protocol, () => Promise.resolve(streamed(protocol, [bytes]))).stream(
      { messages: [{ role: "user", content: "Hi" }], tools: [] },
      new AbortController().signal,
    ),
  );

const events = (...data: readonly object[]): Uint8Array =>
  bytesOf(data.map((one) => `data: ${JSON.stringify(one)}\n\n`).join(""));

it("counts the reasoning tokens of a compatible server, and uses the last of its growing counts", async () => {
  const usage = (completion_tokens: number) => ({
    prompt_tokens: 3,
    completion_tokens,
    completion_tokens_details: { reasoning_tokens: 2 },
  });
  const bytes = events(
    { choices: [{ delta: { content: "Hi" }, finish_reason: null }], usage: usage(1) },
    { choices: [{ delta: {}, finish_reason: "stop" }], usage: usage(5) },
  );

  expect(await read(compatibleProtocol, bytes)).toEqual([
    { type: "text", text: "Hi" },
    { type: "usage", usage: { inputTokens: 3, outputTokens: 5, cachedTokens: 0, reasoningTokens: 2 } },
    { type: "finish", reason: "stop" },
  ]);
});

it("passes on each JSON line as it arrives, before the next one has been sent", async () => {
  const second = Promise.withResolvers<void>();
  const line = (content: string, more: object) =>
    bytesOf(`${JSON.stringify({ message: { content }, ...more })}\n`);
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(line("Te", { done: false })),
    async pull(controller) {
      await second.promise;
      controller.enqueue(line("a", { done: true, done_reason: "stop" }));
      controller.close();
    },
  });
  const model = openWith(compatibleProtocol, () => Promise.resolve(new Response(body)));
  const request = { messages: [{ role: "user", content: "Hi" }], tools: [] } as const;
  const chunks = [];

  for await (const chunk of model.stream(request, new AbortController().signal)) {
    chunks.push(chunk);
    second.resolve();
  }

  expect(chunks).toEqual([
    { type: "text", text: "Te" },
    { type: "text", text: "a" },
    { type: "finish", reason: "stop" },
  ]);
});

it("passes on the words with which a model refuses", async () => {
  const bytes = events({ choices: [{ delta: { refusal: "I can't." }, finish_reason: "stop" }] });

  expect(await read(compatibleProtocol, bytes)).toEqual([
    { type: "text", text: "I can't." },
    { type: "finish", reason: "stop" },
  ]);
});

it.each([
  [
    "says so as its reason to stop",
    { choices: [{ delta: {}, finish_reason: "error" }] },
    "provider-unavailable",
  ],
  ["puts the status into the code", { error: { code: 429, message: "Slow" } }, "provider-rate"],
  ["sends a code that is no status", { error: { code: "context_length_exceeded" } }, "provider-overflow"],
  ["sends nothing but a text", { error: "upstream failed" }, "provider-unavailable"],
])("understands a compatible server that fails and %s", async (_case, event, code) => {
  await expect(read(compatibleProtocol, events(event))).rejects.toMatchObject({ code });
});

it("counts Claude's reasoning tokens, and reads arguments sent with the start of a call", async () => {
  const bytes = events(
    { type: "message_start", message: { usage: { input_tokens: 3, output_tokens: 1 } } },
    { type: "content_block_start", index: 0, content_block: { type: "redacted_thinking", data: "x" } },
    { type: "content_block_stop", index: 0 },
    {
      type: "content_block_start",
      index: 1,
      content_block: { type: "tool_use", id: "a", name: "one", input: { x: 1 } },
    },
    { type: "content_block_stop", index: 1 },
    { type: "something_new", index: 9 },
    {
      type: "message_delta",
      delta: { stop_reason: "tool_use" },
      usage: { output_tokens: 9, output_tokens_details: { thinking_tokens: 4 } },
    },
    { type: "message_stop" },
  );

  expect(await read(anthropicProtocol, bytes)).toEqual([
    { type: "usage", usage: { inputTokens: 3, outputTokens: 9, cachedTokens: 0, reasoningTokens: 4 } },
    {
      type: "provider-data",
      providerData: {
        source: "anthropic/claude-sonnet-4-6",
        data: { thinking: [{ type: "redacted_thinking", data: "x" }] },
      },
    },
    { type: "call", call: { id: "a", name: "one", arguments: '{"x":1}' } },
    { type: "finish", reason: "tool-calls" },
  ]);
});

it("accepts at most 256 calls per answer, in every protocol", async () => {
  const calls = Array.from({ length: 300 }, (_, index) => ({
    id: `c${index}`,
    name: "one",
    arguments: "{}",
  }));

  const answers = [compatibleProtocol, anthropicProtocol, bedrockProtocol].map((protocol) =>
    read(protocol, protocol.encode([{ calls }, { stop: "calls" }])),
  );

  const counts = (await Promise.all(answers)).map(
    (chunks) => chunks.filter(({ type }) => type === "call").length,
  );
  expect(counts).toEqual([256, 256, 256]);
});

it.each([
  ["longer than any message", Uint8Array.of(0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0)],
  ["shorter than any message", Uint8Array.of(0, 0, 0, 3, 0, 0, 0, 0)],
])("does not wait for a message of Bedrock that is %s", async (_case, bytes) => {
  await expect(read(bedrockProtocol, bytes)).rejects.toMatchObject({ code: "provider-unavailable" });
});
