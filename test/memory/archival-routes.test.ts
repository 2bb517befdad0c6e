import { describe, expect, it } from "vitest";
import { problem } from "../http/route-cases.ts";
import { table } from "../support/app.ts";
import { databaseRequests, injectFault } from "../support/control.ts";
import { type Archive, beginArchive, plantOld, sha256Of, stored } from "./archive.ts";

const CAT = "Alice has a cat called Tom";

async function remember({ client, path }: Archive, content: string, more: object = {}) {
  const { body } = await client("POST", path, { content, ...more });
  return { ...body, path: `${path}/${body.memory_id}` } as {
    memory_id: string;
    content: string;
    created_at: string;
    path: string;
  };
}

const contentsOf = (body: { items: { content: string }[] }) => body.items.map(({ content }) => content);

describe("the list of memories", () => {
  it("is newest first and paged, and includes those of the legacy Python service", async () => {
    const archive = await beginArchive();
    const { client, path } = archive;
    await plantOld(archive, "old");
    for (const content of ["one", "two", "three"]) await remember(archive, content);

    const first = await client("GET", `${path}?limit=3`);
    const second = await client("GET", `${path}?limit=3&cursor=${first.body.next_cursor}`);

    expect(contentsOf(first.body)).toEqual(["three", "two", "one"]);
    expect(first.body).toMatchObject({ has_more: true });
    expect(second.body).toEqual({
      items: [
        {
          memory_id: expect.any(String),
          content: "old",
          created_at: "2025-06-01T10:00:00.000123+00:00",
          occurred_at: null,
        },
      ],
      next_cursor: null,
      has_more: false,
    });
  });

  it("contains only memories, and refuses the cursor of another list", async () => {
    const [archive, other] = await Promise.all([beginArchive(), beginArchive()]);
    const { client, path } = archive;
    await client("GET", `/agents/${archive.agentId}/memory-blocks`);
    const doomed = await remember(archive, "doomed");
    for (const content of ["one", "two"]) await remember(archive, content);
    await client("DELETE", doomed.path);

    const { body } = await client("GET", `${path}?limit=1`);

    expect(contentsOf((await client("GET", path)).body)).toEqual(["two", "one"]);
    const foreign = await other.client("GET", `${other.path}?cursor=${body.next_cursor}`);
    expect(foreign.status).toBe(400);
  });
});

describe("a memory", () => {
  it("is found by its id, even if the legacy Python service stored it", async () => {
    const archive = await beginArchive();
    const { client, path } = archive;
    await plantOld(archive, "Something else", "2025-01-01T10:00:00.000000+00:00");
    const { id } = await plantOld(archive, CAT);

    const { status, body } = await client("GET", `${path}/${id}`);

    expect(status).toBe(200);
    expect(body).toMatchObject({ memory_id: id, content: CAT, occurred_at: null });
  });

  it.each(["nonsense", "018f0000-0000-8000-8000-000000000000", "a%23b"])(
    "returns 404 if there is none: %s",
    async (id) => {
      const { client, path } = await beginArchive();

      const { status, body } = await client("GET", `${path}/${id}`);

      expect(status).toBe(404);
      expect(body).toEqual(problem(404, "not-found", "Memory not found"));
      expect((await client("PATCH", `${path}/${id}`, { content: CAT })).status).toBe(404);
    },
  );

  it("is found without a search of the whole archive if this service made its id", async () => {
    const { client, path, pk } = await beginArchive();

    await client("GET", `${path}/018f0000-0000-8000-8000-000000000000`);

    expect((await databaseRequests(pk)).map(({ operation }) => operation)).toEqual(["GetItem"]);
  });
});

