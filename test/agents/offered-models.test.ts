import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createApp } from "../../src/app.ts";
import { portsFrom } from "../../src/deps/ports.ts";
import { ada, type Client, clientOf, signUp, table } from "../support/app.ts";
import { beginOwnConversation, endUserOf, programOf } from "../support/callers.ts";
import { say } from "../support/sse.ts";

const platformFetch = globalThis.fetch;
/** What the servers list, by host; a function is called for each request. Other hosts are on the platform. */
const lists = new Map<string, (() => Promise<Response> | Response) | readonly object[]>();

beforeEach(() => {
  globalThis.fetch = async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : String(input));
    const list = lists.get(url.host);
    if (list === undefined) return platformFetch(input, init);
    if (!url.pathname.endsWith("/models")) return new Response("", { status: 404 });
    return typeof list === "function" ? list() : Response.json({ data: list });
  };
});
afterEach(() => {
  globalThis.fetch = platformFetch;
  lists.clear();
});

const HOST = "models.example.com";
const NOT_KNOWN = "agent_model was not checked: the provider's models are not known yet.";
const models = (...ids: readonly string[]) => ids.map((id) => ({ id }));

/** A user whose key is accepted by the server at this host. */
async function userOf(host: string, path = "/v1"): Promise<Client> {
  const client = await signUp();
  const credentials = { base_url: `https://${host}${path}`, api_key: `sk-${crypto.randomUUID()}` };
  const { status } = await client("POST", "/settings/providers/OpenAICompatible", credentials);
  expect(status).toBe(201);
  return client;
}

/** Lists the models, as front ends do before they show a form. */
const list = (client: Client) => client("GET", "/llm/models/OpenAICompatible");

const create = (client: Client, agent: object) =>
  client("POST", "/agents", {
    ...ada,
    agent_name: `Ada ${crypto.randomUUID()}`,
    agent_provider: "OpenAICompatible",
    ...agent,
  });

const TWO_MINUTES = 120_000;
const storedList = ({ email }: Client) =>
  table.get({ pk: `User#${email}`, sk: "ProviderModels#OpenAICompatible" });
/** Lets the stored list look two minutes old. */
async function age(client: Client) {
  const item = await storedList(client);
  if (!item) throw new Error("No list is stored.");
  await table.put({ ...item, listed_at: Number(item["listed_at"]) - TWO_MINUTES });
}

it("repeats what was said of a request that is sent twice with an idempotency key", async () => {
  const client = await userOf(`slow-${crypto.randomUUID()}.example.com`);
  const agent = {
    ...ada,
    agent_name: `Ada ${crypto.randomUUID()}`,
    agent_provider: "OpenAICompatible",
    agent_model: "gpt-unknown",
  };
  const post = () => client("POST", "/agents", agent, { "idempotency-key": "once" });

  const [first, repeat] = [await post(), await post()];

  expect([first.status, first.headers.get("x-warning")]).toEqual([201, NOT_KNOWN]);
  expect([repeat.status, repeat.headers.get("x-warning")]).toEqual([201, NOT_KNOWN]);
  expect(repeat.body).toEqual(first.body);
});

