import { count, optionalCount, optionalText, text } from "../table/fields.ts";
import { userPartition } from "../table/keys.ts";
import type { Item, Key } from "../table/marshal.ts";

/** A signed-in browser: the family of refresh tokens that follow on each other. */
export interface AuthSession {
  readonly id: string;
  readonly email: string;
  /** SHA-256 of the token that is valid, and of the one before it; hexadecimal. */
  readonly tokenHash: string;
  readonly previousHash: string | null;
  /** When the valid token was given out, in milliseconds since the epoch. */
  readonly rotatedAt: number;
  /** Coarse: a browser and a system. */
  readonly device: string;
  readonly createdAt: string;
  readonly lastUsedAt: string;
  /** When it ends however much it is used, in seconds since the epoch. */
  readonly endsAt: number;
  /** When it ends unless it is used; never behind `endsAt`. */
  readonly ttl: number;
}

export const SESSION_PREFIX = "AuthSession#";

export const sessionKey = (email: string, id: string): Key => ({
  pk: userPartition(email),
  sk: `${SESSION_PREFIX}${id}`,
});

export const sessionItem = (session: AuthSession): Item => ({
  ...sessionKey(session.email, session.id),
  entity_type: "AuthSession",
  session_id: session.id,
  user_email: session.email,
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
  email: text(item, "user_email"),
  tokenHash: text(item, "token_hash"),
  previousHash: optionalText(item, "previous_hash"),
  rotatedAt: count(item, "rotated_at"),
  device: text(item, "device"),
  createdAt: text(item, "created_at"),
  lastUsedAt: text(item, "last_used_at"),
  endsAt: count(item, "ends_at"),
  ttl: optionalCount(item, "ttl") ?? count(item, "ends_at"),
});
