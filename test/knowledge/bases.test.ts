import { describe, expect, it } from "vitest";
import { ada, type Client, signUp, table } from "../support/app.ts";
import { programOf } from "../support/callers.ts";
import { createBase, storedBase, storedIn } from "../support/knowledge.ts";

const stamp = expect.stringMatching(/^20\d\d-.*\+00:00$/u);

const create = (client: Client, body: unknown, headers: Record<string, string> = {}) =>
  client("POST", "/knowledge-bases", body, headers);

/** A base as the legacy Python service stores it. */
async function plantLegacyBase(client: Client, more: Record<string, unknown> = {}) {
  const kbId = crypto.randomUUID();
  await table.put({
    pk: `User#${client.email}`,
    sk: `KnowledgeBase#${kbId}`,
    entity_type: "KnowledgeBase",
    kb_id: kbId,
    name: "Old",
    pinecone_namespace: `kb_${kbId}`,
    total_pages: 12,
    total_chunks: 340,
    total_vectors: 340,
    status: "active",
    created_by: client.email,
    created_at: "2025-06-01T10:00:00.123456+00:00",
    ...more,
  });
  return { accountEmail: client.email, kbId };
}

describe("creating a knowledge base", () => {
  it("answers with the fields of the contract", async () => {
    const client = await signUp();

    const { status, body } = await create(client, { name: "  Handbook ", description: "How we work" });

    expect(status).toBe(201);
    expect(body).toEqual({
      kb_id: expect.stringMatching(/^[0-9a-f-]{36}$/u),
      name: "Handbook",
      description: "How we work",
      pinecone_namespace: null,
      total_pages: 0,
      total_chunks: 0,
      total_vectors: 0,
      status: "active",
      created_by: client.email,
      created_at: stamp,
      updated_at: null,
    });
    expect((await client("GET", "/knowledge-bases")).body).toEqual([body]);
    expect((await client("GET", `/knowledge-bases/${body.kb_id}`)).body).toEqual(body);
  });

  it.each([
    ["no name", {}, "name is required."],
    ["an empty name", { name: "  " }, "name must not be empty."],
    ["a long name", { name: "n".repeat(201) }, "name must have at most 200 characters."],
    [
      "a name with a line break",
      { name: "a\nb" },
      "name must be one line of text, without control characters.",
    ],
    [
      "a long description",
      { name: "n", description: "d".repeat(2_001) },
      "description must have at most 2000 characters.",
    ],
    ["an unknown member", { name: "n", colour: "red" }, expect.stringContaining("colour")],
  ])("refuses %s with 422", async (_case, sent, sentence) => {
    const client = await signUp();

    const { status, body } = await create(client, sent);

    expect(status).toBe(422);
    expect(body.errors[0].message).toEqual(sentence);
  });

  it("has one effect if it is repeated with the same idempotency key", async () => {
    const client = await signUp();
    const headers = { "idempotency-key": "once" };

    const [first, second] = [
      await create(client, { name: "A" }, headers),
      await create(client, { name: "A" }, headers),
    ];

    expect(second.body).toEqual(first.body);
    expect((await client("GET", "/knowledge-bases")).body).toHaveLength(1);
  });

  it("is refused with 409 beyond 100 bases, exactly under concurrency", async () => {
    const client = await signUp();
    await table.batchWrite(
      Array.from({ length: 97 }, (_, index) => ({
        put: { pk: `User#${client.email}`, sk: `KnowledgeBase#old-${index}`, kb_id: `old-${index}` },
      })),
    );

    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, index) => create(client, { name: `Base ${index}` })),
    );

    expect(answers.filter(({ status }) => status === 201)).toHaveLength(3);
    const refused = answers.filter(({ status }) => status === 409);
    expect(refused).toHaveLength(5);
    expect(refused[0]?.body.detail).toBe(
      "An account can have at most 100 knowledge bases. Delete one to create another.",
    );
    expect((await client("GET", "/knowledge-bases")).body).toHaveLength(100);
  });

  it("shows its form", async () => {
    const client = await signUp();

    const { body } = await client("GET", "/knowledge-bases/create-schema");

    expect(body).toEqual({
      form_name: "Create Knowledge Base",
      submit_path: "/knowledge-bases",
      form_inputs: [
        {
          input_type: "text",
          name: "name",
          label: "Name",
          attr: { placeholder: expect.any(String) },
          required: true,
          min: 1,
          max: 200,
        },
        {
          input_type: "text_area",
          name: "description",
          label: "Description",
          attr: { placeholder: expect.any(String) },
          max: 2_000,
        },
      ],
    });
  });
});

