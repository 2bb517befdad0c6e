import type { AccountEmail, AgentId, ConversationId } from "../shared/id-types.ts";
import {
  agentKey,
  agentPartition,
  CONVERSATION_PREFIX,
  END_USER_PREFIX,
  userConversationsPartition,
} from "../table/keys.ts";
import type { Key } from "../table/marshal.ts";

/** A person who talks to an account's agent without an account, identified by an id that the account's owner chose. */
export interface EndUserRef {
  readonly agentId: AgentId;
  readonly id: string;
}

/** Whose conversations and memories a request may use, and which agents. */
export interface AccessScope {
  /** The e-mail address of the account whose agents, credentials and plan are used. */
  readonly accountEmail: AccountEmail;
  /** The end user whose conversations and memories these are. If absent or null, they are the owner's own. */
  readonly endUser?: EndUserRef | null;
  /** A random id per creation of an end user. It makes the tokens of a deleted end user invalid for a new one with the same id. */
  readonly generation?: string | null;
  /** Whether the end user may not be stored yet: a visitor who has not signed in is stored with the first conversation. */
  readonly isStoredLater?: boolean;
  /** When the caller's access token was issued, in seconds since the epoch; see `requireActive`. */
  readonly issuedAt?: number | null;
  /** The only agents that may be used. If absent or null, all of the owner's agents. */
  readonly agentIds?: readonly AgentId[] | null;
}

/** Returns the scope of an account's owner. */
export const ownScope = (accountEmail: AccountEmail): AccessScope => ({ accountEmail });

/** Returns a unique name of a scope. E-mail addresses and ids contain no `#`, so no owner's name equals an end user's. */
export const scopeName = ({ accountEmail, endUser }: AccessScope): string =>
  endUser ? `${accountEmail}#EndUser#${endUser.agentId}#${endUser.id}` : accountEmail;

/** Returns the partition that holds the conversations of a scope. */
export const conversationsPartition = (scope: AccessScope): string =>
  userConversationsPartition(scopeName(scope));

/** Returns the author of messages and memories in a scope: the end user's id, or the owner's e-mail address. */
export const memoryUserId = ({ accountEmail, endUser }: AccessScope): string => endUser?.id ?? accountEmail;

/** Returns whether a scope covers an agent. Does not check that the agent exists or whose it is. */
export const reaches = ({ agentIds }: AccessScope, agentId: AgentId): boolean =>
  !agentIds || agentIds.includes(agentId);

export const conversationKey = (scope: AccessScope, id: ConversationId): Key => ({
  pk: conversationsPartition(scope),
  sk: `${CONVERSATION_PREFIX}${id}`,
});

/** Returns whether text can be an end user's id. An e-mail address can, but `mint` refuses the account's own. */
export const isEndUserId = (id: string): boolean => /^[A-Za-z0-9._@:-]{1,128}$/u.test(id);

/**
 * Returns the key of the item that must exist, and not be in deletion, before anything is written to a scope: the end user,
 * or the agent if there is none. An end user is always deleted before its agent.
 */
export const homeKey = ({ accountEmail, endUser }: AccessScope, agentId: AgentId): Key =>
  endUser ? endUserKey(endUser) : agentKey(accountEmail, agentId);

export const endUserKey = ({ agentId, id }: EndUserRef): Key => ({
  pk: agentPartition(agentId),
  sk: `${END_USER_PREFIX}${id}`,
});

/** Returns the scope that a memory belongs to. An end user's id is never the e-mail address of the account. */
export const scopeOfMemory = (
  { agentId, userId }: { readonly agentId: AgentId; readonly userId: string },
  accountEmail: AccountEmail,
): AccessScope =>
  userId === accountEmail ? { accountEmail } : { accountEmail, endUser: { agentId, id: userId } };
