import type { Compaction } from "./capacity-model.ts";
import type { CapacityRepository } from "./capacity-repository.ts";
import type { MemoryOwner } from "./model.ts";

/**
 * Claims and returns the compactions that no other turn has claimed, so that each is reported once. Never throws: a
 * compaction that can't be claimed now is left to a later turn.
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
        console.warn({
          message: "Claiming a compaction failed. A later turn reports it.",
          error: String(error),
        });
        return [];
      }
    }),
  );
  return taken.flat();
}
