import { homeKey, spaceOfMemory } from "../end-users/model.ts";
import { AppError, notFound } from "../shared/errors.ts";
import type { TableClient, WriteAction } from "../table/client.ts";
import type { Cursors } from "../table/cursor.ts";
import { isLive } from "../table/deletion.ts";
import { ConditionFailed, TransactionRefused } from "../table/errors.ts";
import { absent, any, equals, present } from "../table/expressions.ts";
import { keyOf, optionalText, text } from "../table/fields.ts";
import { memoryPartition } from "../table/keys.ts";
import { type ListPage, listNewestFirst } from "../table/list.ts";
import type { Item } from "../table/marshal.ts";
import {
  ARCHIVAL_PREFIX,
  contentHashOf,
  hasPointer,
  hashItem,
  hashKey,
  hashPartition,
  type Memory,
  memoryFrom,
  memoryIdIn,
  memoryIdOf,
  memoryItem,
  memoryKey,
  pointerItem,
  pointerKey,
  sortKeyOf,
  tombstoneItem,
} from "./archival-model.ts";
import type { MemoryOwner } from "./model.ts";

/** A memory that is to be stored. */
export interface MemoryDraft extends Pick<Memory, "content" | "occurredAt" | "createdAt" | "by" | "runId"> {
  /** The id to take where another memory, whose content has been changed since, has the one of this content. */
  readonly spareId: string;
}

/** A memory, and whether it was made for this request or was there before. */
export interface Inserted {
  readonly memory: Memory;
  readonly created: boolean;
}

/** `moved`: somebody else has changed or removed the memory since it was read. `taken`: another has that content. */
export type ChangeOutcome = "done" | "moved" | "taken";

/** Memories removed per call of `sweep`: a Worker has a bounded number of requests, and a caller bounded patience. */
const SWEEP_MEMORIES = 5_000;
/** How often a write or a read is begun again when others have changed what it found. */
const ATTEMPTS = 5;

/** Where the actions stand in the transactions below. */
const ITEM = 0;
const AGENT_CHECK = 1;
const HASH = 2;

/** Archival memories in the table: each is an item, a pointer to it and a holder of its content, written together. */
export class ArchivalRepository {
  readonly #table: TableClient;
  readonly #cursors: Cursors;

  constructor(table: TableClient, cursors: Cursors) {
    this.#table = table;
    this.#cursors = cursors;
  }

