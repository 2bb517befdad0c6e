import type { AccountEmail } from "../shared/id-types.ts";
import type { TableClient } from "../table/client.ts";
import type { Cursors } from "../table/cursor.ts";
import { absent, all, equals, present } from "../table/expressions.ts";
import { API_KEY_PREFIX, userPartition } from "../table/keys.ts";
import { type ListPage, listNewestFirst } from "../table/list.ts";
import {
  type ApiKey,
  apiKeyFrom,
  apiKeyItem,
  apiKeyKey,
  type KnownKey,
  knownKeyFrom,
  lookUpItem,
  lookUpKey,
} from "./model.ts";

/** Stores API keys. Each has two items that are written together: one in the owner's partition, one for looking it up. */
export class ApiKeyRepository {
  readonly #table: TableClient;
  readonly #cursors: Cursors;

  constructor({ table, cursors }: { readonly table: TableClient; readonly cursors: Cursors }) {
    this.#table = table;
    this.#cursors = cursors;
  }

  /** Stores a new key. Returns false if its id already exists. */
  create(key: ApiKey): Promise<boolean> {
    return this.#table.tryTransact([
      { put: apiKeyItem(key), if: absent("pk") },
      { put: lookUpItem(key), if: absent("pk") },
    ]);
  }

  /** Returns the key with this secret hash, or `undefined` if there is none or it was revoked. */
  async find(hash: string): Promise<KnownKey | undefined> {
    const item = await this.#table.get(lookUpKey(hash));
    return item && knownKeyFrom(item);
  }

  /** Returns a page of the owner's keys, newest first, including revoked ones. */
  list(accountEmail: AccountEmail, limit: number, cursor: string | undefined): Promise<ListPage<ApiKey>> {
    const request = {
      partition: userPartition(accountEmail),
      range: { beginsWith: API_KEY_PREFIX },
      cursorScope: `API keys of ${accountEmail}`,
      limit,
      cursor,
    };
    return listNewestFirst(this.#table, this.#cursors, request, apiKeyFrom);
  }

  /** Revokes a key immediately. Does nothing if the key does not exist or is already revoked. */
  async revoke(accountEmail: AccountEmail, id: string, revokedAt: string): Promise<void> {
    const item = await this.#table.get(apiKeyKey(accountEmail, id));
    if (!item) return;

    await this.#table.tryTransact([
      {
        update: apiKeyKey(accountEmail, id),
        changes: { set: { revoked_at: revokedAt } },
        if: all(present("pk"), absent("revoked_at")),
      },
      { remove: lookUpKey(apiKeyFrom(item).hash) },
    ]);
  }

  /** Records that a key was used. Does nothing if another request has just done so or the key was revoked. */
  async touch({ accountEmail, id, hash, lastUsedAt }: KnownKey, usedAt: string): Promise<void> {
    const changes = { set: { last_used_at: usedAt } };
    const unchanged = lastUsedAt === null ? absent("last_used_at") : equals("last_used_at", lastUsedAt);
    await this.#table.tryTransact([
      { update: lookUpKey(hash), changes, if: all(present("pk"), unchanged) },
      { update: apiKeyKey(accountEmail, id), changes, if: present("pk") },
    ]);
  }
}
