import { type Clock, DAY_MS, ttlAfter } from "../shared/clock.ts";
import { AppError } from "../shared/errors.ts";
import type { AccountEmail } from "../shared/id-types.ts";
import { newId } from "../shared/ids.ts";
import type { ListPage } from "../table/list.ts";
import { requireActive } from "../access/account-status.ts";
import type { User } from "../users/model.ts";
import { deriveRing } from "./derived-keys.ts";
import {
  hashOf,
  newSecret,
  readRefreshToken,
  type RefreshToken,
  successorOf,
  writeRefreshToken,
} from "./refresh-token.ts";
import type { AuthSession } from "./session-model.ts";
import type { SessionRepository } from "./session-repository.ts";
import type { SigningKey } from "./tokens.ts";

/** The maximum lifetime of a session, even if it is used. */
const LIFETIME_MS = 90 * DAY_MS;
/** The lifetime of a session that is not used. */
const IDLE_MS = 30 * DAY_MS;
/** How long a replaced token still gets its successor: for two tabs, or a client whose answer was lost. */
const GRACE_MS = 10_000;

/** A refresh token on its way into a cookie. */
export interface IssuedToken {
  readonly token: string;
  readonly maxAgeSeconds: number;
}

interface SessionServiceDeps {
  readonly sessions: SessionRepository;
  readonly keys: readonly [SigningKey, ...SigningKey[]];
  readonly clock: Clock;
}

/** Manages the sessions of browsers. Each use of a refresh token replaces it. */
export class SessionService {
  readonly #sessions: SessionRepository;
  readonly #keys: readonly [SigningKey, ...SigningKey[]];
  readonly #clock: Clock;

  constructor({ sessions, keys, clock }: SessionServiceDeps) {
    this.#sessions = sessions;
    this.#keys = keys;
    this.#clock = clock;
  }

  /** Begins a session. Throws `forbidden` if the account is not active. */
  async begin(accountEmail: AccountEmail, device: string): Promise<IssuedToken> {
    const now = this.#clock.now();
    const timestamp = this.#clock.timestamp();
    const token: RefreshToken = { accountEmail, sessionId: newId(now), secret: newSecret() };
    const session: AuthSession = {
      id: token.sessionId,
      accountEmail,
      tokenHash: await hashOf(token),
      previousHash: null,
      rotatedAt: now,
      device,
      createdAt: timestamp,
      lastUsedAt: timestamp,
      endsAt: ttlAfter(now, LIFETIME_MS),
      ttl: ttlAfter(now, IDLE_MS),
    };
    if (!(await this.#sessions.create(session)))
      throw new AppError("forbidden", "Account has been deactivated");
    return this.#issued(token, session);
  }

  /**
   * Replaces a refresh token with its successor and returns that with its user. A token that was replaced within the last 10 s
   * gets the same successor. Security: an older one may be stolen, so it ends the session. Throws `unauthenticated` if the
   * session has ended.
   */
  async refresh(text: string | undefined): Promise<{ user: User; issued: IssuedToken }> {
    const token = readRefreshToken(text);
    if (!token) throw ended();

    const { session, user } = await this.#sessions.find(token.accountEmail, token.sessionId);
    if (!session) throw ended();

    const hash = await hashOf(token);
    const isValid = session.tokenHash === hash;
    if (!isValid && session.previousHash !== hash) return this.#reused(session);

    const account = { ...requireActive(user), accountEmail: token.accountEmail };
    const issued = isValid
      ? await this.#rotate(token, hash, session)
      : await this.#repeat(token, hash, session);
    return { user: account, issued };
  }

  /** Ends the session of a token. Does nothing without a valid token. */
  async end(text: string | undefined): Promise<void> {
    const token = readRefreshToken(text);
    if (token) await this.#sessions.removeIfHeld(token.accountEmail, token.sessionId, await hashOf(token));
  }

  list(
    accountEmail: AccountEmail,
    limit: number,
    cursor: string | undefined,
  ): Promise<ListPage<AuthSession>> {
    return this.#sessions.list(accountEmail, limit, cursor);
  }

  /** Ends one of a user's sessions. Does nothing if it has already ended. */
  revoke(accountEmail: AccountEmail, id: string): Promise<void> {
    return this.#sessions.remove(accountEmail, id);
  }

  async #rotate(token: RefreshToken, hash: string, session: AuthSession): Promise<IssuedToken> {
    const now = this.#clock.now();
    const [{ key }] = await this.#successorKeys();
    const successor = await successorOf(token, key);
    const stored = await this.#sessions.rotate(session, {
      tokenHash: await hashOf(successor),
      previousHash: hash,
      rotatedAt: now,
      lastUsedAt: this.#clock.timestamp(),
      ttl: Math.min(session.endsAt, ttlAfter(now, IDLE_MS)),
    });
    if (!stored) throw ended();
    // Another request has replaced the token between the read and the write.
    if (stored.tokenHash !== (await hashOf(successor))) return this.#repeat(token, hash, stored);
    return this.#issued(successor, stored);
  }

  /** Returns the successor of a token that was already replaced, within the grace period. */
  async #repeat(token: RefreshToken, hash: string, session: AuthSession): Promise<IssuedToken> {
    const isLate = this.#clock.now() - session.rotatedAt > GRACE_MS;
    if (session.previousHash !== hash || isLate) return this.#reused(session);

    for (const { key } of await this.#successorKeys()) {
      const successor = await successorOf(token, key);
      if ((await hashOf(successor)) === session.tokenHash) return this.#issued(successor, session);
    }
    // The key that derived the successor is no longer in the key ring.
    throw ended();
  }

  /** Ends a session whose old token was reused. Session ids can't be guessed, so the sender once held a valid token. */
  async #reused({ accountEmail, id }: AuthSession): Promise<never> {
    await this.#sessions.remove(accountEmail, id);
    throw ended();
  }

  #successorKeys() {
    return deriveRing(this.#keys, "refresh tokens");
  }

  #issued(token: RefreshToken, { ttl }: AuthSession): IssuedToken {
    const maxAgeSeconds = Math.max(0, Math.floor(ttl - this.#clock.now() / 1000));
    return { token: writeRefreshToken(token), maxAgeSeconds };
  }
}

/** One error for every reason (absent, ended, expired, replaced, malformed), so that it reveals nothing. */
const ended = (): AppError => new AppError("unauthenticated", "The session has ended. Please sign in again.");
