import { count, optionalText, text } from "../table/fields.ts";
import { conversationPartition } from "../table/keys.ts";
import type { Item, Key } from "../table/marshal.ts";

/** `fallback`: put together from the messages' beginnings, because no model answered. */
type Summarizer = "model" | "fallback";

/** What was said in a conversation before the messages that its turns still read word for word. */
export interface Summary {
  readonly conversationId: string;
  /** Empty where it was deleted: what it had covered stays covered, and it begins anew with what comes then. */
  readonly content: string;
  /** The sort key of the last message that it covers. */
  readonly coversUntil: string;
  readonly messagesCovered: number;
  readonly by: Summarizer;
  /** The model that wrote it; null for the fallback. */
  readonly model: string | null;
  /** The run behind which it was written. */
  readonly runId: string | null;
  readonly createdAt: string;
  readonly updatedAt: string;
}

export const summaryKey = (conversationId: string): Key => ({
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
  conversationId: text(item, "conversation_id"),
  content: text(item, "content"),
  coversUntil: text(item, "covers_until"),
  messagesCovered: count(item, "messages_covered"),
  by: text(item, "by") === "model" ? "model" : "fallback",
  model: optionalText(item, "model"),
  runId: optionalText(item, "run_id"),
  createdAt: text(item, "created_at"),
  updatedAt: text(item, "updated_at"),
});