describe("changing a memory", () => {
  it("keeps its id and its time, and moves it to the end, where the index finds it", async () => {
    const archive = await beginArchive();
    const { client, path } = archive;
    const memory = await remember(archive, CAT, { occurred_at: "2025-06-01" });
    await remember(archive, "Something else");

    const { status, body } = await client("PATCH", memory.path, { content: "Tom is a dog" });

    const changed = {
      memory_id: memory.memory_id,
      content: "Tom is a dog",
      created_at: memory.created_at,
      occurred_at: "2025-06-01",
    };
    expect(status).toBe(200);
    expect(body).toEqual(changed);
    expect((await client("GET", memory.path)).body).toEqual(changed);
    expect(contentsOf((await client("GET", path)).body)).toEqual(["Tom is a dog", "Something else"]);
    const { memories, pointers, holders } = await stored(archive, CAT, "Tom is a dog");
    const sk = memories[1]?.["sk"];
    expect(memories).toHaveLength(2);
    expect(pointers).toContainEqual({
      pk: archive.pk,
      sk: `ArchivalId#${memory.memory_id}`,
      archival_sk: sk,
      content_hash: await sha256Of("Tom is a dog"),
    });
    expect(holders).toMatchObject([{ memory_id: memory.memory_id, archival_sk: sk }]);
  });

  it("moves it even if only its time changes, and removes the time with null", async () => {
    const archive = await beginArchive();
    const { client } = archive;
    const memory = await remember(archive, CAT);
    const before = await stored(archive, CAT);

    const dated = await client("PATCH", memory.path, { occurred_at: "2025-06-01" });

    expect(dated.body).toMatchObject({ content: CAT, occurred_at: "2025-06-01" });
    const { memories, pointers, holders } = await stored(archive, CAT);
    expect(memories).toHaveLength(1);
    const sk = String(memories[0]?.["sk"]);
    expect(sk > String(before.memories[0]?.["sk"])).toBe(true);
    expect(pointers).toMatchObject([{ archival_sk: sk }]);
    expect(holders).toMatchObject([{ archival_sk: sk }]);
    const undated = await client("PATCH", memory.path, { occurred_at: null });
    expect(undated.body.occurred_at).toBeNull();
    expect((await client("POST", archive.path, { content: CAT })).status).toBe(200);
  });

  it("writes nothing if nothing changes", async () => {
    const archive = await beginArchive();
    const memory = await remember(archive, CAT);
    const before = await stored(archive, CAT);

    for (const body of [{}, { content: CAT }, { occurred_at: null }])
      expect((await archive.client("PATCH", memory.path, body)).body.content).toBe(CAT);

    expect(await stored(archive, CAT)).toEqual(before);
  });

  it("is refused if another memory has the content, whoever stored it", async () => {
    const archive = await beginArchive();
    const { client } = archive;
    const memory = await remember(archive, CAT);
    await remember(archive, "ours");
    await plantOld(archive, "theirs");
    const before = await stored(archive, CAT, "ours", "theirs");

    for (const content of ["ours", "theirs"]) {
      const { status, body } = await client("PATCH", memory.path, { content });
      expect(status).toBe(409);
      expect(body).toEqual(problem(409, "conflict", "Another memory already has this content."));
    }
    expect(await stored(archive, CAT, "ours", "theirs")).toEqual(before);
  });

  it("adds a pointer to one of the legacy Python service, and leaves one memory", async () => {
    const archive = await beginArchive();
    const { client, path } = archive;
    const { id } = await plantOld(archive, CAT);

    const dated = await client("PATCH", `${path}/${id}`, { occurred_at: "2025-06-01" });
    const { status, body } = await client("PATCH", `${path}/${id}`, { content: "Tom is a dog" });

    expect([dated.status, status]).toEqual([200, 200]);
    expect(body).toMatchObject({ memory_id: id, content: "Tom is a dog", occurred_at: "2025-06-01" });
    const { memories, pointers, holders } = await stored(archive, CAT, "Tom is a dog");
    expect([memories.length, pointers.length]).toEqual([1, 1]);
    expect(holders).toMatchObject([{ memory_id: id, archival_sk: memories[0]?.["sk"] }]);
    const again = await client("POST", path, { content: "Tom is a dog" });
    expect([again.status, again.body.memory_id]).toEqual([200, id]);
  });

  it("frees its old content for another memory, which gets a new id", async () => {
    const archive = await beginArchive();
    const { client, path } = archive;
    const memory = await remember(archive, CAT);
    await client("PATCH", memory.path, { content: "Tom is a dog" });

    const answers = await Promise.all(
      Array.from({ length: 8 }, () => client("POST", path, { content: CAT })),
    );

    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    const ids = new Set(answers.map(({ body }) => body.memory_id as string));
    expect(ids.size).toBe(1);
    expect(ids.has(memory.memory_id)).toBe(false);
    expect((await stored(archive)).memories).toHaveLength(2);
  });

  it("neither loses nor duplicates a memory after many concurrent changes", async () => {
    const archive = await beginArchive();
    const { client } = archive;
    const memory = await remember(archive, CAT);
    const texts = Array.from({ length: 6 }, (_, n) => `Version ${n}`);

    const answers = await Promise.all(texts.map((content) => client("PATCH", memory.path, { content })));

    for (const { status } of answers) expect([200, 409]).toContain(status);
    const { memories, pointers, holders } = await stored(archive, CAT, ...texts);
    expect([memories.length, pointers.length, holders.length]).toEqual([1, 1, 1]);
    expect(pointers[0]?.["archival_sk"]).toBe(memories[0]?.["sk"]);
    expect(holders[0]?.["archival_sk"]).toBe(memories[0]?.["sk"]);
  });

  it("leaves one memory with a content that is stored concurrently", async () => {
    const archive = await beginArchive();
    const { client, path } = archive;
    const memory = await remember(archive, "one");

    const [edited, inserted] = await Promise.all([
      client("PATCH", memory.path, { content: CAT }),
      client("POST", path, { content: CAT }),
    ]);

    expect([200, 409]).toContain(edited.status);
    expect([200, 201]).toContain(inserted.status);
    const { memories, holders } = await stored(archive, CAT);
    expect(memories.filter(({ content }) => content === CAT)).toHaveLength(1);
    expect(holders).toHaveLength(1);
  });

  it("happens once if the answer of the database is lost", async () => {
    const archive = await beginArchive();
    const memory = await remember(archive, CAT);
    const fault = { kind: "lose-answer" } as const;
    await injectFault({ match: [archive.pk], operation: "TransactWriteItems", fault });

    const { status } = await archive.client("PATCH", memory.path, { content: "Tom is a dog" });

    expect(status).toBe(200);
    expect((await stored(archive)).memories).toMatchObject([{ content: "Tom is a dog" }]);
  });
});

