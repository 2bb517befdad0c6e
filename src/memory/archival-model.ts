import { DAY_MS, ttlAfter } from "../shared/clock.ts";
import { sha256, toHex } from "../shared/crypto.ts";
import { derivedId, isOurs } from "../shared/ids.ts";
import { idAfter, keyOf, optionalText, text } from "../table/fields.ts";
import { memoryPartition } from "../table/keys.ts";
import type { Item, Key } from "../table/marshal.ts";
import type { MemoryOwner } from "./model.ts";

/** Who put a memory there. */
type MemoryAuthor = "agent" | "user";

/** Something that an agent keeps outside its prompt and finds by searching. */
export interface Memory {
  readonly id: string;
  readonly content: string;
  readonly contentHash: string;
  readonly createdAt: string;
  /** When that which it tells of happened, as it was given; null where nobody said. */
  readonly occurredAt: string | null;
  readonly by: MemoryAuthor;
  /** The run that stored it; null for those that people stored. */
  readonly runId: string | null;
  /** Where it stands in its partition. Every change moves it to the end, where the search index finds it. */
  readonly sortKey: string;
}

/** What a memory is made of. */
export interface MemoryInput {
  readonly content: string;
  readonly occurredAt: string | null;
}

/** What an edit may change; absent members stay as they are. */
export type MemoryChanges = Partial<MemoryInput>;

/** The longest content, in bytes: what is longer is a document. */
export const MAX_CONTENT_BYTES = 100 * 1024;

/** How long a tombstone stands. An index that has not looked for longer has to be built anew. */
const TOMBSTONE_MS = 2 * DAY_MS;

export const ARCHIVAL_PREFIX = "Archival#";

export const contentHashOf = async (content: string): Promise<string> => toHex(await sha256(content));

/** The id of the memory that is made from this content, whoever makes it, and however often. */
export const memoryIdOf = async ({ agentId, userId }: MemoryOwner, contentHash: string): Promise<string> =>
  derivedId(await sha256(JSON.stringify(["memory", agentId, userId, contentHash])));

export const memoryKey = ({ agentId, userId }: MemoryOwner, sortKey: string): Key => ({
  pk: memoryPartition(agentId, userId),
  sk: sortKey,
});

export const sortKeyOf = (insertedAt: string, id: string): string => `${ARCHIVAL_PREFIX}${insertedAt}#${id}`;

/** Leads from a memory's id to where it stands. Memories of the service before have none. */
export const pointerKey = (owner: MemoryOwner, id: string): Key => memoryKey(owner, `ArchivalId#${id}`);

/** Whether a memory of this id has a pointer, if it is there at all: the service before made random ids. */
export const hasPointer = isOurs;

export const hashPartition = ({ agentId, userId }: MemoryOwner, contentHash: string): string =>
  `${memoryPartition(agentId, userId)}#Hash#${contentHash}`;

/**
 * Holds a content for one memory. `holder` is the id derived from the content, also where the memory that has the
 * content today was made with another one: so all who want the content meet at one key. The service before put the
 * memory's own, random id there.
 */
export const hashKey = (owner: MemoryOwner, contentHash: string, holder: string): Key => ({
  pk: hashPartition(owner, contentHash),
  sk: `${ARCHIVAL_PREFIX}${holder}`,
});

export const memoryItem = (owner: MemoryOwner, memory: Memory): Item => ({
  ...memoryKey(owner, memory.sortKey),
  ...ownership(owner, memory.id),
  content: memory.content,
  content_hash: memory.contentHash,
  created_at: memory.createdAt,
  by: memory.by,
  ...(memory.occurredAt !== null && { occurred_at: memory.occurredAt }),
  ...(memory.runId !== null && { run_id: memory.runId }),
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

/** Tells the search index that a memory is gone. */
export const tombstoneItem = (owner: MemoryOwner, memory: Memory, removedAt: string): Item => ({
  ...memoryKey(owner, `ArchivalGone#${removedAt}#${memory.id}`),
  ...ownership(owner, memory.id),
  archival_sk: memory.sortKey,
  ttl: ttlAfter(Date.parse(removedAt), TOMBSTONE_MS),
});

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
  runId: optionalText(item, "run_id"),
  sortKey: keyOf(item).sk,
});

/** The id of the memory that an item of a memory, or of its hash, is about. */
export const memoryIdIn = (item: Item): string =>
  text(item, "memory_id") || (idAfter(item, ARCHIVAL_PREFIX).split("#").at(-1) ?? "");

/** The day that is shown of a memory: the one it tells of where that is known, else the one it was stored on. */
export const dayOf = ({ occurredAt, createdAt }: Pick<Memory, "occurredAt" | "createdAt">): string =>
  (occurredAt ?? createdAt).slice(0, "2026-01-29".length);
