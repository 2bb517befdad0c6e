import { describe, expect, it } from "vitest";
import type { ModelChunk, ModelRequest } from "../../src/llm/model.ts";
import { AmendmentCache } from "../../src/llm/amendments.ts";
import { findProvider } from "../../src/llm/providers.ts";
import type { ModelSettings } from "../../src/llm/provider.ts";
import { isObject, type Json } from "../../src/shared/json.ts";
import { anthropicProtocol } from "./protocols/anthropic.ts";
import { bedrockProtocol } from "./protocols/bedrock.ts";
import { compatibleProtocol, openAiProtocol } from "./protocols/openai.ts";
import { answering, contextOf, type Protocol } from "./protocols/protocol.ts";

const TOOL = { name: "now", description: "Tells the time", parameters: { type: "object", properties: {} } };
const REQUEST: ModelRequest = {
  messages: [
    { role: "system", content: "You are Ada." },
    { role: "user", content: "When?" },
    { role: "assistant", content: "", calls: [{ id: "a", name: "now", arguments: "{}" }] },
    { role: "tool", callId: "a", content: "noon" },
    { role: "user", content: "And now?" },
  ],
  tools: [TOOL],
};
const SETTINGS: ModelSettings = { temperature: 0.2, maxOutputTokens: 50_000 };

/** A server that refuses every request with a member that `objects` names. */
function pickyServer(protocol: Protocol, status: number, objects: (body: string) => string | undefined) {
  const asked: Json[] = [];
  const context = contextOf({
    amendments: new AmendmentCache(),
    fetch: async (input: RequestInfo | URL, init?: RequestInit) => {
      const text = await new Request(input, init).text();
      const body: unknown = JSON.parse(text);
      asked.push(isObject(body) ? body : {});
      const message = objects(text);
      if (message !== undefined) return Response.json({ error: { message }, message }, { status });
      return answering(protocol, [{ text: "Noon." }, { stop: "answer" }]);
    },
  });
  const ask = async (
    model = protocol.model,
    request = REQUEST,
    { credentials }: Pick<Protocol, "credentials"> = protocol,
  ): Promise<readonly ModelChunk[]> => {
    const opened = findProvider(protocol.name, false)?.open(credentials, model, SETTINGS, context);
    if (!opened) throw new Error("There is no such provider.");
    return Array.fromAsync(opened.stream(request, new AbortController().signal));
  };
  return { asked, ask };
}

const has = (member: string, message: string) => (body: string) =>
  body.includes(`"${member}"`) ? message : undefined;

const CASES: readonly (readonly [string, Protocol, number, (body: string) => string | undefined, object])[] =
  [
    [
      "`stream_options`",
      compatibleProtocol,
      422,
      has("stream_options", "Extra inputs are not permitted: stream_options"),
      { temperature: 0.2 },
    ],
    [
      "a temperature",
      compatibleProtocol,
      400,
      has(
        "temperature",
        "Unsupported value: 'temperature' does not support 0.2 with this model. Only the default (1) value is supported.",
      ),
      { max_tokens: 50_000 },
    ],
    [
      "`max_tokens`",
      compatibleProtocol,
      400,
      has(
        "max_tokens",
        "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
      ),
      { max_completion_tokens: 50_000 },
    ],
    [
      "`max_completion_tokens`",
      openAiProtocol,
      400,
      has("max_completion_tokens", "Unrecognized request argument supplied: max_completion_tokens"),
      { max_tokens: 50_000 },
    ],
    [
      "a limit that is too high",
      compatibleProtocol,
      400,
      (body) =>
        body.includes("50000")
          ? "max_tokens is too large: 50000. This model supports at most 16,384 completion tokens"
          : undefined,
      { max_tokens: 16_384 },
    ],
    [
      "a limit that is too high, as Groq words it",
      compatibleProtocol,
      400,
      (body) =>
        body.includes("50000")
          ? "`max_tokens` must be less than or equal to `8192`, the maximum value for `max_tokens` is less than the `context_window` for this model"
          : undefined,
      { max_tokens: 8_192 },
    ],
    [
      "a limit at Anthropic",
      anthropicProtocol,
      400,
      (body) =>
        body.includes("50000")
          ? "max_tokens: 50000 > 8192, which is the maximum allowed number of output tokens for this model"
          : undefined,
      { max_tokens: 8_192 },
    ],
    [
      "a temperature at Anthropic",
      anthropicProtocol,
      400,
      has("temperature", "`temperature` is deprecated for this model."),
      { max_tokens: 50_000 },
    ],
    [
      "a temperature at Bedrock",
      bedrockProtocol,
      400,
      has("temperature", "temperature is not supported by this model"),
      { inferenceConfig: { maxTokens: 50_000 } },
    ],
    [
      "a limit at Bedrock",
      bedrockProtocol,
      400,
      (body) =>
        body.includes("50000")
          ? "The maximum tokens you requested exceeds the model limit of 4096. Try again with a maximum tokens value that is lower than 4096."
          : undefined,
      { inferenceConfig: { maxTokens: 4_096 } },
    ],
    [
      "cache points at Bedrock",
      bedrockProtocol,
      403,
      has("cachePoint", "You do not have access to explicit prompt caching"),
      {},
    ],
    [
      "the system role",
      compatibleProtocol,
      400,
      has("system", "Unsupported value: 'messages[0].role' does not support 'system' with this model."),
      {},
    ],
  ];