describe("a model that its provider does not list", () => {
  it("is refused with 422, which names the field and up to three similar models", async () => {
    lists.set(HOST, models("gpt-4o", "gpt-4o-mini", "gpt-4.1", "gpt-5", "qwen3-8b"));
    const client = await userOf(HOST);
    await list(client);

    const { status, body } = await create(client, { agent_model: "gpt-4-o" });

    expect([status, body.code]).toEqual([422, "validation-failed"]);
    expect(body.errors).toEqual([
      {
        path: ["agent_model"],
        message: expect.stringMatching(
          /^agent_model is not offered by OpenAI-Compatible\. Similar models: gpt-4o(?:, [\w.-]+){2}\.$/u,
        ),
        code: "custom",
      },
    ]);
    expect((await client("GET", "/agents")).body).toEqual([]);
  });

  it("is refused without naming other models to a key that may write agents but not read them", async () => {
    lists.set(HOST, models("gpt-4o", "gpt-4o-mini"));
    const client = await userOf(HOST);
    await list(client);
    const made = await create(client, { agent_model: "gpt-4o" });
    const [writer, reader] = await Promise.all([
      programOf(client, ["agents:write"]),
      programOf(client, ["agents:write", "agents:read"]),
    ]);
    const messages = async (program: Client) => {
      const wrong = { agent_model: "gpt-4-o" };
      const answers = [
        await create(program, wrong),
        await program("PUT", `/agents/${made.body.agent_id}`, wrong),
        await program("PATCH", `/agents/${made.body.agent_id}`, { ...wrong, agent_name: "Eve" }),
      ];
      return answers.map(({ status, body }) => [status, body.errors[0].message]);
    };

    const refused = [422, "agent_model is not offered by OpenAI-Compatible. Choose another model."];
    expect(await messages(writer)).toEqual([refused, refused, refused]);
    expect(String(await messages(reader))).toContain("Similar models: gpt-4o");
  });

  it("is refused as a fallback, and when an agent is changed to it or to another provider", async () => {
    lists.set(HOST, models("gpt-4o"));
    const client = await userOf(HOST);
    await list(client);
    const made = await create(client, { agent_model: "gpt-4o" });
    expect([made.status, made.headers.get("x-warning")]).toEqual([201, null]);
    const change = async (body: object) =>
      (await client("PUT", `/agents/${made.body.agent_id}`, body)).body.errors?.[0].path;

    expect(await change({ agent_model: "nope" })).toEqual(["agent_model"]);
    expect(await change({ fallback_provider: "OpenAICompatible", fallback_model: "nope" })).toEqual([
      "fallback_model",
    ]);
    expect(await change({ agent_provider: "Demo", agent_model: "anything" })).toBeUndefined();
    expect(await change({ agent_provider: "OpenAICompatible" })).toEqual(["agent_model"]);
    expect(await change({ agent_provider: "OpenAICompatible", agent_model: "none" })).toBeUndefined();
  });

  it("remains where an agent already uses it, whatever else is changed", async () => {
    lists.set(HOST, models("old", "new"));
    const client = await userOf(HOST);
    await list(client);
    const sent = { agent_name: "Ada", agent_model: "old" };
    const made = await create(client, sent);
    lists.set(HOST, models("new"));
    await age(client);

    const changed = await client("PUT", `/agents/${made.body.agent_id}`, { ...sent, agent_persona: "Kind." });
    const again = await create(client, { ...sent, agent_persona: "Kind." });

    expect([changed.status, changed.headers.get("x-warning"), again.status]).toEqual([200, null, 200]);
  });

  it("is accepted with a warning as long as the list is not known, and checked the next time", async () => {
    const held = Promise.withResolvers<Response>();
    lists.set(HOST, () => held.promise);
    const client = await userOf(HOST);

    // The provider does not answer until the agent has been created.
    const creation = await client.raw("POST", "/agents", {
      ...ada,
      agent_provider: "OpenAICompatible",
      agent_model: "nope",
    });
    const { status, headers, body } = creation.response;
    expect([status, headers.get("x-warning")]).toEqual([201, NOT_KNOWN]);
    await body?.cancel();
    held.resolve(Response.json({ data: models("gpt-4o") }));
    await creation.ended();

    expect((await create(client, { agent_model: "nope" })).status).toBe(422);
    expect((await create(client, { agent_model: "gpt-4o" })).headers.get("x-warning")).toBeNull();
  });

  it("is accepted with a warning if the provider lists nothing", async () => {
    lists.set(HOST, []);
    const client = await userOf(HOST);
    await list(client);

    const { status, headers } = await create(client, { agent_model: "nope" });

    expect([status, headers.get("x-warning")]).toEqual([
      201,
      "agent_model was not checked: the provider lists no models.",
    ]);
  });

  it("is accepted with a warning if the list is longer than what is stored of it", async () => {
    lists.set(HOST, models(...Array.from({ length: 1_001 }, (_, n) => `model-${String(n)}-of-many`)));
    const client = await userOf(HOST);
    await list(client);

    const { status, headers } = await create(client, { agent_model: "model-1000-of-many" });

    expect([status, headers.get("x-warning")]).toEqual([
      201,
      "agent_model is not in the provider's list of models, which may be incomplete.",
    ]);
  });

  it.each([
    ["api.together.xyz", "/v1"],
    ["api.fireworks.ai", "/inference/v1"],
    ["me.openai.azure.com", ""],
  ])("is accepted with a warning at %s, whose list lacks what some keys can use", async (host, path) => {
    lists.set(host, models("gpt-4o"));
    const client = await userOf(host, path);
    await list(client);

    const { status, headers } = await create(client, { agent_model: "my-own" });

    expect([status, headers.get("x-warning")]).toEqual([
      201,
      "agent_model is not in the provider's list of models, which may be incomplete.",
    ]);
  });
});

describe("a list that is older than a minute", () => {
  /** The same app, for which the list in the isolate's memory is older than a minute, too. */
  const later = createApp(async (env) => {
    const ports = await portsFrom(env);
    return {
      ...ports,
      providerContext: { ...ports.providerContext, now: () => Date.now() + TWO_MINUTES },
    };
  });

  /** Creates an agent with a model that the stored list lacks, while the server answers like this. */
  async function createWith(answer: () => Promise<Response> | Response) {
    lists.set(HOST, models("gpt-4o"));
    const client = await userOf(HOST);
    await list(client);
    await age(client);
    lists.set(HOST, answer);
    const { status, headers } = await create(clientOf(client.token, client.email, later), {
      agent_model: "brand-new",
    });
    return [status, headers.get("x-warning")];
  }

  it("is requested again before a model is refused, which may be new", async () => {
    expect(await createWith(() => Response.json({ data: models("gpt-4o", "brand-new") }))).toEqual([
      201,
      null,
    ]);
    expect(await createWith(() => Response.json({ data: models("gpt-4o") }))).toEqual([422, null]);
  });

  it("refuses nothing if the provider does not answer", async () => {
    expect(await createWith(() => Promise.reject(new Error("down")))).toEqual([201, NOT_KNOWN]);
  });
});

