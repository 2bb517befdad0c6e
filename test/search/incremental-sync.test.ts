import { abortAllDurableObjects, evictDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { table } from "../support/app.ts";
import { databaseRequests, endFaults, injectFault } from "../support/control.ts";
import { SLOW, sequentialWaits } from "../support/waits.ts";
import { type Planted, testMemory } from "./memories.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

describe("the very next search", () => {
  it("finds what was inserted", async () => {
    const memory = testMemory();
    await memory.plant("green tea");
    expect(await memory.find("tea")).toEqual(["green tea"]);

    await memory.plant("black tea");

    expect(await memory.find("tea")).toEqual(["black tea", "green tea"]);
  });

  it("finds what was inserted while another search was reading", async () => {
    const memory = testMemory();
    await memory.plant("green tea");
    await memory.find("tea");
    await injectFault({
      match: [memory.agentId],
      operation: "Query",
      times: 8,
      fault: { kind: "hold-answer" },
    });
    const first = memory.find("tea");
    // With `hold-answer`, a request ends when it is carried out.
    const carriedOut = async () =>
      (await databaseRequests(memory.agentId)).filter(({ endedAt }) => endedAt > 0).length;
    await expect.poll(carriedOut).toBeGreaterThanOrEqual(5);

    await memory.plant("black tea");
    // It comes while the first search still waits for its answers.
    const next = memory.find("tea");
    await endFaults();

    expect(await next).toEqual(["black tea", "green tea"]);
    expect(await first).toContain("green tea");
  });

  it("does not find what was deleted", async () => {
    const memory = testMemory();
    const [green] = await memory.plant("green tea", "black tea");
    await memory.find("tea");

    if (green) await memory.remove(green);

    expect(await memory.search("tea")).toMatchObject({ hits: [{ content: "black tea" }], total: 1 });
    expect(await memory.search("")).toMatchObject({ total: 1 });
  });

  it("finds an edited memory by its new words only, once", async () => {
    const memory = testMemory();
    const [green] = await memory.plant("green tea", "black tea");
    await memory.find("tea");

    if (green) await memory.edit(green, "green apples");

    expect(await memory.find("tea")).toEqual(["black tea"]);
    expect(await memory.find("green")).toEqual(["green apples"]);
    expect(await memory.find("")).toEqual(["green apples", "black tea"]);
  });

  it("finds what was deleted and inserted again", async () => {
    const memory = testMemory();
    const [green] = await memory.plant("green tea");
    await memory.find("tea");
    if (green) await memory.remove(green);

    await memory.plant({ id: String(green?.["memory_id"]), content: "green tea", at: Date.now() + 5 });

    expect(await memory.find("tea")).toEqual(["green tea"]);
  });

  it("finds a memory that was stored later than its sort key says", async () => {
    const memory = testMemory();
    await memory.plant("green tea");
    await memory.find("tea");

    await memory.plant({ content: "late tea", at: Date.now() - 50_000 });

    expect(await memory.find("late")).toEqual(["late tea"]);
  });

  it("finds a memory with a time in the future, and later ones", async () => {
    const memory = testMemory();
    await memory.plant({ content: "future tea", at: Date.now() + HOUR_MS });
    expect(await memory.find("tea")).toEqual(["future tea"]);

    await memory.plant("present tea");

    expect(await memory.find("tea")).toEqual(["future tea", "present tea"].toReversed());
  });
});

describe("a deletion", () => {
  it("does not remove a memory that is newer than it", async () => {
    const memory = testMemory();
    await memory.plant({ id: "m1", content: "green tea" });
    await memory.plantTombstone("m1", Date.now() - 10_000);

    expect(await memory.find("tea")).toEqual(["green tea"]);
  });

  it("of an unknown memory changes nothing", async () => {
    const memory = testMemory();
    await memory.plant("green tea");
    await memory.find("tea");
    await memory.plantTombstone("unknown", Date.now());

    expect(await memory.search("tea")).toMatchObject({ total: 1 });
  });
});

it("reads memories of the legacy Python service, and malformed ones", async () => {
  const memory = testMemory();
  const pk = `Agent#${memory.agentId}#User#${memory.userId}`;
  await table.batchWrite([
    { put: { pk, sk: "Archival#2024-01-29T11:51:36.123456+00:00#a", content: "no id tea" } },
    { put: { pk, sk: "Archival#odd", memory_id: "odd", content: "odd tea", occurred_at: "last summer" } },
    { put: { pk, sk: "ArchivalId#a", content: "pointer tea" } },
    { put: { pk, sk: "ArchivalHash#a", content: "hash tea" } },
  ]);

  const { hits } = await memory.search("tea");

  const createdAt = new Map(hits.map((hit) => [hit.memoryId, hit.createdAt]));
  expect(Object.fromEntries(createdAt)).toEqual({ a: "2024-01-29T11:51:36.123456+00:00", odd: "odd" });
});

it("never finds another user's memory, or another agent's", async () => {
  const mine = testMemory();
  const [theirs, myOther] = [testMemory(), testMemory(mine.userId)];
  await theirs.plant("secret tea");
  await myOther.plant("other tea");
  await mine.plant("my tea");

  expect(await theirs.find("tea")).toEqual(["secret tea"]);
  expect(await mine.find("tea")).toEqual(["my tea"]);
  expect(await mine.find("")).toEqual(["my tea"]);
});

describe("a lost index", () => {
  it.each([
    ["is evicted", (memory: ReturnType<typeof testMemory>) => evictDurableObject(memory.index())],
    ["dies", () => abortAllDurableObjects()],
    ["is forgotten", (memory: ReturnType<typeof testMemory>) => memory.forget()],
  ])("is complete, with all changes made meanwhile, after it %s", async (_case, lose) => {
    const memory = testMemory();
    const [green] = await memory.plant("green tea", "black tea", "red wine");
    expect(await memory.find("tea")).toEqual(["black tea", "green tea"]);

    await lose(memory);
    if (green) await memory.remove(green);
    await memory.plant("white tea");

    expect(await memory.find("tea")).toEqual(["white tea", "black tea"]);
    expect(await memory.search("")).toMatchObject({ total: 3, notes: [] });
  });

  it("is empty when it is forgotten together with the memory", async () => {
    const memory = testMemory();
    const [green] = await memory.plant("green tea");
    await memory.find("tea");
    if (green) await table.batchWrite([{ remove: { pk: String(green["pk"]), sk: String(green["sk"]) } }]);

    await memory.forget();

    expect(await memory.search("tea")).toMatchObject({ total: 0, notes: ["nothing-stored"] });
  });
});

describe("the table", () => {
  const down = { operation: "Query", fault: { kind: "answer", status: 500, body: {} } } as const;

  it("that does not answer makes a search fail, and the next one find everything", async () => {
    const memory = testMemory();
    await memory.plant("green tea");
    await memory.find("tea");
    await memory.plant("black tea");
    await injectFault({ match: [memory.agentId], times: 1_000, ...down });

    await expect(memory.search("tea")).rejects.toMatchObject({ code: "unavailable", status: 503 });

    await endFaults();
    expect(await memory.find("tea")).toEqual(["black tea", "green tea"]);
  });

  it("that fails during a large build leaves no partial index", async () => {
    const memory = testMemory();
    await memory.plant(
      ...Array.from({ length: 1_200 }, (_, index): Planted => ({ content: `tea ${index}` })),
    );
    // The first page and the deletions are read, the second page is not.
    await injectFault({ match: [memory.agentId], after: 2, times: 1_000, ...down });
    await expect(memory.search("tea")).rejects.toMatchObject({ code: "unavailable" });
    await endFaults();

    expect(await memory.search("tea")).toMatchObject({ total: 1_200, notes: [] });
  });

  it("is waited for once, with two requests, by a search in an index that is up to date", async () => {
    const memory = testMemory();
    await memory.plant("green tea");
    await memory.find("tea");
    await memory.plant("black tea");
    const before = (await databaseRequests(memory.agentId)).length;
    await injectFault({ match: [memory.agentId], times: 1_000, fault: SLOW });

    expect(await memory.find("tea")).toHaveLength(2);

    const requests = (await databaseRequests(memory.agentId)).slice(before);
    expect(requests.map(({ operation }) => operation)).toEqual(["Query", "Query"]);
    expect(sequentialWaits(requests)).toBe(1);
    for (const { body } of requests) expect(body).toContain('"ConsistentRead":true');
  });

  it("is waited for once by a search in an evicted index", async () => {
    const memory = testMemory();
    await memory.plant("green tea");
    await memory.find("tea");
    await evictDurableObject(memory.index());
    const before = (await databaseRequests(memory.agentId)).length;
    await injectFault({ match: [memory.agentId], times: 1_000, fault: SLOW });

    expect(await memory.find("tea")).toHaveLength(1);

    expect(sequentialWaits((await databaseRequests(memory.agentId)).slice(before))).toBe(1);
  });

  it("is read twice at most for any number of searches at once", async () => {
    const memory = testMemory();
    await memory.plant("green tea");

    const before = (await databaseRequests(memory.agentId)).length;
    const answers = await Promise.all(Array.from({ length: 20 }, () => memory.search("tea")));

    for (const answer of answers) expect(answer).toMatchObject({ total: 1 });
    const operations = (await databaseRequests(memory.agentId))
      .slice(before)
      .map(({ operation }) => operation);
    expect(operations.filter((operation) => operation === "Query").length).toBeLessThanOrEqual(4);
    // Whose provider might offer embeddings.
    expect(operations.filter((operation) => operation === "GetItem")).toHaveLength(1);
  });
});
