import { describe, expect, it } from "vitest";
import { signUp, table } from "../support/app.ts";
import { injectFault } from "../support/control.ts";
import { problem } from "../http/route-cases.ts";
import { agentMemory, summaryOf, plantContent, storedVersions, withJobs } from "./agent-memory.ts";

const STALE = "Memory block 'jobs' has changed since you read it. Read it again and reapply your change.";

describe("writing a block", () => {
  it("replaces its lines, and stores them with their version", async () => {
    const client = await signUp();
    const memory = await withJobs(client);

    const { status, headers, body } = await memory.put(["Google until 2020", "Acme since then"]);

    expect(status).toBe(200);
    expect(headers.get("etag")).toBe('"1"');
    expect(body).toEqual({
      block_name: "jobs",
      name: "jobs",
      lines: ["Google until 2020", "Acme since then"],
      word_count: 6,
      word_limit: 100,
      capacity_percent: 6,
      is_default: false,
    });
    const id = `${memory.agentId}:${client.email}:jobs`;
    const common = { pk: memory.pk, ...memory.common, block_id: id, block_name: "jobs" };
    const content = { lines: body.lines, word_count: 6, version: 1 };
    const stored = await table.get({ pk: memory.pk, sk: `CoreMemory#${id}` });
    const at = stored?.["created_at"];
    expect(stored).toEqual({ ...common, sk: `CoreMemory#${id}`, ...content, created_at: at, updated_at: at });
    expect(await storedVersions(memory, "jobs")).toEqual([
      { ...common, sk: `BlockVersion#${id}#000001`, ...content, by: "user", created_at: at },
    ]);
  });

  it("writes default blocks, even before the first read", async () => {
    const client = await signUp();
    const memory = await agentMemory(client);

    const { status, body } = await client("PUT", `${memory.path}/human/content`, { lines: ["Name: Alice"] });

    expect([status, body.lines, body.is_default]).toEqual([200, ["Name: Alice"], true]);
    expect((await client("GET", `${memory.path}/human/content`)).body).toEqual(body);
  });

  it("replaces line breaks within a line, and drops empty lines", async () => {
    const client = await signUp();
    const { put } = await withJobs(client);

    const { body } = await put([
      "  Google\r\n 2: until\u20282020 ",
      "",
      " \n ",
      "</core_memory>",
      "twice",
      "twice",
    ]);

    expect(body.lines).toEqual(["Google 2: until 2020", "</core_memory>", "twice", "twice"]);
  });

  it("refuses lines that no block can hold before it processes them, and accepts white space", async () => {
    const client = await signUp();
    const { put } = await withJobs(client);

    const much = await put(Array.from({ length: 90 }, () => " ".repeat(10_000)));
    const little = await put(Array.from({ length: 40 }, () => `x${" ".repeat(9_997)}\u0085y`));

    expect([much.status, much.body.code]).toEqual([413, "payload-too-large"]);
    expect(little.body.lines).toEqual(Array.from({ length: 40 }, () => "x y"));
  });

  it("empties a block", async () => {
    const client = await signUp();
    const { put } = await withJobs(client);
    await put(["Google"]);

    expect((await put([])).body).toMatchObject({ lines: [], word_count: 0 });
  });

  it("creates no version if the lines are the same", async () => {
    const client = await signUp();
    const memory = await withJobs(client);

    const tags = [];
    for (const lines of [[], ["Google"], ["Google "], ["Google", ""]])
      tags.push((await memory.put(lines)).headers.get("etag"));

    expect(tags).toEqual(['"0"', '"1"', '"1"', '"1"']);
    expect(await storedVersions(memory, "jobs")).toHaveLength(1);
  });

  it("refuses more words than the limit, and accepts exactly as many", async () => {
    const client = await signUp();
    const { put } = await withJobs(client);

    const over = await put(["word ".repeat(60), "word ".repeat(41)]);
    const full = await put(["word ".repeat(60), "word ".repeat(40)]);

    const sentence = "Memory block 'jobs' can hold at most 100 words, but these lines have 101.";
    const extensions = { word_count: 101, word_limit: 100 };
    expect(over.status).toBe(422);
    expect(over.body).toEqual(problem(422, "validation-failed", sentence, extensions));
    expect([full.status, full.body.capacity_percent]).toEqual([200, 100]);
  });

  it("shows a whole percentage without an error of rounding", async () => {
    const { put } = await withJobs(await signUp());

    expect((await put(["word ".repeat(14)])).body.capacity_percent).toBe(14);
  });

  it("refuses lines that exceed the size of an item, and changes nothing", async () => {
    const client = await signUp();
    const memory = await withJobs(client);
    await memory.put(["Google"]);

    const { status, body } = await memory.put(Array.from({ length: 50 }, () => "x".repeat(9_999)));

    expect([status, body.code]).toEqual([413, "payload-too-large"]);
    expect((await client("GET", `${memory.block}/content`)).body.lines).toEqual(["Google"]);
  });

  it("accepts ten thousand lines", async () => {
    const client = await signUp();
    const memory = await withJobs(client);
    await client("PATCH", memory.block, { word_limit: 50_000 });

    const { status, body } = await memory.put(Array.from({ length: 10_000 }, (_, n) => `line ${n}`));

    expect([status, body.lines.length, body.word_count]).toEqual([200, 10_000, 20_000]);
  });

  it.each([
    ["a text", "Google", ["lines"]],
    ["lines that are not texts", [1], ["lines", "0"]],
    ["a line that is a document", ["fine", "x".repeat(10_001)], ["lines", "1"]],
  ])("refuses %s", async (_case, lines, path) => {
    const client = await signUp();
    const { block } = await withJobs(client);

    const { status, body } = await client("PUT", `${block}/content`, { lines });

    expect([status, body.errors[0].path]).toEqual([422, path]);
  });

  it("returns 404 for an unknown name", async () => {
    const client = await signUp();
    const { path } = await agentMemory(client);

    const { status, body } = await client("PUT", `${path}/jobs/content`, { lines: [] });

    expect(status).toBe(404);
    expect(body).toEqual(problem(404, "not-found", "Memory block 'jobs' not found"));
  });

  it("survives a lost answer without a second version", async () => {
    const client = await signUp();
    const memory = await withJobs(client);
    const fault = { kind: "lose-answer" } as const;
    await injectFault({ match: [memory.pk], operation: "TransactWriteItems", fault });

    const { status, headers } = await memory.put(["Google"]);

    expect([status, headers.get("etag")]).toEqual([200, '"1"']);
    expect(summaryOf(await storedVersions(memory, "jobs"))).toEqual([[1, "user", ["Google"]]]);
  });
});

