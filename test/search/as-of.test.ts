import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { SearchClient } from "../../src/search/search-client.ts";
import { formatTimestamp } from "../../src/shared/clock.ts";
import { agentIdOf } from "../../src/shared/id-types.ts";
import { type Archive, beginArchive, plantOld } from "../memory/archive.ts";
import { beginConversation, signUp, table } from "../support/app.ts";
import { databaseRequests, embeddingModel, injectFault, scriptModel } from "../support/control.ts";
import { say } from "../support/sse.ts";
import { withModel } from "./embedded.ts";
import { testMemory } from "./memories.ts";

const LISBON = "Anna lives in Lisbon";
const PORTO = "Anna lives in Porto";
const BRAGA = "Anna lives in Braga";

const searches = new SearchClient({ namespace: env.SEARCH_INDEX, region: env.AWS_REGION });

const part = ({ pk }: Pick<Archive, "pk">, beginsWith: string) => table.query(pk, { range: { beginsWith } });

/** Searches as of a time. Returns the answer's body, with the texts of its items as `contents`. */
async function searched({ client, path }: Archive, parameters: Record<string, string>) {
  const query = new URLSearchParams({ query: "Anna", ...parameters });
  const { status, body } = await client("GET", `${path}/search?${query.toString()}`);
  expect(status).toBe(200);
  const items: { content: string; superseded_at?: string }[] = body.items;
  return { ...body, contents: items.map(({ content }) => content) };
}

/** Stores a memory and gives it these texts one after the other. Returns its id, and when it got each text. */
async function stored(archive: Archive, ...texts: readonly [string, ...string[]]) {
  const { client, path } = archive;
  const [first, ...further] = texts;
  const { body } = await client("POST", path, { content: first });
  const id: string = body.memory_id;
  for (const content of further)
    expect((await client("PATCH", `${path}/${id}`, { content })).status).toBe(200);
  const item = (await part(archive, "Archival#")).find(({ memory_id: other }) => other === id);
  const changes = Array.isArray(item?.["changed_at"]) ? item["changed_at"].map(String) : [];
  return { id, times: [String(body.created_at), ...changes] };
}

