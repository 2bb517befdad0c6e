import { runInDurableObject } from "cloudflare:test";
import { describe, expect, inject, it } from "vitest";
import { beginConversation, type Client, signUp } from "../support/app.ts";
import { embeddingModel } from "../support/control.ts";
import { withModel } from "./embedded.ts";
import { testMemory } from "./memories.ts";

type Memory = ReturnType<typeof testMemory>;

const storageOf = <T>(memory: Memory, use: (storage: DurableObjectStorage) => Promise<T> | T): Promise<T> =>
  runInDurableObject(memory.index(), (_, { storage }) => use(storage));

/** Changes the stored failures, because no test waits for hours. */
const setFailures = (memory: Memory, path: "$.at" | "$.count", value: number) =>
  storageOf(memory, ({ sql }) => {
    sql.exec("UPDATE vector_state SET value = json_set(value, ?, ?) WHERE name = 'failures'", path, value);
  });

const alarmOf = (memory: Memory) => storageOf(memory, (storage) => storage.getAlarm());

describe("the status over HTTP", () => {
  const statusOf = (client: Client, agentId: string, query = "") =>
    client("GET", `/agents/${agentId}/archival-memory/status${query}`);

  it("starts the embedding of the owner's and of an end user's memories, and counts each", async () => {
    const client = await signUp();
    const model = embeddingModel();
    await client("POST", "/settings/providers/OpenAICompatible", {
      base_url: inject("embeddings"),
      api_key: "key",
      model: "chat",
      embedding_model: model.name,
    });
    const { agentId } = await beginConversation(client, { agent_provider: "OpenAICompatible" });
    await client("POST", `/agents/${agentId}/client-tokens`, { end_user_id: "visitor" });
    const path = `/agents/${agentId}/archival-memory`;
    const items = [{ content: "My kitten" }, { content: "My car" }];
    await client("POST", `${path}/batch`, { items });
    await client("POST", `${path}?end_user=visitor`, { content: "Their kitten" });

    const whole = (memories: number) => ({
      memories,
      indexed: memories,
      embedded: memories,
      model: expect.stringContaining(model.name),
      last_error: null,
    });
    await expect.poll(async () => (await statusOf(client, agentId)).body).toEqual(whole(2));
    await expect
      .poll(async () => (await statusOf(client, agentId, "?end_user=visitor")).body)
      .toEqual(whole(1));
  });

  it("says that there is no model if the provider offers none", async () => {
    const client = await signUp();
    const { agentId } = await beginConversation(client);
    await client("POST", `/agents/${agentId}/archival-memory`, { content: "My kitten" });

    expect(await statusOf(client, agentId)).toMatchObject({
      status: 200,
      body: { memories: 1, indexed: 1, embedded: 0, model: null, last_error: null },
    });
  });

  it("is refused for the agent of another account", async () => {
    const { agentId } = await beginConversation(await signUp());

    expect((await statusOf(await signUp(), agentId)).status).toBe(404);
  });
});

describe("a failing embeddings server", () => {
  it("is called again by alarms, which continue where the failed object stopped", async () => {
    const memory = testMemory();
    const model = embeddingModel();
    await memory.plant(...Array.from({ length: 100 }, (_, n) => `kitten ${n}`));
    await withModel(memory, model.name, ({ search }) => search("cat"));
    await model.setFault({ kind: "status", status: 401 });

    await withModel(memory, model.name, async ({ alarm, status }) => {
      await alarm();
      expect(await status()).toMatchObject({
        indexed: 100,
        embedded: 96,
        lastError: { message: expect.stringMatching(/\w/u), at: expect.any(Number) },
      });
    });
    expect(await alarmOf(memory)).not.toBeNull();

    await model.setFault(null);
    await setFailures(memory, "$.at", 0);
    await withModel(memory, model.name, async ({ alarm, status }) => {
      await alarm();
      expect(await status()).toMatchObject({ embedded: 100, lastError: null });
    });
    const texts = (await model.requests()).flatMap(({ body }) => body.input);
    expect(texts.filter((text) => text === "kitten 99")).toHaveLength(1);
  });

  it("is not called by an alarm before its time", async () => {
    const memory = testMemory();
    const model = embeddingModel();
    await model.setFault({ kind: "status", status: 401 });
    await memory.plant("My kitten");
    await withModel(memory, model.name, ({ search }) => search("cat"));
    const asked = (await model.requests()).length;

    await withModel(memory, model.name, ({ alarm }) => alarm());

    expect((await model.requests()).length).toBe(asked);
  });

  it("is left to searches after ten failures", async () => {
    const memory = testMemory();
    const model = embeddingModel();
    await model.setFault({ kind: "status", status: 401 });
    await memory.plant("My kitten");
    await withModel(memory, model.name, ({ search }) => search("cat"));
    expect(await alarmOf(memory)).not.toBeNull();
    await storageOf(memory, (storage) => storage.deleteAlarm());

    await setFailures(memory, "$.count", 10);
    await withModel(memory, model.name, ({ search }) => search("cat"));

    expect(await alarmOf(memory)).toBeNull();
    await model.setFault(null);
    expect(await withModel(memory, model.name, ({ find }) => find("cat"))).toEqual(["My kitten"]);
  });
});

it("embeds up to 96 memories with one request", async () => {
  const memory = testMemory();
  const model = embeddingModel();
  await memory.plant(...Array.from({ length: 200 }, (_, n) => `kitten ${n}`));

  await withModel(memory, model.name, async ({ search, alarm }) => {
    await search("cat");
    await alarm();
  });

  const sizes = (await model.requests()).map(({ body }) => body.input.length).filter((size) => size > 1);
  expect(sizes).toEqual([96, 96, 8]);
});
