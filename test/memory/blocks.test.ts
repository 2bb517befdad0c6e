import { describe, expect, it } from "vitest";
import { ada, signUp, table } from "../support/app.ts";
import { endFaults, injectFault, untilMet } from "../support/control.ts";
import { problem } from "../http/route-cases.ts";
import {
  agentMemory,
  summaryOf,
  jobs,
  plantContent,
  storedVersions,
  turnWith,
  withJobs,
} from "./agent-memory.ts";

const STAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00$/u;
const namesOf = (body: readonly { block_name: string }[]) => body.map(({ block_name }) => block_name);

describe("creating a block", () => {
  it("returns it, empty, and stores its definition as the legacy Python service would", async () => {
    const client = await signUp();
    const { agentId, pk, path, common } = await agentMemory(client);

    const { status, body } = await client("POST", path, jobs);

    expect(status).toBe(201);
    expect(body).toEqual({
      block_name: "jobs",
      name: "jobs",
      description: "Where the user has worked",
      word_limit: 100,
      is_default: false,
      word_count: 0,
      capacity_percent: 0,
      created_at: expect.stringMatching(STAMP),
    });
    const id = `${agentId}:${client.email}:jobs`;
    expect(await table.get({ pk, sk: `MemoryBlockDef#${id}` })).toEqual({
      pk,
      sk: `MemoryBlockDef#${id}`,
      ...common,
      block_id: id,
      block_name: "jobs",
      description: "Where the user has worked",
      word_limit: 100,
      is_default: false,
      created_at: body.created_at,
    });
  });

  it("keeps the default blocks, even in a memory that was never read", async () => {
    const client = await signUp();
    const { path } = await withJobs(client);

    expect(namesOf((await client("GET", path)).body)).toEqual(["human", "jobs", "persona"]);
  });

  it("accepts forms: numbers as text, and an empty text for an absent value", async () => {
    const client = await signUp();
    const { path } = await agentMemory(client);

    const some = await client("POST", path, { name: "a", description: " A ", word_limit: "50000" });
    const none = await client("POST", path, { name: "b", description: "B\nb", word_limit: "" });

    expect([some.body.word_limit, some.body.description]).toEqual([50_000, "A"]);
    expect([none.body.word_limit, none.body.description]).toEqual([5_000, "B b"]);
  });

  it.each([
    ["name", ""],
    ["name", "Jobs"],
    ["name", "1st"],
    ["name", "a b"],
    ["name", "a\n"],
    ["name", "x".repeat(51)],
    ["description", " "],
    ["description", "x".repeat(201)],
    ["word_limit", 99],
    ["word_limit", 50_001],
    ["word_limit", 100.5],
    ["word_limit", "many"],
  ])("refuses the %s %j", async (member, value) => {
    const client = await signUp();
    const { path, pk } = await agentMemory(client);

    const { status, body } = await client("POST", path, { ...jobs, [member]: value });

    expect(status).toBe(422);
    expect(body.errors[0].path).toEqual([member]);
    expect(await table.query(pk)).toEqual([]);
  });

  it("refuses a taken name, and does not change the block that has it", async () => {
    const client = await signUp();
    const { path, put, block } = await withJobs(client);
    await put(["Google"]);

    for (const name of ["jobs", "human"]) {
      const { status, body } = await client("POST", path, { ...jobs, name, description: "Other" });
      expect(status).toBe(409);
      expect(body).toEqual(problem(409, "conflict", `Memory block '${name}' already exists`));
    }
    expect((await client("GET", `${block}/content`)).body.lines).toEqual(["Google"]);
  });

  it("reserves the default names even if a default block is missing", async () => {
    const client = await signUp();
    const { path, pk, common } = await agentMemory(client);
    await table.put({ pk, sk: "MemoryBlockDef#old", ...common, block_name: "old", description: "Old" });

    const { status, body } = await client("POST", path, { ...jobs, name: "persona" });

    expect(status).toBe(409);
    expect(body).toEqual(problem(409, "conflict", "'persona' is a reserved block name"));
  });

  it("happens once, however many concurrent requests there are", async () => {
    const client = await signUp();
    const { path } = await agentMemory(client);

    const answers = await Promise.all(Array.from({ length: 6 }, () => client("POST", path, jobs)));

    const others = Array.from({ length: 5 }, () => 409);
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, ...others]);
  });

  it("happens once per idempotency key, with the same response", async () => {
    const client = await signUp();
    const { path } = await agentMemory(client);
    const key = { "idempotency-key": "make-jobs" };

    const answers = await Promise.all([1, 2, 3].map(() => client("POST", path, jobs, key)));

    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201]);
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    const other = await client("POST", path, { ...jobs, name: "more" }, key);
    expect([other.status, other.body.code]).toEqual([422, "idempotency-mismatch"]);
  });

  it("succeeds for a repeated request whose first attempt died before the response", async () => {
    const client = await signUp();
    const { path } = await agentMemory(client);
    const key = { "idempotency-key": "make-jobs" };
    const first = await client("POST", path, jobs, key);
    const [record] = await table.query(`User#${client.email}`, { range: { beginsWith: "Idempotency#" } });
    const unanswered = { set: { claimed_at: 0 }, remove: ["status", "answer"] };
    await table.update({ pk: `User#${client.email}`, sk: String(record?.sk) }, unanswered);

    const second = await client("POST", path, jobs, key);

    expect([second.status, second.body]).toEqual([201, first.body]);
  });

  it("shows the block to the agent, which can edit it by any spelling of its name", async () => {
    const client = await signUp();
    const memory = await withJobs(client);
    await client("POST", memory.path, { ...jobs, name: "past__jobs_" });

    await turnWith(
      client,
      memory,
      ["core_memory_append", { block: "Jobs - Where the user has worked", content: "Google" }],
      ["core_memory_append", { block: "past__jobs_", content: "Acme" }],
      ["core_memory_append", { block: "Past  Jobs", content: "Initech" }],
    );

    expect((await client("GET", `${memory.path}/jobs/content`)).body.lines).toEqual(["Google"]);
    expect((await client("GET", `${memory.path}/past__jobs_/content`)).body.lines).toEqual([
      "Acme",
      "Initech",
    ]);
  });
});

