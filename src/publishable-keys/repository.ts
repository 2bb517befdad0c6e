import type { KeyGrant } from "../access/publishable-key.ts";
import { notFound } from "../shared/errors.ts";
import type { AgentId } from "../shared/id-types.ts";
import type { TableClient } from "../table/client.ts";
import type { Cursors } from "../table/cursor.ts";
import { type DeletionGuard, isLive } from "../table/deletion.ts";
import { keyOf } from "../table/fields.ts";
import { TransactionRefused } from "../table/errors.ts";
import { absent, present } from "../table/expressions.ts";
import { agentKey, agentPartition, PUBLISHABLE_KEY_PREFIX, publishableKeyLookUpKey } from "../table/keys.ts";
import { type ListPage, listNewestFirst } from "../table/list.ts";
import {
  keyGrantFrom,
  type KeySettings,
  type PublishableKey,
  publishableKeyFrom,
  publishableKeyItem,
  publishableKeyKey,
  publishableKeyLookUpItem,
  settingAttributes,
} from "./model.ts";

/** The positions of the writes of a creation. */
const KEY = 0;
const AGENT = 2;
/** Keys removed per call of `removeSome`. */
const REMOVED_AT_ONCE = 50;

/**
 * Stores publishable keys. Each has two items that are written together: one in the agent's partition, one for looking it up by its
 * value. All methods but `find` are for callers who have checked who owns the agent.
 */
export class PublishableKeyRepository {
  readonly #table: TableClient;
  readonly #cursors: Cursors;

  constructor({ table, cursors }: { readonly table: TableClient; readonly cursors: Cursors }) {
    this.#table = table;
    this.#cursors = cursors;
  }

  /**
   * Stores a new key and returns it, or the existing one with the same id. Throws `not-found` if the account has no such agent, or if
   * it is being deleted.
   */
  async create(key: PublishableKey): Promise<PublishableKey> {
    const refusal = await this.#table.transactOrRefusal([
      { put: publishableKeyItem(key), if: absent("pk") },
      { put: publishableKeyLookUpItem(key), if: absent("pk") },
      { check: agentKey(key.accountEmail, key.agentId), if: isLive },
    ]);
    if (!refusal) return key;
    if (refusal.has(AGENT)) throw notFound("Agent");
    const existing = refusal.get(KEY);
    if (!existing) throw new TransactionRefused(refusal);
    return publishableKeyFrom(existing);
  }

  /** Returns what the key with this value opens, or `undefined` if there is none. */
  async find(publicKey: string): Promise<KeyGrant | undefined> {
    const item = await this.#table.get(publishableKeyLookUpKey(publicKey));
    return item && keyGrantFrom(item);
  }

  /** Returns a page of an agent's keys, newest first. */
  list(agentId: AgentId, limit: number, cursor: string | undefined): Promise<ListPage<PublishableKey>> {
    const request = {
      partition: agentPartition(agentId),
      range: { beginsWith: PUBLISHABLE_KEY_PREFIX },
      cursorScope: `publishable keys of ${agentId}`,
      limit,
      cursor,
    };
    return listNewestFirst(this.#table, this.#cursors, request, publishableKeyFrom);
  }

  async get(agentId: AgentId, id: string): Promise<PublishableKey | undefined> {
    const item = await this.#table.get(publishableKeyKey(agentId, id));
    return item && publishableKeyFrom(item);
  }

  /** Changes both items of a key. Returns false if it does not exist. */
  update({ agentId, id, publicKey }: PublishableKey, changes: Partial<KeySettings>): Promise<boolean> {
    const set = settingAttributes(changes);
    return this.#table.tryTransact([
      { update: publishableKeyKey(agentId, id), changes: { set }, if: present("pk") },
      { update: publishableKeyLookUpKey(publicKey), changes: { set }, if: present("pk") },
    ]);
  }

  /** Makes a key of the legacy Python service usable, by storing its look-up item. Does nothing if that has been done. */
  async adopt(key: PublishableKey): Promise<void> {
    const set = { requires_sign_in: key.requiresSignIn };
    await this.#table.tryTransact([
      { update: publishableKeyKey(key.agentId, key.id), changes: { set }, if: present("pk") },
      { put: publishableKeyLookUpItem(key), if: absent("pk") },
    ]);
  }

  /** Removes both items of a key, which is invalid from then on. */
  async remove({ agentId, id, publicKey }: PublishableKey): Promise<void> {
    await this.#table.transact([
      { remove: publishableKeyKey(agentId, id) },
      { remove: publishableKeyLookUpKey(publicKey) },
    ]);
  }

  /** Removes some keys of an agent that is being deleted. Returns false if others are left. */
  async removeSome(agentId: AgentId, guard: DeletionGuard): Promise<boolean> {
    const { items, next } = await this.#table.queryPage(agentPartition(agentId), {
      range: { beginsWith: PUBLISHABLE_KEY_PREFIX },
      limit: REMOVED_AT_ONCE,
    });
    // Those for looking up first: if this is interrupted, the others lead to the rest.
    const keys = items.flatMap((item) => [
      publishableKeyLookUpKey(publishableKeyFrom(item).publicKey),
      keyOf(item),
    ]);
    return !(await this.#table.removeGuarded(keys, guard)) || next === undefined;
  }

  /** Counts a request. Does nothing if the key has been deleted. */
  async touch({ agentId, id }: Pick<KeyGrant, "agentId" | "id">, usedAt: string): Promise<void> {
    const changes = { add: { request_count: 1 }, set: { last_used_at: usedAt } };
    await this.#table.tryTransact([{ update: publishableKeyKey(agentId, id), changes, if: present("pk") }]);
  }
}
