import { DAY_MS, formatTimestamp } from "../shared/clock.ts";
import type { TableClient } from "../table/client.ts";
import { idAfter, optionalText, text } from "../table/fields.ts";
import type { Item } from "../table/marshal.ts";
import { END, type Gap, readBack } from "./read-back.ts";
import type { Changes, Deletion, IndexedMemory, Progress } from "./text-index.ts";

const MEMORIES = "Archival#";
const DELETIONS = "ArchivalGone#";
/** A write may land so much later than the time in its sort key says, and clocks differ: so much is read twice. */
const OVERLAP_MS = 60_000;
/** Deletions leave their traces for a day. An index that has not looked for almost as long can't know what is gone. */
const TRUSTED_MS = DAY_MS - 60 * 60 * 1000;

/** What one reading may take; the rest of a large memory is left to the next. */
const PAGES = 10;

/** Whether an index that was read then can still be caught up with, or has to begin anew. */
export const isTrusted = ({ readAt }: Progress, now: number): boolean => now - readAt < TRUSTED_MS;

/**
 * Reads what came into a partition since the index has been read last, newest first, and a part of what was left out
 * then. Memories and deletions are read at the same time, so an index that is up to date waits for the table once.
 */
export async function readChanges(
  table: TableClient,
  partition: string,
  progress: Progress | undefined,
  now: number,
): Promise<Changes> {
  // A clock that was set back must not skip what came meanwhile.
  const since = formatTimestamp(Math.min(progress?.readAt ?? now, now) - OVERLAP_MS);
  const range = { between: [DELETIONS + since, DELETIONS + END] } as const;
  const from = progress ? since : "";

  const [fresh, gone] = await Promise.all([
    readMemories(table, partition, { from, before: END }, PAGES),
    table.query(partition, { range }),
  ]);
  const { memories: newer, left } = fresh;
  const deletions = gone.map(deletionFrom);

  const gap = progress?.gap;
  if (!gap) return { newer, older: [], deletions, progress: { readAt: now, gap: left } };
  // Too much is new to come to what is old.
  if (left)
    return { newer, older: [], deletions, progress: { readAt: now, gap: { ...left, from: gap.from } } };

  const rest = await readMemories(table, partition, gap, PAGES - fresh.pages);
  return { newer, older: rest.memories, deletions, progress: { readAt: now, gap: rest.left } };
}

async function readMemories(table: TableClient, partition: string, gap: Gap, maxPages: number) {
  const { items, left, pages } = await readBack(table, { partition, prefix: MEMORIES }, gap, maxPages);
  return { memories: items.map(memoryFrom), left, pages };
}

/** Older writers may have left attributes out; the sort key knows the time and the id. */
function memoryFrom(item: Item): IndexedMemory {
  const sortKey = idAfter(item, MEMORIES);
  const [time = "", ...id] = sortKey.split("#");
  return {
    memoryId: text(item, "memory_id", id.join("#")),
    sortKey,
    content: text(item, "content"),
    createdAt: text(item, "created_at", time),
    occurredAt: optionalText(item, "occurred_at"),
  };
}

function deletionFrom(item: Item): Deletion {
  const sortKey = idAfter(item, DELETIONS);
  const [, ...id] = sortKey.split("#");
  return { memoryId: text(item, "memory_id", id.join("#")), sortKey };
}
