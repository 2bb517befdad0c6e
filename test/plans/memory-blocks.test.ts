import { expect, it } from "vitest";
import { beginConversation, type Client, signUp, signUpFree, table } from "../support/app.ts";
import { endUserOf } from "../support/callers.ts";
import { injectFault } from "../support/control.ts";

const LIMIT = 5;

async function someMemory(client: Client) {
  const { agentId } = await beginConversation(client);
  const path = `/agents/${agentId}/memory-blocks`;
  const create = (name: string, headers: Record<string, string> = {}, of = path) =>
    client("POST", of, { name, description: "About something", word_limit: 200 }, headers);
  return { agentId, path, create };
}

const names = (count: number) => Array.from({ length: count }, (_, index) => `block_${index}`);

async function customBlocks(client: Client, path: string) {
  const { body } = await client("GET", path);
  return (body as { is_default: boolean }[]).filter(({ is_default }) => !is_default);
}

it("refuses a custom block beyond the plan's limit", async () => {
  const client = await signUpFree();
  const { create, path } = await someMemory(client);
  for (const name of names(LIMIT)) expect((await create(name)).status).toBe(201);

  const { status, headers, body } = await create("another");

  expect([status, headers.get("retry-after")]).toEqual([429, null]);
  expect(body).toMatchObject({
    code: "limit-exceeded",
    detail: "Memory block limit reached (5). Upgrade to create more.",
    limit: 5,
    current: 5,
    tier: "free",
    upgrade_url: "https://app.example.com/pricing",
  });
  expect(headers.get("ratelimit")).toBe('"memory_blocks";r=0');
  expect(await customBlocks(client, path)).toHaveLength(LIMIT);

  // An existing name is a conflict, and a deletion makes room.
  expect((await create("block_1")).status).toBe(409);
  await client("DELETE", `${path}/block_1`);
  expect((await create("another")).status).toBe(201);
});

it("counts by agent and by person", async () => {
  const client = await signUpFree();
  const { agentId, create, path } = await someMemory(client);
  for (const name of names(LIMIT)) await create(name);
  await endUserOf(client, agentId, "visitor-1");

  expect((await create("mine")).status).toBe(429);
  expect((await create("theirs", {}, `${path}?end_user=visitor-1`)).status).toBe(201);
});

it("accepts exactly as many concurrent blocks as the limit allows", async () => {
  const client = await signUpFree();
  const { create, path } = await someMemory(client);

  const answers = await Promise.all(names(20).map((name) => create(name)));

  expect(answers.filter(({ status }) => status === 201)).toHaveLength(LIMIT);
  expect(answers.filter(({ status }) => status === 429)).toHaveLength(20 - LIMIT);
  expect(await customBlocks(client, path)).toHaveLength(LIMIT);
});

it("creates all of many concurrent blocks if there is no limit", async () => {
  const client = await signUp();
  const { create } = await someMemory(client);
  const answers = await Promise.all(names(10).map((name) => create(name)));
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 201));
});

it("returns the block of a repeated keyed request, even if it was the last one allowed", async () => {
  const client = await signUpFree();
  const { agentId, create } = await someMemory(client);
  for (const name of names(LIMIT - 1)) await create(name);
  const key = { "idempotency-key": crypto.randomUUID() };
  await injectFault({
    match: [`Agent#${agentId}#User#${client.email}`],
    operation: "TransactWriteItems",
    times: 4,
    fault: { kind: "lose-answer" },
  });

  expect((await create("last", key)).status).toBe(503);
  expect((await create("last", key)).status).toBe(201);
  expect((await create("beyond")).status).toBe(429);
  expect(
    await table.get({ pk: `Agent#${agentId}#User#${client.email}`, sk: "MemoryBlocks#custom" }),
  ).toMatchObject({
    creations: LIMIT,
  });
});
