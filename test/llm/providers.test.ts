import { describe, expect, it } from "vitest";
import { credentialField, isShown } from "../../src/llm/provider.ts";
import { findProvider, providerNames } from "../../src/llm/providers.ts";
import { contextOf, openWith, refusing, strictServer } from "./protocols/protocol.ts";
import { anthropicProtocol } from "./protocols/anthropic.ts";
import { bedrockProtocol } from "./protocols/bedrock.ts";
import { compatibleProtocol, openAiProtocol } from "./protocols/openai.ts";

const HELLO = [{ role: "user", content: "Hi" }] as const;
const signal = new AbortController().signal;

function providerOf(name: string) {
  const provider = findProvider(name, true);
  if (!provider) throw new Error(`There is no provider ${name}`);
  return provider;
}

/** A server of several addresses, by the beginning of what follows the host. */
function site(pages: Readonly<Record<string, unknown>>) {
  const asked: Request[] = [];
  const fetch: typeof globalThis.fetch = (input, init) => {
    const request = new Request(input, init);
    asked.push(request);
    const { pathname, search } = new URL(request.url);
    const page = Object.entries(pages).find(([path]) => `${pathname}${search}`.startsWith(path));
    return Promise.resolve(page ? Response.json(page[1]) : Response.json({}, { status: 404 }));
  };
  return { asked, context: contextOf({ fetch }) };
}

it("offers the providers in their order, and the demo model in local development only", () => {
  expect(providerNames(false)).toEqual(["Bedrock", "Anthropic", "OpenAI", "OpenAICompatible"]);
  expect(providerNames(true)).toEqual(["Bedrock", "Anthropic", "OpenAI", "OpenAICompatible", "Demo"]);
  expect(findProvider("Demo", false)).toBeUndefined();
  expect(findProvider("bedrock", true)).toBeUndefined();
});

it("describes the fields of each provider, and marks the secret ones", () => {
  const fields = providerNames(true).map((name) => [
    name,
    ...Object.entries(providerOf(name).credentials.shape).map(([field, schema]) => {
      const { title, secret } = credentialField(schema);
      return `${field}: ${title}${secret ? " (secret)" : ""}`;
    }),
  ]);

  expect(fields).toEqual([
    [
      "Bedrock",
      "access_key: AWS Access Key (secret)",
      "secret_key: AWS Secret Key (secret)",
      "api_key: Bedrock API Key (secret)",
      "region: AWS Region",
    ],
    ["Anthropic", "api_key: Anthropic API Key (secret)"],
    ["OpenAI", "api_key: OpenAI API Key (secret)"],
    [
      "OpenAICompatible",
      "base_url: Base URL",
      "api_key: API Key (secret)",
      "model: Default Model",
      "context_tokens: Context Window (Tokens)",
      "embedding_model: Embedding Model",
    ],
    ["Demo"],
  ]);
});

it("suggests eighteen servers, with self-hosted ones listed separately", () => {
  const { presets = [], localPresets = [] } = credentialField(
    providerOf("OpenAICompatible").credentials.shape["base_url"],
  );

  expect([...presets, ...localPresets].map(({ label }) => label)).toEqual([
    "OpenRouter",
    "Groq",
    "Together",
    "Mistral",
    "DeepSeek",
    "Google Gemini",
    "xAI",
    "Cloudflare Workers AI",
    "Fireworks",
    "Cerebras",
    "Moonshot",
    "Hugging Face",
    "Azure OpenAI",
    "Cloudflare AI Gateway",
    "Ollama",
    "vLLM",
    "LM Studio",
    "llama.cpp",
  ]);
});

it.each([
  ["Anthropic", { api_key: "sk ant" }],
  ["Anthropic", { api_key: "" }],
  ["OpenAI", {}],
  ["OpenAI", { api_key: "schlüssel" }],
  ["Bedrock", {}],
  ["Bedrock", { access_key: "A" }],
  ["Bedrock", { secret_key: "S", region: "eu-west-2" }],
  ["Bedrock", { api_key: "K", region: "evil.example.com/" }],
  ["Bedrock", { api_key: "K", region: "eu-west-2.evil" }],
  ["OpenAICompatible", { api_key: "K" }],
  ["OpenAICompatible", { base_url: "https://x.example.com", context_tokens: "many" }],
])(
  "refuses credentials of %s that can't be right, when they are entered and when they are used",
  (name, entered) => {
    const provider = providerOf(name);

    expect(provider.credentials.safeParse(entered).success).toBe(false);
    expect(() => provider.open(entered, "m", {}, contextOf())).toThrow(
      expect.objectContaining({ code: "provider-auth" }),
    );
  },
);

it("accepts the credentials that the legacy Python service has stored, in the region that it used", async () => {
  const { asked, context } = site({ "/foundation-models": { modelSummaries: [] } });

  await providerOf("Bedrock").listModels({ access_key: " AKIA ", secret_key: "S" }, context, signal);

  expect(asked[0]?.url).toBe(
    "https://bedrock.eu-west-2.amazonaws.com/foundation-models?byOutputModality=TEXT",
  );
  expect(asked[0]?.headers.get("authorization")).toMatch(
    /^AWS4-HMAC-SHA256 Credential=AKIA\/\d{8}\/eu-west-2\/bedrock\//u,
  );
});

