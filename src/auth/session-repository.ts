import type { TableClient } from "../table/client.ts";
import type { Cursors } from "../table/cursor.ts";
import { ConditionFailed, TransactionRefused } from "../table/errors.ts";
import { absent, all, any, equals, present } from "../table/expressions.ts";
import { userPartition } from "../table/keys.ts";
import { type ListPage, listNewestFirst } from "../table/list.ts";
import { type User, userFrom, userKey } from "../users/model.ts";
import { type AuthSession, SESSION_PREFIX, sessionFrom, sessionItem, sessionKey } from "./session-model.ts";

/** What a rotation changes. */
export type Rotation = Pick<AuthSession, "tokenHash" | "previousHash" | "rotatedAt" | "lastUsedAt" | "ttl">;

/** Sessions of browsers, in their users' partitions. */
export class SessionRepository {
  readonly #table: TableClient;
  readonly #cursors: Cursors;

  constructor(table: TableClient, cursors: Cursors) {
    this.#table = table;
    this.#cursors = cursors;
  }

  /** Stores a new session; false where the account is not there or not active, so that none outlives an account. */
  async create(session: AuthSession): Promise<boolean> {
    const isActive = all(present("pk"), any(absent("status"), equals("status", "active")));
    try {
      await this.#table.transact([
        { put: sessionItem(session), if: absent("pk") },
        { check: userKey(session.email), if: isActive },
      ]);
      return true;
    } catch (error) {
      if (error instanceof TransactionRefused) return false;
      throw error;
    }
  }

  /** A session and its user, as far as they are there. */
  async find(email: string, id: string): Promise<{ session?: AuthSession; user?: User }> {
    const [session, user] = await this.#table.batchGet([sessionKey(email, id), userKey(email)]);
    return {
      ...(session && { session: sessionFrom(session) }),
      ...(user && { user: userFrom(user) }),
    };
  }

  /**
   * Replaces the token of a session. Where another one is valid by now, nothing is changed and the session is given as it
   * is instead; nothing where it has ended.
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
    try {
      return sessionFrom(await this.#table.update(sessionKey(session.email, session.id), { set }, isValid));
    } catch (error) {
      if (error instanceof ConditionFailed) return error.item && sessionFrom(error.item);
      throw error;
    }
  }

  /** A user's sessions, the latest sign-in first. */
  list(email: string, limit: number, cursor: string | undefined): Promise<ListPage<AuthSession>> {
    const partition = userPartition(email);
    const request = {
      partition,
      range: { beginsWith: SESSION_PREFIX },
      scope: `sessions of ${email}`,
      limit,
      cursor,
    };
    return listNewestFirst(this.#table, this.#cursors, request, sessionFrom);
  }

  /** Ends a session; one that has ended is no error. */
  remove(email: string, id: string): Promise<void> {
    return this.#table.remove(sessionKey(email, id));
  }

  /** Ends a session if this is the hash of its valid token, or of the one before. */
  async removeIfHeld(email: string, id: string, hash: string): Promise<void> {
    const isHeld = any(equals("token_hash", hash), equals("previous_hash", hash));
    try {
      await this.#table.remove(sessionKey(email, id), isHeld);
    } catch (error) {
      if (!(error instanceof ConditionFailed)) throw error;
    }
  }
}
