import type { TableClient } from "../table/client.ts";
import { ConditionFailed } from "../table/errors.ts";
import { absent, absentOrExpired, all, any, equals, present } from "../table/expressions.ts";
import { PENDING_DELETION, type User, userFrom, userItem, userKey } from "./model.ts";

export class UserRepository {
  readonly #table: TableClient;

  constructor(table: TableClient) {
    this.#table = table;
  }

  async find(email: string): Promise<User | undefined> {
    const item = await this.#table.get(userKey(email));
    return item && userFrom(item);
  }

  /** Stores a new user; false where the address is taken by an account that still lives at `nowMs`. */
  async create(user: User, nowMs: number): Promise<boolean> {
    try {
      await this.#table.put(userItem(user), absentOrExpired(nowMs));
      return true;
    } catch (error) {
      if (error instanceof ConditionFailed) return false;
      throw error;
    }
  }

  /**
   * Marks an account as one that is being deleted: from here on it lets nobody in, and never comes back by itself. False
   * where there is none that is active or so marked already.
   */
  async requestDeletion(email: string, requestedAt: string): Promise<boolean> {
    const set = { status: PENDING_DELETION, deletion_requested_at: requestedAt, updated_at: requestedAt };
    const isActive = all(present("pk"), any(absent("status"), equals("status", "active")));
    try {
      // Without a `ttl`, its address is free only when everything of it is gone.
      await this.#table.update(userKey(email), { set, remove: ["ttl"] }, isActive);
      return true;
    } catch (error) {
      if (!(error instanceof ConditionFailed)) throw error;
      return error.item?.["status"] === PENDING_DELETION;
    }
  }

  /** Removes the item of an account that is being deleted, once nothing else of it is left. */
  async endDeletion(email: string): Promise<void> {
    const isDoomed = any(absent("pk"), equals("status", PENDING_DELETION));
    await this.#table.remove(userKey(email), isDoomed);
  }
}
