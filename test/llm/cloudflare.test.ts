import { env } from "cloudflare:workers";
import { describe, expect, it, onTestFinished } from "vitest";
import { CLOUDFLARE } from "../../src/llm/cloudflare-provider.ts";
import { findProvider, providerNames } from "../../src/llm/providers.ts";
import { type AiBinding, workersAiFetch } from "../../src/llm/workers-ai.ts";
import { beginConversation, type Client, signUp, subscribe, table } from "../support/app.ts";
import { scriptModel } from "../support/control.ts";
import { say } from "../support/sse.ts";
import { contextOf } from "./protocols/protocol.ts";

const DAILY_TURNS = 3;
const never = new AbortController().signal;
const { AI: ai } = env as { readonly AI?: AiBinding };

const cloudflare = () => {
  const provider = findProvider(CLOUDFLARE, false, true);
  if (!provider) throw new Error("The provider is not offered");
  return provider;
};

const dayOfCount = ({ email }: Client, turns: number) =>
  table.put({
    pk: `User#${email}`,
    sk: `TurnsCloudflare#${new Date().toISOString().slice(0, 10)}`,
    turns,
  });
const turnsOf = async ({ email }: Client) =>
  (await table.query(`User#${email}`, { range: { beginsWith: "TurnsCloudflare#" } })).map(
    ({ turns }) => turns,
  );

const withModel = (client: Client, model: string, more: Record<string, unknown> = {}) =>
  beginConversation(client, { agent_provider: CLOUDFLARE, agent_model: model, ...more });

describe("the provider Cloudflare", () => {
  it("is offered only if the deployment has the binding", () => {
    expect(providerNames(false, true)).toContain(CLOUDFLARE);
    expect(providerNames(true)).not.toContain(CLOUDFLARE);
  });

  it("answers a new account without a key, three turns long, with two tool calls that change the memory", async () => {
    const client = await signUp();
    const edit = (content: string) => ({
      call: { name: "core_memory_append", arguments: JSON.stringify({ block: "human", content }) },
    });
    const model = await scriptModel(
      [edit("Name: Ada."), edit("Likes tea.")],
      [{ text: "Noted." }],
      [{ text: "Second." }],
      [{ text: "Third." }],
    );
    const { path } = await withModel(client, model.name);

    for (const text of ["Noted.", "Second.", "Third."])
      expect((await say(client, path, "Hi")).text).toBe(text);

    const { requests } = await model.log();
    const last = JSON.stringify(requests.at(-1)?.body);
    expect(last).toContain("Name: Ada.");
    expect(last).toContain("Likes tea.");
    expect(await turnsOf(client)).toEqual([3]);
  });

  it.each(["quota", "thrown"])(
    "reports that the allocation is used up, however the binding says so: %s",
    async (name) => {
      const model = cloudflare().open({}, name, {}, contextOf({ ai }));

      const answer = Array.fromAsync(
        model.stream({ messages: [{ role: "user", content: "Hi" }], tools: [] }, never),
      );

      await expect(answer).rejects.toMatchObject({
        code: "provider-quota",
        message: expect.stringContaining("This service's allocation at Cloudflare Workers AI is used up."),
      });
    },
  );

  it("lists the models of the binding, with their windows and whether they can call tools", async () => {
    expect(await cloudflare().listModels({}, contextOf({ ai }), never)).toEqual([
      { id: "@cf/a/able", name: "able", contextTokens: 9_000, tools: true },
      { id: "@cf/a/unable", name: "unable", contextTokens: 9_000, tools: false },
    ]);
  });

  it("embeds texts in their order", async () => {
    const vectors = await cloudflare()
      .openEmbedder({}, contextOf({ ai }))
      ?.embed(["cat", "car", "kitten"], never);

    expect(vectors?.map(({ length }) => length)).toEqual([8, 8, 8]);
    expect(vectors?.[2]).toEqual(vectors?.[0]);
    expect(vectors?.[1]).not.toEqual(vectors?.[0]);
  });

  it("searches memories by meaning, and counts their texts among those that the deployment pays for", async () => {
    const client = await signUp();
    const { agentId } = await withModel(client, "any");
    const base = `/agents/${agentId}/archival-memory`;
    await client("POST", base, { content: "My kitten sleeps" });

    expect((await client("GET", `${base}/search?query=cat`)).body).toMatchObject({ total: 1, notes: [] });
    const counts = await table.query(`User#${client.email}`, { range: { beginsWith: "UsageEmbeddings#" } });
    expect(counts).toHaveLength(1);
  });
});

