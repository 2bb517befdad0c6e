import { type AccountEmail, accountEmailOf, agentIdOf } from "../shared/id-types.ts";
import { text } from "../table/fields.ts";
import type { Item } from "../table/marshal.ts";
import { endUserKey, type EndUserRef, type AccessScope } from "../access/access-scope.ts";

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
