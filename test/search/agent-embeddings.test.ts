import { expect, inject, it } from "vitest";
import { bedrockEmbedder } from "../../src/llm/bedrock-embeddings.ts";
import { findProvider } from "../../src/llm/providers.ts";
import { contextOf } from "../llm/protocols/protocol.ts";
import { beginConversation, type Client, signUp } from "../support/app.ts";
import { embeddingModel } from "../support/control.ts";

const KEY = "sk-of-the-embeddings-server";
const never = new AbortController().signal;

async function withEmbeddings(client: Client, model: string) {
  const body = { base_url: inject("embeddings"), api_key: KEY, model: "chat", embedding_model: model };
  const { status } = await client("POST", "/settings/providers/OpenAICompatible", body);
  expect(status).toBe(201);
}

/** Stores memories with an agent, and returns its search. */
async function remember(client: Client, agentId: string, ...contents: readonly string[]) {
  const base = `/agents/${agentId}/archival-memory`;
  await client("POST", `${base}/batch`, { items: contents.map((content) => ({ content })) });
  return async (query: string) => (await client("GET", `${base}/search?query=${query}`)).body;
}

it("searches by meaning with the owner's credentials for the agent's provider", async () => {
  const client = await signUp();
  const model = embeddingModel();
  await withEmbeddings(client, model.name);
  const { agentId } = await beginConversation(client, { agent_provider: "OpenAICompatible" });

  const search = await remember(client, agentId, "My kitten sleeps", "I drive to work");

  expect(await search("cat")).toMatchObject({
    items: [{ content: "My kitten sleeps" }],
    total: 1,
    notes: [],
  });
  const requests = await model.requests();
  expect(new Set(requests.map(({ authorization }) => authorization))).toEqual(new Set([`Bearer ${KEY}`]));
});

it("searches an end user's memory with the owner's credentials, too", async () => {
  const client = await signUp();
  const model = embeddingModel();
  await withEmbeddings(client, model.name);
  const { agentId } = await beginConversation(client, { agent_provider: "OpenAICompatible" });
  await client("POST", `/agents/${agentId}/client-tokens`, { end_user_id: "visitor" });
  const base = `/agents/${agentId}/archival-memory`;
  await client("POST", `${base}?end_user=visitor`, { content: "My kitten sleeps" });

  const { body } = await client("GET", `${base}/search?query=cat&end_user=visitor`);

  expect(body).toMatchObject({ total: 1, notes: [] });
});

it("searches by words only if the provider offers no embeddings, without a note", async () => {
  const client = await signUp();
  const { agentId } = await beginConversation(client);

  const search = await remember(client, agentId, "My kitten sleeps");

  expect(await search("cat")).toMatchObject({ items: [], total: 0, notes: ["nothing-matched"] });
  expect(await search("kitten")).toMatchObject({ total: 1, notes: [] });
});

it("searches by words only if the provider fails, with a note", async () => {
  const client = await signUp();
  const model = embeddingModel();
  await model.setFault({ kind: "status", status: 401 });
  await withEmbeddings(client, model.name);
  const { agentId } = await beginConversation(client, { agent_provider: "OpenAICompatible" });

  const search = await remember(client, agentId, "My kitten sleeps");

  expect(await search("kitten")).toMatchObject({ total: 1, notes: ["embeddings-failed"] });
});

it("asks OpenAI for vectors of 512 dimensions", async () => {
  const asked: { url: string; body: unknown; authorization: string | null }[] = [];
  const fetch = async (input: RequestInfo | URL, init?: RequestInit) => {
    const request = new Request(input, init);
    asked.push({
      url: request.url,
      body: await request.json(),
      authorization: request.headers.get("authorization"),
    });
    return Response.json({ data: [{ index: 0, embedding: Array.from({ length: 512 }, () => 0.5) }] });
  };

  const embedder = findProvider("OpenAI", false)?.openEmbedder({ api_key: KEY }, contextOf({ fetch }));
  const [vector] = (await embedder?.embed(["A text"], never)) ?? [];

  expect(vector?.length).toBe(512);
  expect(asked).toEqual([
    {
      url: "https://api.openai.com/v1/embeddings",
      body: { model: "text-embedding-3-small", input: ["A text"], encoding_format: "float", dimensions: 512 },
      authorization: `Bearer ${KEY}`,
    },
  ]);
});

it("is offered by no provider that has none", () => {
  expect(findProvider("Anthropic", false)?.openEmbedder({ api_key: KEY }, contextOf())).toBeUndefined();
  const withoutModel = { base_url: "https://models.example.com/v1", api_key: KEY };
  expect(findProvider("OpenAICompatible", false)?.openEmbedder(withoutModel, contextOf())).toBeUndefined();
});

const titan = (answer: (text: string) => Response) => {
  const asked: { url: string; body: { inputText: string }; authorization: string | null }[] = [];
  const fetch = async (input: RequestInfo | URL, init?: RequestInit) => {
    const request = new Request(input, init);
    const body = await request.json<{ inputText: string }>();
    asked.push({ url: request.url, body, authorization: request.headers.get("authorization") });
    return answer(body.inputText);
  };
  const credentials = { accessKeyId: "AKIA", secretAccessKey: "secret" };
  return { asked, embedder: bedrockEmbedder({ credentials, region: "eu-west-2", fetch }) };
};

it("asks Bedrock text by text, signed, and keeps their order", async () => {
  const { asked, embedder } = titan((text) =>
    Response.json({ embedding: Array.from({ length: 512 }, () => Number(text)), inputTextTokenCount: 1 }),
  );

  const vectors = await embedder.embed(["0", "1", "2", "3", "4", "5"], never);

  expect(vectors.map(([first]) => first)).toEqual([0, 1, 2, 3, 4, 5]);
  expect(asked).toHaveLength(6);
  expect(asked[0]).toMatchObject({
    url: "https://bedrock-runtime.eu-west-2.amazonaws.com/model/amazon.titan-embed-text-v2%3A0/invoke",
    body: { inputText: "0", dimensions: 512, normalize: true },
    authorization: expect.stringMatching(/^AWS4-HMAC-SHA256 Credential=AKIA\//u),
  });
});

it.each([
  ["a text that it does not take", Response.json({ message: "Too long" }, { status: 400 }), "TextsRefused"],
  ["a key that it refuses", Response.json({ message: "No" }, { status: 403 }), "AppError"],
  ["a vector of another length", Response.json({ embedding: [1, 2] }), "AppError"],
  ["no vector", Response.json({}), "AppError"],
])("tells Bedrock's answers apart: %s", async (_case, response, name) => {
  const { embedder } = titan(() => response);
  await expect(embedder.embed(["x"], never)).rejects.toMatchObject({ name });
});
