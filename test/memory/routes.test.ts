import { describe, expect, it } from "vitest";
import { beginConversation, signUp, table } from "../support/app.ts";
import { databaseRequests, endFaults, injectFault, untilMet } from "../support/control.ts";
import { absentPlace, problem } from "../http/route-cases.ts";
import { agentMemory, plantContent } from "./agent-memory.ts";
import { untilAnswered } from "../support/runs.ts";

const STAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00$/u;

describe("the memory blocks of an agent", () => {
  it("are initially the two default ones", async () => {
    const client = await signUp();
    const { path } = await agentMemory(client);

    const { status, body } = await client("GET", path);

    const empty = {
      word_limit: 5_000,
      is_default: true,
      word_count: 0,
      capacity_percent: 0,
      created_at: expect.stringMatching(STAMP),
    };
    expect(status).toBe(200);
    expect(body).toEqual([
      { ...empty, block_name: "human", name: "human", description: "Facts about the user" },
      { ...empty, block_name: "persona", name: "persona", description: "Your traits and characteristics" },
    ]);
    expect((await client("GET", path)).body).toEqual(body);
  });

  it("are stored as the legacy Python service would, without contents", async () => {
    const client = await signUp();
    const { agentId, pk, common, path } = await agentMemory(client);

    const { body } = await client("GET", path);

    const definition = (name: string, description: string) => ({
      pk,
      sk: `MemoryBlockDef#${agentId}:${client.email}:${name}`,
      ...common,
      block_id: `${agentId}:${client.email}:${name}`,
      block_name: name,
      description,
      word_limit: 5_000,
      is_default: true,
      created_at: body[0].created_at,
    });
    expect(await table.query(pk)).toEqual([
      definition("human", "Facts about the user"),
      definition("persona", "Your traits and characteristics"),
    ]);
  });

  it("are created once, however many concurrent reads there are", async () => {
    const client = await signUp();
    const { pk, path } = await agentMemory(client);

    const answers = await Promise.all(Array.from({ length: 8 }, () => client("GET", path)));

    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 8 }, () => 200));
    for (const { body } of answers)
      expect(body.map((block: { block_name: string }) => block.block_name)).toEqual(["human", "persona"]);
    expect(await table.query(pk)).toHaveLength(2);
  });

  it("are created once if the answer of the database is lost", async () => {
    const client = await signUp();
    const { pk, path } = await agentMemory(client);
    const fault = { kind: "lose-answer" } as const;
    await injectFault({ match: [pk], operation: "TransactWriteItems", fault });

    expect((await client("GET", path)).status).toBe(200);
    expect(await table.query(pk)).toHaveLength(2);
  });

  it("are only read if they exist", async () => {
    const client = await signUp();
    const { pk, path } = await agentMemory(client);
    await client("GET", path);
    const before = (await databaseRequests(pk)).length;

    await client("GET", path);

    const requests = (await databaseRequests(pk)).slice(before);
    expect(requests.map(({ operation }) => operation)).toEqual(["Query"]);
  });

  it("are sorted by name, including custom ones of the legacy Python service", async () => {
    const client = await signUp();
    const agent = await agentMemory(client);
    await client("GET", agent.path);
    await table.put({
      pk: agent.pk,
      sk: `MemoryBlockDef#${agent.agentId}:${client.email}:jobs`,
      ...agent.common,
      block_name: "jobs",
      description: "Where the user has worked",
      word_limit: 200,
      is_default: false,
      created_at: "2025-06-01T10:00:00.000123+00:00",
    });
    await plantContent(agent, "jobs", ["Google until 2020", "", "  Acme,  since then "]);

    const { body } = await client("GET", agent.path);

    expect(body).toHaveLength(3);
    expect(body[1]).toEqual({
      block_name: "jobs",
      name: "jobs",
      description: "Where the user has worked",
      word_limit: 200,
      is_default: false,
      word_count: 6,
      capacity_percent: 3,
      created_at: "2025-06-01T10:00:00.000123+00:00",
    });
  });

  it("belong to one account, which can't see those of another", async () => {
    const client = await signUp();
    const agent = await agentMemory(client);
    const stranger = { ...agent, pk: `Agent#${agent.agentId}#User#visitor-1` };
    await plantContent(stranger, "human", ["Somebody else"]);
    await table.put({ pk: stranger.pk, sk: "MemoryBlockDef#x", block_name: "theirs" });

    const { body } = await client("GET", agent.path);

    expect(body.map((block: { block_name: string }) => block.block_name)).toEqual(["human", "persona"]);
    expect((await client("GET", `${agent.path}/human/content`)).body.lines).toEqual([]);
  });

  it("are empty for an agent that replaces a deleted one", async () => {
    const client = await signUp();
    const agent = await agentMemory(client);
    await plantContent(agent, "human", ["Name: Alice"]);
    await client("GET", agent.path);
    await client("DELETE", `/agents/${agent.agentId}`);

    const { status, body } = await client("GET", agent.path);

    expect(status).toBe(404);
    expect(body).toEqual(problem(404, "not-found", "Agent not found"));
    expect(await table.query(agent.pk)).toEqual([]);
  });

  it("are not created for an agent that is deleted concurrently", async () => {
    const client = await signUp();
    const { agentId, pk, path } = await agentMemory(client);
    const fault = { kind: "hold" } as const;
    await injectFault({ match: [pk], operation: "TransactWriteItems", times: 5, fault });

    const reading = client("GET", path);
    await untilMet();
    await client("DELETE", `/agents/${agentId}`);
    await endFaults();
    await reading;
    await untilAnswered(pk);

    expect(await table.query(pk)).toEqual([]);
  });

  it("are not created for an account that has no such agent", async () => {
    const [owner, stranger] = await Promise.all([signUp(), signUp()]);
    const { agentId, path } = await agentMemory(owner);

    const { status, body } = await stranger("GET", path);

    expect(status).toBe(404);
    expect(body).toEqual(problem(404, "not-found", "Agent not found"));
    expect(await table.query(`Agent#${agentId}#User#${stranger.email}`)).toEqual([]);
  });
});

