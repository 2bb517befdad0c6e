import { agentKey } from "../agents/model.ts";
import { agentPartition } from "../table/keys.ts";
import type { Key } from "../table/marshal.ts";
import type { EndUserRef, Space } from "../users/space.ts";

export const END_USER_PREFIX = "EndUser#";

export const endUserKey = ({ agentId, id }: EndUserRef): Key => ({
  pk: agentPartition(agentId),
  sk: `${END_USER_PREFIX}${id}`,
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
