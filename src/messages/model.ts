import { count, maps, optionalText, text } from "../table/fields.ts";
import { conversationPartition } from "../table/keys.ts";
import type { Item, Key } from "../table/marshal.ts";
import type { TokenUsage } from "../llm/model.ts";
import { tokenUsageFrom, toTokenUsageView } from "../plans/token-usage.ts";
import { cutToBytes } from "../shared/text.ts";
import type { Attachment } from "./attachments.ts";

/** A tool call of an answer, with its result; `arguments` is the text that the model wrote. */
export interface StoredToolCall {
  readonly id: string;
  readonly name: string;
  readonly arguments: string;
  readonly output: string;
  readonly success: boolean;
}

/** `interrupted`: the answer broke off, and what had been said was kept. */
type MessageStatus = "complete" | "interrupted";

export interface Message {
  readonly id: string;
  readonly conversationId: string;
  readonly createdBy: string;
  readonly role: string;
  readonly content: string;
  readonly attachments: readonly Attachment[];
  readonly createdAt: string;
  readonly status: MessageStatus;
  readonly toolCalls: readonly StoredToolCall[];
  readonly usage: TokenUsage | null;
  /** The run that the message belongs to; messages of the service before have none. */
  readonly runId: string | null;
}

export const MESSAGE_PREFIX = "MESSAGE#";

/** What tool calls may take of an item; what is longer is cut, because a message must always be storable. */
const MAX_ARGUMENT_BYTES = 2_000;
const MAX_OUTPUT_BYTES = 2_000;
const MAX_NAME_BYTES = 100;
const MAX_STORED_CALLS = 40;

export const messageKey = (conversationId: string, createdAt: string, id: string): Key => ({
  pk: conversationPartition(conversationId),
  sk: `${MESSAGE_PREFIX}${createdAt}#${id}`,
});

export const messageItem = (message: Message): Item => ({
  ...messageKey(message.conversationId, message.createdAt, message.id),
  entity_type: "Message",
  message_id: message.id,
  conversation_id: message.conversationId,
  created_by: message.createdBy,
  role: message.role,
  content: message.content,
  created_at: message.createdAt,
  status: message.status,
  run_id: message.runId,
  ...(message.attachments.length > 0 && {
    attachments: message.attachments.map(({ filename, content, size }) => ({ filename, content, size })),
  }),
  ...(message.toolCalls.length > 0 && {
    tool_calls: message.toolCalls.slice(0, MAX_STORED_CALLS).map(storedCall),
  }),
  ...(message.usage && { usage: toTokenUsageView(message.usage) }),
});

export function messageFrom(item: Item): Message {
  return {
    id: text(item, "message_id"),
    conversationId: text(item, "conversation_id"),
    createdBy: text(item, "created_by"),
    role: text(item, "role"),
    content: text(item, "content"),
    attachments: maps(item, "attachments").map((file) => ({
      filename: text(file, "filename"),
      content: text(file, "content"),
      size: count(file, "size"),
    })),
    createdAt: text(item, "created_at"),
    status: optionalText(item, "status") === "interrupted" ? "interrupted" : "complete",
    toolCalls: maps(item, "tool_calls").map((call) => ({
      id: text(call, "id"),
      name: text(call, "name"),
      arguments: text(call, "arguments"),
      output: text(call, "output"),
      success: call["success"] !== false,
    })),
    usage: tokenUsageFrom(item),
    runId: optionalText(item, "run_id"),
  };
}

const storedCall = (call: StoredToolCall): Item => ({
  id: cutToBytes(call.id.toWellFormed(), MAX_NAME_BYTES),
  name: cutToBytes(call.name.toWellFormed(), MAX_NAME_BYTES),
  arguments: cutToBytes(call.arguments.toWellFormed(), MAX_ARGUMENT_BYTES),
  output: cutToBytes(call.output.toWellFormed(), MAX_OUTPUT_BYTES),
  success: call.success,
});
