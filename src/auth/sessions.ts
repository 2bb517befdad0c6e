import type { Clock } from "../shared/clock.ts";
import { DAY_MS, ttlAfter } from "../shared/clock.ts";
import { AppError } from "../shared/errors.ts";
import { newId } from "../shared/ids.ts";
import type { ListPage } from "../table/list.ts";
import { requireActive } from "../users/account.ts";
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

/** A session ends after this long, however much it is used. */
const LIFETIME_MS = 90 * DAY_MS;
/** And after this long when it is not used. */
const IDLE_MS = 30 * DAY_MS;
/** How long a token that was replaced is answered with its successor: two tabs, or an answer that was lost. */
const GRACE_MS = 10_000;

/** A refresh token on its way into a cookie. */
export interface IssuedToken {
  readonly token: string;
  readonly maxAgeSeconds: number;
}

/** The sessions of browsers: refresh tokens that are replaced by each use. */
export class Sessions {
  readonly #sessions: SessionRepository;
  readonly #keys: readonly [SigningKey, ...SigningKey[]];
  readonly #clock: Clock;

  constructor(sessions: SessionRepository, keys: readonly [SigningKey, ...SigningKey[]], clock: Clock) {
    this.#sessions = sessions;
    this.#keys = keys;
    this.#clock = clock;
  }

  /** Begins a session. Throws where the account is deactivated by now. */
  async begin(email: string, device: string): Promise<IssuedToken> {
    const now = this.#clock.now();
    const timestamp = this.#clock.timestamp();
    const token: RefreshToken = { email, sessionId: newId(now), secret: newSecret() };
    const session: AuthSession = {
      id: token.sessionId,
      email,
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
   * Replaces a refresh token by its successor and tells whose it is. A token that was replaced a moment ago gets the same
   * successor; one that was replaced before that is in the wrong hands, and ends the session for everybody who holds it.
   */
  async refresh(text: string | undefined): Promise<{ user: User; issued: IssuedToken }> {
    const token = readRefreshToken(text);
    if (!token) throw ended();

    const { session, user } = await this.#sessions.find(token.email, token.sessionId);
    if (!session) throw ended();

    const hash = await hashOf(token);
    const isValid = session.tokenHash === hash;
    if (!isValid && session.previousHash !== hash) return this.#reused(session);

    const account = { ...requireActive(user), email: token.email };
    const issued = isValid
      ? await this.#rotate(token, hash, session)
      : await this.#repeat(token, hash, session);
    return { user: account, issued };
  }

  /** Ends the session of a token; without one there is nothing to end. */
  async end(text: string | undefined): Promise<void> {
    const token = readRefreshToken(text);
    if (token) await this.#sessions.removeIfHeld(token.email, token.sessionId, await hashOf(token));
  }

  list(email: string, limit: number, cursor: string | undefined): Promise<ListPage<AuthSession>> {
    return this.#sessions.list(email, limit, cursor);
  }

  /** Ends one of a user's sessions, whether or not it is still there. */
  revoke(email: string, id: string): Promise<void> {
    return this.#sessions.remove(email, id);
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
    // Another request has replaced the token between our reading and our writing.
    if (stored.tokenHash !== (await hashOf(successor))) return this.#repeat(token, hash, stored);
    return this.#issued(successor, stored);
  }

  /** Answers a token that has been replaced. */
  async #repeat(token: RefreshToken, hash: string, session: AuthSession): Promise<IssuedToken> {
    const isLate = this.#clock.now() - session.rotatedAt > GRACE_MS;
    if (session.previousHash !== hash || isLate) return this.#reused(session);

    for (const { key } of await this.#successorKeys()) {
      const successor = await successorOf(token, key);
      if ((await hashOf(successor)) === session.tokenHash) return this.#issued(successor, session);
    }
    // The key that the successor was derived with has left the ring.
    throw ended();
  }

  /** Whoever names a session has held one of its tokens, because its id can't be guessed. */
  async #reused({ email, id }: AuthSession): Promise<never> {
    await this.#sessions.remove(email, id);
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

/** One sentence for all of it: absent, ended, expired, replaced, malformed. */
const ended = (): AppError => new AppError("unauthenticated", "The session has ended. Please sign in again.");