  /** Stores a memory, or gives the one that has its content. Throws a 404 where the agent does not stand. */
  async insert(owner: MemoryOwner, agentOwner: string, draft: MemoryDraft): Promise<Inserted> {
    const { spareId, ...rest } = draft;
    const contentHash = await contentHashOf(draft.content);
    const holder = await memoryIdOf(owner, contentHash);
    let id = holder;

    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const known = await this.#withContent(owner, contentHash, draft.content);
      if (known) return { memory: known, created: false };

      const memory = { ...rest, id, contentHash, sortKey: sortKeyOf(draft.createdAt, id) };
      const refused = await this.#transact([
        { put: memoryItem(owner, memory), if: absent("pk") },
        standing(owner, agentOwner),
        { put: hashItem(owner, memory, holder), if: absent("pk") },
        { put: pointerItem(owner, memory), if: absent("pk") },
      ]);
      if (!refused) return { memory, created: true };

      // Either somebody has just stored the same, or the id belongs to a memory that has another content by now.
      if (!refused.has(HASH)) id = spareId;
    }
    throw contended();
  }

  /** A page of the memories, those first that were stored or changed last. */
  list(owner: MemoryOwner, limit: number, cursor: string | undefined): Promise<ListPage<Memory>> {
    const partition = memoryPartition(owner.agentId, owner.userId);
    const scope = `archival memories in ${partition}`;
    const request = { partition, range: { beginsWith: ARCHIVAL_PREFIX }, scope, limit, cursor };
    return listNewestFirst(this.#table, this.#cursors, request, memoryFrom);
  }

  async find(owner: MemoryOwner, id: string): Promise<Memory | undefined> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const sortKey = await this.#whereIs(owner, id);
      if (sortKey === undefined) return undefined;

      const item = await this.#table.get(memoryKey(owner, sortKey));
      if (item) return memoryFrom(item);
      // It was moved between the two reads, and its pointer with it.
    }
    return undefined;
  }

  /** Puts a memory in the place of an earlier state of it. Throws a 404 where the agent does not stand. */
  async replace(owner: MemoryOwner, agentOwner: string, from: Memory, to: Memory): Promise<ChangeOutcome> {
    const isSame = from.contentHash === to.contentHash;
    const holders = await this.#holdersOf(owner, from);
    if (!isSame && (await this.#withContent(owner, to.contentHash, to.content))) return "taken";

    const held = { set: { archival_sk: to.sortKey } };
    const refused = await this.#transact([
      { remove: memoryKey(owner, from.sortKey), if: present("pk") },
      standing(owner, agentOwner),
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
    ]);
    if (!refused) return "done";
    return refused.has(HASH) && !refused.has(ITEM) && !isSame ? "taken" : "moved";
  }

  /** Removes a memory and leaves its tombstone. Throws a 404 where the agent does not stand. */
  async remove(
    owner: MemoryOwner,
    agentOwner: string,
    memory: Memory,
    removedAt: string,
  ): Promise<Exclude<ChangeOutcome, "taken">> {
    const holders = await this.#holdersOf(owner, memory);
    const refused = await this.#transact([
      { remove: memoryKey(owner, memory.sortKey), if: present("pk") },
      standing(owner, agentOwner),
      { remove: pointerKey(owner, memory.id), if: pointsTo(memory) },
      { put: tombstoneItem(owner, memory, removedAt), if: absent("pk") },
      ...holders.map((item) => ({ remove: keyOf(item) })),
    ]);
    return refused ? "moved" : "done";
  }

  /**
   * Removes all memories of an agent that is being deleted, with what holds their contents, which stands in partitions
   * of its own. False where so many are left that it takes another call.
   */
  async sweep(owner: MemoryOwner): Promise<boolean> {
    const attributes = ["pk", "sk", "memory_id", "content_hash"];
    const partition = memoryPartition(owner.agentId, owner.userId);
    let left = SWEEP_MEMORIES;

    for await (const page of this.#table.pages(partition, {
      range: { beginsWith: ARCHIVAL_PREFIX },
      attributes,
    })) {
      // The memories go last: by them the holders are found again if this breaks off.
      await this.#table.batchWrite(await removalsOfHolders(owner, page.map(memoryFrom)));
      await this.#table.batchWrite(page.map((item) => ({ remove: keyOf(item) })));
      left -= page.length;
      if (left < 0) return false;
    }
    return true;
  }

  /**
   * The memory that has a content. Holders whose memory is gone (others write to this table, too) are removed, so that
   * they are in nobody's way.
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
      try {
        await this.#table.remove(keyOf(item), any(absent("pk"), unchanged));
      } catch (error) {
        if (!(error instanceof ConditionFailed)) throw error;
        // Its memory was only moved while we looked.
        return this.#withContent(owner, contentHash, content);
      }
    }
    return undefined;
  }

  /** The items that hold a memory's content for it. */
  async #holdersOf(owner: MemoryOwner, { id, contentHash }: Memory): Promise<readonly Item[]> {
    const items = await this.#table.query(hashPartition(owner, contentHash));
    return items.filter((item) => memoryIdIn(item) === id);
  }

  /** The sort key of a memory. The service before kept no pointers: its memories have to be looked for. */
  async #whereIs(owner: MemoryOwner, id: string): Promise<string | undefined> {
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

  /** Gives the conditions that did not hold, or nothing where all was written. Throws a 404 for an agent that is gone. */
  async #transact(actions: readonly WriteAction[]): Promise<TransactionRefused["failed"] | undefined> {
    try {
      await this.#table.transact(actions);
      return undefined;
    } catch (error) {
      if (!(error instanceof TransactionRefused)) throw error;
      if (error.failed.has(AGENT_CHECK)) throw notFound("Agent");
      return error.failed;
    }
  }
}

const standing = (owner: MemoryOwner, agentOwner: string): WriteAction => ({
  check: homeKey(spaceOfMemory(owner, agentOwner), owner.agentId),
  if: isLive,
});

/** Many are changing the same memory at this moment. */
export const contended = (): AppError =>
  new AppError("conflict", "This memory is being changed by others at the moment. Please try again.", {
    retryAfter: 1,
  });

/** Holds for the pointer of a memory in this state; the service before wrote none. */
const pointsTo = ({ sortKey }: Memory) => any(absent("pk"), equals("archival_sk", sortKey));

/** A content is held under the id derived from it, or, by the service before, under that of its memory. */
async function removalsOfHolders(owner: MemoryOwner, memories: readonly Memory[]) {
  const keys = await Promise.all(
    memories.map(async ({ id, contentHash }) => [
      hashKey(owner, contentHash, await memoryIdOf(owner, contentHash)),
      hashKey(owner, contentHash, id),
    ]),
  );
  const distinct = new Map(keys.flat().map((key) => [`${key.pk} ${key.sk}`, key]));
  return [...distinct.values()].map((key) => ({ remove: key }));
}
