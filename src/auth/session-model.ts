import { type AccountEmail, accountEmailOf } from "../shared/id-types.ts";
import { count, optionalCount, optionalText, text } from "../table/fields.ts";
import { userPartition } from "../table/keys.ts";
import type { Item, Key } from "../table/marshal.ts";

/** A signed-in browser: a chain of refresh tokens, each of which replaces the one before. */
export interface AuthSession {
  readonly id: string;
  readonly accountEmail: AccountEmail;
  /** SHA-256 of the valid token, in hexadecimal. `previousHash` is that of the token before it. */
  readonly tokenHash: string;
  readonly previousHash: string | null;
  /** When the valid token was issued, in milliseconds since the epoch. */
  readonly rotatedAt: number;
  /** Browser and operating system, such as `Firefox on Linux`. */
  readonly device: string;
  readonly createdAt: string;
  readonly lastUsedAt: string;
  /** When the session ends even if it is used, in seconds since the epoch. */
  readonly endsAt: number;
  /** When the session ends unless it is used, in seconds since the epoch. Never later than `endsAt`. */
  readonly ttl: number;
}

export const SESSION_PREFIX = "AuthSession#";

export const sessionKey = (accountEmail: AccountEmail, id: string): Key => ({
  pk: userPartition(accountEmail),
  sk: `${SESSION_PREFIX}${id}`,
});

export const sessionItem = (session: AuthSession): Item => ({
  ...sessionKey(session.accountEmail, session.id),
  entity_type: "AuthSession",
  session_id: session.id,
  user_email: session.accountEmail,
  token_hash: session.tokenHash,
  previous_hash: session.previousHash,
  rotated_at: session.rotatedAt,
  device: session.device,
  created_at: session.createdAt,
  last_used_at: session.lastUsedAt,
  ends_at: session.endsAt,
  ttl: session.ttl,
});

export const sessionFrom = (item: Item): AuthSession => ({
  id: text(item, "session_id"),
  accountEmail: accountEmailOf(text(item, "user_email")),
  tokenHash: text(item, "token_hash"),
  previousHash: optionalText(item, "previous_hash"),
  rotatedAt: count(item, "rotated_at"),
  device: text(item, "device"),
  createdAt: text(item, "created_at"),
  lastUsedAt: text(item, "last_used_at"),
  endsAt: count(item, "ends_at"),
  ttl: optionalCount(item, "ttl") ?? count(item, "ends_at"),
});
