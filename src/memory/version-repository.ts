import type { TableClient } from "../table/client.ts";
import { absent, any, equals } from "../table/expressions.ts";
import type { Cursors } from "../table/cursor.ts";
import { memoryPartition } from "../table/keys.ts";
import { type ListPage, listNewestFirst } from "../table/list.ts";
import type { MemoryOwner } from "./model.ts";
import {
  MARK_ATTRIBUTES,
  markFrom,
  RESTORED,
  type StoredVersion,
  type Thinned,
  thinnedFrom,
  thinnedKey,
  versionFrom,
  versionKey,
  type VersionMark,
  versionPrefix,
} from "./version-model.ts";

/** The versions to remove, and the thinning progress before and after. */
interface Thinning {
  readonly from: Thinned;
  readonly to: Thinned;
  readonly gone: readonly VersionMark[];
}

/** The versions of blocks. `MemoryRepository` writes them together with the contents. */
export class BlockVersionRepository {
  readonly #table: TableClient;
  readonly #cursors: Cursors;

  constructor({ table, cursors }: { readonly table: TableClient; readonly cursors: Cursors }) {
    this.#table = table;
    this.#cursors = cursors;
  }

  /** Returns a page of a block's versions, newest first. */
  list(
    owner: MemoryOwner,
    name: string,
    limit: number,
    cursor: string | undefined,
  ): Promise<ListPage<StoredVersion>> {
    const prefix = versionPrefix(owner, name);
    const request = {
      partition: memoryPartition(owner.agentId, owner.userId),
      range: { beginsWith: prefix },
      cursorScope: `versions of ${prefix}`,
      limit,
      cursor,
    };
    return listNewestFirst(this.#table, this.#cursors, request, versionFrom);
  }

  /** Returns a version, or `undefined` if there is none. */
  async find(owner: MemoryOwner, name: string, version: number): Promise<StoredVersion | undefined> {
    const item = await this.#table.get(versionKey(owner, name, version));
    return item && versionFrom(item);
  }

  /** Returns the number of a block's newest version; 0 if there is none. */
  async newest(owner: MemoryOwner, name: string): Promise<number> {
    const { items } = await this.#table.queryPage(memoryPartition(owner.agentId, owner.userId), {
      range: { beginsWith: versionPrefix(owner, name) },
      newestFirst: true,
      attributes: MARK_ATTRIBUTES,
      limit: 1,
    });
    return items.map(markFrom)[0]?.version ?? 0;
  }

  /** Removes a version. Does nothing if there is none. */
  remove(owner: MemoryOwner, name: string, version: number): Promise<void> {
    return this.#table.remove(versionKey(owner, name, version));
  }

  /** Returns how far a block's versions have been thinned. */
  async thinnedTo(owner: MemoryOwner, name: string): Promise<Thinned> {
    return thinnedFrom(await this.#table.get(thinnedKey(owner, name)));
  }

  /** Returns the marks of at most `limit` versions after a version number, oldest first. */
  async marks(
    owner: MemoryOwner,
    name: string,
    after: number,
    limit: number,
  ): Promise<readonly VersionMark[]> {
    const { items } = await this.#table.queryPage(memoryPartition(owner.agentId, owner.userId), {
      range: { beginsWith: versionPrefix(owner, name) },
      attributes: MARK_ATTRIBUTES,
      after: versionKey(owner, name, after).sk,
      limit,
    });
    return items.map(markFrom);
  }

  /**
   * Removes old versions and stores the progress. Does nothing if the versions were thinned concurrently or one of them
   * was just restored: the next write tries again.
   */
  async thin(owner: MemoryOwner, name: string, { from, to, gone }: Thinning): Promise<void> {
    await this.#table.tryTransact([
      {
        update: thinnedKey(owner, name),
        changes: {
          set: { version: to.version, ...(to.day !== undefined && { day: to.day }) },
          setIfAbsent: { agent_id: owner.agentId, user_id: owner.userId, block_name: name },
        },
        if:
          from.version === 0 ? any(absent("version"), equals("version", 0)) : equals("version", from.version),
      },
      ...gone.map(({ version }) => ({ remove: versionKey(owner, name, version), if: absent(RESTORED) })),
    ]);
  }
}
