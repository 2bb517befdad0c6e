import { type KnowledgeSource, sourcesField, sourcesFrom } from "../knowledge/citation-model.ts";
import type { AccountPlan } from "../plans/account-plan.ts";
import type { Counts, Tally } from "../plans/tally.ts";
import { MAX_EARLIER_TEXTS } from "../search/model.ts";
import { DAY_MS, formatTimestamp, ttlAfter } from "../shared/clock.ts";
import { sha256, toHex } from "../shared/crypto.ts";
import type { RunId } from "../shared/id-types.ts";
import { derivedId, isOurs } from "../shared/ids.ts";
import { normalized, utf8Length } from "../shared/text.ts";
import { idAfter, keyOf, optionalText, runIdIn, text, texts } from "../table/fields.ts";
import { ARCHIVAL_PREFIX, ARCHIVAL_VERSION_PREFIX, memoryPartition } from "../table/keys.ts";
import type { Item, Key } from "../table/marshal.ts";
import type { MemoryOwner } from "./model.ts";

/** Who stored a memory. */
type MemoryAuthor = "agent" | "user";

/** An archival memory: content outside the prompt that an agent finds by searching. */
export interface Memory {
  readonly id: string;
  readonly content: string;
  readonly contentHash: string;
  readonly createdAt: string;
  /** When the remembered event happened, as the caller wrote it; null if unknown. */
  readonly occurredAt: string | null;
  readonly by: MemoryAuthor;
  /** The run that stored it; null if a person stored it. */
  readonly runId: RunId | null;
  /** The pages of knowledge bases that the agent had read in this run before it stored the memory. */
  readonly sources?: readonly KnowledgeSource[];
  /** When it was changed, oldest first, as far as the text before the change is kept; see `versionKey`. */
  readonly changeTimes: readonly string[];
  /** Its sort key. Every change moves the memory to the end of its partition, where the search index picks it up. */
  readonly sortKey: string;
}

/** What callers provide to store a memory. */
export interface MemoryInput {
  readonly content: string;
  readonly occurredAt: string | null;
}

/** The changes of an edit. Absent members keep their values. */
export type MemoryChanges = Partial<MemoryInput>;

/** The longest content of a memory, in UTF-8 bytes. */
export const MAX_CONTENT_BYTES = 100 * 1024;

/** How long tombstones are kept, in milliseconds. An index that was last updated before that has to be rebuilt. */
const TOMBSTONE_MS = 2 * DAY_MS;

/** Returns the SHA-256 hash of a content, in hexadecimal. */
export const contentHashOf = async (content: string): Promise<string> => toHex(await sha256(content));

/** Returns the id derived from a content. It makes storing the same content again idempotent. */
export const memoryIdOf = async ({ agentId, userId }: MemoryOwner, contentHash: string): Promise<string> =>
  derivedId(await sha256(JSON.stringify(["memory", agentId, userId, contentHash])));

export const memoryKey = ({ agentId, userId }: MemoryOwner, sortKey: string): Key => ({
  pk: memoryPartition(agentId, userId),
  sk: sortKey,
});

/** Returns the sort key of a memory that is stored or changed at `insertedAt`. */
export const sortKeyOf = (insertedAt: string, id: string): string => `${ARCHIVAL_PREFIX}${insertedAt}#${id}`;

/** Returns a memory as it is after a change at `changedAt`. `contentHash` is that of the new content. */
export const changedMemory = (
  memory: Memory,
  { contentHash, changedAt, ...changes }: MemoryChanges & Pick<Memory, "contentHash"> & { changedAt: string },
): Memory => ({
  ...memory,
  ...changes,
  contentHash,
  sortKey: sortKeyOf(changedAt, memory.id),
  changeTimes: [...memory.changeTimes, changedAt].slice(-MAX_EARLIER_TEXTS),
});

/** The key of the text that a memory had until it was changed at `changedAt`. */
export const versionKey = (owner: MemoryOwner, id: string, changedAt: string): Key =>
  memoryKey(owner, `${ARCHIVAL_VERSION_PREFIX}${changedAt}#${id}`);

