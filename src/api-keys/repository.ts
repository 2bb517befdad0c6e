import type { TableClient } from "../table/client.ts";
import type { Cursors } from "../table/cursor.ts";
import { TransactionRefused } from "../table/errors.ts";
import { absent, all, equals, present } from "../table/expressions.ts";
import { userPartition } from "../table/keys.ts";
import { type ListPage, listNewestFirst } from "../table/list.ts";
import {
  API_KEY_PREFIX,
  type ApiKey,
  apiKeyFrom,
  apiKeyItem,
  apiKeyKey,
  type KnownKey,
  knownKeyFrom,
  lookUpItem,
  lookUpKey,
} from "./model.ts";

/** Keys for programs: each is an item of its owner and one to find it by, written together. */
export class ApiKeyRepository {
  readonly #table: TableClient;
  readonly #cursors: Cursors;

  constructor(table: TableClient, cursors: Cursors) {
    this.#table = table;
    this.#cursors = cursors;
  }

  /** Stores a new key; false where there is one of its id. */
  create(key: ApiKey): Promise<boolean> {
    return this.#tried([
      { put: apiKeyItem(key), if: absent("pk") },
      { put: lookUpItem(key), if: absent("pk") },
    ]);
  }

  /** The key of a secret, by its hash; none that was revoked. */
  async find(hash: string): Promise<KnownKey | undefined> {
    const item = await this.#table.get(lookUpKey(hash));
    return item && knownKeyFrom(item);
  }

  /** The owner's keys, newest first, revoked ones included. */
  list(owner: string, limit: number, cursor: string | undefined): Promise<ListPage<ApiKey>> {
    const request = {
      partition: userPartition(owner),
      range: { beginsWith: API_KEY_PREFIX },
      scope: `API keys of ${owner}`,
      limit,
      cursor,
    };
    return listNewestFirst(this.#table, this.#cursors, request, apiKeyFrom);
  }

  /** Ends a key from this moment on. One that is not there, or was ended before, is no error. */
  async revoke(owner: string, id: string, revokedAt: string): Promise<void> {
    const item = await this.#table.get(apiKeyKey(owner, id));
    if (!item) return;

    await this.#tried([
      {
        update: apiKeyKey(owner, id),
        changes: { set: { revoked_at: revokedAt } },
        if: all(present("pk"), absent("revoked_at")),
      },
      { remove: lookUpKey(apiKeyFrom(item).hash) },
    ]);
  }

  /** Notes that a key was used, unless somebody else has just done so, or it was revoked. */
  async touch({ owner, id, hash, lastUsedAt }: KnownKey, usedAt: string): Promise<void> {
    const changes = { set: { last_used_at: usedAt } };
    const unchanged = lastUsedAt === null ? absent("last_used_at") : equals("last_used_at", lastUsedAt);
    await this.#tried([
      { update: lookUpKey(hash), changes, if: all(present("pk"), unchanged) },
      { update: apiKeyKey(owner, id), changes, if: present("pk") },
    ]);
  }

  async #tried(actions: Parameters<TableClient["transact"]>[0]): Promise<boolean> {
    try {
      await this.#table.transact(actions);
      return true;
    } catch (error) {
      if (error instanceof TransactionRefused) return false;
      throw error;
    }
  }
}
