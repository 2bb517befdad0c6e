import { type ConversationId, type RunId, conversationIdOf } from "../shared/id-types.ts";
import { count, optionalText, runIdIn, text } from "../table/fields.ts";
import { conversationPartition } from "../table/keys.ts";
import type { Item, Key } from "../table/marshal.ts";

/** `fallback`: made of the messages' beginnings, because no model answered. */
type Summarizer = "model" | "fallback";

/** The summary of the messages of a conversation that precede the window. */
export interface Summary {
  readonly conversationId: ConversationId;
  /** Empty after a deletion. The messages that it covered stay covered, so a new summary covers later ones only. */
  readonly content: string;
  /** The sort key of the last message that the summary covers. */
  readonly coversUntil: string;
  readonly messagesCovered: number;
  readonly by: Summarizer;
  /** The id of the model that wrote it; null for the fallback. */
  readonly model: string | null;
  /** The run after which it was written. */
  readonly runId: RunId | null;
  readonly createdAt: string;
  readonly updatedAt: string;
}

export const summaryKey = (conversationId: ConversationId): Key => ({
  pk: conversationPartition(conversationId),
  sk: "SUMMARY#rolling",
});

export const summaryItem = (summary: Summary): Item => ({
  ...summaryKey(summary.conversationId),
  entity_type: "ConversationSummary",
  conversation_id: summary.conversationId,
  content: summary.content,
  covers_until: summary.coversUntil,
  messages_covered: summary.messagesCovered,
  by: summary.by,
  model: summary.model,
  run_id: summary.runId,
  created_at: summary.createdAt,
  updated_at: summary.updatedAt,
});

export const summaryFrom = (item: Item): Summary => ({
  conversationId: conversationIdOf(text(item, "conversation_id")),
  content: text(item, "content"),
  coversUntil: text(item, "covers_until"),
  messagesCovered: count(item, "messages_covered"),
  by: text(item, "by") === "model" ? "model" : "fallback",
  model: optionalText(item, "model"),
  runId: runIdIn(item),
  createdAt: text(item, "created_at"),
  updatedAt: text(item, "updated_at"),
});
