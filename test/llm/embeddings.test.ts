import { describe, expect, it } from "vitest";
import { openAiEmbedder } from "../../src/llm/embeddings.ts";
import { findProvider } from "../../src/llm/providers.ts";
import { contextOf } from "./protocols/protocol.ts";

const config = {
  url: "https://embed.example/v1/",
  apiKey: "secret-key",
  model: "small",
  dimensions: undefined,
};
const vectors = (...embeddings: readonly unknown[]) =>
  Response.json({ data: embeddings.map((embedding, index) => ({ index, embedding })) });

/** An embedder whose server returns these answers, one after the other. Errors are thrown. */
function embedder(answers: readonly (Response | Error)[], more: Partial<typeof config> = {}) {
  const asked: Request[] = [];
  const rest = answers.values();
  const send: typeof fetch = (input, init) => {
    asked.push(new Request(input, init));
    const { value = new Error("Nobody answers any more.") } = rest.next();
    return value instanceof Error ? Promise.reject(value) : Promise.resolve(value);
  };
  const made = openAiEmbedder({ ...config, ...more }, send);
  return {
    id: made.id,
    asked,
    embed: (...texts: string[]) => made.embed(texts, AbortSignal.timeout(60_000)),
  };
}

it("returns the vectors in the order of the texts, in whatever order the answer has them", async () => {
  const data = [
    { index: 1, embedding: [0, 1] },
    { index: 0, embedding: [1, 0] },
  ];
  const { embed, asked, id } = embedder([Response.json({ data })]);

  expect(await embed("one", "two")).toEqual([Float32Array.of(1, 0), Float32Array.of(0, 1)]);

  expect(id).toBe("small/all");
  expect(asked[0]?.url).toBe("https://embed.example/v1/embeddings");
  expect(asked[0]?.headers.get("authorization")).toBe("Bearer secret-key");
  expect(await asked[0]?.json()).toEqual({ model: "small", input: ["one", "two"], encoding_format: "float" });
});

it.each([
  ["an error of the server's", new Response("", { status: 503 })],
  ["a limit without a wait", new Response("", { status: 429 })],
  ["a connection that fails", new TypeError("Network connection lost.")],
])("tries once more after %s", async (_case, failure) => {
  const { embed, asked } = embedder([failure, vectors([1, 0])]);

  expect(await embed("one")).toEqual([Float32Array.of(1, 0)]);
  expect(asked).toHaveLength(2);
});

it.each([
  [401, "provider-auth", 1],
  [402, "provider-quota", 1],
  [404, "provider-unavailable", 1],
  [400, "provider-unavailable", 1],
  [302, "provider-unavailable", 1],
  [429, "provider-rate", 1],
  [500, "provider-unavailable", 2],
])(
  "reports %d as %s after %d requests, and quotes nothing of the server's response",
  async (status, code, n) => {
    const headers = { "retry-after": "60", location: "https://elsewhere.example" };
    const answer = () => new Response("secret-key is wrong", { status, headers });
    const { embed, asked } = embedder([answer(), answer(), answer()]);

    const error: unknown = await embed("one").catch((thrown: unknown) => thrown);

    expect(error).toMatchObject({ code });
    expect(String(error instanceof Error && error.cause)).not.toContain("secret-key");
    expect(asked).toHaveLength(n);
  },
);

describe("an answer that does not match the request", () => {
  it.each([
    ["no JSON", () => new Response("<html>")],
    ["no list", () => Response.json({ data: "vectors" })],
    ["null", () => Response.json(null)],
    ["too few vectors", () => vectors([1, 0])],
    ["texts for numbers", () => vectors([1, 0], ["a", "b"])],
    ["what is no number", () => vectors([1, 0], [1, null])],
    ["an empty vector", () => vectors([], [])],
    ["vectors of two lengths", () => vectors([1, 0], [1, 0, 0])],
    [
      "one vector twice",
      () =>
        Response.json({
          data: [
            { index: 0, embedding: [1, 0] },
            { index: 0, embedding: [1, 0] },
          ],
        }),
    ],
  ])("is refused: %s", async (_case, answer) => {
    const { embed } = embedder([answer()]);

    await expect(embed("one", "two")).rejects.toMatchObject({ code: "provider-unavailable" });
  });
});

it("ends when its signal is aborted", async () => {
  const embedder = openAiEmbedder(
    config,
    (_input, init) =>
      new Promise((_resolve, reject) => {
        init?.signal?.addEventListener("abort", () => reject(new Error("aborted")));
      }),
  );
  const abort = new AbortController();
  const reason = new Error("Enough.");

  const embedding = embedder.embed(["one"], abort.signal);
  abort.abort(reason);

  await expect(embedding).rejects.toBe(reason);
});

describe("Azure", () => {
  const version = "?api-version=2024-10-21";
  it.each([
    [
      "https://me.openai.azure.com",
      `https://me.openai.azure.com/openai/deployments/my%20vectors/embeddings${version}`,
    ],
    [
      "https://me.openai.azure.com/openai/deployments/chat/chat/completions",
      `https://me.openai.azure.com/openai/deployments/my%20vectors/embeddings${version}`,
    ],
    ["https://me.services.ai.azure.com/openai/v1/", "https://me.services.ai.azure.com/openai/v1/embeddings"],
  ])(
    "embeds at %s in the deployment that is named, with the key in a header of its own",
    async (base_url, url) => {
      const asked: Request[] = [];
      const context = contextOf({
        fetch: (input, init) => {
          asked.push(new Request(input, init));
          return Promise.resolve(vectors([1, 0]));
        },
      });
      const credentials = { base_url, api_key: "azure-key", embedding_model: "my vectors" };
      const opened = findProvider("OpenAICompatible", false)?.openEmbedder(credentials, context);

      // Stored vectors name the model that made them, whose embedder is opened by that name.
      for (const one of [opened, opened?.ofModel?.("my vectors/all")])
        expect(await one?.embed(["one"], AbortSignal.timeout(60_000))).toEqual([Float32Array.of(1, 0)]);

      expect(asked.map((request) => request.url)).toEqual([url, url]);
      expect(asked[0]?.headers.get("api-key")).toBe("azure-key");
      expect(asked[0]?.headers.get("authorization")).toBeNull();
      expect(await asked[0]?.json()).toMatchObject({ model: "my vectors", input: ["one"] });
    },
  );

  it.each([
    [
      "https://me.openai.azure.com",
      `https://me.openai.azure.com/openai/deployments/small/embeddings${version}`,
    ],
    ["https://me.openai.azure.com/openai/v1/", "https://me.openai.azure.com/openai/v1/embeddings"],
  ])(
    "embeds in the deployment that is named if the service itself is set up with %s",
    async (url, endpoint) => {
      const { embed, asked } = embedder([vectors([1, 0])], { url });

      await embed("one");

      expect(asked[0]?.url).toBe(endpoint);
      expect(asked[0]?.headers.get("api-key")).toBe("secret-key");
      expect(asked[0]?.headers.get("authorization")).toBeNull();
    },
  );
});
