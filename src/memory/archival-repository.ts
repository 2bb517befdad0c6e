import type { AccountEmail } from "../shared/id-types.ts";
import { scopeOfMemory, homeKey } from "../access/access-scope.ts";
import { changeTally, type Counts, countsFrom, readTally } from "../plans/tally.ts";
import { AppError, notFound } from "../shared/errors.ts";
import type { TableClient } from "../table/client.ts";
import type { WriteAction } from "../table/requests.ts";
import type { Cursors } from "../table/cursor.ts";
import { type DeletionGuard, isLive } from "../table/deletion.ts";
import type { Refusal } from "../table/errors.ts";
import { absent, any, equals, present } from "../table/expressions.ts";
import { keyOf, optionalText, text } from "../table/fields.ts";
import { ARCHIVAL_PREFIX, ARCHIVAL_VERSION_PREFIX, memoryPartition } from "../table/keys.ts";
import { type ListPage, listNewestFirst } from "../table/list.ts";
import type { Item } from "../table/marshal.ts";
import {
  ARCHIVE_COUNTS,
  archiveCeilings,
  archiveCounts,
  type ArchiveFull,
  type ArchiveLimits,
  archiveTally,
  contentHashOf,
  firstChangeAfter,
  type FormerMemory,
  fullArchive,
  hasPointer,
  hashItem,
  hashKey,
  hashPartition,
  isStoredBy,
  type Memory,
  memoryFrom,
  memoryIdIn,
  memoryIdOf,
  memoryItem,
  memoryKey,
  normalKey,
  pointerItem,
  pointerKey,
  sortKeyOf,
  tombstoneItem,
  versionFrom,
  versionItem,
  versionKey,
} from "./archival-model.ts";
import { NO_RECORD, type RecordChange } from "./change-records.ts";
import { NearDuplicates } from "./near-duplicates.ts";
import type { MemoryOwner } from "./model.ts";

/** A memory to be stored. */
export interface MemoryDraft extends Pick<
  Memory,
  "content" | "occurredAt" | "createdAt" | "by" | "runId" | "sources"
> {
  /** The id to use if the id derived from the content belongs to a memory whose content has been changed since. */
  readonly spareId: string;
  /** Records the change for the account's webhooks. A promise may still be read while the memory is looked for. */
  readonly record?: RecordChange | Promise<RecordChange>;
}

/** A memory, and whether this request created it or it existed before. */
export interface Inserted {
  readonly memory: Memory;
  readonly created: boolean;
}

/** `moved`: the memory has been changed or removed since it was read. `taken`: another memory has this content. */
export type ChangeOutcome = "done" | "moved" | "taken" | ArchiveFull;

/** The most memories removed per call of `sweep`, because a Worker can make a limited number of requests. */
const SWEEP_MEMORIES = 5_000;
/** How often a read or a write is attempted if concurrent changes invalidate what it has read. */
const ATTEMPTS = 5;

/** The indexes of the actions in the transactions below. */
const ITEM = 0;
const AGENT_CHECK = 1;
const HASH = 2;
const TALLY = 4;
const NORMAL = 5;

/** Archival memories in the table. Each has an item, a pointer and a content holder, written in one transaction. */
export class ArchivalRepository {
  readonly #table: TableClient;
  readonly #cursors: Cursors;
  readonly #near: NearDuplicates;

  constructor({ table, cursors }: { readonly table: TableClient; readonly cursors: Cursors }) {
    this.#table = table;
    this.#cursors = cursors;
    this.#near = new NearDuplicates({ table, find: (owner, id) => this.find(owner, id) });
  }

