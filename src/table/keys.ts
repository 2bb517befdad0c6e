import type { AccountEmail, AgentId, ConversationId, KnowledgeBaseId } from "../shared/id-types.ts";
import type { Key } from "./marshal.ts";

/**
 * Partitions and prefixes that several features share. Keys of a single feature are in its `model.ts`. The table has two spellings
 * of "user": agents and settings are stored under `User#`, conversations under `USER#`.
 */
export const userPartition = (accountEmail: AccountEmail): string => `User#${accountEmail}`;

/** `scope` is the name of an access scope: the address of the account, extended for an end user. */
export const userConversationsPartition = (scope: string): string => `USER#${scope}`;

export const conversationPartition = (conversationId: ConversationId): string =>
  `CONVERSATION#${conversationId}`;

/** Data of an agent that does not depend on the user. */
export const agentPartition = (agentId: AgentId): string => `Agent#${agentId}`;

/** An agent's memory of one user; `userId` is the owner's e-mail address or an end user's id. */
export const memoryPartition = (agentId: AgentId, userId: string): string =>
  `Agent#${agentId}#User#${userId}`;

export const AGENT_PREFIX = "Agent#";

export const agentKey = (accountEmail: AccountEmail, id: AgentId): Key => ({
  pk: userPartition(accountEmail),
  sk: `${AGENT_PREFIX}${id}`,
});

export const userKey = (accountEmail: AccountEmail): Key => ({
  pk: userPartition(accountEmail),
  sk: "User#Metadata",
});

/** The alias that points from a lower-case address to an account that the legacy Python service stored in mixed case. */
export const userAliasKey = (accountEmail: AccountEmail): Key => ({
  pk: userPartition(accountEmail),
  sk: "UserAlias",
});

export const CONVERSATION_PREFIX = "CONVERSATION#";

export const MESSAGE_PREFIX = "MESSAGE#";

export const ARCHIVAL_PREFIX = "Archival#";

export const ARCHIVAL_VERSION_PREFIX = "ArchivalVersion#";

export const END_USER_PREFIX = "EndUser#";
export const DELETED_VISITOR_PREFIX = "DeletedVisitor#";

export const API_KEY_PREFIX = "ApiKey#";

/** In the partition of an agent. The prefix is that of the legacy Python service, which had no other keys. */
export const PUBLISHABLE_KEY_PREFIX = "ApiKey#";

/** The key of the look-up item of a publishable key, by its value. */
export const publishableKeyLookUpKey = (publicKey: string): Key => ({
  pk: `PublishableKey#${publicKey}`,
  sk: `PublishableKey#${publicKey}`,
});

export const KNOWLEDGE_BASE_PREFIX = "KnowledgeBase#";

/** The pages, passages, jobs and links of a knowledge base. The base itself is an item of its account. */
export const knowledgeBasePartition = (kbId: KnowledgeBaseId): string => `${KNOWLEDGE_BASE_PREFIX}${kbId}`;

export const knowledgeBaseKey = (accountEmail: AccountEmail, kbId: KnowledgeBaseId): Key => ({
  pk: userPartition(accountEmail),
  sk: `${KNOWLEDGE_BASE_PREFIX}${kbId}`,
});
