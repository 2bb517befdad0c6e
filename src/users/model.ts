import { type AccountEmail, accountEmailOf } from "../shared/id-types.ts";
import { optionalCount, optionalText, text } from "../table/fields.ts";
import { userKey } from "../table/keys.ts";
import type { Item } from "../table/marshal.ts";

/** A person with an account. The e-mail address, in lower case, is the id of the account. */
export interface User {
  readonly accountEmail: AccountEmail;
  readonly name: string;
  readonly picture: string | null;
  /** `active`, `inactive`, or `pending_deletion` while the account is being deleted. */
  readonly status: string;
  readonly createdAt: string;
  /** When the owner requested the deletion, or null. */
  readonly deletionRequestedAt: string | null;
  /** The issuer's id (`sub`) of the person. Absent until their first sign-in through the issuer. */
  readonly subject?: string;
  /** Local development only. */
  readonly password?: { readonly hash: string; readonly salt: string };
  /** Seconds since the epoch. Local development only: other accounts do not expire. */
  readonly ttl?: number;
}

/** The status of an account that is being deleted. */
export const PENDING_DELETION = "pending_deletion";

/** Returns the item of a new user. */
export const userItem = (user: User): Item => ({
  ...userKey(user.accountEmail),
  email: user.accountEmail,
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
    accountEmail: accountEmailOf(text(item, "email")),
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