describe("a request that is refused for", () => {
  it.each(CASES)(
    "%s is amended and sent again once, and remembered",
    async (_case, protocol, status, objects, sent) => {
      const { asked, ask } = pickyServer(protocol, status, objects);

      expect((await ask()).at(-1)).toEqual({ type: "finish", reason: "stop" });
      expect(asked).toHaveLength(2);
      expect(asked[1]).toMatchObject(sent);

      await ask();
      expect(asked).toHaveLength(3);
      expect(asked[2]).toEqual(asked[1]);
      if (protocol !== compatibleProtocol) return;
      await ask(`another-${protocol.model}`);
      expect(objects(JSON.stringify(asked[3]))).toBeDefined();
    },
  );

  it.each([
    ["OpenRouter", 404, "No endpoints found that support tool use."],
    ["Ollama", 400, "library/gemma:2b does not support tools"],
    ["vLLM", 400, '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'],
    ["llama.cpp", 500, "tools param requires --jinja flag"],
    ["Google", 400, "Function calling is not enabled for models/gemma-3-27b-it"],
  ])(
    "its tools, in the words of %s, is answered without them, and says so",
    async (_server, status, message) => {
      const { asked, ask } = pickyServer(compatibleProtocol, status, has("tools", message));

      expect((await ask()).map(({ type }) => type)).toEqual(["without-tools", "text", "finish"]);
      expect((await ask())[0]).toEqual({ type: "without-tools" });
      expect(asked).toHaveLength(3);
      expect(JSON.stringify(asked[1])).not.toContain("tool");
    },
  );

  it("an unknown reason is not sent again", async () => {
    const { asked, ask } = pickyServer(
      compatibleProtocol,
      400,
      () => "The temperature of hell is not supported, nor are messages",
    );

    await expect(ask()).rejects.toMatchObject({ code: "provider-unavailable", retryable: false });
    expect(asked).toHaveLength(2);
  });
});

it("puts the system prompt in front of the user's first words if there is no system role", async () => {
  const { asked, ask } = pickyServer(compatibleProtocol, 400, has("system", "System role not supported"));

  await ask();

  expect(asked[1]?.["messages"]).toMatchObject([
    { role: "user", content: "You are Ada.\n\nWhen?" },
    { role: "assistant" },
    { role: "tool" },
    { role: "user" },
  ]);
});

it("orders messages as Mistral requires: no user message directly after a tool result, and text apart from calls", async () => {
  const { asked, ask } = pickyServer(compatibleProtocol, 400, () => undefined);

  await ask("mistral-large-latest");

  const messages = asked[0]?.["messages"];
  expect(messages).toMatchObject([
    { role: "system" },
    { role: "user" },
    { role: "assistant", tool_calls: [{ id: "call00001" }] },
    { role: "tool", tool_call_id: "call00001" },
    { role: "assistant", content: "(The answer was interrupted.)" },
    { role: "user" },
  ]);
  expect(JSON.stringify(messages)).not.toContain('"content":""');
});

it("omits `tool_choice` if it is refused, and uses it to forbid calls otherwise", async () => {
  const refusal = has("tool_choice", "tool_choice: this model does not support tool_choice");
  const { asked, ask } = pickyServer(anthropicProtocol, 400, refusal);
  const withoutTools = { ...REQUEST, tools: [] };

  await ask(undefined, withoutTools);
  await ask(undefined, withoutTools);

  expect(asked.map((body) => body["tool_choice"])).toEqual([{ type: "none" }, undefined, undefined]);
  expect(asked.at(-1)?.["tools"]).toHaveLength(1);
});

it.each([
  ["a compatible server", compatibleProtocol, "api_key"],
  ["Anthropic", anthropicProtocol, "api_key"],
  ["Bedrock", bedrockProtocol, "access_key"],
])("%s may refuse tools to one account without any effect on others", async (_case, protocol, member) => {
  const tools = protocol === bedrockProtocol ? "toolConfig" : "tools";
  const { asked, ask } = pickyServer(protocol, 400, has(tools, "This model does not support tools."));
  const others = { credentials: { ...protocol.credentials, [member]: "of-somebody-else" } };

  await ask();
  await ask(undefined, REQUEST, others);

  expect(asked.map((body) => tools in body)).toEqual([true, false, true, false]);
});

it("joins consecutive messages of one role for servers that insist on alternating roles", async () => {
  const objects = (body: string) =>
    /"role":"(\w+)","content":"[^"]*"\},\{"role":"\1"/u.test(body)
      ? "Conversation roles must alternate user/assistant/user/assistant/..."
      : undefined;
  const { asked, ask } = pickyServer(compatibleProtocol, 400, objects);
  const messages = [
    { role: "system", content: "You are Ada." },
    { role: "system", content: "It is noon." },
    { role: "user", content: "Hello?" },
    { role: "user", content: "When?" },
    { role: "assistant", content: "", calls: [{ id: "a", name: "now", arguments: "{}" }] },
    { role: "tool", callId: "a", content: "noon" },
    { role: "assistant", content: "At noon.", calls: [] },
    { role: "assistant", content: "Or later.", calls: [] },
    { role: "user", content: "Thanks" },
  ] as const;

  await ask(undefined, { ...REQUEST, messages });
  await ask(undefined, { ...REQUEST, messages });

  expect(asked).toHaveLength(3);
  expect(asked[2]).toEqual(asked[1]);
  expect(asked[1]?.["messages"]).toMatchObject([
    { role: "system", content: "You are Ada.\n\nIt is noon." },
    { role: "user", content: "Hello?\n\nWhen?" },
    { role: "assistant", tool_calls: [{ id: "a" }] },
    { role: "tool", tool_call_id: "a", content: "noon" },
    { role: "assistant", content: "At noon.\n\nOr later." },
    { role: "user", content: "Thanks" },
  ]);
});