describe("changing a block", () => {
  it("changes the given fields, also of default blocks, and keeps the others", async () => {
    const client = await signUp();
    const { path, block, put } = await withJobs(client);
    await put(["one two"]);

    const limit = await client("PATCH", block, { description: "", word_limit: "200" });
    const description = await client("PATCH", block, { description: "Employers" });
    const human = await client("PATCH", `${path}/human`, { word_limit: 300 });
    const nothing = await client("PATCH", block, {});

    expect([limit.status, description.status, human.status, nothing.status]).toEqual([200, 200, 200, 200]);
    expect(description.body).toMatchObject({
      block_name: "jobs",
      description: "Employers",
      word_limit: 200,
      word_count: 2,
      capacity_percent: 1,
    });
    expect(nothing.body).toEqual(description.body);
    expect((await client("GET", path)).body).toEqual([
      human.body,
      description.body,
      expect.objectContaining({ block_name: "persona", word_limit: 5_000 }),
    ]);
  });

  it("refuses a limit below the words in the block", async () => {
    const client = await signUp();
    const { block, put } = await withJobs(client);
    await client("PATCH", block, { word_limit: 200 });
    await put(["word ".repeat(150)]);

    const refused = await client("PATCH", block, { word_limit: 149 });
    const exact = await client("PATCH", block, { word_limit: 150 });

    const sentence = "Memory block 'jobs' has 150 words, so its limit can't be 149. Shorten the block first.";
    const extensions = { word_count: 150, word_limit: 200 };
    expect(refused.body).toEqual(problem(409, "conflict", sentence, extensions));
    expect([exact.status, exact.body.capacity_percent]).toEqual([200, 100]);
  });

  it("leaves no block above its limit, whether limit or content is written first", async () => {
    const client = await signUp();
    const { block, put } = await withJobs(client);

    for (let round = 0; round < 5; round++) {
      await put([]);
      await client("PATCH", block, { word_limit: 200 });
      const [limit, content] = await Promise.all([
        client("PATCH", block, { word_limit: 100 }),
        put(["word ".repeat(150)]),
      ]);
      expect([
        [200, 422],
        [409, 200],
      ]).toContainEqual([limit.status, content.status]);
    }
  });

  it("returns 404 for an unknown name", async () => {
    const client = await signUp();
    const { path } = await agentMemory(client);

    const { status, body } = await client("PATCH", `${path}/jobs`, { word_limit: 200 });

    expect(status).toBe(404);
    expect(body).toEqual(problem(404, "not-found", "Memory block 'jobs' not found"));
  });
});

