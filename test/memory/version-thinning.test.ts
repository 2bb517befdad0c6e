import { describe, expect, it } from "vitest";
import { thinned } from "../../src/memory/version-thinning.ts";
import { type Client, signUp, table } from "../support/app.ts";
import { endUserOf, programOf } from "../support/callers.ts";
import { endFaults, injectFault } from "../support/control.ts";
import { storedVersions, turnWith, withJobs } from "./agent-memory.ts";

type Memory = Awaited<ReturnType<typeof withJobs>>;

/** A block with this many versions, the first 30 of which were created on three days, ten on each. */
async function longHistory(client: Client, count: number): Promise<Memory> {
  const memory = await withJobs(client);
  await memory.put(["Line 1"]);
  const id = `${memory.agentId}:${client.email}:jobs`;
  const today = new Date().toISOString().slice(0, 10);
  const dayOf = (version: number) => (version > 30 ? today : `2026-01-0${Math.ceil(version / 10)}`);
  await table.batchWrite(
    Array.from({ length: count }, (_, index) => ({
      put: {
        pk: memory.pk,
        sk: `BlockVersion#${id}#${String(index + 1).padStart(6, "0")}`,
        ...memory.common,
        block_name: "jobs",
        version: index + 1,
        lines: [`Line ${index + 1}`],
        by: "user",
        created_at: `${dayOf(index + 1)}T10:00:00.000000+00:00`,
      },
    })),
  );
  const set = { version: count, lines: [`Line ${count}`] };
  await table.update({ pk: memory.pk, sk: `CoreMemory#${id}` }, { set });
  return memory;
}

const numbers = async (memory: Memory) =>
  (await storedVersions(memory, "jobs")).map(({ version }) => Number(version));
const old = async (memory: Memory, upTo: number) =>
  (await numbers(memory)).filter((version) => version <= upTo);

describe("versions beyond the newest 200", () => {
  it("are thinned after a write: the first and the last of each day are kept, and restored ones", async () => {
    const memory = await longHistory(await signUp(), 230);

    expect((await memory.restore(5)).status).toBe(200);

    expect(await old(memory, 31)).toEqual([1, 5, 10, 11, 20, 21, 30, 31]);
    expect((await numbers(memory)).length).toBe(8 + 200);
    // The day goes on, and 31 is its first.
    await memory.put(["Another"]);
    await memory.put(["And another"]);
    expect(await old(memory, 33)).toEqual([1, 5, 10, 11, 20, 21, 30, 31]);
    const [newest] = (await storedVersions(memory, "jobs")).filter(({ by }) => by === "restore");
    expect(newest).toMatchObject({ restores: 5 });
  });

  it("are thinned after the answer when an agent writes", async () => {
    const client = await signUp();
    const memory = await longHistory(client, 230);
    await turnWith(client, memory, ["core_memory_append", { block: "jobs", content: "One more" }]);
    await expect.poll(() => old(memory, 31)).toEqual([1, 10, 11, 20, 21, 30, 31]);
  });

  it("are examined in limited parts, each starting where the last one ended", async () => {
    const memory = await longHistory(await signUp(), 300);

    await memory.put(["One"]);
    expect(await old(memory, 101)).toEqual([1, 10, 11, 20, 21, 30, 31, ...range(49, 101)]);
    await memory.put(["Two"]);
    expect(await old(memory, 102)).toEqual([1, 10, 11, 20, 21, 30, 31, ...range(97, 102)]);
    await memory.put(["Three"]);
    expect(await old(memory, 103)).toEqual([1, 10, 11, 20, 21, 30, 31]);
  });

  it("are kept until the next write if the table does not answer, and the write succeeds", async () => {
    const memory = await longHistory(await signUp(), 230);
    await injectFault({
      match: [`BlockVersionsThinned#${memory.agentId}`],
      operation: "TransactWriteItems",
      times: 4,
      fault: { kind: "answer", status: 500, body: { __type: "InternalServerError" } },
    });
    expect((await memory.put(["One"])).status).toBe(200);
    expect(await old(memory, 31)).toHaveLength(31);

    await endFaults();
    await memory.put(["Two"]);
    expect(await old(memory, 32)).toEqual([1, 10, 11, 20, 21, 30, 31]);
  });
});