describe("the live list", () => {
  it("of OpenAI offers chat models, newest first, and keeps the others for checks", async () => {
    const { asked, context } = site({
      "/v1/models": {
        data: [
          { id: "gpt-4o", created: 1 },
          { id: "text-embedding-3-small", created: 5 },
          { id: "gpt-4o-realtime-preview", created: 6 },
          { id: "gpt-5.5", created: 4 },
          { id: "o3", created: 2 },
        ],
      },
    });

    const models = await providerOf("OpenAI").listModels({ api_key: "sk" }, context, signal);

    expect(models.filter(isShown).map(({ id }) => id)).toEqual(["gpt-5.5", "o3", "gpt-4o"]);
    expect(models).toHaveLength(5);
    expect(models.at(-1)?.contextTokens).toBe(128_000);
    expect(asked[0]?.headers.get("authorization")).toBe("Bearer sk");
  });

  it("of Anthropic has names and context windows, and no retired models", async () => {
    const { asked, context } = site({
      "/v1/models?limit=1000": {
        data: [
          { id: "claude-a", display_name: "Claude A", max_input_tokens: 500_000, lifecycle: "active" },
          { id: "claude-b", display_name: "Claude B", max_input_tokens: null },
          { id: "claude-old", display_name: "Claude Old", lifecycle: "retired" },
        ],
      },
    });

    expect(await providerOf("Anthropic").listModels({ api_key: "sk" }, context, signal)).toEqual([
      { id: "claude-a", name: "Claude A", contextTokens: 500_000 },
      { id: "claude-b", name: "Claude B", contextTokens: 200_000 },
    ]);
    expect(asked[0]?.headers.get("x-api-key")).toBe("sk");
  });

  it.each([{ data: [{ id: "m", context_length: 9_000 }] }, [{ id: "m", context_length: 9_000 }]])(
    "of a compatible server may be wrapped or not",
    async (list) => {
      const { context } = site({ "/v1/models": list });
      const credentials = { base_url: "https://x.example.com/v1/chat/completions", api_key: "k" };

      expect(await providerOf("OpenAICompatible").listModels(credentials, context, signal)).toEqual([
        { id: "m", name: "m", contextTokens: 9_000 },
      ]);
    },
  );

  it("of a compatible server may be a page for people, which is said in words", async () => {
    const page = () => Promise.resolve(new Response("<!doctype html><title>Sign in</title>"));
    const credentials = { base_url: "https://x.example.com/v1", api_key: "k" };

    await expect(
      providerOf("OpenAICompatible").listModels(credentials, contextOf({ fetch: page }), signal),
    ).rejects.toThrow("answered with a web page");
  });

  it("of a compatible server says which models can call tools, as OpenRouter and Mistral word it", async () => {
    const data = [
      { id: "a", supported_parameters: ["temperature", "tools"] },
      { id: "b", supported_parameters: ["temperature"] },
      { id: "c", capabilities: { function_calling: true } },
      { id: "d", capabilities: { function_calling: false } },
      { id: "e" },
    ];
    const { context } = site({ "/v1/models": { data } });
    const credentials = { base_url: "https://x.example.com/v1", api_key: "k" };

    const models = await providerOf("OpenAICompatible").listModels(credentials, context, signal);

    expect(models.map(({ tools }) => tools)).toEqual([true, false, true, false, undefined]);
  });

  it("of Bedrock contains profiles and on-demand models", async () => {
    const model = (modelId: string, more: object = {}) => ({
      modelId,
      modelName: "Nova",
      providerName: "Amazon",
      responseStreamingSupported: true,
      inferenceTypesSupported: ["ON_DEMAND"],
      modelLifecycle: { status: "ACTIVE" },
      ...more,
    });
    const pages = {
      "/foundation-models": {
        modelSummaries: [
          model("amazon.nova-lite-v1:0"),
          model("amazon.provisioned", { inferenceTypesSupported: ["PROVISIONED"] }),
          model("amazon.silent", { responseStreamingSupported: false }),
          model("amazon.old", { modelLifecycle: { status: "LEGACY" } }),
        ],
      },
      "/inference-profiles": {
        inferenceProfileSummaries: [
          { inferenceProfileId: "eu.anthropic.claude-x", inferenceProfileName: "EU Claude X" },
        ],
      },
    };
    const nova = { id: "amazon.nova-lite-v1:0", name: "Amazon Nova", contextTokens: 300_000 };
    const list = (served: Readonly<Record<string, unknown>>) =>
      providerOf("Bedrock").listModels({ api_key: "K" }, site(served).context, signal);

    expect(await list(pages)).toEqual([
      { id: "eu.anthropic.claude-x", name: "EU Claude X", contextTokens: 200_000 },
      nova,
    ]);
    expect(await list({ "/foundation-models": pages["/foundation-models"] })).toEqual([nova]);
  });

  it.each([
    ["OpenAI", openAiProtocol],
    ["OpenAICompatible", compatibleProtocol],
    ["Anthropic", anthropicProtocol],
    ["Bedrock", bedrockProtocol],
  ])("of %s reports that the key is refused", async (name, protocol) => {
    const context = contextOf({ fetch: () => Promise.resolve(refusing(protocol, "auth")) });

    await expect(providerOf(name).listModels(protocol.credentials, context, signal)).rejects.toMatchObject({
      code: "provider-auth",
    });
  });
});

