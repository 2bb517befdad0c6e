import type { AccountEmail } from "../shared/id-types.ts";
import type { TableClient } from "../table/client.ts";
import type { Cursors } from "../table/cursor.ts";
import { absent, all, any, equals, present } from "../table/expressions.ts";
import { userKey, userPartition } from "../table/keys.ts";
import { type ListPage, listNewestFirst } from "../table/list.ts";
import { type User, userFrom } from "../users/model.ts";
import { type AuthSession, SESSION_PREFIX, sessionFrom, sessionItem, sessionKey } from "./session-model.ts";

/** The members of a session that a rotation changes. */
export type Rotation = Pick<AuthSession, "tokenHash" | "previousHash" | "rotatedAt" | "lastUsedAt" | "ttl">;

/** Stores the sessions of browsers in the partitions of their users. */
export class SessionRepository {
  readonly #table: TableClient;
  readonly #cursors: Cursors;

  constructor({ table, cursors }: { readonly table: TableClient; readonly cursors: Cursors }) {
    this.#table = table;
    this.#cursors = cursors;
  }

  /** Stores a new session. Returns false if the account is gone or not active, so that no session outlives its account. */
  async create(session: AuthSession): Promise<boolean> {
    const isActive = all(present("pk"), any(absent("status"), equals("status", "active")));
    return await this.#table.tryTransact([
      { put: sessionItem(session), if: absent("pk") },
      { check: userKey(session.accountEmail), if: isActive },
    ]);
  }

  /** Returns a session and its user; either is absent if it does not exist. */
  async find(accountEmail: AccountEmail, id: string): Promise<{ session?: AuthSession; user?: User }> {
    const [session, user] = await this.#table.batchGet([sessionKey(accountEmail, id), userKey(accountEmail)]);
    return {
      ...(session && { session: sessionFrom(session) }),
      ...(user && { user: userFrom(user) }),
    };
  }

  /**
   * Replaces the token of a session and returns the session. If another request has replaced the token before, changes nothing
   * and returns the stored session. Returns `undefined` if the session has ended.
   */
  async rotate(session: AuthSession, to: Rotation): Promise<AuthSession | undefined> {
    const set = {
      token_hash: to.tokenHash,
      previous_hash: to.previousHash,
      rotated_at: to.rotatedAt,
      last_used_at: to.lastUsedAt,
      ttl: to.ttl,
    };
    const isValid = equals("token_hash", session.tokenHash);
    const key = sessionKey(session.accountEmail, session.id);
    const { item } = await this.#table.updateOrRefusal(key, { set }, isValid);
    return item && sessionFrom(item);
  }

  /** Returns a page of a user's sessions, latest sign-in first. */
  list(
    accountEmail: AccountEmail,
    limit: number,
    cursor: string | undefined,
  ): Promise<ListPage<AuthSession>> {
    const partition = userPartition(accountEmail);
    const request = {
      partition,
      range: { beginsWith: SESSION_PREFIX },
      cursorScope: `sessions of ${accountEmail}`,
      limit,
      cursor,
    };
    return listNewestFirst(this.#table, this.#cursors, request, sessionFrom);
  }

  /** Ends a session. Does nothing if it has already ended. */
  remove(accountEmail: AccountEmail, id: string): Promise<void> {
    return this.#table.remove(sessionKey(accountEmail, id));
  }

  /** Ends a session if this is the hash of its valid token or of the previous one. */
  async removeIfHeld(accountEmail: AccountEmail, id: string, hash: string): Promise<void> {
    const isHeld = any(equals("token_hash", hash), equals("previous_hash", hash));
    await this.#table.tryRemove(sessionKey(accountEmail, id), isHeld);
  }
}
