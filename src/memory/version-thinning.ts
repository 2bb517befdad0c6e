import type { MemoryUpdate } from "./core-memory.ts";
import type { MemoryOwner } from "./model.ts";
import type { VersionMark } from "./version-model.ts";
import type { BlockVersionRepository } from "./version-repository.ts";

/** The number of newest versions of a block that are all kept. */
export const KEPT_VERSIONS = 200;
/** Older versions examined after one write. It is more than a write creates, so that thinning catches up. */
const EXAMINED_VERSIONS = 48;

/**
 * Returns which of some consecutive versions to remove: those that are neither the first nor the last of their day and
 * were never restored. `next` is the version after them, `before` the day of the version before them.
 */
export function thinned(
  versions: readonly VersionMark[],
  next: VersionMark | undefined,
  before: string | undefined,
): readonly VersionMark[] {
  const dayBefore = (index: number) => (index === 0 ? before : versions[index - 1]?.day);
  const dayAfter = (index: number) => (versions[index + 1] ?? next)?.day;
  return versions.filter(
    ({ day, wasRestored }, index) => !wasRestored && day === dayBefore(index) && day === dayAfter(index),
  );
}

/**
 * Thins a limited number of the versions beyond the newest ones, continuing where the last call ended. Call it after a
 * write, when the response has been sent. Never throws: after an error, the next write continues.
 */
export async function thinVersions(
  owner: MemoryOwner,
  { block, version }: MemoryUpdate,
  versions: BlockVersionRepository,
): Promise<void> {
  const end = version - KEPT_VERSIONS;
  if (end <= 0) return;

  try {
    const done = await versions.thinnedTo(owner, block);
    if (done.version >= end) return;

    // One more than may be removed, which shows whether the last of them is the last of its day.
    const found = await versions.marks(owner, block, done.version, EXAMINED_VERSIONS + 1);
    const old = found.filter((mark) => mark.version <= end).slice(0, EXAMINED_VERSIONS);
    const last = old.at(-1);
    if (!last) return;
    await versions.thin(owner, block, {
      from: done,
      to: { version: last.version, day: last.day },
      gone: thinned(old, found[old.length], done.day),
    });
  } catch (error) {
    console.warn({ message: "Thinning a block's versions failed.", error: String(error) });
  }
}