describe("deleting a memory", () => {
  it("removes all its items, and leaves a temporary tombstone for the index", async () => {
    const archive = await beginArchive();
    const { client, agentId, pk } = archive;
    const memory = await remember(archive, CAT);
    const [item] = (await stored(archive)).memories;

    const { status, body } = await client("DELETE", memory.path);

    expect([status, body]).toEqual([204, ""]);
    const { tombstones, ...rest } = await stored(archive, CAT);
    expect(rest).toEqual({ memories: [], pointers: [], holders: [] });
    expect(tombstones).toEqual([
      {
        pk,
        sk: expect.stringMatching(new RegExp(`^ArchivalGone#\\d{4}-[^#]+#${memory.memory_id}$`, "u")),
        agent_id: agentId,
        user_id: client.email,
        memory_id: memory.memory_id,
        archival_sk: item?.["sk"],
        ttl: expect.any(Number),
      },
    ]);
    const days = (Number(tombstones[0]?.["ttl"]) * 1000 - Date.now()) / 86_400_000;
    expect(days).toBeCloseTo(2, 1);
  });

  it("answers the same when it is repeated, and for an unknown memory", async () => {
    const archive = await beginArchive();
    const { client, path } = archive;
    const memory = await remember(archive, CAT);

    const paths = [memory.path, memory.path, `${path}/nonsense`, `${path}/${crypto.randomUUID()}`];
    for (const each of paths) expect((await client("DELETE", each)).status).toBe(204);

    expect((await client("GET", memory.path)).status).toBe(404);
    expect((await stored(archive)).tombstones).toHaveLength(1);
  });

  it("happens once after concurrent requests, or if the answer of the database is lost", async () => {
    const archive = await beginArchive();
    const memory = await remember(archive, CAT);
    const fault = { kind: "lose-answer" } as const;
    await injectFault({ match: [archive.pk], operation: "TransactWriteItems", fault });

    const answers = await Promise.all(Array.from({ length: 6 }, () => archive.client("DELETE", memory.path)));

    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 6 }, () => 204));
    expect((await stored(archive)).tombstones).toHaveLength(1);
  });

  it("removes one of the legacy Python service", async () => {
    const archive = await beginArchive();
    const { id } = await plantOld(archive, CAT);

    expect((await archive.client("DELETE", `${archive.path}/${id}`)).status).toBe(204);
    const { tombstones, ...rest } = await stored(archive, CAT);
    expect(rest).toEqual({ memories: [], pointers: [], holders: [] });
    expect(tombstones).toHaveLength(1);
  });

  it("lets the same content be stored again, under the same id", async () => {
    const archive = await beginArchive();
    const memory = await remember(archive, CAT);
    await archive.client("DELETE", memory.path);

    const { status, body } = await archive.client("POST", archive.path, { content: CAT });

    expect([status, body.memory_id]).toEqual([201, memory.memory_id]);
    expect(body.created_at > memory.created_at).toBe(true);
  });
});

describe("deleting an agent", () => {
  it("removes its memories and the holders of their contents", async () => {
    const archive = await beginArchive();
    const { client, agentId, pk } = archive;
    const memory = await remember(archive, CAT);
    await client("PATCH", memory.path, { content: "changed" });
    await remember(archive, CAT);
    await plantOld(archive, "old");
    const doomed = await remember(archive, "doomed");
    await client("DELETE", doomed.path);
    const contents = [CAT, "changed", "old", "doomed"];
    expect((await stored(archive, ...contents)).holders).toHaveLength(3);

    const { status } = await client("DELETE", `/agents/${agentId}`);

    expect(status).toBe(204);
    expect((await stored(archive, ...contents)).holders).toEqual([]);
    expect(await table.query(pk)).toEqual([]);
  });

  it("resumes after an interruption", async () => {
    const archive = await beginArchive();
    const { client, agentId, pk } = archive;
    // Their items do not fit into one transaction.
    const contents = Array.from({ length: 80 }, (_, n) => `Fact ${n}`);
    for (const half of [contents.slice(0, 40), contents.slice(40)])
      await client("POST", `${archive.path}/batch`, { items: half.map((content) => ({ content })) });
    const fault = { kind: "answer", status: 500, body: { __type: "x#InternalServerError" } } as const;
    await injectFault({ match: [pk], operation: "TransactWriteItems", after: 1, times: 4, fault });

    const first = await client("DELETE", `/agents/${agentId}`);
    const second = await client("DELETE", `/agents/${agentId}`);

    expect([first.status, second.status]).toEqual([503, 204]);
    expect((await stored(archive, ...contents)).holders).toEqual([]);
    expect(await table.query(pk)).toEqual([]);
  });
});