/** Returns the item that keeps a memory's text when it is changed. */
export const versionItem = (owner: MemoryOwner, memory: Memory, changedAt: string): Item => ({
  ...memoryItem(owner, { ...memory, changeTimes: [] }),
  ...versionKey(owner, memory.id, changedAt),
  since: storedAt(memory),
  superseded_at: changedAt,
});

/** The key of the pointer from a memory's id to its sort key. Memories of the legacy Python service have none. */
export const pointerKey = (owner: MemoryOwner, id: string): Key => memoryKey(owner, `ArchivalId#${id}`);

/** Returns whether a memory with this id has a pointer, if it exists. The legacy Python service wrote none. */
export const hasPointer = isOurs;

export const hashPartition = ({ agentId, userId }: MemoryOwner, contentHash: string): string =>
  `${memoryPartition(agentId, userId)}#Hash#${contentHash}`;

/**
 * The key of the item that reserves a content for one memory. `holder` is the id derived from the content, even if the
 * memory that now has the content was created with another one, so that all writers of a content conflict on one key.
 * The legacy Python service used the memory's own random id instead.
 */
export const hashKey = (owner: MemoryOwner, contentHash: string, holder: string): Key => ({
  pk: hashPartition(owner, contentHash),
  sk: `${ARCHIVAL_PREFIX}${holder}`,
});

/**
 * Returns a content in the form in which near-duplicates are equal: composed (NFC), without white space around it, with
 * single spaces, and without one final full stop. The case stays, because codes differ by it.
 */
export function normalContent(content: string): string {
  const text = normalized(content, "NFC").replaceAll(/\s+/gu, " ").trim();
  const isSentence = FULL_STOPS.includes(text.at(-1) ?? "") && !FULL_STOPS.includes(text.at(-2) ?? " ");
  return isSentence ? text.slice(0, -1).trimEnd() : text;
}

/** In Latin, Chinese and Japanese, Devanagari, and Urdu. */
const FULL_STOPS: readonly string[] = [".", "。", "।", "۔"];

/**
 * The key of the item that reserves a content for one memory, whatever its spaces and final full stop. Memories that
 * were stored before such items existed have none. In the partition of the memories, so it is deleted with them.
 */
export const normalKey = async (owner: MemoryOwner, content: string): Promise<Key> =>
  memoryKey(owner, `ArchivalNormal#${await contentHashOf(normalContent(content))}`);

export const memoryItem = (owner: MemoryOwner, memory: Memory): Item => ({
  ...memoryKey(owner, memory.sortKey),
  ...ownership(owner, memory.id),
  content: memory.content,
  content_hash: memory.contentHash,
  created_at: memory.createdAt,
  by: memory.by,
  ...(memory.occurredAt !== null && { occurred_at: memory.occurredAt }),
  ...(memory.runId !== null && { run_id: memory.runId }),
  ...sourcesField(memory.sources),
  ...(memory.changeTimes.length > 0 && { changed_at: memory.changeTimes }),
});

export const hashItem = (owner: MemoryOwner, memory: Memory, holder: string): Item => ({
  ...hashKey(owner, memory.contentHash, holder),
  ...ownership(owner, memory.id),
  archival_sk: memory.sortKey,
});

export const pointerItem = (owner: MemoryOwner, memory: Memory): Item => ({
  ...pointerKey(owner, memory.id),
  archival_sk: memory.sortKey,
  content_hash: memory.contentHash,
});

/** Returns the item that tells the search index that a memory was removed. */
export const tombstoneItem = (owner: MemoryOwner, memory: Memory, removedAt: string): Item => ({
  ...memoryKey(owner, `ArchivalGone#${removedAt}#${memory.id}`),
  ...ownership(owner, memory.id),
  archival_sk: memory.sortKey,
  ttl: ttlAfter(Date.parse(removedAt), TOMBSTONE_MS),
});

/** A plan's limits on one agent's memories of one user; null means no limit. */
export type ArchiveLimits = Pick<AccountPlan["limits"], "archival_memories" | "memory_bytes">;

/** A limit that refuses a memory, and how much of it is used. */
export interface ArchiveFull {
  readonly full: keyof ArchiveLimits;
  readonly used: number;
}