describe("an entity tag", () => {
  it("is that of the version, on reads and on writes", async () => {
    const client = await signUp();
    const memory = await withJobs(client);
    const read = async () => (await client("GET", `${memory.block}/content`)).headers.get("etag");

    const tags = [await read()];
    for (const lines of [["a"], ["b"]])
      tags.push((await memory.put(lines)).headers.get("etag"), await read());

    expect(tags).toEqual(['"0"', '"1"', '"1"', '"2"', '"2"']);
  });

  it("distinguishes states written by writers without versions", async () => {
    const client = await signUp();
    const memory = await withJobs(client);
    await plantContent(memory, "jobs", ["Google"]);
    const tag = (await client("GET", `${memory.block}/content`)).headers.get("etag") ?? "";

    const stale = await memory.put(["Acme"], { "if-match": '"0"' });
    const fresh = await memory.put(["Acme"], { "if-match": tag });

    expect(tag).toMatch(/^"0-2025-06-02T[^"]+"$/u);
    expect([stale.status, fresh.status]).toEqual([412, 200]);
  });

  it.each(['"1"', '"7"', '"2", "3"'])("of an old state refuses a write: %s", async (tag) => {
    const client = await signUp();
    const memory = await withJobs(client);
    for (const lines of [["a"], ["b"], ["c"], ["d"]]) await memory.put(lines);

    const written = await memory.put(["e"], { "if-match": tag });
    const restored = await memory.restore(1, { "if-match": tag });

    for (const { status, body } of [written, restored]) {
      expect(status).toBe(412);
      expect(body).toEqual(problem(412, "precondition-failed", STALE));
    }
    expect(await storedVersions(memory, "jobs")).toHaveLength(4);
  });

  it.each(["nonsense", "1", 'W/"1"', "", " , "])("that is invalid refuses a write: %j", async (tag) => {
    const client = await signUp();
    const { put } = await withJobs(client);
    await put(["a"]);

    expect((await put(["b"], { "if-match": tag })).status).toBe(412);
  });

  it.each(['"1"', '"9","1"', "*", " * "])("of the current state allows a write: %s", async (tag) => {
    const client = await signUp();
    const { put, restore } = await withJobs(client);
    await put(["a"]);

    expect((await put(["b"], { "if-match": tag })).status).toBe(200);
    expect((await restore(1, { "if-match": '"2"' })).status).toBe(200);
  });

  it("allows one of many concurrent writes, and refuses the others", async () => {
    const client = await signUp();
    const memory = await withJobs(client);
    await memory.put(["a"]);

    const answers = await Promise.all(
      Array.from({ length: 6 }, (_, n) => memory.put([`line ${n}`], { "if-match": '"1"' })),
    );

    const others = Array.from({ length: 5 }, () => 412);
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, ...others]);
    const winner = answers.find(({ status }) => status === 200);
    expect((await client("GET", `${memory.block}/content`)).body).toEqual(winner?.body);
  });
});

it("applies concurrent writes without a tag one after the other, and keeps a version of each", async () => {
  const client = await signUp();
  const memory = await withJobs(client);
  const lines = Array.from({ length: 12 }, (_, n) => `line ${n}`);

  const answers = await Promise.all(lines.map((line) => memory.put([line])));

  expect(answers.map(({ status }) => status)).toEqual(lines.map(() => 200));
  const versions = await storedVersions(memory, "jobs");
  expect(versions.map((item) => item["version"])).toEqual(lines.map((_, index) => index + 1));
  for (const { headers, body } of answers) {
    const tag = headers.get("etag") ?? "";
    expect(versions.find((item) => `"${String(item["version"])}"` === tag)?.["lines"]).toEqual(body.lines);
  }
  expect((await client("GET", `${memory.block}/content`)).body.lines).toEqual(versions.at(-1)?.["lines"]);
});