describe("a search as of an earlier time", () => {
  it("shows the text that stood then, and when a change replaced it", async () => {
    const archive = await beginArchive();
    const { times } = await stored(archive, LISBON, PORTO, BRAGA);

    const answers = await Promise.all(times.map((time) => searched(archive, { as_of: time })));

    expect(answers.map(({ contents }) => contents)).toEqual([[LISBON], [PORTO], [BRAGA]]);
    expect(answers.map(({ items }) => items[0].superseded_at)).toEqual([times[1], times[2], undefined]);
    expect((await searched(archive, {})).contents).toEqual([BRAGA]);
  });

  it("finds nothing that was stored later, and counts only what stood then", async () => {
    const archive = await beginArchive();
    const { times } = await stored(archive, LISBON, PORTO);
    await stored(archive, "Anna plays chess");

    const then = await searched(archive, { as_of: times[0] ?? "", query: "Anna Porto chess" });
    const now = await searched(archive, { query: "Anna Porto chess" });

    expect(then).toMatchObject({
      contents: [LISBON],
      total: 1,
      evidence: { matched_terms: ["anna"], missing_terms: ["porto", "chess"], considered: 1 },
    });
    expect(now).toMatchObject({ total: 2, evidence: { missing_terms: [], considered: 2 } });
  });

  it("finds nothing as of a time before the first memory, and says that it searched none", async () => {
    const archive = await beginArchive();
    await stored(archive, LISBON);

    const answer = await searched(archive, { as_of: "2020" });

    expect(answer).toMatchObject({ contents: [], total: 0, evidence: { considered: 0, newest_at: null } });
  });

  it("forgets a text as soon as 20 newer ones have been replaced, whether it was indexed before or not", async () => {
    const archive = await beginArchive();
    const { client, path } = archive;
    const { id, times } = await stored(archive, LISBON);
    const asOf = times[0] ?? "";
    const change = async (n: number) =>
      client("PATCH", `${path}/${id}`, { content: `Anna has moved ${n} times` });
    // From here on, the index has the first text.
    for (let n = 1; n <= 20; n++) await change(n);
    expect((await searched(archive, { as_of: asOf })).contents).toEqual([LISBON]);

    await change(21);
    const indexed = await searched(archive, { as_of: asOf });
    await searches.forget(agentIdOf(archive.agentId), client.email);
    const rebuilt = await searched(archive, { as_of: asOf });

    expect(indexed.contents).toEqual([]);
    expect(rebuilt.contents).toEqual([]);
  });

  it("takes a date as its end, and a later time as now", async () => {
    const archive = await beginArchive();
    await stored(archive, LISBON, PORTO);
    const today = new Date().toISOString().slice(0, 10);

    for (const date of [today, today.slice(0, 7), today.slice(0, 4), "2999-12-31"])
      expect((await searched(archive, { as_of: date })).contents).toEqual([PORTO]);
  });

  it("finds texts without words, and lists all for an empty query", async () => {
    const archive = await beginArchive();
    const { times } = await stored(archive, "🐈", "🐕");

    for (const query of ["🐈", ""])
      expect((await searched(archive, { query, as_of: times[0] ?? "" })).contents).toEqual(["🐈"]);
    expect((await searched(archive, { query: "🐈", as_of: times[1] ?? "" })).contents).toEqual([]);
  });

  it("has stable pages while memories change between them", async () => {
    const archive = await beginArchive();
    const { client, path } = archive;
    const items = Array.from({ length: 60 }, (_, n) => ({ content: `Anna has ${n} cats` }));
    const ids: string[] = (await client("POST", `${path}/batch`, { items })).body.items.map(
      ({ memory_id: id }: { memory_id: string }) => id,
    );
    const asOf = new Date().toISOString();
    const seen: string[] = [];

    for (let page = 0, cursor = ""; page < 4; page++) {
      const body = await searched(archive, { as_of: asOf, limit: "15", ...(page > 0 && { cursor }) });
      seen.push(...body.contents);
      cursor = body.next_cursor;
      await client("PATCH", `${path}/${ids[page * 20]}`, { content: `Anna Anna Anna ${page}` });
    }

    expect(seen.toSorted()).toEqual(items.map(({ content }) => content).toSorted());
  });

  it("refuses the cursor of another time, and a text that is no date", async () => {
    const archive = await beginArchive();
    const { client, path } = archive;
    await stored(archive, LISBON);
    await stored(archive, PORTO);
    const { next_cursor: cursor } = await searched(archive, { as_of: "2999", limit: "1" });

    const other = await client("GET", `${path}/search?query=Anna&as_of=2998&limit=1&cursor=${cursor}`);
    const wrong = await client("GET", `${path}/search?query=Anna&as_of=yesterday`);

    expect([other.status, wrong.status]).toEqual([400, 422]);
  });

  it("never shows a deleted memory, nor its earlier texts after it was stored again", async () => {
    const archive = await beginArchive();
    const { client, path } = archive;
    const { id, times } = await stored(archive, LISBON, PORTO);
    const asOf = times[0] ?? "";
    expect((await searched(archive, { as_of: asOf })).contents).toEqual([LISBON]);

    await client("DELETE", `${path}/${id}`);
    expect((await searched(archive, { as_of: asOf })).contents).toEqual([]);
    await stored(archive, LISBON);

    expect((await searched(archive, { as_of: asOf })).contents).toEqual([]);
    expect((await searched(archive, { as_of: "2999" })).contents).toEqual([LISBON]);
  });

  it("also finds by their meaning the memories that have not changed", async () => {
    const memory = testMemory();
    const model = embeddingModel();
    const [cat] = await memory.plant("My kitten sleeps", "The weather is fine");
    const asOf = Date.parse(String(cat?.["created_at"])) + 1_000;

    const { hits, total } = await withModel(memory, model.name, ({ search }) =>
      search("feline", 10, 0, { asOf }),
    );

    expect(hits.map(({ content }) => content)).toEqual(["My kitten sleeps"]);
    expect(total).toBe(1);
  });

  it("reads earlier texts from the table only if it is as of a time", async () => {
    const archive = await beginArchive();
    await stored(archive, LISBON, PORTO);

    const reads = async () =>
      (await databaseRequests(archive.pk)).filter(
        ({ operation, body }) => operation === "Query" && body.includes("ArchivalVersion#"),
      ).length;

    await searched(archive, {});
    expect(await reads()).toBe(0);
    await searched(archive, { as_of: "2999" });
    expect(await reads()).toBe(1);
  });
});

describe("the earlier texts of a memory", () => {
  it("are kept once if the answer of the database is lost", async () => {
    const archive = await beginArchive();
    const { client, path } = archive;
    const { id } = await stored(archive, LISBON);
    await injectFault({
      match: [archive.pk],
      operation: "TransactWriteItems",
      fault: { kind: "lose-answer" },
    });

    await client("PATCH", `${path}/${id}`, { content: PORTO });

    expect(await part(archive, "ArchivalVersion#")).toMatchObject([{ content: LISBON, memory_id: id }]);
  });

  it("keep the day that a memory had", async () => {
    const archive = await beginArchive();
    const { client, path } = archive;
    const { body } = await client("POST", path, { content: LISBON, occurred_at: "2023-05-08" });
    await client("PATCH", `${path}/${body.memory_id}`, { occurred_at: null });

    const then = await searched(archive, { as_of: body.created_at });

    expect(then.items[0]).toMatchObject({ content: LISBON, occurred_at: "2023-05-08" });
    expect(then.items[0].superseded_at).toBeDefined();
  });

  it("are the newest twenty, and are removed with the memory", async () => {
    const archive = await beginArchive();
    const { client, path } = archive;
    const texts = Array.from({ length: 23 }, (_, n) => `Anna has ${n} cats`);
    const { id } = await stored(archive, texts[0] ?? "", ...texts.slice(1));

    const kept = await part(archive, "ArchivalVersion#");
    await client("DELETE", `${path}/${id}`);

    expect(kept.map(({ content }) => content)).toEqual(texts.slice(2, 22));
    expect(await part(archive, "ArchivalVersion#")).toEqual([]);
  });

  it("are removed with their agent", async () => {
    const archive = await beginArchive();
    await stored(archive, LISBON, PORTO);

    await archive.client("DELETE", `/agents/${archive.agentId}`);

    expect(await part(archive, "")).toEqual([]);
  });

  it("are part of an export", async () => {
    const archive = await beginArchive();
    const { id, times } = await stored(archive, LISBON, PORTO);

    const lines: unknown[] = String((await archive.client("GET", "/users/me/export")).body)
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));

    expect(lines).toContainEqual(
      expect.objectContaining({
        type: "memory_version",
        memory_id: id,
        content: LISBON,
        created_at: times[0],
        superseded_at: times[1],
      }),
    );
  });
});

