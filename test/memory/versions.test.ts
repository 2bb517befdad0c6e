import { describe, expect, it } from "vitest";
import { signUp, table } from "../support/app.ts";
import { databaseRequests } from "../support/control.ts";
import { problem } from "../http/route-cases.ts";
import { agentMemory, inShort, plantContent, storedVersions, turnWith, withJobs } from "./agent-memory.ts";

const STAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00$/u;
const HUMAN = "human";

describe("the versions of a block", () => {
  it("tell who changed it, newest first", async () => {
    const client = await signUp();
    const memory = await withJobs(client);
    await memory.put(["Google"]);
    const { events } = await turnWith(
      client,
      memory,
      ["core_memory_append", { block: "jobs", content: "Acme since 2020" }],
      ["core_memory_append", { block: "jobs", content: "Acme since 2020" }],
      ["core_memory_delete", { block: "jobs", line_number: 1 }],
    );
    await memory.restore(1);

    const { status, body } = await client("GET", `${memory.block}/versions`);

    const created_at = expect.stringMatching(STAMP);
    const run_id = events[0]?.run_id;
    expect(status).toBe(200);
    expect(body).toEqual({
      items: [
        { version: 4, lines: ["Google"], word_count: 1, by: "restore", run_id: null, created_at },
        { version: 3, lines: ["Acme since 2020"], word_count: 3, by: "agent", run_id, created_at },
        { version: 2, lines: ["Google", "Acme since 2020"], word_count: 4, by: "agent", run_id, created_at },
        { version: 1, lines: ["Google"], word_count: 1, by: "user", run_id: null, created_at },
      ],
      next_cursor: null,
      has_more: false,
      total_count: null,
    });
    const told = events.filter(({ event_type }) => event_type === "MEMORY_UPDATED");
    expect(told.map((event) => event["version"])).toEqual([2, 3]);
  });

  it("are none while nobody has changed it", async () => {
    const client = await signUp();
    const { path } = await agentMemory(client);

    expect((await client("GET", `${path}/human/versions`)).body.items).toEqual([]);
  });

  it("come in pages, whose cursors fit no other list", async () => {
    const client = await signUp();
    const memory = await withJobs(client);
    for (let n = 1; n <= 12; n++) await memory.put([`line ${n}`]);

    const numbers: number[] = [];
    let cursor: string | null = "";
    while (cursor !== null) {
      const query: string = `limit=5&cursor=${cursor}`;
      const { body } = await client("GET", `${memory.block}/versions?${query}`);
      numbers.push(...body.items.map(({ version }: { version: number }) => version));
      cursor = body.next_cursor;
      if (cursor !== null) {
        const foreign = await client("GET", `${memory.path}/human/versions?cursor=${cursor}`);
        expect([foreign.status, foreign.body.code]).toEqual([400, "malformed-request"]);
      }
    }

    expect(numbers).toEqual([12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
  });

  it("are of one block: those of a block whose name begins alike lie apart", async () => {
    const client = await signUp();
    const memory = await withJobs(client);
    await client("POST", memory.path, { name: "jobs_past", description: "Before" });
    await client("PUT", `${memory.path}/jobs_past/content`, { lines: ["Initech"] });

    expect((await client("GET", `${memory.block}/versions`)).body.items).toEqual([]);
  });

  it("begin with what the service before had left", async () => {
    const client = await signUp();
    const memory = await agentMemory(client);
    await client("GET", memory.path);
    await plantContent(memory, HUMAN, ["Name: Alice", "", "  Likes: tea "]);

    await turnWith(client, memory, ["core_memory_append", { block: HUMAN, content: "Works at: Google" }]);
    const restored = await client("POST", `${memory.path}/human/restore`, { version: 1 });

    const before = ["Name: Alice", "", "  Likes: tea "];
    expect(restored.body.lines).toEqual(before);
    const versions = await storedVersions(memory, HUMAN);
    expect(inShort(versions)).toEqual([
      [1, "import", before],
      [2, "agent", [...before, "Works at: Google"]],
      [3, "restore", before],
    ]);
    expect(versions[0]?.["created_at"]).toBe("2025-06-02T10:00:00.000123+00:00");
  });

  it("go on where a writer that knows none has dropped the block's number", async () => {
    const client = await signUp();
    const memory = await withJobs(client);
    await memory.put(["a"]);
    await memory.put(["b"]);
    await plantContent(memory, "jobs", ["from the service before"]);

    const { status, headers } = await memory.put(["c"]);

    expect([status, headers.get("etag")]).toEqual([200, '"4"']);
    expect(inShort(await storedVersions(memory, "jobs"))).toEqual([
      [1, "user", ["a"]],
      [2, "user", ["b"]],
      [3, "import", ["from the service before"]],
      [4, "user", ["c"]],
    ]);
  });

  it("cost an agent's edit no request of its own, and a turn no read", async () => {
    const client = await signUp();
    const memory = await withJobs(client);
    await memory.put(["Google"]);
    const before = (await databaseRequests(memory.pk)).length;

    await turnWith(
      client,
      memory,
      ["core_memory_append", { block: "jobs", content: "Acme" }],
      ["core_memory_replace", { block: "jobs", line_number: 1, new_content: "Google until 2020" }],
    );

    const requests = (await databaseRequests(memory.pk)).slice(before);
    expect(requests.map(({ operation }) => operation)).toEqual([
      "Query",
      "TransactWriteItems",
      "TransactWriteItems",
    ]);
    expect(requests[0]?.body).toContain("CapacityWarning#");
  });
});

describe("restoring a version", () => {
  it("brings back its lines as a new one", async () => {
    const client = await signUp();
    const memory = await withJobs(client);
    await memory.put(["a", "b"]);
    await memory.put([]);

    const { status, headers, body } = await memory.restore("1");

    expect([status, headers.get("etag")]).toEqual([200, '"3"']);
    expect(body).toEqual((await client("GET", `${memory.block}/content`)).body);
    expect(body.lines).toEqual(["a", "b"]);
  });

  it("changes nothing where the block says that already", async () => {
    const client = await signUp();
    const memory = await withJobs(client);
    await memory.put(["a"]);

    const { status, headers } = await memory.restore(1);

    expect([status, headers.get("etag")]).toEqual([200, '"1"']);
  });

  it.each([2, 999_999])("is a 404 for version %d, which is not there", async (version) => {
    const client = await signUp();
    const memory = await withJobs(client);
    await memory.put(["a"]);

    const { status, body } = await memory.restore(version);

    expect(status).toBe(404);
    expect(body).toEqual(problem(404, "not-found", `Version ${version} of memory block 'jobs' not found`));
  });

  it.each([0, -1, 1.5, 1_000_000, "one", null])("refuses %j as a number", async (version) => {
    const client = await signUp();
    const { restore } = await withJobs(client);

    expect((await restore(version)).status).toBe(422);
  });

  it("refuses a version with more words than the block may hold by now", async () => {
    const client = await signUp();
    const memory = await withJobs(client);
    await client("PATCH", memory.block, { word_limit: 200 });
    await memory.put(["word ".repeat(150)]);
    await memory.put([]);
    await client("PATCH", memory.block, { word_limit: 100 });

    const { status, body } = await memory.restore(1);

    const sentence =
      "Version 1 of memory block 'jobs' has 150 words, and the block may hold 100. Raise its limit first.";
    expect(status).toBe(409);
    expect(body).toEqual(problem(409, "conflict", sentence, { word_count: 150, word_limit: 100 }));
    await client("PATCH", memory.block, { word_limit: 150 });
    expect((await memory.restore(1)).status).toBe(200);
  });
});

it("lets no stranger see or restore versions", async () => {
  const [owner, stranger] = await Promise.all([signUp(), signUp()]);
  const memory = await withJobs(owner);
  await memory.put(["a"]);
  await memory.put(["b"]);

  const seen = await stranger("GET", `${memory.block}/versions`);
  const restored = await stranger("POST", `${memory.block}/restore`, { version: 1 });

  expect([seen.status, restored.status]).toEqual([404, 404]);
  expect(await table.query(`Agent#${memory.agentId}#User#${stranger.email}`)).toEqual([]);
  expect((await owner("GET", `${memory.block}/content`)).body.lines).toEqual(["b"]);
});