describe("updating a knowledge base", () => {
  it.each(["PUT", "PATCH"])("changes what %s contains and keeps the rest", async (method) => {
    const client = await signUp();
    const { body: created } = await create(client, { name: "A", description: "About A" });
    const path = `/knowledge-bases/${created.kb_id}`;

    const renamed = await client(method, path, { name: "B" });
    expect([renamed.status, renamed.body]).toEqual([200, { ...created, name: "B", updated_at: stamp }]);

    const emptied = await client(method, path, { name: "", description: "" });
    expect(emptied.body).toMatchObject({ name: "B", description: null });
    expect((await client("GET", path)).body).toEqual(emptied.body);
  });

  it("is refused with 412 if the base has changed since the caller read it", async () => {
    const client = await signUp();
    const { kbId } = await createBase(client);
    const path = `/knowledge-bases/${kbId}`;
    const etag = (await client("GET", path)).headers.get("etag") ?? "";

    const first = await client("PATCH", path, { name: "First" }, { "if-match": etag });
    const second = await client("PATCH", path, { name: "Second" }, { "if-match": etag });

    expect([first.status, second.status]).toEqual([200, 412]);
    expect((await client("GET", path)).body.name).toBe("First");
    const latest = first.headers.get("etag") ?? "";
    expect((await client("PATCH", path, { name: "Third" }, { "if-match": latest })).status).toBe(200);
  });

  it("applies one of two updates that name the same version", async () => {
    const client = await signUp();
    const { kbId } = await createBase(client);
    const path = `/knowledge-bases/${kbId}`;
    const etag = (await client("GET", path)).headers.get("etag") ?? "";

    const answers = await Promise.all(
      ["A", "B", "C", "D"].map((name) => client("PATCH", path, { name }, { "if-match": etag })),
    );

    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 412, 412, 412]);
  });
});

describe("deleting a knowledge base", () => {
  it("leaves the empty base readable for 30 days, and nothing else", async () => {
    const client = await signUp();
    const base = await createBase(client);
    const path = `/knowledge-bases/${base.kbId}`;

    expect((await client("DELETE", path)).status).toBe(204);

    expect((await client("GET", "/knowledge-bases")).body).toEqual([]);
    expect((await client("GET", path)).body).toMatchObject({ status: "deleted", total_pages: 0 });
    expect((await client("PATCH", path, { name: "B" })).status).toBe(404);
    expect((await client("GET", `${path}/pages`)).status).toBe(404);
    expect(await storedIn(base)).toEqual([]);
    const days = (Number((await storedBase(base))?.["ttl"]) - Date.now() / 1000) / 86_400;
    expect(Math.round(days)).toBe(30);
  });

  it("answers 404 for a base that is absent and for one that is deleted already", async () => {
    const client = await signUp();
    const { kbId } = await createBase(client);
    const path = `/knowledge-bases/${kbId}`;
    await client("DELETE", path);

    const again = await client("DELETE", path);
    const absent = await client("DELETE", "/knowledge-bases/none");
    const impossible = await client("DELETE", "/knowledge-bases/n%C3%B6ne");

    expect([again.status, again.body.detail]).toEqual([404, `Knowledge base ${kbId} is already deleted`]);
    expect([absent.status, absent.body.detail]).toEqual([404, "Knowledge base none not found"]);
    expect([impossible.status, impossible.body.detail]).toEqual([404, "Knowledge base nöne not found"]);
  });

  it("answers for a base of another account, and to a key that may reach none, as for an absent one", async () => {
    const [owner, stranger] = await Promise.all([signUp(), signUp()]);
    const { kbId } = await createBase(owner);
    const { body: agent } = await owner("POST", "/agents", ada);
    const limited = await programOf(owner, ["knowledge:write"], { agent_ids: [agent.agent_id] });
    const path = `/knowledge-bases/${kbId}`;

    for (const client of [stranger, limited])
      expect((await client("DELETE", path)).body).toMatchObject({
        status: 404,
        detail: `Knowledge base ${kbId} not found`,
      });
    expect((await owner("GET", path)).body.status).toBe("active");
  });

  it("makes room for another one", async () => {
    const client = await signUp();
    await table.batchWrite(
      Array.from({ length: 99 }, (_, index) => ({
        put: { pk: `User#${client.email}`, sk: `KnowledgeBase#old-${index}`, kb_id: `old-${index}` },
      })),
    );
    const { kbId } = await createBase(client);
    expect((await create(client, { name: "One too many" })).status).toBe(409);

    await client("DELETE", `/knowledge-bases/${kbId}`);

    expect((await create(client, { name: "Another" })).status).toBe(201);
  });
});

