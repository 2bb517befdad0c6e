import type { Compaction } from "./capacity-model.ts";
import type { CapacityRepository } from "./capacity-repository.ts";
import type { MemoryOwner } from "./model.ts";

/**
 * Takes those compactions over that no other turn is telling of, so that each is told once. Never throws: what can't be
 * taken over now waits for another turn.
 */
export async function takeCompactions(
  capacity: CapacityRepository,
  owner: MemoryOwner,
  compactions: readonly Compaction[],
): Promise<readonly Compaction[]> {
  const taken = await Promise.all(
    compactions.map(async (compaction) => {
      try {
        return (await capacity.claim(owner, compaction)) ? [compaction] : [];
      } catch (error) {
        console.warn({ message: "A compaction is told of later.", error: String(error) });
        return [];
      }
    }),
  );
  return taken.flat();
}