  /**
   * Stores a memory, or returns the existing one with the same content, apart from spaces and a final full stop. Returns
   * the exceeded limit if there is one. Throws `not-found` if the agent is gone or being deleted.
   */
  insert(owner: MemoryOwner, accountEmail: AccountEmail, draft: MemoryDraft): Promise<Inserted>;
  insert(
    owner: MemoryOwner,
    accountEmail: AccountEmail,
    draft: MemoryDraft,
    limits: ArchiveLimits | undefined,
  ): Promise<Inserted | ArchiveFull>;
  async insert(
    owner: MemoryOwner,
    accountEmail: AccountEmail,
    draft: MemoryDraft,
    limits?: ArchiveLimits,
  ): Promise<Inserted | ArchiveFull> {
    const { spareId, record = NO_RECORD, ...rest } = draft;
    const { by, runId } = draft;
    const contentHash = await contentHashOf(draft.content);
    const holder = await memoryIdOf(owner, contentHash);
    const normal = await normalKey(owner, draft.content);
    const more = archiveCounts([draft]);
    let id = holder;

    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const [known, recorded] = await Promise.all([
        this.#withContent(owner, contentHash, draft.content),
        record,
      ]);
      if (known) return { memory: known, created: false };

      const memory = { ...rest, id, contentHash, changeTimes: [], sortKey: sortKeyOf(draft.createdAt, id) };
      const refused = await this.#transact([
        { put: memoryItem(owner, memory), if: absent("pk") },
        agentIsLive(owner, accountEmail),
        { put: hashItem(owner, memory, holder), if: absent("pk") },
        { put: pointerItem(owner, memory), if: absent("pk") },
        changeTally(archiveTally(owner), more, draft.createdAt, archiveCeilings(limits)),
        { put: { ...normal, memory_id: id }, if: absent("pk") },
        ...recorded(owner, { action: "added", subject: { memoryId: id }, by, runId }),
      ]);
      if (!refused) return { memory, created: true };

      if (refused.has(NORMAL) && !refused.has(HASH)) {
        const near = await this.#near.holder(owner, draft.content);
        if (near) return { memory: near, created: false };
      }

      if (refused.has(TALLY) && !refused.has(HASH)) {
        const full = await this.#full(owner, refused.get(TALLY), more, limits, draft.createdAt);
        if (full) return full;
        continue;
      }
      // Either the same content has just been stored, or the id belongs to a memory whose content has changed since.
      if (!refused.has(HASH) && !refused.has(NORMAL)) id = spareId;
    }
    throw contended();
  }

  /** Returns a page of the memories, most recently stored or changed first. */
  list(owner: MemoryOwner, limit: number, cursor: string | undefined): Promise<ListPage<Memory>> {
    const partition = memoryPartition(owner.agentId, owner.userId);
    const cursorScope = `archival memories in ${partition}`;
    const request = { partition, range: { beginsWith: ARCHIVAL_PREFIX }, cursorScope, limit, cursor };
    return listNewestFirst(this.#table, this.#cursors, request, memoryFrom);
  }

  /** Returns a page of the texts that memories had before changes, the most recently replaced first. */
  formerTexts(
    owner: MemoryOwner,
    limit: number,
    cursor: string | undefined,
  ): Promise<ListPage<FormerMemory>> {
    const partition = memoryPartition(owner.agentId, owner.userId);
    const cursorScope = `former texts in ${partition}`;
    const request = { partition, range: { beginsWith: ARCHIVAL_VERSION_PREFIX }, cursorScope, limit, cursor };
    return listNewestFirst(this.#table, this.#cursors, request, versionFrom);
  }

  /** Returns a memory, or `undefined` if there is none. */
  async find(owner: MemoryOwner, id: string): Promise<Memory | undefined> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const sortKey = await this.#sortKeyOf(owner, id);
      if (sortKey === undefined) return undefined;

      const item = await this.#table.get(memoryKey(owner, sortKey));
      if (item) return memoryFrom(item);
      // The memory was moved between the two reads, together with its pointer.
    }
    return undefined;
  }

  /**
   * Returns a memory with the text that it had at `asOf` (milliseconds since the epoch). Returns `undefined` if there is
   * none, if it was stored later, or if that text is not kept.
   */
  async findAt(owner: MemoryOwner, id: string, asOf: number): Promise<Memory | FormerMemory | undefined> {
    const memory = await this.find(owner, id);
    const changedAt = memory && firstChangeAfter(memory, asOf);
    const found = changedAt === undefined ? memory : await this.#version(owner, id, changedAt);
    return found && isStoredBy(found, asOf) ? found : undefined;
  }

  /**
   * Replaces a memory's state `from` with `to`, and keeps the text of `from` as an earlier one. Returns the exceeded limit if
   * there is one. Throws `not-found` if the agent is gone or being deleted.
   */
  async replace(
    owner: MemoryOwner,
    accountEmail: AccountEmail,
    from: Memory,
    to: Memory,
    {
      limits,
      changedAt,
      record = NO_RECORD,
    }: {
      readonly limits: ArchiveLimits | undefined;
      readonly changedAt: string;
      readonly record?: RecordChange;
    },
  ): Promise<ChangeOutcome> {
    const isSame = from.contentHash === to.contentHash;
    const [holders, normals] = await Promise.all([
      this.#holdersOf(owner, from),
      this.#near.move(owner, from, to),
    ]);
    if (normals === "taken") return "taken";
    if (!isSame && (await this.#withContent(owner, to.contentHash, to.content))) return "taken";

    const held = { set: { archival_sk: to.sortKey } };
    const more = difference(archiveCounts([to]), archiveCounts([from]));
    const dropped = from.changeTimes.filter((at) => !to.changeTimes.includes(at));
    const actions: readonly WriteAction[] = [
      { remove: memoryKey(owner, from.sortKey), if: present("pk") },
      agentIsLive(owner, accountEmail),
      ...(isSame
        ? holders.map((item) => ({ update: keyOf(item), changes: held, if: present("pk") }))
        : [
            {
              put: hashItem(owner, to, await memoryIdOf(owner, to.contentHash)),
              if: absent("pk"),
            },
            ...holders.map((item) => ({ remove: keyOf(item) })),
          ]),
      { put: memoryItem(owner, to), if: absent("pk") },
      { put: pointerItem(owner, to), if: pointsTo(from) },
      ...normals,
      { put: versionItem(owner, from, changedAt), if: absent("pk") },
      ...dropped.map((at) => ({ remove: versionKey(owner, from.id, at) })),
      // Even if nothing grows: a concurrent recount may miss the memory while it moves, and must be invalidated.
      changeTally(archiveTally(owner), more, changedAt, archiveCeilings(limits)),
    ];
    const change = {
      action: "updated",
      subject: { memoryId: from.id },
      by: "user",
      runId: null,
    } as const;
    const refused = await this.#transact([...actions, ...record(owner, change)]);
    if (!refused) return "done";
    const tally = actions.length - 1;
    if (refused.has(tally) && refused.size === 1)
      return (await this.#full(owner, refused.get(tally), more, limits, changedAt)) ?? "moved";
    return refused.has(HASH) && !refused.has(ITEM) && !isSame ? "taken" : "moved";
  }

  /**
   * Removes a memory with its earlier texts, and stores its tombstone. Throws `not-found` if the agent is gone or being
   * deleted.
   */
  async remove(
    owner: MemoryOwner,
    accountEmail: AccountEmail,
    memory: Memory,
    removedAt: string,
    record: RecordChange = NO_RECORD,
  ): Promise<"done" | "moved"> {
    const [holders, normals] = await Promise.all([
      this.#holdersOf(owner, memory),
      this.#near.removal(owner, memory),
    ]);
    const refused = await this.#transact([
      { remove: memoryKey(owner, memory.sortKey), if: present("pk") },
      agentIsLive(owner, accountEmail),
      { remove: pointerKey(owner, memory.id), if: pointsTo(memory) },
      { put: tombstoneItem(owner, memory, removedAt), if: absent("pk") },
      ...holders.map((item) => ({ remove: keyOf(item) })),
      ...normals,
      ...memory.changeTimes.map((at) => ({ remove: versionKey(owner, memory.id, at) })),
      changeTally(archiveTally(owner), difference({}, archiveCounts([memory])), removedAt),
      ...record(owner, { action: "removed", subject: { memoryId: memory.id }, by: "user", runId: null }),
    ]);
    return refused ? "moved" : "done";
  }

  /** Returns the number of memories and of their bytes. Counts them if there is no tally yet. */
  async usage(owner: MemoryOwner, timestamp: string): Promise<Counts> {
    const range = { beginsWith: ARCHIVAL_PREFIX };
    const partition = memoryPartition(owner.agentId, owner.userId);
    const recount = async () => {
      let [memories, bytes] = [0, 0];
      for await (const page of this.#table.pages(partition, { range, attributes: ["content"] })) {
        const counts = archiveCounts(page.map((item) => ({ content: text(item, "content") })));
        memories += counts["memories"] ?? 0;
        bytes += counts["bytes"] ?? 0;
      }
      return { memories, bytes };
    };
    const counts = await readTally(this.#table, archiveTally(owner), ARCHIVE_COUNTS, timestamp, recount);
    if (!counts) throw contended();
    return counts;
  }

  /** Returns the limit that `more` exceeds; `undefined` if the write was refused only because the tally was missing. */
  async #full(
    owner: MemoryOwner,
    item: Item | undefined,
    more: Counts,
    limits: ArchiveLimits | undefined,
    timestamp: string,
  ): Promise<ArchiveFull | undefined> {
    const counts = countsFrom(item, ARCHIVE_COUNTS) ?? (await this.usage(owner, timestamp));
    return limits && fullArchive(counts, more, limits);
  }

  /**
   * Removes all memories of an agent that is being deleted, and the holders of their contents, which are in partitions
   * of their own. Returns false if memories are left and another call is needed.
   */
  async sweep(owner: MemoryOwner, guard: DeletionGuard): Promise<boolean> {
    const attributes = ["pk", "sk", "memory_id", "content_hash"];
    const partition = memoryPartition(owner.agentId, owner.userId);
    let left = SWEEP_MEMORIES;

    for await (const page of this.#table.pages(partition, {
      range: { beginsWith: ARCHIVAL_PREFIX },
      attributes,
    })) {
      // Memories are removed last: if this is interrupted, the next call needs them to find the holders.
      const keys = [...(await holdersOf(owner, page.map(memoryFrom))), ...page.map(keyOf)];
      if (!(await this.#table.removeGuarded(keys, guard))) return true;
      left -= page.length;
      if (left < 0) return false;
    }
    return true;
  }

  /**
   * Returns the memory with this content, if there is one. Removes holders whose memory is gone, which other writers of
   * the table can leave behind, because they would block the content.
   */
  async #withContent(owner: MemoryOwner, contentHash: string, content: string): Promise<Memory | undefined> {
    for (const item of await this.#table.query(hashPartition(owner, contentHash))) {
      const sortKey = optionalText(item, "archival_sk");
      const memory =
        sortKey === null
          ? await this.find(owner, memoryIdIn(item))
          : await this.#table.get(memoryKey(owner, sortKey)).then((found) => found && memoryFrom(found));
      if (memory?.content === content) return memory;

      const unchanged = sortKey === null ? absent("archival_sk") : equals("archival_sk", sortKey);
      const removed = await this.#table.tryRemove(keyOf(item), any(absent("pk"), unchanged));
      // Otherwise the memory was moved in the meantime, not removed.
      if (!removed) return this.#withContent(owner, contentHash, content);
    }
    return undefined;
  }

  /** Returns the text that a memory had until it was changed at `changedAt`, if it is kept. */
  async #version(owner: MemoryOwner, id: string, changedAt: string): Promise<FormerMemory | undefined> {
    const item = await this.#table.get(versionKey(owner, id, changedAt));
    return item && versionFrom(item);
  }

  /** Returns the items that reserve a memory's content. */
  async #holdersOf(owner: MemoryOwner, { id, contentHash }: Memory): Promise<readonly Item[]> {
    const items = await this.#table.query(hashPartition(owner, contentHash));
    return items.filter((item) => memoryIdIn(item) === id);
  }

  /** Returns a memory's sort key. Memories of the legacy Python service have no pointers and are found by a scan. */
  async #sortKeyOf(owner: MemoryOwner, id: string): Promise<string | undefined> {
    const pointer = await this.#table.get(pointerKey(owner, id));
    if (pointer) return text(pointer, "archival_sk");
    if (hasPointer(id)) return undefined;

    const partition = memoryPartition(owner.agentId, owner.userId);
    const options = { range: { beginsWith: ARCHIVAL_PREFIX }, attributes: ["sk", "memory_id"] };
    for await (const page of this.#table.pages(partition, options)) {
      const found = page.find((item) => memoryIdIn(item) === id);
      if (found) return text(found, "sk");
    }
    return undefined;
  }

  /** Returns the failed conditions, or `undefined` after a success. Throws `not-found` if the agent is gone. */
  async #transact(actions: readonly WriteAction[]): Promise<Refusal | undefined> {
    const refusal = await this.#table.transactOrRefusal(actions);
    if (refusal?.has(AGENT_CHECK)) throw notFound("Agent");
    return refusal;
  }
}

