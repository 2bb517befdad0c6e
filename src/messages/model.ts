import { type ConversationId, type RunId, conversationIdOf } from "../shared/id-types.ts";
import { count, maps, optionalCount, optionalNumber, optionalText, runIdIn, text } from "../table/fields.ts";
import { MESSAGE_PREFIX, conversationPartition } from "../table/keys.ts";
import type { Item, Key } from "../table/marshal.ts";
import type { ProviderData, TokenUsage } from "../llm/model.ts";
import { tokenUsageFrom, toTokenUsageView } from "../plans/token-usage.ts";
import { type Citation, citationsFrom, toCitationView } from "../knowledge/citation-model.ts";
import { objectFrom } from "../shared/json.ts";
import { cutToBytes, utf8Length } from "../shared/text.ts";
import { ttlAfter } from "../shared/clock.ts";
import { isTransient, TRANSIENT_LIFETIME_MS } from "../shared/transient-ids.ts";
import type { Attachment } from "./attachments.ts";

/** A tool call of an answer, with its result. `arguments` is the raw text that the model wrote. */
export interface StoredToolCall {
  readonly id: string;
  readonly name: string;
  readonly arguments: string;
  readonly output: string;
  readonly success: boolean;
  /** Which response of the turn contained the call, from 0. Absent in older messages. */
  readonly step?: number;
}

/** What a provider expects back with one response of a turn. `step` is the response's number, from 0. */
export interface ResponseData {
  readonly step: number;
  readonly providerData: ProviderData;
}

/**
 * `interrupted`: the answer ended early, and its text up to that point was kept. `truncated`: the answer ended at a limit
 * on its length.
 */
export const MESSAGE_STATUSES = ["complete", "interrupted", "truncated"] as const;
type MessageStatus = (typeof MESSAGE_STATUSES)[number];

/** What the key of a stored message is made of, besides its conversation. */
export interface MessagePlace {
  readonly id: string;
  readonly createdAt: string;
}

export interface Message {
  readonly id: string;
  readonly conversationId: ConversationId;
  /** The account's e-mail address, or the id of the end user whose conversation it is. */
  readonly createdBy: string;
  readonly role: string;
  readonly content: string;
  readonly attachments: readonly Attachment[];
  readonly createdAt: string;
  readonly status: MessageStatus;
  readonly toolCalls: readonly StoredToolCall[];
  readonly usage: TokenUsage | null;
  /** How many tokens the provider counted per estimated token of the answer's last request; null if it is not known. */
  readonly tokenRatio: number | null;
  /** What the provider expects back with the responses of the turn. Absent if it expects nothing. */
  readonly providerData?: readonly ResponseData[];
  /** The passages of knowledge bases that the text refers to by their numbers. Absent if there are none. */
  readonly citations?: readonly Citation[];
  /** The run that the message belongs to; null for messages of the legacy Python service. */
  readonly runId: RunId | null;
}

/** Limits on stored tool calls. Longer values are truncated, because a message must always fit into one item. */
const MAX_ARGUMENT_BYTES = 2_000;
const MAX_OUTPUT_BYTES = 2_000;
const MAX_NAME_BYTES = 100;
const MAX_STORED_CALLS = 40;
const MAX_CITATIONS = 50;
/**
 * What the whole message may take before citations are left out, last ones first, and then provider data, oldest first. An item
 * holds 400 KB.
 */
const MAX_MESSAGE_BYTES = 380_000;

export const messageKey = (conversationId: ConversationId, createdAt: string, id: string): Key => ({
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
  ...(isTransient(message.conversationId) && {
    ttl: ttlAfter(Date.parse(message.createdAt), TRANSIENT_LIFETIME_MS),
  }),
  ...(message.attachments.length > 0 && {
    attachments: message.attachments.map(({ filename, content, size }) => ({ filename, content, size })),
  }),
  ...(message.toolCalls.length > 0 && {
    tool_calls: message.toolCalls.slice(0, MAX_STORED_CALLS).map(storedCall),
  }),
  ...(message.usage && { usage: toTokenUsageView(message.usage) }),
  ...((message.tokenRatio ?? null) !== null && { token_ratio: message.tokenRatio }),
  ...citationsItem(message),
  ...providerDataItem(message),
});

