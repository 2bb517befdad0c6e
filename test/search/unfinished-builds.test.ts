import { runInDurableObject } from "cloudflare:test";
import { expect, it } from "vitest";
import { type IndexOwner, UnfinishedBuilds } from "../../src/search/unfinished-builds.ts";
import { accountEmailOf } from "../../src/shared/id-types.ts";
import { testMemory } from "./memories.ts";

/** Longer than a test, so that the object itself does not continue the builds. */
const LATER_MS = 60_000;
const nothingLeft = () => Promise.resolve(undefined);

/** Uses the builds of a new index, and removes their alarm. */
const withBuilds = (
  use: (builds: UnfinishedBuilds, owner: IndexOwner, storage: DurableObjectStorage) => Promise<void>,
) => {
  const memory = testMemory();
  return runInDurableObject(memory.index(), async (_, { storage }) => {
    const owner = { agentId: memory.agentId, userId: memory.userId };
    await use(new UnfinishedBuilds({ storage }), owner, storage);
    await storage.deleteAlarm();
  });
};

it("keeps a build that a search leaves while another one is continued", () =>
  withBuilds(async (builds, owner) => {
    const searcher = { ...owner, accountEmail: accountEmailOf(owner.userId) };
    await builds.leave(owner, { memories: true }, LATER_MS);
    await builds.continue({
      memories: async () => {
        await builds.leave(searcher, { conversationsOf: "the user" }, LATER_MS);
        return undefined;
      },
      history: nothingLeft,
      messages: nothingLeft,
    });

    const continued: unknown[] = [];
    await builds.continue({
      memories: (of) => {
        continued.push(["memories", of]);
        return nothingLeft();
      },
      history: nothingLeft,
      messages: (of, conversationsOf) => {
        continued.push([conversationsOf, of]);
        return nothingLeft();
      },
    });

    expect(continued).toEqual([["the user", searcher]]);
  }));

it("does not postpone an alarm that a search has set in the meantime", () =>
  withBuilds(async (builds, owner, storage) => {
    let alarm: number | null = null;
    await builds.leave(owner, { memories: true }, LATER_MS);
    await storage.deleteAlarm();
    await builds.continue({
      memories: async () => {
        await builds.leave(owner, { conversationsOf: "the user" }, LATER_MS);
        alarm = await storage.getAlarm();
        return 10 * LATER_MS;
      },
      history: nothingLeft,
      messages: nothingLeft,
    });

    expect(alarm).not.toBeNull();
    expect(await storage.getAlarm()).toBe(alarm);
  }));

it("stores nothing if the index was removed in the meantime", () =>
  withBuilds(async (builds, owner, storage) => {
    await builds.leave(owner, { memories: true }, LATER_MS);
    await builds.continue({
      memories: async () => {
        await storage.deleteAlarm();
        await storage.deleteAll();
        return LATER_MS;
      },
      history: nothingLeft,
      messages: nothingLeft,
    });

    expect((await storage.list()).size).toBe(0);
    expect(await storage.getAlarm()).toBeNull();
  }));