/** Checks that the agent exists and is not being deleted. */
const agentIsLive = (owner: MemoryOwner, accountEmail: AccountEmail): WriteAction => ({
  check: homeKey(scopeOfMemory(owner, accountEmail), owner.agentId),
  if: isLive,
});

/** Returns how much each count grows between `from` and `to`. */
const difference = (to: Counts, from: Counts): Counts =>
  Object.fromEntries(ARCHIVE_COUNTS.map((name) => [name, (to[name] ?? 0) - (from[name] ?? 0)]));

/** The error for a memory that too many requests change at the same time. */
export const contended = (): AppError =>
  new AppError("conflict", "This memory is being changed concurrently. Please try again.", {
    retryAfter: 1,
  });

/** The condition that a pointer leads to this state of a memory, or that the legacy Python service wrote none. */
const pointsTo = ({ sortKey }: Memory) => any(absent("pk"), equals("archival_sk", sortKey));

/** Returns the keys of the holders. Their ids derive from the content or, in legacy items, equal the memory ids. */
async function holdersOf(owner: MemoryOwner, memories: readonly Memory[]) {
  const keys = await Promise.all(
    memories.map(async ({ id, contentHash }) => [
      hashKey(owner, contentHash, await memoryIdOf(owner, contentHash)),
      hashKey(owner, contentHash, id),
    ]),
  );
  return new Map(keys.flat().map((key) => [`${key.pk} ${key.sk}`, key])).values();
}