describe("a part of a history", () => {
  const mark = (version: number, day: string, wasRestored = false) => ({ version, day, wasRestored });
  const gone = (...given: Parameters<typeof thinned>) => thinned(...given).map(({ version }) => version);

  it("keeps the first and the last of each day, given the parts before and after it", () => {
    const part = [mark(4, "a"), mark(5, "a"), mark(6, "b"), mark(7, "b")];
    expect(gone(part, mark(8, "b"), "a")).toEqual([4, 7]);
    expect(gone(part, mark(8, "c"), "_")).toEqual([]);
    expect(gone(part, undefined, undefined)).toEqual([]);
  });

  it("keeps restored versions", () => {
    const part = [mark(4, "a"), mark(5, "a", true), mark(6, "a")];
    expect(gone(part, mark(7, "a"), "a")).toEqual([4, 6]);
  });
});

describe("deleting a version", () => {
  const versionOf = ({ block }: Memory, version: unknown) => `${block}/versions/${String(version)}`;

  async function threeVersions(client: Client) {
    const memory = await withJobs(client);
    for (const line of ["One", "Two", "Three"]) await memory.put([line]);
    return memory;
  }

  it("removes it, and can be repeated", async () => {
    const client = await signUp();
    const memory = await threeVersions(client);

    expect((await client("DELETE", versionOf(memory, 1))).status).toBe(204);
    expect((await client("DELETE", versionOf(memory, 1))).status).toBe(204);

    expect(await numbers(memory)).toEqual([2, 3]);
    expect((await memory.restore(1)).status).toBe(404);
    await memory.put(["Four"]);
    expect(await numbers(memory)).toEqual([2, 3, 4]);
  });

  it("removes even a restored one", async () => {
    const client = await signUp();
    const memory = await threeVersions(client);
    await memory.restore(1);
    expect((await client("DELETE", versionOf(memory, 1))).status).toBe(204);
    expect(await numbers(memory)).toEqual([2, 3, 4]);
  });

  it("refuses the current one", async () => {
    const client = await signUp();
    const memory = await threeVersions(client);
    const { status, body } = await client("DELETE", versionOf(memory, 3));
    expect([status, body.code]).toEqual([409, "conflict"]);
    expect(await numbers(memory)).toEqual([1, 2, 3]);
  });

  it.each(["4", "0", "1e0", "x", "1000000"])("returns 404 for version %s", async (version) => {
    const client = await signUp();
    const memory = await threeVersions(client);
    expect((await client("DELETE", versionOf(memory, version))).status).toBe(404);
  });

  it("is allowed for the owner, and for API keys that may write memories", async () => {
    const client = await signUp();
    const memory = await threeVersions(client);
    const [stranger, reader, writer] = await Promise.all([
      signUp(),
      programOf(client, ["memory:read"]),
      programOf(client, ["memory:write"]),
    ]);

    expect((await stranger("DELETE", versionOf(memory, 1))).status).toBe(404);
    expect((await reader("DELETE", versionOf(memory, 1))).status).toBe(403);
    expect(await numbers(memory)).toEqual([1, 2, 3]);
    expect((await writer("DELETE", versionOf(memory, 1))).status).toBe(204);
  });

  it("is about the end user if one is named", async () => {
    const client = await signUp();
    const memory = await threeVersions(client);
    await endUserOf(client, memory.agentId, "visitor-1");
    const query = "?end_user=visitor-1";
    for (const line of ["Hers", "Hers again"])
      await client("PUT", `${memory.path}/human/content${query}`, { lines: [line] });

    const path = `${memory.path}/human/versions/1${query}`;
    expect((await client("DELETE", path)).status).toBe(204);
    const { body } = await client("GET", `${memory.path}/human/versions${query}`);
    expect(body.items.map(({ version }: { version: number }) => version)).toEqual([2]);
    expect(await numbers(memory)).toEqual([1, 2, 3]);
  });
});

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);
