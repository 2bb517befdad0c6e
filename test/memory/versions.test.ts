import { describe, expect, it } from "vitest";
import { signUp, table } from "../support/app.ts";
import { databaseRequests } from "../support/control.ts";
import { problem } from "../http/route-cases.ts";
import { agentMemory, summaryOf, plantContent, storedVersions, turnWith, withJobs } from "./agent-memory.ts";

const STAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00$/u;
const HUMAN = "human";

describe("the versions of a block", () => {
  it("show who changed it, newest first", async () => {
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
    });
    const told = events.filter(({ event_type }) => event_type === "MEMORY_UPDATED");
    expect(told.map((event) => event["version"])).toEqual([2, 3]);
  });

  it("are empty until it is changed", async () => {
    const client = await signUp();
    const { path } = await agentMemory(client);

    expect((await client("GET", `${path}/human/versions`)).body.items).toEqual([]);
  });

  it("are paged, with cursors that no other list accepts", async () => {
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

  it("belong to one block, even if another name starts the same", async () => {
    const client = await signUp();
    const memory = await withJobs(client);
    await client("POST", memory.path, { name: "jobs_past", description: "Before" });
    await client("PUT", `${memory.path}/jobs_past/content`, { lines: ["Initech"] });

    expect((await client("GET", `${memory.block}/versions`)).body.items).toEqual([]);
  });

  it("begin with the content of the legacy Python service", async () => {
    const client = await signUp();
    const memory = await agentMemory(client);
    await client("GET", memory.path);
    await plantContent(memory, HUMAN, ["Name: Alice", "", "  Likes: tea "]);

    await turnWith(client, memory, ["core_memory_append", { block: HUMAN, content: "Works at: Google" }]);
    const restored = await client("POST", `${memory.path}/human/restore`, { version: 1 });

    const before = ["Name: Alice", "", "  Likes: tea "];
    expect(restored.body.lines).toEqual(before);
    const versions = await storedVersions(memory, HUMAN);
    expect(summaryOf(versions)).toEqual([
      [1, "import", before],
      [2, "agent", [...before, "Works at: Google"]],
      [3, "restore", before],
    ]);
    expect(versions[0]?.["created_at"]).toBe("2025-06-02T10:00:00.000123+00:00");
  });

  it("continue after a writer without versions has removed the block's number", async () => {
    const client = await signUp();
    const memory = await withJobs(client);
    await memory.put(["a"]);
    await memory.put(["b"]);
    await plantContent(memory, "jobs", ["from the legacy Python service"]);

    const { status, headers } = await memory.put(["c"]);

    expect([status, headers.get("etag")]).toEqual([200, '"4"']);
    expect(summaryOf(await storedVersions(memory, "jobs"))).toEqual([
      [1, "user", ["a"]],
      [2, "user", ["b"]],
      [3, "import", ["from the legacy Python service"]],
      [4, "user", ["c"]],
    ]);
  });

  it("can be restored after that, whatever the number of the restored version", async () => {
    const client = await signUp();
    const memory = await withJobs(client);
    await memory.put(["a"]);
    await memory.put(["b"]);

    for (const [index, number] of [1, 2].entries()) {
      const left = `from the legacy Python service, ${number}`;
      await plantContent(memory, "jobs", [left]);
      const { status, body } = await memory.restore(number);

      expect([status, body.lines]).toEqual([200, [["a"], ["b"]][index]]);
      expect(summaryOf(await storedVersions(memory, "jobs")).slice(2 * index + 2)).toEqual([
        [2 * index + 3, "import", [left]],
        [2 * index + 4, "restore", body.lines],
      ]);
    }
  });

  it("cost no extra request per edit, and no read per turn", async () => {
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
  it("restores its lines as a new version", async () => {
    const client = await signUp();
    const memory = await withJobs(client);
    await memory.put(["a", "b"]);
    await memory.put([]);

    const { status, headers, body } = await memory.restore("1");

    expect([status, headers.get("etag")]).toEqual([200, '"3"']);
    expect(body).toEqual((await client("GET", `${memory.block}/content`)).body);
    expect(body.lines).toEqual(["a", "b"]);
  });

  it("changes nothing if the block already has these lines", async () => {
    const client = await signUp();
    const memory = await withJobs(client);
    await memory.put(["a"]);

    const { status, headers } = await memory.restore(1);

    expect([status, headers.get("etag")]).toEqual([200, '"1"']);
  });

  it.each([2, 999_999])("returns 404 for version %d, which does not exist", async (version) => {
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

  it("refuses a version with more words than the current limit", async () => {
    const client = await signUp();
    const memory = await withJobs(client);
    await client("PATCH", memory.block, { word_limit: 200 });
    await memory.put(["word ".repeat(150)]);
    await memory.put([]);
    await client("PATCH", memory.block, { word_limit: 100 });

    const { status, body } = await memory.restore(1);

    const sentence =
      "Version 1 of memory block 'jobs' has 150 words, but the block can hold at most 100. Raise its limit first.";
    expect(status).toBe(409);
    expect(body).toEqual(problem(409, "conflict", sentence, { word_count: 150, word_limit: 100 }));
    await client("PATCH", memory.block, { word_limit: 150 });
    expect((await memory.restore(1)).status).toBe(200);
  });
});

it("hides versions from other accounts, which can't restore them either", async () => {
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