describe("the content of a memory block", () => {
  it("is initially empty, even before the blocks were read", async () => {
    const client = await signUp();
    const { path } = await agentMemory(client);

    const { status, body } = await client("GET", `${path}/persona/content`);

    expect(status).toBe(200);
    expect(body).toEqual({
      block_name: "persona",
      name: "persona",
      lines: [],
      word_count: 0,
      word_limit: 5_000,
      capacity_percent: 0,
      is_default: true,
    });
  });

  it("has its lines, and counts their words", async () => {
    const client = await signUp();
    const agent = await agentMemory(client);
    await client("GET", agent.path);
    await plantContent(agent, "human", ["Name: Alice", "Works at:  Google ", ""]);

    const { status, body } = await client("GET", `${agent.path}/human/content`);

    expect(status).toBe(200);
    expect(body).toEqual({
      block_name: "human",
      name: "human",
      lines: ["Name: Alice", "Works at:  Google ", ""],
      word_count: 5,
      word_limit: 5_000,
      capacity_percent: 0.1,
      is_default: true,
    });
  });

  it("can be above 100 % of its limit, and is at 0 % without one", async () => {
    const client = await signUp();
    const agent = await agentMemory(client);
    for (const [name, limit] of [
      ["full", 2],
      ["free", 0],
    ] as const) {
      const sk = `MemoryBlockDef#${agent.agentId}:${client.email}:${name}`;
      await table.put({ pk: agent.pk, sk, block_name: name, word_limit: limit });
      await plantContent(agent, name, ["one two three"]);
    }

    const percentOf = async (name: string) =>
      (await client("GET", `${agent.path}/${name}/content`)).body.capacity_percent;

    expect([await percentOf("full"), await percentOf("free")]).toEqual([150, 0]);
  });

  it.each(["jobs", "HUMAN", "human ", "MemoryBlockDef", "__proto__", "x".repeat(1_100)])(
    "returns 404 for a name that no block has: %s",
    async (name) => {
      const client = await signUp();
      const { path } = await agentMemory(client);

      const { status, body } = await client("GET", `${path}/${encodeURIComponent(name)}/content`);

      expect(status).toBe(404);
      expect(body).toEqual(problem(404, "not-found", `Memory block '${name}' not found`));
    },
  );

  it("returns 404 for an agent that is absent or another account's, before reading any block", async () => {
    const [owner, stranger] = await Promise.all([signUp(), signUp()]);
    const { path } = await agentMemory(owner);

    for (const forbidden of [path, `/agents/${absentPlace().agentId}/memory-blocks`])
      for (const name of ["human", "jobs"]) {
        const { status, body } = await stranger("GET", `${forbidden}/${name}/content`);
        expect(status).toBe(404);
        expect(body).toEqual(problem(404, "not-found", "Agent not found"));
      }
  });
});

it("creates no memory for a deactivated account", async () => {
  const client = await signUp();
  const { agentId } = await beginConversation(client);
  await table.update({ pk: `User#${client.email}`, sk: "User#Metadata" }, { set: { status: "inactive" } });

  const { status } = await client("GET", `/agents/${agentId}/memory-blocks`);

  expect(status).toBe(403);
  expect(await table.query(`Agent#${agentId}#User#${client.email}`)).toEqual([]);
});