/** The tally of memories and of their bytes. It is in the partition of the memories, so it is deleted with them. */
export const archiveTally = ({ agentId, userId }: MemoryOwner): Tally => ({
  key: memoryKey({ agentId, userId }, "ArchivalUsage"),
  entityType: "ArchivalUsage",
  owner: { agent_id: agentId, user_id: userId },
});

/** The attributes of the tally of memories. */
export const ARCHIVE_COUNTS = ["memories", "bytes"] as const;

/** Returns what these memories add to the tally: their number, and the UTF-8 bytes of their contents. */
export const archiveCounts = (memories: readonly Pick<Memory, "content">[]): Counts => ({
  memories: memories.length,
  bytes: memories.reduce((sum, { content }) => sum + utf8Length(content), 0),
});

export const archiveCeilings = (limits: ArchiveLimits | undefined) => ({
  memories: limits?.archival_memories ?? null,
  bytes: limits?.memory_bytes ?? null,
});

/** Returns the first limit that `more` would exceed, or `undefined` if there is none. */
export function fullArchive(counts: Counts, more: Counts, limits: ArchiveLimits): ArchiveFull | undefined {
  const { memories = 0, bytes = 0 } = counts;
  const exceeds = (limit: number | null, used: number, by = 0) =>
    limit !== null && by > 0 && used + by > limit;
  if (exceeds(limits.archival_memories, memories, more["memories"]))
    return { full: "archival_memories", used: memories };
  if (exceeds(limits.memory_bytes, bytes, more["bytes"])) return { full: "memory_bytes", used: bytes };
  return undefined;
}

const ownership = ({ agentId, userId }: MemoryOwner, id: string): Item => ({
  agent_id: agentId,
  user_id: userId,
  memory_id: id,
});

export const memoryFrom = (item: Item): Memory => ({
  id: memoryIdIn(item),
  content: text(item, "content"),
  contentHash: text(item, "content_hash"),
  createdAt: text(item, "created_at"),
  occurredAt: optionalText(item, "occurred_at"),
  by: text(item, "by") === "user" ? "user" : "agent",
  runId: runIdIn(item),
  sources: sourcesFrom(item),
  changeTimes: texts(item, "changed_at"),
  sortKey: keyOf(item).sk,
});

/** A text that a memory had until it was changed. */
export interface FormerMemory extends Memory {
  /** When it was changed. */
  readonly supersededAt: string;
}

/** Returns an earlier text of a memory from its item; see `versionItem`. */
export const versionFrom = (item: Item): FormerMemory => ({
  ...memoryFrom(item),
  sortKey: sortKeyOf(text(item, "since"), memoryIdIn(item)),
  supersededAt: text(item, "superseded_at"),
});

/** Returns the first change of a memory after `asOf` (ms since the epoch), or `undefined` if there is none. */
export const firstChangeAfter = ({ changeTimes }: Memory, asOf: number): string | undefined =>
  changeTimes.find((changedAt) => changedAt > endOfMillisecond(asOf));

/** Whether a memory had its text by `asOf` (ms since the epoch). */
export const isStoredBy = (memory: Memory, asOf: number): boolean =>
  storedAt(memory) <= endOfMillisecond(asOf);

/** Times that callers give have milliseconds, and timestamps have microseconds. */
const endOfMillisecond = (ms: number): string => formatTimestamp(ms, 999);

/** Returns when a memory got the text that it has. */
export const storedAt = ({ sortKey }: Pick<Memory, "sortKey">): string =>
  sortKey.slice(ARCHIVAL_PREFIX.length).split("#", 1)[0] ?? "";

/** Returns the memory id of a memory's item or of the item that reserves its content. */
export const memoryIdIn = (item: Item): string =>
  text(item, "memory_id") || (idAfter(item, ARCHIVAL_PREFIX).split("#").at(-1) ?? "");

/** Returns the day shown for a memory: the day on which the event happened, or else the day on which it was stored. */
export const dayOf = ({ occurredAt, createdAt }: Pick<Memory, "occurredAt" | "createdAt">): string =>
  (occurredAt ?? createdAt).slice(0, "2026-01-29".length);