it("forgets the list if the credentials change or are removed", async () => {
  lists.set(HOST, models("gpt-4o"));
  lists.set("other.example.com", models("qwen3-8b"));
  const client = await userOf(HOST);
  await list(client);
  await client("POST", "/settings/providers/OpenAICompatible", {
    base_url: "https://other.example.com/v1",
    api_key: "sk-1",
  });

  const first = await create(client, { agent_model: "qwen3-8b" });
  const second = await create(client, { agent_model: "gpt-4o" });

  expect([first.status, first.headers.get("x-warning"), second.status]).toEqual([201, NOT_KNOWN, 422]);
  await client("DELETE", "/settings/providers/OpenAICompatible");
  expect(await storedList(client)).toBeUndefined();
});

it("is named with similar ones to the owner whose turn fails, and without them to an end user", async () => {
  lists.set(HOST, models("gpt-4o-secret"));
  const owner = await userOf(HOST);
  const made = await create(owner, { agent_model: "gpt-4o" });
  const agentId: string = made.body.agent_id;
  const { body } = await owner("POST", "/conversations", { agent_id: agentId, title: "Talk" });
  const own = `/agents/${agentId}/${body.conversation_id}/send-message`;
  const endUser = await endUserOf(owner, agentId);
  const place = await beginOwnConversation(endUser, agentId);

  const [toOwner, toEndUser] = [await say(owner, own, "Hi"), await say(endUser, place.path, "Hi")];

  expect(toOwner.last?.content).toContain("Similar models: gpt-4o-secret.");
  expect(toEndUser.last?.content).toBe(
    "The model provider does not offer this agent's model. Please choose another model.",
  );
});

it("accepts OpenAI's fine-tuned and other listed models, and suggests only those that chat", async () => {
  lists.set("api.openai.com", models("gpt-4o", "gpt-4o-audio-preview", "my-company-model"));
  const client = await signUp();
  await client("POST", "/settings/providers/OpenAI", { api_key: `sk-${crypto.randomUUID()}` });
  const listed = await client("GET", "/llm/models/OpenAI");
  const make = async (agent_model: string) => create(client, { agent_provider: "OpenAI", agent_model });

  expect(listed.body.map(({ model_id: id }: { model_id: string }) => id)).toEqual(["gpt-4o"]);
  for (const model of ["ft:gpt-4o:me::1", "gpt-4o-audio-preview", "my-company-model"])
    expect((await make(model)).status).toBe(201);
  expect((await make("gpt-4o-audio")).body.errors[0].message).toBe(
    "agent_model is not offered by OpenAI. Similar models: gpt-4o.",
  );
});

it("refuses a model that is known to lack tools for an architecture that needs them, as forms do", async () => {
  lists.set(HOST, [
    { id: "reader", supported_parameters: ["temperature"] },
    { id: "caller", supported_parameters: ["tools"] },
  ]);
  const client = await userOf(HOST);
  await list(client);
  const form = await client("GET", "/agents/supported-models");

  const refused = await create(client, { agent_model: "reader" });
  const made = await create(client, { agent_model: "reader", agent_architecture: "krishna-mini" });
  const changed = await client("PUT", `/agents/${made.body.agent_id}`, {
    agent_architecture: "krishna-memgpt",
  });

  const options = form.body.form_inputs.find(({ name }: { name: string }) => name === "agent_model").options;
  expect(options.find(({ value }: { value: string }) => value === "reader").architectures).toEqual([
    "krishna-mini",
  ]);
  expect([refused.status, made.status, changed.status]).toEqual([422, 201, 422]);
  for (const { body } of [refused, changed])
    expect(body.errors).toEqual([
      {
        path: ["agent_model"],
        message:
          "agent_model can't call tools, which krishna-memgpt needs. Choose another model, or an architecture without tools.",
        code: "custom",
      },
    ]);
  expect((await create(client, { agent_model: "caller" })).status).toBe(201);
});

it("refuses a provider that does not exist with 422, and suggests the one that was meant", async () => {
  const client = await signUp();

  const { status, body } = await create(client, { agent_provider: "OpenAI-Compatible" });

  expect(status).toBe(422);
  expect(body.errors[0].message).toMatch(
    /^agent_provider must be one of: .*\. Did you mean `OpenAICompatible`\?$/u,
  );
});
