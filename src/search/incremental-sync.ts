import { DAY_MS, formatTimestamp } from "../shared/clock.ts";
import type { TableClient } from "../table/client.ts";
import { idAfter, optionalText, text } from "../table/fields.ts";
import type { Item } from "../table/marshal.ts";
import { ARCHIVAL_PREFIX, ARCHIVAL_VERSION_PREFIX } from "../table/keys.ts";
import { END, type Gap, type ReadSource, reverseScan } from "./reverse-scan.ts";
import type { Changes, Deletion, IndexedMemory, Progress, SupersededMemory } from "./full-text-index.ts";

const DELETIONS = "ArchivalGone#";
/** Overlap of consecutive reads. A write may land this much later than the time in its sort key, and clocks differ. */
const OVERLAP_MS = 60_000;
/** Deletion markers are kept for a day. An index that was last read almost that long ago may have missed some. */
const FRESH_MS = DAY_MS - 60 * 60 * 1000;

/** The maximum number of pages per read. The rest of a large memory is left to the next read. */
const PAGES = 10;

/** Whether an index can be synchronised incrementally. If not, it must be rebuilt. */
export const isFresh = ({ readAt }: Progress, now: number): boolean => now - readAt < FRESH_MS;

/** What to read besides memories and deletions, and up to which time in milliseconds since the epoch. */
interface ReadOptions {
  /** Whether to read the earlier texts of memories. */
  readonly withSuperseded: boolean;
  readonly now: number;
}

/**
 * Reads what was added to a partition since the last read, newest first, and then a part of the remaining gap. Memories
 * and deletions are read in parallel, so an up-to-date index waits for the table only once.
 */
export async function readChanges(
  table: TableClient,
  partition: string,
  progress: Progress | undefined,
  { withSuperseded, now }: ReadOptions,
): Promise<Changes> {
  // If the clock was set back, writes since the last read must not be skipped.
  const since = formatTimestamp(Math.min(progress?.readAt ?? now, now) - OVERLAP_MS);
  const range = { between: [DELETIONS + since, DELETIONS + END] } as const;
  const from = progress ? since : "";

  const [memories, gone] = await Promise.all([
    readNewest(table, { partition, prefix: ARCHIVAL_PREFIX }, from, progress?.gap ?? null),
    table.query(partition, { range }),
  ]);
  // Afterwards, because the earlier text of a changed memory is written together with the new one.
  const superseded = withSuperseded
    ? await readNewest(
        table,
        { partition, prefix: ARCHIVAL_VERSION_PREFIX },
        from,
        progress?.supersededGap ?? null,
      )
    : undefined;
  return {
    newer: memories.newer.map(memoryFrom),
    older: memories.older.map(memoryFrom),
    superseded: superseded ? [...superseded.older, ...superseded.newer].map(supersededFrom) : [],
    deletions: gone.map(deletionFrom),
    progress: { readAt: now, gap: memories.gap, ...(superseded && { supersededGap: superseded.gap }) },
  };
}

/** Reads what is new, and then a part of the gap. Returns the gap that is left. */
async function readNewest(table: TableClient, source: ReadSource, from: string, gap: Gap | null) {
  const fresh = await reverseScan(table, source, { from, before: END }, PAGES);
  if (!gap) return { newer: fresh.items, older: [], gap: fresh.left };
  // There is too much new to read the old gap too. Both become one gap.
  if (fresh.left) return { newer: fresh.items, older: [], gap: { ...fresh.left, from: gap.from } };

  const rest = await reverseScan(table, source, gap, PAGES - fresh.pages);
  return { newer: fresh.items, older: rest.items, gap: rest.left };
}

/** Older versions may have omitted attributes. The sort key contains the time and the id. */
function memoryFrom(item: Item): IndexedMemory {
  const sortKey = idAfter(item, ARCHIVAL_PREFIX);
  const [time = "", ...id] = sortKey.split("#");
  return {
    memoryId: text(item, "memory_id", id.join("#")),
    sortKey,
    content: text(item, "content"),
    createdAt: text(item, "created_at", time),
    occurredAt: optionalText(item, "occurred_at"),
  };
}

function supersededFrom(item: Item): SupersededMemory {
  const [time = "", ...id] = idAfter(item, ARCHIVAL_VERSION_PREFIX).split("#");
  const memoryId = text(item, "memory_id", id.join("#"));
  const since = text(item, "since", time);
  return {
    memoryId,
    sortKey: `${since}#${memoryId}`,
    content: text(item, "content"),
    createdAt: text(item, "created_at", since),
    occurredAt: optionalText(item, "occurred_at"),
    supersededAt: text(item, "superseded_at", time),
  };
}

/** Older versions may have omitted what was deleted. Then it is all that was stored before the deletion. */
function deletionFrom(item: Item): Deletion {
  const deletedAt = idAfter(item, DELETIONS);
  const [, ...id] = deletedAt.split("#");
  const removed = optionalText(item, "archival_sk");
  return {
    memoryId: text(item, "memory_id", id.join("#")),
    lastSortKey: removed === null ? deletedAt : removed.slice(ARCHIVAL_PREFIX.length),
  };
}