describe("a turn of Cloudflare's models", () => {
  it("is refused beyond the day's limit before a model is called", async () => {
    const client = await signUp();
    await dayOfCount(client, DAILY_TURNS);
    const model = await scriptModel([{ text: "Never." }]);
    const { path } = await withModel(client, model.name);

    const { status, headers, body } = await say(client, path, "Hi");

    expect(status).toBe(429);
    expect(body).toMatchObject({ code: "limit-exceeded", limit: DAILY_TURNS, current: DAILY_TURNS });
    expect(headers.get("ratelimit")).toMatch(/^"cloudflare_turns";r=0;t=\d+$/u);
    expect((await model.log()).requests).toEqual([]);
  });

  it("is counted exactly, however many begin at the same time", async () => {
    const client = await signUp();
    const model = await scriptModel(...Array.from({ length: 6 }, () => [{ text: "Yes." }]));
    const talks = await Promise.all(Array.from({ length: 6 }, () => withModel(client, model.name)));

    await Promise.all(talks.map(({ path }) => say(client, path, "Hi")));

    expect((await model.log()).requests).toHaveLength(DAILY_TURNS);
    expect(await turnsOf(client)).toEqual([DAILY_TURNS]);
  });

  it("is answered by the fallback of another provider beyond the limit", async () => {
    const client = await signUp();
    await dayOfCount(client, DAILY_TURNS);
    const model = await scriptModel([{ text: "From the fallback." }]);
    const fallback = { fallback_provider: "Demo", fallback_model: model.name };
    const { path } = await withModel(client, "quota", fallback);

    expect((await say(client, path, "Hi")).text).toBe("From the fallback.");
  });

  it("of another provider is not counted, even if Cloudflare is its fallback", async () => {
    const client = await signUp();
    await subscribe(client, { plan: "enterprise" });
    const model = await scriptModel([{ text: "Mine." }]);
    const more = { agent_provider: "Demo", fallback_provider: CLOUDFLARE };
    const { path } = await withModel(client, model.name, more);

    expect((await say(client, path, "Hi")).text).toBe("Mine.");
    expect(await turnsOf(client)).toEqual([]);
  });
});

it("ends at once when a request is aborted, even if the binding goes on", async () => {
  const binding: AiBinding = {
    run: () => Promise.withResolvers<never>().promise,
    models: () => Promise.resolve([]),
  };
  const abort = new AbortController();
  const sent = workersAiFetch(binding)("https://x.invalid", { body: '{"model":"m"}', signal: abort.signal });

  abort.abort(new Error("No longer wanted"));

  await expect(sent).rejects.toThrow("No longer wanted");
});

it("drops a response that arrives after the abort, even if its body has failed", async () => {
  const { promise, resolve } = Promise.withResolvers<Response>();
  const binding: AiBinding = { run: () => promise, models: () => Promise.resolve([]) };
  const abort = new AbortController();
  const sent = workersAiFetch(binding)("https://x.invalid", { body: '{"model":"m"}', signal: abort.signal });
  abort.abort(new Error("No longer wanted"));
  await expect(sent).rejects.toThrow("No longer wanted");
  const unhandled: unknown[] = [];
  const note = (event: PromiseRejectionEvent) => {
    event.preventDefault();
    unhandled.push(event.reason);
  };
  addEventListener("unhandledrejection", note);
  onTestFinished(() => removeEventListener("unhandledrejection", note));

  resolve(new Response(new ReadableStream({ start: (controller) => controller.error(new Error("reset")) })));
  await new Promise((done) => setTimeout(done, 0));

  expect(unhandled).toEqual([]);
});
