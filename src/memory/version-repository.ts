import type { TableClient } from "../table/client.ts";
import type { Cursors } from "../table/cursor.ts";
import { memoryPartition } from "../table/keys.ts";
import { type ListPage, listNewestFirst } from "../table/list.ts";
import type { MemoryOwner } from "./model.ts";
import { type StoredVersion, versionFrom, versionKey, versionPrefix } from "./version-model.ts";

/** What blocks held before; written together with their contents by `MemoryRepository`. */
export class BlockVersionRepository {
  readonly #table: TableClient;
  readonly #cursors: Cursors;

  constructor(table: TableClient, cursors: Cursors) {
    this.#table = table;
    this.#cursors = cursors;
  }

  /** The versions of a block, newest first. */
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
      scope: `versions of ${prefix}`,
      limit,
      cursor,
    };
    return listNewestFirst(this.#table, this.#cursors, request, versionFrom);
  }

  async find(owner: MemoryOwner, name: string, version: number): Promise<StoredVersion | undefined> {
    const item = await this.#table.get(versionKey(owner, name, version));
    return item && versionFrom(item);
  }
}
