import type { AccountEmail } from "../shared/id-types.ts";
import { userKey } from "../table/keys.ts";
import type { TableClient } from "../table/client.ts";
import { absent, absentOrExpired, all, any, equals, present } from "../table/expressions.ts";
import { PENDING_DELETION, type User, userFrom, userItem } from "./model.ts";

export class UserRepository {
  readonly #table: TableClient;

  constructor({ table }: { readonly table: TableClient }) {
    this.#table = table;
  }

  async find(accountEmail: AccountEmail): Promise<User | undefined> {
    const item = await this.#table.get(userKey(accountEmail));
    return item && userFrom(item);
  }

  /** Like `find`, but shares the request of the table's next read; see `TableClient.getBeside`. */
  async findBeside(accountEmail: AccountEmail): Promise<User | undefined> {
    const item = await this.#table.getBeside(userKey(accountEmail));
    return item && userFrom(item);
  }

  /** Stores a new user. Returns false if the address belongs to an account that has not expired at `nowMs`. */
  async create(user: User, nowMs: number): Promise<boolean> {
    return await this.#table.tryPut(userItem(user), absentOrExpired(nowMs));
  }

  /**
   * Marks an account as being deleted: from now on nobody can sign in or use its tokens. Returns false unless the account is
   * active or already marked.
   */
  async requestDeletion(accountEmail: AccountEmail, requestedAt: string): Promise<boolean> {
    const set = { status: PENDING_DELETION, deletion_requested_at: requestedAt, updated_at: requestedAt };
    const isActive = all(present("pk"), any(absent("status"), equals("status", "active")));
    // With a `ttl`, the address could be taken again before everything else is deleted.
    const changes = { set, remove: ["ttl"] };
    const { applied, item } = await this.#table.updateOrRefusal(userKey(accountEmail), changes, isActive);
    return applied || item?.["status"] === PENDING_DELETION;
  }

  /** Removes the item of an account that is being deleted. Call it last, after everything else is gone. */
  async endDeletion(accountEmail: AccountEmail): Promise<void> {
    const isPending = any(absent("pk"), equals("status", PENDING_DELETION));
    await this.#table.remove(userKey(accountEmail), isPending);
  }
}
