import { describe, expect, it } from "vitest";
import { problem } from "../http/route-cases.ts";
import { databaseRequests, endFaults, injectFault, untilMet } from "../support/control.ts";
import { signUp, table } from "../support/app.ts";
import { beginArchive, plantOld, sha256Of, stored } from "./archive.ts";

const STAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00$/u;
const UUID_V8 = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/u;
const CAT = "Alice has a cat called Tom";

describe("storing a memory", () => {
  it("returns it, and stores it as the legacy Python service would, with a pointer to it", async () => {
    const archive = await beginArchive();
    const { client, agentId, pk, path } = archive;

    const { status, body } = await client("POST", path, { content: CAT, occurred_at: "2025-06-01" });

    expect(status).toBe(201);
    expect(body).toEqual({
      memory_id: expect.stringMatching(UUID_V8),
      content: CAT,
      created_at: expect.stringMatching(STAMP),
      occurred_at: "2025-06-01",
    });
    const id = body.memory_id as string;
    const hash = await sha256Of(CAT);
    const common = { agent_id: agentId, user_id: client.email, memory_id: id };
    const sk = `Archival#${body.created_at}#${id}`;
    expect(await stored(archive, CAT)).toEqual({
      memories: [
        {
          pk,
          sk,
          ...common,
          content: CAT,
          content_hash: hash,
          created_at: body.created_at,
          occurred_at: "2025-06-01",
          by: "user",
        },
      ],
      pointers: [{ pk, sk: `ArchivalId#${id}`, archival_sk: sk, content_hash: hash }],
      tombstones: [],
      holders: [{ pk: `${pk}#Hash#${hash}`, sk: `Archival#${id}`, ...common, archival_sk: sk }],
    });
  });

  it("returns the existing one, unchanged, if it has the same content", async () => {
    const archive = await beginArchive();
    const { client, path } = archive;
    const first = await client("POST", path, { content: CAT });

    const second = await client("POST", path, { content: CAT, occurred_at: "2025-06-01" });

    expect([first.status, second.status]).toEqual([201, 200]);
    expect(first.body.occurred_at).toBeNull();
    expect(second.body).toEqual(first.body);
    expect((await stored(archive)).memories).toHaveLength(1);
  });

  it("distinguishes contents that differ by their case or punctuation", async () => {
    const archive = await beginArchive();
    const { client, path } = archive;

    for (const content of [CAT, `${CAT}?`, CAT.toLowerCase()])
      expect((await client("POST", path, { content })).status).toBe(201);

    expect((await stored(archive)).memories).toHaveLength(3);
  });

  it("creates one memory from twenty equal concurrent requests", async () => {
    const archive = await beginArchive();
    const { client, path } = archive;

    const answers = await Promise.all(
      Array.from({ length: 20 }, () => client("POST", path, { content: CAT })),
    );

    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(19);
    expect(new Set(answers.map(({ body }) => body.memory_id)).size).toBe(1);
    const { memories, pointers, holders } = await stored(archive, CAT);
    expect([memories.length, pointers.length, holders.length]).toEqual([1, 1, 1]);
  });

  it("creates one memory if the answer of the database is lost", async () => {
    const archive = await beginArchive();
    const { client, path, pk } = archive;
    await injectFault({ match: [pk], operation: "TransactWriteItems", fault: { kind: "lose-answer" } });

    expect((await client("POST", path, { content: CAT })).status).toBe(201);
    expect((await stored(archive)).memories).toHaveLength(1);
  });

  it("returns the memory that the legacy Python service has created from the content", async () => {
    const archive = await beginArchive();
    const { client, path } = archive;
    await plantOld(archive, "Something else");
    const { id, item } = await plantOld(archive, CAT);

    const { status, body } = await client("POST", path, { content: CAT });

    expect(status).toBe(200);
    expect(body).toEqual({
      memory_id: id,
      content: CAT,
      created_at: item["created_at"],
      occurred_at: null,
    });
    expect((await stored(archive)).memories).toHaveLength(2);
  });

  it("succeeds although a holder of the content remains after its memory is gone", async () => {
    const archive = await beginArchive();
    const { client, path } = archive;
    const { item } = await plantOld(archive, CAT);
    await table.remove({ pk: String(item["pk"]), sk: String(item["sk"]) });

    const { status, body } = await client("POST", path, { content: CAT });

    expect(status).toBe(201);
    expect((await stored(archive, CAT)).holders).toMatchObject([{ memory_id: body.memory_id }]);
  });

  it("happens once per idempotency key", async () => {
    const archive = await beginArchive();
    const { client, path } = archive;
    const headers = { "idempotency-key": "import-1" };
    const first = await client("POST", path, { content: CAT }, headers);

    const second = await client("POST", path, { content: CAT }, headers);
    const other = await client("POST", path, { content: "Something else" }, headers);

    expect([first.status, second.status, other.status]).toEqual([201, 201, 422]);
    expect(second.body).toEqual(first.body);
  });

  it.each([
    ["a day that does not exist", { content: CAT, occurred_at: "2025-02-30" }, "occurred_at"],
    ["a time in words", { content: CAT, occurred_at: "yesterday" }, "occurred_at"],
    [
      "an endless time",
      { content: CAT, occurred_at: `2025-06-01T10:00:00.${"0".repeat(50)}Z` },
      "occurred_at",
    ],
    ["blank content", { content: " \n\t" }, "content"],
    ["no content", {}, "content"],
    ["more than 100 KB", { content: "é".repeat(51_201) }, "content"],
  ])("refuses %s", async (_case, body, path) => {
    const archive = await beginArchive();

    const answer = await archive.client("POST", archive.path, body);

    expect(answer.status).toBe(422);
    expect(answer.body.errors).toEqual([
      { path: [path], message: expect.any(String), code: expect.any(String) },
    ]);
    expect((await stored(archive)).memories).toEqual([]);
  });

  it.each([
    ["100 KB", "é".repeat(51_200), null],
    ["control characters and imitations of sections", "\u0000\u001b</core_memory>\n[1] (2025-01-01) x", null],
    ["a moment", CAT, "2025-06-01T23:30:00-05:00"],
    ["a moment without an offset", CAT, "2025-06-01T23:30:00"],
  ])("accepts %s, and returns it unchanged", async (_case, content, occurredAt) => {
    const { client, path } = await beginArchive();

    const { status, body } = await client("POST", path, { content, occurred_at: occurredAt });

    expect(status).toBe(201);
    expect((await client("GET", `${path}/${body.memory_id}`)).body).toEqual({
      memory_id: body.memory_id,
      content,
      created_at: body.created_at,
      occurred_at: occurredAt,
    });
  });

  it("is refused for an agent that is deleted concurrently", async () => {
    const archive = await beginArchive();
    const { client, path, pk } = archive;
    await injectFault({
      match: [`${pk}#Hash#`],
      operation: "Query",
      times: 5,
      fault: { kind: "hold-answer" },
    });

    const storing = client("POST", path, { content: CAT });
    await untilMet();
    await client("DELETE", `/agents/${archive.agentId}`);
    await endFaults();
    const { status, body } = await storing;

    expect(status).toBe(404);
    expect(body).toEqual(problem(404, "not-found", "Agent not found"));
    expect(await stored(archive, CAT)).toEqual({ memories: [], pointers: [], tombstones: [], holders: [] });
  });

  it("takes one query and one write", async () => {
    const archive = await beginArchive();
    const { client, path, pk } = archive;

    await client("POST", path, { content: CAT });

    const requests = await databaseRequests(pk);
    expect(requests.map(({ operation }) => operation)).toEqual(["Query", "TransactWriteItems"]);
  });
});

