import { type AgentId, type ConversationId, agentIdOf, conversationIdOf } from "../shared/id-types.ts";
import { CONVERSATION_PREFIX, memoryPartition } from "../table/keys.ts";
import { count, idAfter, optionalText, renamed, text } from "../table/fields.ts";
import type { Item, Key } from "../table/marshal.ts";
import { ttlAfter } from "../shared/clock.ts";
import { isTransient, TRANSIENT_LIFETIME_MS, TRANSIENT_PREFIX } from "../shared/transient-ids.ts";
import {
  conversationKey,
  conversationsPartition,
  memoryUserId,
  type AccessScope,
} from "../access/access-scope.ts";

export interface Conversation {
  readonly id: ConversationId;
  /** The account's e-mail address, or the id of the end user whose conversation it is. */
  readonly createdBy: string;
  readonly agentId: AgentId;
  readonly title: string;
  readonly description: string | null;
  readonly createdAt: string;
  readonly updatedAt: string | null;
  /** How many messages of an end user have been answered. Those of an account's owner are not counted. */
  readonly messageCount: number;
}

/** The members that callers set, and the names of their attributes. */
const SETTINGS = { title: "title", description: "description", agentId: "agent_id" } as const;

/** What callers set of a conversation. */
export type ConversationSettings = Pick<Conversation, keyof typeof SETTINGS>;

/** The settings that an update changes. Absent ones keep their values. */
export type ConversationChanges = Partial<ConversationSettings>;

/**
 * The range of sort keys that contains all ids of `newId`. The first twelve digits of such an id are milliseconds, and
 * these bounds span the years 2024 to 2058. One in a hundred random ids of the legacy Python service falls into the
 * range as well, and is listed at the position that its id implies.
 */
export const TIME_ORDERED_KEYS = {
  from: `${CONVERSATION_PREFIX}018d`,
  to: `${CONVERSATION_PREFIX}0290`,
} as const;

/** The range of sort keys of all conversations but transient ones. */
export const LASTING_KEYS = {
  between: [CONVERSATION_PREFIX, `${CONVERSATION_PREFIX}${TRANSIENT_PREFIX}`],
} as const;

/** The range of sort keys of transient conversations: `.` follows the last character of their prefix. */
export const TRANSIENT_KEYS = {
  between: [`${CONVERSATION_PREFIX}${TRANSIENT_PREFIX}`, `${CONVERSATION_PREFIX}zz.`],
} as const;

/** Returns the attribute by which the item of a transient conversation expires; none for other conversations. */
const expiryOf = (id: ConversationId, createdAt: string): { readonly ttl?: number } =>
  isTransient(id) ? { ttl: ttlAfter(Date.parse(createdAt), TRANSIENT_LIFETIME_MS) } : {};

/**
 * Returns the key of the item that leads from a client's name of a conversation to its id. `nameHash` is the SHA-256 hash of
 * the name in hexadecimal. The item lies with the memories of the agent and the person, and is deleted with them.
 */
export const conversationNameKey = (scope: AccessScope, agentId: AgentId, nameHash: string): Key => ({
  pk: memoryPartition(agentId, memoryUserId(scope)),
  // Must sort outside of the range that a turn reads; see `CORE_MEMORY_RANGE`.
  sk: `ThreadName#${nameHash}`,
});

/** Converts a conversation to its stored item. */
export const conversationItem = (scope: AccessScope, conversation: Conversation): Item => ({
  ...conversationKey(scope, conversation.id),
  entity_type: "Conversation",
  conversation_id: conversation.id,
  ...conversationAttributes(conversation),
  created_by: conversation.createdBy,
  created_at: conversation.createdAt,
  updated_at: conversation.updatedAt,
  ...expiryOf(conversation.id, conversation.createdAt),
  // No index uses these. The legacy Python service writes and reads them.
  gsi1_pk: conversationsPartition(scope),
  gsi1_sk: `${CONVERSATION_PREFIX}${conversation.createdAt}`,
});

/** Converts settings to attributes of the stored item. */
export const conversationAttributes = (changes: ConversationChanges): Item => renamed(changes, SETTINGS);

/** Reads a conversation from its stored item. */
export const conversationFrom = (item: Item): Conversation => ({
  id: conversationIdOf(text(item, "conversation_id") || idAfter(item, CONVERSATION_PREFIX)),
  createdBy: text(item, "created_by"),
  agentId: agentIdOf(text(item, "agent_id")),
  title: text(item, "title"),
  description: optionalText(item, "description"),
  createdAt: text(item, "created_at"),
  updatedAt: optionalText(item, "updated_at"),
  messageCount: count(item, "message_count"),
});

/** Compares conversations, newest first. Ids break ties, so that every page has the same order. */
export const byNewest = (a: Conversation, b: Conversation): number =>
  compare(b.createdAt, a.createdAt) || compare(b.id, a.id);

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
