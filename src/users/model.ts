import { optionalCount, optionalText, text } from "../table/fields.ts";
import { userPartition } from "../table/keys.ts";
import type { Item, Key } from "../table/marshal.ts";

/** A person with an account; the e-mail address is its id, in lower case. */
export interface User {
  readonly email: string;
  readonly name: string;
  readonly picture: string | null;
  /** `active`, or `inactive` and `pending_deletion` for accounts that are on their way out. */
  readonly status: string;
  readonly createdAt: string;
  /** When its owner asked for its deletion; null while nobody has. */
  readonly deletionRequestedAt: string | null;
  /** The issuer's id of the person who signs in to the account; absent until they first do so here. */
  readonly subject?: string;
  /** Only accounts of local development have a password. */
  readonly password?: { readonly hash: string; readonly salt: string };
  /** Seconds since the epoch; only accounts of local development end by themselves. */
  readonly ttl?: number;
}

/** The status of an account that is being deleted. */
export const PENDING_DELETION = "pending_deletion";

export const userKey = (email: string): Key => ({ pk: userPartition(email), sk: "User#Metadata" });

/** Where an address in lower case leads to the account of the service before that is written in mixed case. */
export const userAliasKey = (email: string): Key => ({ pk: userPartition(email), sk: "UserAlias" });

/** A new user's item. */
export const userItem = (user: User): Item => ({
  ...userKey(user.email),
  email: user.email,
  name: user.name,
  picture: user.picture,
  refresh_token: null,
  stripe_customer_id: null,
  status: user.status,
  deletion_requested_at: user.deletionRequestedAt,
  created_at: user.createdAt,
  updated_at: null,
  ...(user.subject !== undefined && { google_sub: user.subject }),
  ...(user.password && { password_hash: user.password.hash, password_salt: user.password.salt }),
  ...(user.ttl !== undefined && { ttl: user.ttl }),
});

export function userFrom(item: Item): User {
  const hash = optionalText(item, "password_hash");
  const salt = optionalText(item, "password_salt");
  const ttl = optionalCount(item, "ttl");
  const subject = optionalText(item, "google_sub");

  return {
    email: text(item, "email"),
    name: text(item, "name"),
    picture: optionalText(item, "picture"),
    status: text(item, "status", "active"),
    createdAt: text(item, "created_at"),
    deletionRequestedAt: optionalText(item, "deletion_requested_at"),
    ...(subject !== null && { subject }),
    ...(hash !== null && salt !== null && { password: { hash, salt } }),
    ...(ttl !== undefined && { ttl }),
  };
}
