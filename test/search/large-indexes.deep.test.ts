import { runDurableObjectAlarm } from "cloudflare:test";
import { expect, it } from "vitest";
import { type Planted, testMemory } from "./memories.ts";

const HOUR_MS = 3_600_000;

it("builds a large index in steps, newest first, and says so until it is complete", async () => {
  const memory = testMemory();
  const start = Date.now() - 24 * HOUR_MS;
  await memory.plant(
    ...Array.from({ length: 12_500 }, (_, index): Planted => ({
      content: `tea ${index}`,
      at: start + index,
    })),
  );

  const first = await memory.search("tea", 1);
  expect(first).toMatchObject({ hits: [{ content: "tea 12499" }], total: 10_000, notes: ["index-building"] });

  // What is inserted meanwhile is found at once, and what is left is read by the alarm.
  await memory.plant("new tea");
  expect(await memory.find("new")).toEqual(["new tea"]);
  await runDurableObjectAlarm(memory.index());
  await expect.poll(async () => (await memory.search("tea", 1)).notes).toEqual([]);

  expect(await memory.search("tea", 1, 12_500)).toMatchObject({
    hits: [{ content: "tea 0" }],
    total: 12_501,
  });
  expect(await memory.find("", 2, 12_499)).toEqual(["tea 1", "tea 0"]);
});

it("indexes many earlier texts in steps, and says so until it is complete", async () => {
  const memory = testMemory();
  const at = Date.parse("2024-05-31T12:00:00Z");
  await memory.plantSuperseded(
    Array.from({ length: 11_000 }, (_, n) => ({ content: `Old tea ${n}`, at, until: at + 60_000 + n })),
  );
  const search = () => memory.search("tea", 1, 0, { asOf: at + 1_000 });

  const first = await search();
  expect(first.notes).toContain("index-building");
  await expect.poll(async () => (await search()).notes).not.toContain("index-building");

  expect((await search()).total).toBe(11_000);
  expect((await memory.search("tea")).total).toBe(0);
});