describe("a request", () => {
  it("to Bedrock may use a Bedrock API key", async () => {
    const { asked, context } = site({});
    const model = providerOf("Bedrock").open(
      { api_key: "ABSK", region: "us-east-1" },
      "amazon.nova-lite-v1:0",
      {},
      context,
    );

    await Array.fromAsync(model.stream({ messages: HELLO, tools: [] }, signal)).catch(() => []);

    expect(asked[0]?.headers.get("authorization")).toBe("Bearer ABSK");
    expect(await asked[0]?.json()).toEqual({ messages: [{ role: "user", content: [{ text: "Hi" }] }] });
  });

  it.each([
    ["claude-3-7-sonnet", "eu-west-2", "anthropic.claude-3-7-sonnet-20250219-v1:0"],
    ["claude-sonnet-4", "ap-southeast-2", "apac.anthropic.claude-sonnet-4-20250514-v1:0"],
    ["eu.amazon.nova-lite-v1:0", "eu-west-2", "eu.amazon.nova-lite-v1:0"],
    ["constructor", "eu-west-2", "constructor"],
    [null, "eu-west-2", "global.anthropic.claude-sonnet-4-5-20250929-v1:0"],
  ])("to Bedrock finds the model that agents call %s", (model, region, id) => {
    expect(providerOf("Bedrock").open({ api_key: "K", region }, model, {}, contextOf()).id).toBe(id);
  });

  it("marks what Anthropic may cache: tools, the parts of the system prompt, and the end of the history", async () => {
    const { fetch, asked } = strictServer(anthropicProtocol, []);
    const model = openWith(anthropicProtocol, fetch);
    const messages = [
      { role: "system", content: "Always" },
      { role: "system", content: "Today" },
      { role: "user", content: "Hi" },
      { role: "assistant", content: "Hello", calls: [] },
      { role: "user", content: "So?" },
    ] as const;
    const tool = { name: "t", description: "T", parameters: { type: "object" } };

    await Array.fromAsync(model.stream({ messages, tools: [tool, { ...tool, name: "u" }] }, signal));

    const cache_control = { type: "ephemeral" };
    expect(asked[0]).toMatchObject({
      max_tokens: 16_000,
      system: [
        { type: "text", text: "Always", cache_control },
        { type: "text", text: "Today", cache_control },
      ],
      messages: [
        { role: "user", content: [{ type: "text", text: "Hi" }] },
        { role: "assistant", content: [{ type: "text", text: "Hello" }] },
        { role: "user", content: [{ type: "text", text: "So?", cache_control }] },
      ],
      tools: [{ name: "t" }, { name: "u", cache_control }],
    });
    expect(JSON.stringify(asked[0]).split("cache_control")).toHaveLength(5);
  });

  it.each([
    [anthropicProtocol, "claude-opus-5-5"],
    [openAiProtocol, "gpt-5.5"],
    [openAiProtocol, "o3"],
  ])("sends no temperature to models that refuse one", async (protocol, model) => {
    const { fetch, asked } = strictServer(protocol, []);

    const opened = openWith(protocol, fetch, { model, settings: { temperature: 0.5, maxOutputTokens: 50 } });
    await Array.fromAsync(opened.stream({ messages: HELLO, tools: [] }, signal));

    expect(JSON.stringify(asked[0])).not.toContain("temperature");
    expect(JSON.stringify(asked[0])).toContain(":50");
  });

  it("is repeated without the usage option if a server refuses that option", async () => {
    const { fetch, asked } = strictServer(compatibleProtocol, [[{ text: "Hi" }, { stop: "answer" }]]);
    const picky: typeof globalThis.fetch = async (input, init) => {
      const request = new Request(input, init);
      const body = await request.clone().text();
      return body.includes("stream_options")
        ? Response.json(
            { error: { message: "Extra inputs are not permitted: stream_options" } },
            { status: 422 },
          )
        : fetch(request);
    };

    const model = openWith(compatibleProtocol, picky);

    expect(await Array.fromAsync(model.stream({ messages: HELLO, tools: [] }, signal))).toEqual([
      { type: "text", text: "Hi" },
      { type: "finish", reason: "stop" },
    ]);
    expect(asked).toHaveLength(1);
  });

  it("to a compatible server uses the default model and its window, or says that there is none", () => {
    const provider = providerOf("OpenAICompatible");
    const entered = { base_url: "https://x.example.com/v1", api_key: "k" };

    const opened = provider.open(
      { ...entered, model: "mine", context_tokens: "8000" },
      null,
      {},
      contextOf(),
    );
    expect([opened.id, opened.contextTokens]).toEqual(["mine", 8_000]);
    expect(() => provider.open(entered, null, {}, contextOf())).toThrow("has no model");
  });
});
