import { idAfter, optionalText, renamed, text } from "../table/fields.ts";
import type { Item, Key } from "../table/marshal.ts";
import { conversationsPartition, type Space } from "../users/space.ts";

export interface Conversation {
  readonly id: string;
  /** Whose it is: the e-mail of an account's owner, or the id of an end user. */
  readonly createdBy: string;
  readonly agentId: string;
  readonly title: string;
  readonly description: string | null;
  readonly createdAt: string;
  readonly updatedAt: string | null;
}

/** What an update may change; absent members stay as they are. */
export type ConversationChanges = Partial<Pick<Conversation, "title" | "description" | "agentId">>;

export const CONVERSATION_PREFIX = "CONVERSATION#";

export const conversationKey = (space: Space, id: string): Key => ({
  pk: conversationsPartition(space),
  sk: `${CONVERSATION_PREFIX}${id}`,
});

/**
 * The sort keys that ids of `newId` fall into: their first twelve digits are milliseconds, and these bounds reach from
 * the year 2024 to 2058. One random id of the service before in a hundred falls in between; it is listed where its id
 * puts it.
 */
export const TIME_ORDERED_KEYS = {
  from: `${CONVERSATION_PREFIX}018d`,
  to: `${CONVERSATION_PREFIX}0290`,
} as const;

/** Attribute names of what an update may change, by member. */
const CHANGEABLE = {
  title: "title",
  description: "description",
  agentId: "agent_id",
} as const satisfies Record<keyof ConversationChanges, string>;

export const conversationItem = (space: Space, conversation: Conversation): Item => ({
  ...conversationKey(space, conversation.id),
  entity_type: "Conversation",
  conversation_id: conversation.id,
  title: conversation.title,
  description: conversation.description,
  agent_id: conversation.agentId,
  created_by: conversation.createdBy,
  created_at: conversation.createdAt,
  updated_at: conversation.updatedAt,
  // No index has these; the service before writes them, and reads what it finds.
  gsi1_pk: conversationsPartition(space),
  gsi1_sk: `${CONVERSATION_PREFIX}${conversation.createdAt}`,
});

export const conversationAttributes = (changes: ConversationChanges): Item => renamed(changes, CHANGEABLE);

export const conversationFrom = (item: Item): Conversation => ({
  id: text(item, "conversation_id") || idAfter(item, CONVERSATION_PREFIX),
  createdBy: text(item, "created_by"),
  agentId: text(item, "agent_id"),
  title: text(item, "title"),
  description: optionalText(item, "description"),
  createdAt: text(item, "created_at"),
  updatedAt: optionalText(item, "updated_at"),
});

/** Newest first; ids decide between equal times, so that the order is the same on every page. */
export const byNewest = (a: Conversation, b: Conversation): number =>
  compare(b.createdAt, a.createdAt) || compare(b.id, a.id);

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