describe("deleting a block", () => {
  it("removes definition and content, keeps its versions, and can be repeated", async () => {
    const client = await signUp();
    const memory = await withJobs(client);
    await memory.put(["Google"]);

    const statuses = [];
    for (const _ of [1, 2]) statuses.push((await client("DELETE", memory.block)).status);

    expect(statuses).toEqual([204, 204]);
    expect(namesOf((await client("GET", memory.path)).body)).toEqual(["human", "persona"]);
    const left = (await table.query(memory.pk)).filter((item) => item["block_name"] === "jobs");
    expect(left).toEqual(await storedVersions(memory, "jobs"));
    for (const path of ["content", "versions"])
      expect((await client("GET", `${memory.block}/${path}`)).status).toBe(404);
  });

  it.each(["human", "persona"])(
    "refuses the default block %s, even before the blocks were first read",
    async (name) => {
      const client = await signUp();
      const { path } = await agentMemory(client);

      const { status, body } = await client("DELETE", `${path}/${name}`);

      expect(status).toBe(409);
      expect(body).toEqual(problem(409, "conflict", `Cannot delete default memory block '${name}'`));
      expect((await client("GET", path)).body).toHaveLength(2);
    },
  );

  it("continues the version numbers when a block with the name is created again", async () => {
    const client = await signUp();
    const memory = await withJobs(client);
    const first = await memory.put(["Google"]);
    await client("DELETE", memory.block);

    const made = await client("POST", memory.path, jobs);
    const again = await client("GET", `${memory.block}/content`);
    const restored = await memory.restore(1);

    expect([made.status, made.body.word_count, again.body.lines]).toEqual([201, 0, []]);
    expect(again.headers.get("etag")).not.toBe(first.headers.get("etag"));
    expect(restored.body.lines).toEqual(["Google"]);
    expect(summaryOf(await storedVersions(memory, "jobs"))).toEqual([
      [1, "user", ["Google"]],
      [2, "user", []],
      [3, "restore", ["Google"]],
    ]);
  });

  it("keeps content of the legacy Python service as a version", async () => {
    const client = await signUp();
    const memory = await withJobs(client);
    await plantContent(memory, "jobs", ["Google until 2020"]);

    await client("DELETE", memory.block);

    expect(summaryOf(await storedVersions(memory, "jobs"))).toEqual([[1, "import", ["Google until 2020"]]]);
  });

  it("is not undone by an agent that edits the block at the same time", async () => {
    const client = await signUp();
    const memory = await withJobs(client);
    await memory.put(["Google"]);
    const content = `Acme ${crypto.randomUUID()}`;
    const fault = { kind: "hold" } as const;
    await injectFault({ match: [content], operation: "TransactWriteItems", times: 5, fault });

    const turn = turnWith(client, memory, ["core_memory_append", { block: "jobs", content }]);
    await untilMet();
    await client("DELETE", memory.block);
    await endFaults();
    const { events } = await turn;

    const result = events.find(({ event_type }) => event_type === "TOOL_CALL_RESULT");
    const left = (await table.query(memory.pk)).filter((item) => item["block_name"] === "jobs");
    expect(result).toMatchObject({ success: false, content: "Error: Block [jobs] does not exist." });
    expect(left).toEqual(await storedVersions(memory, "jobs"));
  });

  it("returns 204 for agents that don't exist or belong to others, whose blocks are kept", async () => {
    const [owner, stranger] = await Promise.all([signUp(), signUp()]);
    const { block, path } = await withJobs(owner);

    const statuses = [
      (await stranger("DELETE", block)).status,
      (await stranger("DELETE", `/agents/${crypto.randomUUID()}/memory-blocks/human`)).status,
    ];

    expect(statuses).toEqual([204, 204]);
    expect((await owner("GET", path)).body).toHaveLength(3);
  });
});

it("is deleted with its agent and its versions, and the next agent starts empty", async () => {
  const client = await signUp();
  const memory = await withJobs(client);
  await memory.put(["Google"]);
  await memory.put(["Acme"]);
  await client("DELETE", memory.block);

  await client("DELETE", `/agents/${memory.agentId}`);

  expect(await table.query(memory.pk)).toEqual([]);
  expect((await client("POST", memory.path, jobs)).status).toBe(404);
  expect(await table.query(memory.pk)).toEqual([]);
  expect((await client("POST", "/agents", ada)).status).toBe(201);
});
