import { afterEach, describe, expect, it } from "vitest";
import { DAY_MS } from "../../src/shared/clock.ts";
import { beginConversation, type Client, signUp, table } from "../support/app.ts";
import { say } from "../support/sse.ts";
import { type WindowServer, WINDOW_SERVERS, windowServer } from "../llm/fixtures/served-windows.ts";

const platformFetch = globalThis.fetch;
afterEach(() => {
  globalThis.fetch = platformFetch;
});

const LLAMA_CPP = WINDOW_SERVERS.find(({ tokens }) => tokens === 6_144);
if (!LLAMA_CPP) throw new Error("The server is missing.");
const ANSWER = 'data: {"choices":[{"delta":{"content":"Ok."},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n';
/** Asked for once whenever a window is, and for nothing else. */
const PROPS = "GET /props";

/** Runs the server at these hosts: it answers messages, and what it is asked about windows like `answer`. */
function serve(server: WindowServer, answer?: () => Promise<Response>, hosts = ["models.example.com"]) {
  const asked: string[] = [];
  const stated = windowServer(server, asked);
  globalThis.fetch = (input, init) => {
    const url = new URL(input instanceof Request ? input.url : String(input));
    if (!hosts.includes(url.host)) return platformFetch(input, init);
    if (url.pathname.endsWith("/chat/completions"))
      return Promise.resolve(new Response(ANSWER, { headers: { "content-type": "text/event-stream" } }));
    if (!answer) return stated(input, init);
    asked.push(`GET ${url.pathname}`);
    return answer();
  };
  return { windows: () => asked.filter((path) => path === PROPS).length };
}

const configure = (client: Client, more: object = {}) =>
  client("POST", "/settings/providers/OpenAICompatible", {
    base_url: "https://models.example.com/v1",
    api_key: "sk-1234567890",
    ...more,
  });

/** A conversation with an agent whose model the server serves. */
async function begin(server: WindowServer, agent: object = {}, credentials: object = {}) {
  const client = await signUp();
  await configure(client, credentials);
  const made = await beginConversation(client, {
    agent_provider: "OpenAICompatible",
    agent_model: server.model,
    ...agent,
  });
  const windowOf = async (): Promise<number> =>
    (await client("GET", `/conversations/${made.conversationId}/context`)).body.model.window_tokens;
  return { client, windowOf, turn: (text = "Hello") => say(client, made.path, text), ...made };
}

const served = ({ email }: Client) =>
  table.query(`User#${email}`, { range: { beginsWith: "ProviderServedWindow#" } });
/** Waits until the server's answer is stored. */
const stored = (client: Client) =>
  expect.poll(async () => (await served(client))[0]?.["context_tokens"]).toBeGreaterThan(0);

describe("the window that a server states", () => {
  it("counts from the next turn on, in the preview of the prompt, too", async () => {
    const { windows } = serve(LLAMA_CPP);
    const { client, windowOf, turn } = await begin(LLAMA_CPP);
    expect(await windowOf()).not.toBe(6_144);

    expect((await turn()).text).toBe("Ok.");
    await stored(client);

    expect(await windowOf()).toBe(6_144);
    await turn();
    await turn();
    expect(windows()).toBe(1);
  });

  it("is asked for again after a day, and remains if the server does not answer then", async () => {
    const { windows } = serve(LLAMA_CPP);
    const { client, windowOf, turn } = await begin(LLAMA_CPP);
    await turn();
    await stored(client);
    const [item] = await served(client);
    if (!item) throw new Error("Nothing is stored.");
    await table.put({ ...item, asked_at: Number(item["asked_at"]) - DAY_MS });
    const silent = serve(LLAMA_CPP, () => Promise.reject(new Error("down")));

    await turn();
    await expect.poll(silent.windows).toBe(1);
    await turn();

    expect([windows(), silent.windows(), await windowOf()]).toEqual([1, 1, 6_144]);
  });

  it("is forgotten if the address changes, and asked for at the new one", async () => {
    const { windows } = serve(LLAMA_CPP, undefined, ["models.example.com", "new.example.com"]);
    const { client, windowOf, turn } = await begin(LLAMA_CPP);
    const usual = await windowOf();
    await turn();
    await stored(client);

    await configure(client, { base_url: "https://new.example.com/v1" });
    expect(await windowOf()).toBe(usual);
    await turn();

    await expect.poll(windowOf).toBe(6_144);
    expect(windows()).toBe(2);
  });

  it("is asked for once by two turns at the same time", async () => {
    const { windows } = serve(LLAMA_CPP);
    const { client, agentId, turn } = await begin(LLAMA_CPP);
    const other = await client("POST", "/conversations", { title: "Other", agent_id: agentId });

    await Promise.all([
      turn(),
      say(client, `/agents/${agentId}/${other.body.conversation_id}/send-message`, "Hello"),
    ]);
    await stored(client);

    expect(windows()).toBe(1);
  });

  it("is replaced by what an overflow has shown", async () => {
    serve(LLAMA_CPP);
    const { client, windowOf, turn } = await begin(LLAMA_CPP);
    await turn();
    await stored(client);

    await table.put({
      pk: `User#${client.email}`,
      sk: `ProviderWindow#OpenAICompatible#${LLAMA_CPP.model}`,
      provider_name: "OpenAICompatible",
      model: LLAMA_CPP.model,
      context_tokens: 3_000,
      ttl: Math.floor(Date.now() / 1_000) + 3_600,
    });

    expect(await windowOf()).toBe(3_000);
  });

  it.each([
    ["the agent", { context_window: 9_000 }, {}],
    ["the settings", {}, { context_tokens: "9000" }],
  ])("is not asked for if %s has another one", async (_case, agent, credentials) => {
    const { windows } = serve(LLAMA_CPP);
    const { client, windowOf, turn } = await begin(LLAMA_CPP, agent, credentials);

    await turn();
    // The next turn begins behind the work that follows this one.
    await turn();

    expect(await windowOf()).toBe(9_000);
    expect([windows(), await served(client)]).toEqual([0, []]);
  });
});

it.each([
  ["refuses the connection", () => Promise.reject(new Error("refused"))],
  ["never answers", () => new Promise<Response>(() => undefined)],
  ["answers with a page", () => Promise.resolve(new Response("<html>Sign in</html>"))],
])("answers as usual if the server of the window %s", async (_case, answer) => {
  const { windows } = serve(LLAMA_CPP, answer);
  const { turn } = await begin(LLAMA_CPP);

  const first = await turn();
  const second = await turn();

  expect([first.text, second.text, second.last?.event_type]).toEqual(["Ok.", "Ok.", "STREAM_COMPLETE"]);
  await expect.poll(windows).toBe(1);
});

it.each(WINDOW_SERVERS.filter(({ baseUrl }) => baseUrl === "https://models.example.com/v1"))(
  "lists the window of $label with its models",
  async (server) => {
    serve(server);
    const client = await signUp();
    await configure(client, { api_key: `sk-${crypto.randomUUID()}` });

    const { status, body } = await client("GET", "/llm/models/OpenAICompatible");

    expect(status).toBe(200);
    const own = body.find(({ model_id: id }: { model_id: string }) => id.startsWith(server.model));
    expect(own.context_tokens).toBe(server.tokens ?? null);
  },
);
