import { type AccountEmail, accountEmailOf, agentIdOf } from "../shared/id-types.ts";
import { text } from "../table/fields.ts";
import type { Item, Key } from "../table/marshal.ts";
import { endUserKey, type EndUserRef, type AccessScope } from "../access/access-scope.ts";
import { agentPartition, DELETED_VISITOR_PREFIX } from "../table/keys.ts";

/** A person who talks to an agent without an account, identified by an id that the agent's owner chose. */
export interface EndUser extends EndUserRef {
  /** The account that owns the agent. */
  readonly accountEmail: AccountEmail;
  readonly generation: string;
  readonly createdAt: string;
}

export const endUserItem = (endUser: EndUser): Item => ({
  ...endUserKey(endUser),
  entity_type: "EndUser",
  agent_id: endUser.agentId,
  end_user_id: endUser.id,
  generation: endUser.generation,
  created_by: endUser.accountEmail,
  created_at: endUser.createdAt,
});

export const endUserFrom = (item: Item): EndUser => ({
  agentId: agentIdOf(text(item, "agent_id")),
  id: text(item, "end_user_id"),
  generation: text(item, "generation"),
  accountEmail: accountEmailOf(text(item, "created_by")),
  createdAt: text(item, "created_at"),
});

/** Returns the scope of an end user. */
export const scopeOfEndUser = ({ accountEmail, agentId, id, generation }: EndUser): AccessScope => ({
  accountEmail,
  endUser: { agentId, id },
  generation,
  agentIds: [agentId],
});

/** With what the ids of visitors begin who have not signed in. They are stored with their first conversation. */
export const ANONYMOUS_PREFIX = "anon:";

export const isAnonymousId = (id: string): boolean => id.startsWith(ANONYMOUS_PREFIX);

/** How long the token of a visitor is valid who has not signed in, in seconds: 30 days. */
export const ANONYMOUS_SECONDS = 30 * 24 * 60 * 60;

/**
 * For how long a deletion is remembered after the last token should have expired, in seconds: a day. A token is accepted a little longer
 * than it is valid, and one may be issued while the deletion ends, by a machine whose clock differs.
 */
const REMEMBERED_LONGER_SECONDS = 24 * 60 * 60;

/**
 * Returns the key of the item that tells a deleted visitor who had not signed in from one who is not stored yet. It expires after the
 * last token of the visitor has.
 */
export const deletedVisitorKey = ({ agentId, id }: EndUserRef): Key => ({
  pk: agentPartition(agentId),
  sk: `${DELETED_VISITOR_PREFIX}${id}`,
});

/** Returns the item at `deletedVisitorKey` for a visitor who is deleted at `nowMs`, in milliseconds since the epoch. */
export const deletedVisitorItem = (ref: EndUserRef, nowMs: number): Item => ({
  ...deletedVisitorKey(ref),
  entity_type: "DeletedVisitor",
  ttl: Math.ceil(nowMs / 1000) + ANONYMOUS_SECONDS + REMEMBERED_LONGER_SECONDS,
});