describe("a knowledge base of the legacy service", () => {
  it("is listed, got, updated and deleted", async () => {
    const client = await signUp();
    const base = await plantLegacyBase(client);
    const path = `/knowledge-bases/${base.kbId}`;
    const view = {
      kb_id: base.kbId,
      name: "Old",
      description: null,
      pinecone_namespace: `kb_${base.kbId}`,
      total_pages: 12,
      total_chunks: 340,
      total_vectors: 340,
      status: "active",
      created_by: client.email,
      created_at: "2025-06-01T10:00:00.123456+00:00",
      updated_at: null,
    };

    expect((await client("GET", "/knowledge-bases")).body).toEqual([view]);
    expect((await client("GET", path)).body).toEqual(view);
    expect((await client("PATCH", path, { name: "New" })).body).toMatchObject({
      ...view,
      name: "New",
      updated_at: stamp,
    });
    expect((await client("DELETE", path)).status).toBe(204);
    expect((await client("GET", path)).body.status).toBe("deleted");
  });

  it("is hidden from lists if the legacy service has deleted it", async () => {
    const client = await signUp();
    const base = await plantLegacyBase(client, { status: "deleted", ttl: Math.ceil(Date.now() / 1000) + 60 });

    expect((await client("GET", "/knowledge-bases")).body).toEqual([]);
    expect((await client("GET", `/knowledge-bases/${base.kbId}`)).body.status).toBe("deleted");
    expect((await client("DELETE", `/knowledge-bases/${base.kbId}`)).body.detail).toBe(
      `Knowledge base ${base.kbId} is already deleted`,
    );
  });

  it("has chunks that are listed page by page, and deleted with their count", async () => {
    const client = await signUp();
    const base = await plantLegacyBase(client, { total_chunks: 3 });
    await table.batchWrite(
      ["a", "b", "c"].map((id, index) => ({
        put: {
          pk: `KnowledgeBase#${base.kbId}`,
          sk: `Chunk#${id}`,
          entity_type: "ContentChunk",
          chunk_id: id,
          source_url: "https://example.com/",
          chunk_index: index,
          content: `Chunk ${id}`,
          word_count: 2,
          level: 1,
          created_at: "2025-06-01T10:00:00.123456+00:00",
        },
      })),
    );
    const path = `/knowledge-bases/${base.kbId}/chunks`;

    const first = (await client("GET", `${path}?limit=2`)).body;
    expect(first).toMatchObject({
      items: [
        { chunk_id: "a", content: "Chunk a", parent_chunk_id: null },
        { chunk_id: "b", chunk_index: 1 },
      ],
      has_more: true,
    });
    const rest = (await client("GET", `${path}?limit=2&cursor=${first.next_cursor}`)).body;
    expect(rest).toMatchObject({ items: [{ chunk_id: "c" }], has_more: false });

    expect((await client("DELETE", `${path}/b`)).status).toBe(204);
    expect((await client("DELETE", `${path}/b`)).status).toBe(404);
    expect((await client("GET", `/knowledge-bases/${base.kbId}`)).body.total_chunks).toBe(2);
    await Promise.all(["a", "c"].map((id) => client("DELETE", `${path}/${id}`)));
    expect((await client("GET", `/knowledge-bases/${base.kbId}`)).body.total_chunks).toBe(0);
  });
});
