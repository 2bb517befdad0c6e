import { expect, it } from "vitest";
import type { PartialDeletion } from "../../src/deletions/model.ts";
import { PartialDeletionService } from "../../src/deletions/service.ts";
import { accountEmailOf, agentIdOf } from "../../src/shared/id-types.ts";

const EMAIL = accountEmailOf("ann@example.com");
const AGENT: PartialDeletion = { kind: "agent", agentId: agentIdOf("agent-1") };

const unused = (): never => {
  throw new Error("Not a part of this test.");
};

/** A service whose agent is stored or not, and what it has the runner do: the delays, in milliseconds. */
function setUp({ isStored, keep = async () => {} }: { isStored: boolean; keep?: () => Promise<void> }) {
  const delays: number[] = [];
  const waiting: Promise<void>[] = [];
  const service = new PartialDeletionService({
    deletions: { isStored: async () => isStored, find: unused },
    agents: { remove: unused },
    endUsers: { remove: unused },
    conversations: { remove: unused },
    knowledgeBases: { remove: unused },
    runners: {
      async keep(_email, _deletion, delayMs) {
        delays.push(delayMs);
        await keep();
      },
    },
    later: (work) => waiting.push(work),
  });
  return {
    delays,
    begin: (remove: () => Promise<boolean>) => service.begin(EMAIL, AGENT, remove),
    settled: () => Promise.all(waiting),
  };
}

it("registers a deletion with the runner before its request has ended", async () => {
  const { begin, delays } = setUp({ isStored: true });
  const removal = Promise.withResolvers<boolean>();

  const answer = begin(() => removal.promise);

  await expect.poll(() => delays).toEqual([120_000]);
  removal.resolve(true);
  expect(await answer).toBe(true);
  expect(delays).toEqual([120_000]);
});

it("lets the runner continue an unfinished deletion at once", async () => {
  const { begin, delays, settled } = setUp({ isStored: true });

  expect(await begin(async () => false)).toBe(false);

  await settled();
  expect(delays.toSorted((one, other) => one - other)).toEqual([0, 120_000]);
});

it("registers a deletion that fails", async () => {
  const { begin, delays, settled } = setUp({ isStored: true });

  await expect(begin(() => Promise.reject(new Error("The table is away.")))).rejects.toThrow(
    "The table is away.",
  );

  await settled();
  expect(delays).toEqual([120_000]);
});

it("registers no deletion of what does not exist", async () => {
  const { begin, delays, settled } = setUp({ isStored: false });

  expect(await begin(async () => true)).toBe(true);

  await settled();
  expect(delays).toEqual([]);
});

it("does not need the runner for a deletion that one request finishes, and says so if it does", async () => {
  const away = () => Promise.reject(new Error("The runner is away."));
  const { begin, settled } = setUp({ isStored: true, keep: away });

  expect(await begin(async () => true)).toBe(true);
  await expect(begin(async () => false)).rejects.toThrow("The runner is away.");
  await settled();
});