describe("a memory that was stored by a server whose clock is fast", () => {
  const ahead = () => formatTimestamp(Date.now() + 30_000);

  it("is found by its new text after a change, and as of each text's time", async () => {
    const archive = await beginArchive();
    const { id } = await plantOld(archive, LISBON, ahead());
    expect((await searched(archive, {})).contents).toEqual([LISBON]);

    for (const content of [PORTO, BRAGA]) await archive.client("PATCH", `${archive.path}/${id}`, { content });
    const [item] = await part(archive, "Archival#");
    const times = Array.isArray(item?.["changed_at"]) ? item["changed_at"].map(String) : [];

    expect((await searched(archive, {})).contents).toEqual([BRAGA]);
    expect((await searched(archive, { as_of: "2999" })).contents).toEqual([BRAGA]);
    expect(times).toHaveLength(2);
    expect(times).toEqual(times.toSorted());
    expect((await part(archive, "ArchivalVersion#")).map(({ content }) => content)).toEqual([LISBON, PORTO]);
  });

  it("is no longer found after it was deleted", async () => {
    const archive = await beginArchive();
    const { id } = await plantOld(archive, LISBON, ahead());
    expect((await searched(archive, {})).contents).toEqual([LISBON]);

    await archive.client("DELETE", `${archive.path}/${id}`);

    expect((await searched(archive, {})).contents).toEqual([]);
    expect((await searched(archive, { as_of: "2999" })).contents).toEqual([]);
  });

  it("is found after it was stored again by a server whose clock is slow", async () => {
    const memory = testMemory();
    const [old] = await memory.plant({ content: LISBON, at: Date.now() - 30_000 });
    if (!old) throw new Error("Nothing was planted.");
    expect(await memory.find("Anna")).toEqual([LISBON]);
    await memory.remove(old, Date.now() + 10_000);
    expect(await memory.find("Anna")).toEqual([]);

    await memory.plant({ id: String(old["memory_id"]), content: LISBON });

    expect(await memory.find("Anna")).toEqual([LISBON]);
  });
});

it("lets an agent search and read its memories as they stood", async () => {
  const client = await signUp();
  const call = (name: string, input: object) => ({ call: { name, arguments: JSON.stringify(input) } });
  const setUp = await beginConversation(client);
  const archive = {
    ...setUp,
    client,
    pk: `Agent#${setUp.agentId}#User#${client.email}`,
    path: `/agents/${setUp.agentId}/archival-memory`,
  };
  const long = `${LISBON}. ${"She likes it there. ".repeat(30)}`;
  const { id, times } = await stored(archive, long, PORTO);
  const as_of = times[0] ?? "";
  const model = await scriptModel(
    [call("archival_memory_search", { query: "Anna", as_of })],
    [call("archival_memory_read", { memory_id: id, as_of })],
    [call("archival_memory_read", { memory_id: id, as_of: "2020" })],
    [call("archival_memory_search", { query: "Anna", as_of: "then" })],
    [{ text: "Done." }],
  );
  await client("PUT", `/agents/${setUp.agentId}`, { agent_model: model.name });

  await say(client, setUp.path, "Where did Anna live?");

  const [found, read, before, wrong] = ((await model.log()).requests.at(-1)?.body.messages ?? [])
    .filter(({ role }) => role === "tool")
    .map(({ content }) => content ?? "");
  expect(found).toContain(LISBON);
  expect(found).toContain(`(changed on ${(times[1] ?? "").slice(0, 10)})`);
  expect(found).toContain(`archival_memory_read and the same as_of: [1] ${id}`);
  expect(read).toContain(long.trim());
  expect(before).toMatch(/^Error: There is no archival memory with this id, or none of its texts/u);
  expect(wrong).toBe("Error: `as_of` has to be a date such as 2024-05-31.");
});
