import { expect, it } from "vitest";
import { beginConversation, type Client, signUp, signUpFree, table } from "../support/app.ts";
import { beginOwnConversation, endUserOf } from "../support/callers.ts";
import { injectFault, scriptModel } from "../support/control.ts";
import { setLimits } from "../support/limits.ts";
import { say } from "../support/sse.ts";
import { archived, FULL, fullBlock, ok, summary, turnsOf } from "../memory/full-block.ts";

async function archiveOf(client: Client, agent: Record<string, unknown> = {}) {
  const { agentId, path: talk } = await beginConversation(client, agent);
  const path = `/agents/${agentId}/archival-memory`;
  const pk = `Agent#${agentId}#User#${client.email}`;
  return {
    agentId,
    talk,
    path,
    pk,
    store: (content: string, headers: Record<string, string> = {}) =>
      client("POST", path, { content }, headers),
    tally: () => table.get({ pk, sk: "ArchivalUsage" }),
    stored: async () => (await table.query(pk, { range: { beginsWith: "Archival#" } })).length,
  };
}

/** Memories from before counting began. */
const uncounted = (pk: string, contents: readonly string[]) =>
  table.batchWrite(
    contents.map((content, index) => ({
      put: { pk, sk: `Archival#2026-01-29T11:51:36.12345${index}+00:00#old-${index}`, content },
    })),
  );

it("counts memories and their bytes as they are stored, changed and deleted", async () => {
  const client = await signUp();
  const { path, store, tally } = await archiveOf(client);
  const { body } = await store("Tea");
  await store("Grüner Tee");
  // The same memory again does not count.
  await store("Tea");
  expect(await tally()).toMatchObject({ memories: 2, bytes: 3 + 11 });

  await client("PATCH", `${path}/${body.memory_id}`, { content: "Black tea" });
  expect(await tally()).toMatchObject({ memories: 2, bytes: 9 + 11 });
  await client("DELETE", `${path}/${body.memory_id}`);
  await client("DELETE", `${path}/${body.memory_id}`);
  expect(await tally()).toMatchObject({ memories: 1, bytes: 11 });
});

it("refuses the memory beyond the plan's limit, and accepts one again after another was deleted", async () => {
  setLimits("free", { archival_memories: 2 });
  const client = await signUpFree();
  const { path, store, stored } = await archiveOf(client);
  const { body: first } = await store("One");
  await store("Two");

  const { status, headers, body } = await store("Three");

  expect([status, headers.get("retry-after")]).toEqual([429, null]);
  expect(body).toMatchObject({
    code: "limit-exceeded",
    detail: "Archival memory limit reached (2 memories). Delete some, or upgrade for more.",
    limit: 2,
    current: 2,
    tier: "free",
    resets_at: null,
    upgrade_url: "https://app.example.com/pricing",
  });
  expect(headers.get("ratelimit")).toBe('"archival_memories";r=0');
  expect(await stored()).toBe(2);
  // An existing memory does not count again.
  expect((await store("One")).status).toBe(200);

  await client("DELETE", `${path}/${first.memory_id}`);
  expect((await store("Three")).status).toBe(201);
});

it("refuses bytes beyond the plan's limit, but no change that makes a memory shorter", async () => {
  setLimits("free", { memory_bytes: 10 });
  const client = await signUpFree();
  const { path, store, tally } = await archiveOf(client);
  const { body: memory } = await store("12345678");

  const refused = await store("123");
  expect([refused.status, refused.body]).toMatchObject([429, { limit: 10, current: 8 }]);
  const longer = await client("PATCH", `${path}/${memory.memory_id}`, { content: "12345678901" });
  expect([longer.status, longer.body]).toMatchObject([429, { limit: 10, current: 8 }]);

  setLimits("free", { memory_bytes: 4 });
  expect((await client("PATCH", `${path}/${memory.memory_id}`, { content: "1234567" })).status).toBe(200);
  expect(await tally()).toMatchObject({ memories: 1, bytes: 7 });
});

it("accepts exactly three of many concurrent memories at three below the limit", async () => {
  setLimits("free", { archival_memories: 5 });
  const client = await signUpFree();
  const { store, stored, tally } = await archiveOf(client);
  await store("One");
  await store("Two");

  const answers = await Promise.all(
    Array.from({ length: 100 }, async (_, index) => {
      // The database of a busy machine may not answer all of them, so each is repeated until it is answered.
      for (;;) {
        const answer = await store(`Fact ${index}`);
        if (answer.status !== 503) return answer.status;
      }
    }),
  );

  expect(answers.filter((status) => status !== 429)).toEqual([201, 201, 201]);
  expect([await stored(), await tally()]).toMatchObject([5, { memories: 5 }]);
});

