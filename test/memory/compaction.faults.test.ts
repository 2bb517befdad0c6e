import { abortAllDurableObjects } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { databaseRequests, injectFault } from "../support/control.ts";
import type { Fault } from "../support/control-protocol.ts";
import { storedLines } from "../support/items.ts";
import { summaryOf, storedVersions } from "./agent-memory.ts";
import {
  archived,
  FULL,
  fullBlock,
  type FullBlock,
  ok,
  settled,
  SUMMARY,
  summary,
  turnsOf,
} from "./full-block.ts";

/** The same words in three lines. After the third answer, a count, three memories and the block are written. */
const LINES = [FULL.slice(0, 6), FULL.slice(6, 12), FULL.slice(12)].map((lines) => lines.join(", "));
const WRITES = ["count", "first memory", "second memory", "third memory", "block"] as const;
const writes = WRITES.map((name, at) => [name, at] as const);

const BROKEN: Fault = { kind: "answer", status: 400, body: { __type: "ValidationException", message: "no" } };

/** `isAsked`: whether the model is asked for a summary after the third turn already, not only after a later one. */
async function beforeThird(isAsked = true): Promise<FullBlock> {
  const third = isAsked ? [ok, summary] : [ok];
  const memory = await fullBlock([ok, ok, ...third, ok, summary], LINES);
  for (const turn of [1, 2]) {
    await memory.turn();
    await expect.poll(() => turnsOf(memory)).toBe(turn);
  }
  return memory;
}

/** The number of transactions that the database has carried out. */
const transactions = async ({ pk }: FullBlock): Promise<number> =>
  (await databaseRequests(pk)).filter(
    ({ operation, endedAt }) => operation === "TransactWriteItems" && endedAt > 0,
  ).length;

/** Returns the lines that are neither in the block nor in the archive. */
async function lostLines(memory: FullBlock): Promise<readonly string[]> {
  const block = (await storedLines(memory.agentId, memory.client.email, "jobs")) as readonly string[];
  const kept = new Set([...block, ...(await archived(memory))]);
  return LINES.filter((line) => !kept.has(line));
}

/** Runs turns until the block is compacted. Expects one compaction that has lost nothing. */
async function endsWell(memory: FullBlock): Promise<void> {
  for (let turns = 0; turns < 2; turns++) {
    if ((await storedVersions(memory, "jobs")).length > 1) break;
    await memory.turn();
    await settled(memory);
  }
  expect(summaryOf(await storedVersions(memory, "jobs"))).toEqual([
    [1, "user", LINES],
    [2, "compaction", SUMMARY],
  ]);
  expect(await storedLines(memory.agentId, memory.client.email, "jobs")).toEqual(SUMMARY);
  expect(await archived(memory)).toHaveLength(LINES.length);
  expect(new Set(await archived(memory))).toEqual(new Set(LINES));
}

describe.each(writes)("a compaction whose write of the %s", (_name, at) => {
  it("is refused loses nothing, and happens after the next turn", async () => {
    const memory = await beforeThird(at > 0);
    const rule = { match: [memory.pk], operation: "TransactWriteItems", after: at };
    await injectFault({ ...rule, fault: BROKEN });

    expect((await memory.turn()).last?.event_type).toBe("STREAM_COMPLETE");
    await settled(memory);

    expect(await lostLines(memory)).toEqual([]);
    expect(await storedVersions(memory, "jobs")).toHaveLength(1);
    await endsWell(memory);
  });

  it("loses its answer happens nevertheless", async () => {
    const memory = await beforeThird();
    const rule = { match: [memory.pk], operation: "TransactWriteItems", after: at };
    await injectFault({ ...rule, fault: { kind: "lose-answer" } });

    await memory.turn();
    await settled(memory);

    expect(await storedVersions(memory, "jobs")).toHaveLength(2);
    await endsWell(memory);
  });

  it("is not answered before the runner dies loses nothing, and happens after the next turn", async () => {
    const memory = await beforeThird(at > 0);
    const before = await transactions(memory);
    const rule = { match: [memory.pk], operation: "TransactWriteItems", after: at };
    await injectFault({ ...rule, fault: { kind: "withhold-answer" } });

    await memory.turn();
    await expect.poll(async () => (await transactions(memory)) - before).toBeGreaterThan(at);
    await abortAllDurableObjects();

    expect(await lostLines(memory)).toEqual([]);
    await endsWell(memory);
  });
});
