import { describe, expect, it } from "vitest";
import { table } from "../support/app.ts";
import { beginArchive, plantOld, stored } from "./archive.ts";

const FACT = "Der Türcode ist 4711";

const normalsOf = (pk: string) => table.query(pk, { range: { beginsWith: "ArchivalNormal#" } });

describe("a memory that differs only by", () => {
  it.each([
    ["spaces around it", ` ${FACT}\n`],
    ["a double space", FACT.replace(" ", "  ")],
    ["a line break", FACT.replace(" ", "\n")],
    ["decomposed letters", FACT.normalize("NFD")],
    ["a final full stop", `${FACT}.`],
    ["an ideographic full stop", `${FACT}。`],
  ])("%s is the same memory", async (_case, content) => {
    const archive = await beginArchive();
    const { client, path } = archive;
    const first = await client("POST", path, { content: FACT });

    const second = await client("POST", path, { content });

    expect([first.status, second.status]).toEqual([201, 200]);
    expect(second.body).toEqual(first.body);
    expect((await stored(archive)).memories).toHaveLength(1);
  });

  it.each([
    ["its case", FACT.toLowerCase()],
    ["a question mark", `${FACT}?`],
    ["three dots", `${FACT}...`],
  ])("%s is another one", async (_case, content) => {
    const { client, path } = await beginArchive();
    await client("POST", path, { content: FACT });

    expect((await client("POST", path, { content })).status).toBe(201);
  });
});

it("is stored once by concurrent requests", async () => {
  const archive = await beginArchive();
  const { client, path } = archive;

  const contents = [FACT, `${FACT}.`, ` ${FACT}`, `${FACT} `];
  const answers = await Promise.all(contents.map((content) => client("POST", path, { content })));

  expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
  expect(new Set(answers.map(({ body }) => body.memory_id)).size).toBe(1);
  expect((await stored(archive)).memories).toHaveLength(1);
});

it("can be stored again after the first one was changed or removed", async () => {
  const archive = await beginArchive();
  const { client, path, pk } = archive;
  const first = await client("POST", path, { content: FACT });

  await client("PATCH", `${path}/${first.body.memory_id}`, { content: "Something else" });
  const second = await client("POST", path, { content: `${FACT}.` });
  await client("DELETE", `${path}/${second.body.memory_id}`);
  const third = await client("POST", path, { content: ` ${FACT}` });

  expect([second.status, third.status]).toEqual([201, 201]);
  expect((await stored(archive)).memories).toHaveLength(2);
  expect(await normalsOf(pk)).toHaveLength(2);
});

it("refuses an edit that makes two memories the same, and accepts one that adds a space", async () => {
  const { client, path } = await beginArchive();
  await client("POST", path, { content: FACT });
  const other = await client("POST", path, { content: "Tea" });

  expect((await client("PATCH", `${path}/${other.body.memory_id}`, { content: `${FACT}.` })).status).toBe(
    409,
  );
  const edited = await client("PATCH", `${path}/${other.body.memory_id}`, { content: "Tea." });
  expect([edited.status, edited.body.content]).toEqual([200, "Tea."]);
});

it("ignores a holder whose memory another writer has removed", async () => {
  const archive = await beginArchive();
  const { client, path, pk } = archive;
  const first = await client("POST", path, { content: FACT });
  await table.remove({ pk, sk: `Archival#${first.body.created_at}#${first.body.memory_id}` });

  const second = await client("POST", path, { content: `${FACT}.` });

  expect(second.status).toBe(201);
  expect((await stored(archive)).memories).toHaveLength(1);
});

it("leaves memories of the legacy Python service editable and removable", async () => {
  const archive = await beginArchive();
  const { client, path, pk } = archive;
  const { id } = await plantOld(archive, FACT);

  expect((await client("PATCH", `${path}/${id}`, { content: "Tea" })).status).toBe(200);
  expect((await client("DELETE", `${path}/${id}`)).status).toBe(204);
  expect(await normalsOf(pk)).toEqual([]);
});

it("is one memory within a batch, created from the first of its forms", async () => {
  const archive = await beginArchive();
  const { client, path } = archive;
  const facts = Array.from({ length: 8 }, (_, n) => `Fact number ${n}`);
  const items = facts.flatMap((fact) => [`${fact}.`, fact, ` ${fact} .`]).map((content) => ({ content }));

  const { body } = await client("POST", `${path}/batch`, { items });

  expect(body.items.map(({ created }: { created: boolean }) => created)).toEqual(
    facts.flatMap(() => [true, false, false]),
  );
  const { memories } = await stored(archive);
  expect(new Set(memories.map(({ content }) => content))).toEqual(new Set(facts.map((fact) => `${fact}.`)));
  expect(memories).toHaveLength(facts.length);
});

it("is refused by all but one of several concurrent edits into one content", async () => {
  const archive = await beginArchive();
  const { client, path, pk } = archive;
  const items = Array.from({ length: 4 }, (_, n) => ({ content: `Tea ${n}` }));
  const { body } = await client("POST", `${path}/batch`, { items });

  const edits = [FACT, `${FACT}.`, ` ${FACT}`, `${FACT} `].map((content, n) =>
    client("PATCH", `${path}/${body.items[n].memory_id}`, { content }),
  );
  const statuses = (await Promise.all(edits)).map(({ status }) => status);

  expect(statuses.filter((status) => status === 200)).toHaveLength(1);
  expect(statuses.filter((status) => status === 409)).toHaveLength(3);
  expect((await stored(archive)).memories).toHaveLength(4);
  expect(await normalsOf(pk)).toHaveLength(4);
});

it("leaves nothing behind when its agent is deleted", async () => {
  const { client, path, pk, agentId } = await beginArchive();
  await client("POST", path, { content: FACT });
  await client("POST", path, { content: "Tea" });
  expect(await normalsOf(pk)).toHaveLength(2);

  expect((await client("DELETE", `/agents/${agentId}`)).status).toBeLessThan(300);

  await expect.poll(() => table.query(pk)).toEqual([]);
});

it("distinguishes texts that consist of thousands of marks", async () => {
  const archive = await beginArchive();
  const { client, path } = archive;
  const zalgo = `Ghost ${"\u0301\u0316".repeat(20_000)}`;

  const first = await client("POST", path, { content: zalgo });
  const second = await client("POST", path, { content: `${zalgo}.` });

  expect([first.status, second.status]).toEqual([201, 200]);
  expect((await stored(archive)).memories.map(({ content }) => content)).toEqual([zalgo]);
  expect((await client("GET", `${path}/search?query=ghost`)).body.total).toBe(1);
});