it("counts memories from before counting began, even if many are stored concurrently", async () => {
  const client = await signUpFree();
  const { pk, store, stored, tally } = await archiveOf(client);
  await uncounted(pk, ["a", "bb", "ccc"]);
  // There was no limit then, so the count covers only the memories since.
  expect((await store("dddd")).status).toBe(201);
  expect(await tally()).toMatchObject({ memories: 1, bytes: 4 });

  setLimits("free", { archival_memories: 6 });
  const answers = await Promise.all(Array.from({ length: 12 }, (_, index) => store(`e${index}`)));

  expect(answers.filter(({ status }) => status === 201)).toHaveLength(2);
  expect(answers.filter(({ status }) => status === 429)).toHaveLength(10);
  expect([await stored(), await tally()]).toMatchObject([6, { memories: 6 }]);
});

it("counts a memory with a lost answer once, and returns it to the repeat even if it was the last one allowed", async () => {
  setLimits("free", { archival_memories: 1 });
  const client = await signUpFree();
  const { agentId, store, tally } = await archiveOf(client);
  const key = { "idempotency-key": crypto.randomUUID() };
  // The first attempt counts the existing memories, of which there are none; the second one stores.
  expect((await store("Zero")).status).toBe(201);
  setLimits("free", { archival_memories: 2 });
  await injectFault({
    match: [`Agent#${agentId}#User#${client.email}`],
    operation: "TransactWriteItems",
    times: 4,
    fault: { kind: "lose-answer" },
  });

  expect((await store("One", key)).status).toBe(503);
  expect((await store("One", key)).status).toBe(200);
  expect(await tally()).toMatchObject({ memories: 2 });
  expect((await store("Two")).status).toBe(429);
});

it("reports the refusal to the model, and the turn continues", async () => {
  setLimits("free", { archival_memories: 1 });
  const client = await signUpFree();
  const insert = (content: string) => ({
    call: { name: "archival_memory_insert", arguments: JSON.stringify({ content }) },
  });
  const model = await scriptModel([insert("One"), insert("Two")], [{ text: "Noted." }]);
  const { talk, stored } = await archiveOf(client, { agent_model: model.name });

  const { events, text } = await say(client, talk, "Remember two things");

  expect(text).toBe("Noted.");
  const results = events.filter(({ event_type }) => event_type === "TOOL_CALL_RESULT");
  expect(results.map(({ success }) => success)).toEqual([true, false]);
  expect(results[1]?.content).toBe(
    "Error: Archival memory limit reached (1 memories). Delete some, or upgrade for more.",
  );
  expect(await stored()).toBe(1);
});

it("lets a compaction archive the lines of a block, whatever the limit", async () => {
  setLimits("enterprise", { archival_memories: 1 });
  const memory = await fullBlock([ok, ok, ok, summary]);
  for (const turn of [1, 2]) {
    await memory.turn();
    await expect.poll(() => turnsOf(memory)).toBe(turn);
  }
  await memory.turn();

  await expect.poll(async () => (await archived(memory)).length).toBe(FULL.length);
  const more = await memory.client("POST", `/agents/${memory.agentId}/archival-memory`, { content: "More" });
  expect([more.status, more.body]).toMatchObject([429, { current: FULL.length, limit: 1 }]);
});

it("deletes the count with the agent", async () => {
  const client = await signUp();
  const { agentId, store, tally } = await archiveOf(client);
  await store("One");
  await client("DELETE", `/agents/${agentId}`);
  expect(await tally()).toBeUndefined();
});

it("reports in the account's usage what an agent has stored about a person, and the limits for it", async () => {
  setLimits("free", { archival_memories: 50, memory_bytes: 1_000 });
  const client = await signUpFree();
  const { agentId, pk, store } = await archiveOf(client, { end_user_messages_per_month: 7 });
  await uncounted(pk, ["a", "bb"]);
  await store("ccc");
  const visitor = await endUserOf(client, agentId);
  await say(visitor, (await beginOwnConversation(visitor, agentId)).path, "Hello");

  const own = await client("GET", `/usage?agent_id=${agentId}`);
  expect(own.body).toMatchObject({
    limits: { archival_memories: 50, memory_bytes: 1_000, end_user_messages: 7 },
    agent: {
      agent_id: agentId,
      end_user_id: null,
      archival_memories: 3,
      memory_bytes: 6,
      end_user_messages: null,
    },
  });
  const theirs = await client("GET", `/usage?agent_id=${agentId}&end_user=${visitor.endUserId}`);
  expect(theirs.body.agent).toMatchObject({ archival_memories: 0, memory_bytes: 0, end_user_messages: 1 });

  expect((await client("GET", "/usage")).body).not.toHaveProperty("agent");
  expect((await client("GET", `/usage?agent_id=${agentId}&end_user=nobody`)).status).toBe(404);
  const stranger = await signUpFree();
  expect((await stranger("GET", `/usage?agent_id=${agentId}`)).status).toBe(404);
});