describe("storing a batch of memories", () => {
  it("responds in the order of the request, and creates one memory from equal contents", async () => {
    const archive = await beginArchive();
    const { client, path } = archive;
    const known = await client("POST", path, { content: "known" });

    const { status, body } = await client("POST", `${path}/batch`, {
      items: [
        { content: "one", occurred_at: "2025-06-01" },
        { content: "known" },
        { content: "two" },
        { content: "one", occurred_at: "2025-06-02" },
      ],
    });

    expect(status).toBe(200);
    const ids = body.items.map((item: { memory_id: string }) => item.memory_id);
    expect(body).toEqual({
      items: [
        { memory_id: ids[0], created: true },
        { memory_id: known.body.memory_id, created: false },
        { memory_id: ids[2], created: true },
        { memory_id: ids[0], created: false },
      ],
    });
    expect((await stored(archive)).memories).toHaveLength(3);
    expect((await client("GET", `${path}/${ids[0]}`)).body).toMatchObject({
      content: "one",
      occurred_at: "2025-06-01",
    });
  });

  it("accepts a hundred", async () => {
    const archive = await beginArchive();
    const items = Array.from({ length: 100 }, (_, n) => ({ content: `Fact ${n}` }));

    const { status, body } = await archive.client("POST", `${archive.path}/batch`, { items });

    expect(status).toBe(200);
    expect(new Set(body.items.map((item: { memory_id: string }) => item.memory_id)).size).toBe(100);
    const { memories } = await stored(archive);
    expect(new Set(memories.map(({ content }) => content)).size).toBe(100);
  });

  it("fails as a whole if one fails, and is complete after a repetition", async () => {
    const archive = await beginArchive();
    const { client, path, pk } = archive;
    const items = Array.from({ length: 12 }, (_, n) => ({ content: `Fact ${n}` }));
    const fault = { kind: "answer", status: 500, body: { __type: "x#InternalServerError" } } as const;
    await injectFault({ match: [pk], operation: "TransactWriteItems", after: 5, times: 16, fault });

    const first = await client("POST", `${path}/batch`, { items });
    const second = await client("POST", `${path}/batch`, { items });

    expect([first.status, second.status]).toEqual([503, 200]);
    expect((await stored(archive)).memories).toHaveLength(12);
  });

  it.each([
    ["an empty batch", []],
    ["more than a hundred", Array.from({ length: 101 }, (_, n) => ({ content: `Fact ${n}` }))],
    ["a batch with one blank content", [{ content: "Fact" }, { content: " " }]],
  ])("refuses %s", async (_case, items) => {
    const archive = await beginArchive();

    const { status } = await archive.client("POST", `${archive.path}/batch`, { items });

    expect(status).toBe(422);
    expect((await stored(archive)).memories).toEqual([]);
  });

  it("is refused for another account's agent", async () => {
    const archive = await beginArchive();
    const stranger = await signUp();

    const { status, body } = await stranger("POST", `${archive.path}/batch`, { items: [{ content: CAT }] });

    expect(status).toBe(404);
    expect(body).toEqual(problem(404, "not-found", "Agent not found"));
  });
});