export function messageFrom(item: Item): Message {
  return {
    id: text(item, "message_id"),
    conversationId: conversationIdOf(text(item, "conversation_id")),
    createdBy: text(item, "created_by"),
    role: text(item, "role"),
    content: text(item, "content"),
    attachments: maps(item, "attachments").map((file) => ({
      filename: text(file, "filename"),
      content: text(file, "content"),
      size: count(file, "size"),
    })),
    createdAt: text(item, "created_at"),
    status: MESSAGE_STATUSES.find((status) => status === optionalText(item, "status")) ?? "complete",
    toolCalls: maps(item, "tool_calls").map((call) => ({
      id: text(call, "id"),
      name: text(call, "name"),
      arguments: text(call, "arguments"),
      output: text(call, "output"),
      success: call["success"] !== false,
      ...stepOf(call),
    })),
    usage: tokenUsageFrom(item),
    ...citedIn(item),
    ...providerDataFrom(item),
    tokenRatio: optionalNumber(item, "token_ratio") ?? null,
    runId: runIdIn(item),
  };
}

const storedCall = (call: StoredToolCall): Item => ({
  id: cutToBytes(call.id.toWellFormed(), MAX_NAME_BYTES),
  name: cutToBytes(call.name.toWellFormed(), MAX_NAME_BYTES),
  arguments: cutToBytes(call.arguments.toWellFormed(), MAX_ARGUMENT_BYTES),
  output: cutToBytes(call.output.toWellFormed(), MAX_OUTPUT_BYTES),
  success: call.success,
  ...(call.step !== undefined && { step: call.step }),
});

function stepOf(call: Item): Pick<StoredToolCall, "step"> {
  const step = optionalCount(call, "step");
  return step === undefined ? {} : { step };
}

/** Returns the attribute with as many citations as fit into the item; none if there are none. */
function citationsItem(message: Message): Item {
  const { citations = [] } = message;
  if (citations.length === 0) return {};
  let room = roomIn(message);
  const stored = citations
    .slice(0, MAX_CITATIONS)
    .map(toCitationView)
    .filter((citation) => {
      room -= utf8Length(JSON.stringify(citation));
      return room >= 0;
    });
  return stored.length > 0 ? { citations: stored } : {};
}

function citedIn(item: Item): Pick<Message, "citations"> {
  const citations = citationsFrom(item);
  return citations.length > 0 ? { citations } : {};
}

/** Returns how many bytes the text and the calls of a message leave in its item. */
function roomIn({ content, toolCalls }: Message): number {
  const calls = toolCalls.slice(0, MAX_STORED_CALLS).map(storedCall);
  return MAX_MESSAGE_BYTES - utf8Length(content) - utf8Length(JSON.stringify(calls));
}

/** Returns the attribute with as much provider data as fits into the item, newest first. */
function providerDataItem(message: Message): Item {
  const { providerData = [] } = message;
  if (providerData.length === 0) return {};
  let room = roomIn(message) - utf8Length(JSON.stringify(citationsItem(message)));
  const stored = [];
  for (const { step, providerData: sent } of providerData.toReversed()) {
    const data = JSON.stringify(sent.data);
    room -= utf8Length(data) + utf8Length(sent.source);
    if (room < 0) break;
    stored.unshift({ step, source: sent.source, data });
  }
  return stored.length > 0 ? { provider_data: stored } : {};
}

function providerDataFrom(item: Item): Pick<Message, "providerData"> {
  const stored = maps(item, "provider_data").flatMap((entry) => {
    const data = objectFrom(text(entry, "data"));
    return data
      ? [{ step: count(entry, "step"), providerData: { source: text(entry, "source"), data } }]
      : [];
  });
  return stored.length > 0 ? { providerData: stored } : {};
}

/** A message of a history that the client keeps. */
export interface GivenMessage {
  readonly role: "user" | "assistant";
  readonly content: string;
  readonly attachments: readonly Attachment[];
  /** The calls of an answer, with their results. Absent if it has none. */
  readonly toolCalls?: readonly StoredToolCall[] | undefined;
}
