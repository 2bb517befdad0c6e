import { agentKey } from "../agents/model.ts";
import { text } from "../table/fields.ts";
import { agentPartition } from "../table/keys.ts";
import type { Item, Key } from "../table/marshal.ts";
import type { EndUserRef, Space } from "../users/space.ts";

/** Somebody who talks to an agent without having an account, as the agent's owner knows them. */
export interface EndUser extends EndUserRef {
  /** The account whose agent it is. */
  readonly owner: string;
  readonly generation: string;
  readonly createdAt: string;
}

/** What an end user may be called; an e-mail of somebody, too, but never the owner's. */
export const isEndUserId = (id: string): boolean => /^[A-Za-z0-9._@:-]{1,128}$/u.test(id);

export const END_USER_PREFIX = "EndUser#";

export const endUserKey = ({ agentId, id }: EndUserRef): Key => ({
  pk: agentPartition(agentId),
  sk: `${END_USER_PREFIX}${id}`,
});

export const endUserItem = (endUser: EndUser): Item => ({
  ...endUserKey(endUser),
  entity_type: "EndUser",
  agent_id: endUser.agentId,
  end_user_id: endUser.id,
  generation: endUser.generation,
  created_by: endUser.owner,
  created_at: endUser.createdAt,
});

export const endUserFrom = (item: Item): EndUser => ({
  agentId: text(item, "agent_id"),
  id: text(item, "end_user_id"),
  generation: text(item, "generation"),
  owner: text(item, "created_by"),
  createdAt: text(item, "created_at"),
});

/** The space of an end user. */
export const spaceOfEndUser = ({ owner, agentId, id, generation }: EndUser): Space => ({
  owner,
  endUser: { agentId, id },
  generation,
  agentIds: [agentId],
});

/** The space that a memory belongs to. An end user's id is never the e-mail of the account. */
export const spaceOfMemory = (
  { agentId, userId }: { readonly agentId: string; readonly userId: string },
  owner: string,
): Space => (userId === owner ? { owner } : { owner, endUser: { agentId, id: userId } });

/**
 * What has to stand, and not to be on its way out, for anything to come into a space: the agent, or the end user, who
 * goes before the agent does.
 */
export const homeKey = ({ owner, endUser }: Space, agentId: string): Key =>
  endUser ? endUserKey(endUser) : agentKey(owner, agentId);
