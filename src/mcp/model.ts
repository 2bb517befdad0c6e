import { DAY_MS, ttlAfter } from "../shared/clock.ts";
import {
  type AccountEmail,
  type ConversationId,
  conversationIdOf,
  type RunId,
  runIdOf,
} from "../shared/id-types.ts";
import { text } from "../table/fields.ts";
import { userPartition } from "../table/keys.ts";
import type { Item, Key } from "../table/marshal.ts";

/** Longer than any run. */
const LIFETIME_MS = DAY_MS;

/** A request of a client that began a run. `hash` covers the caller, its session, and the id that it gave to the request. */
export interface McpCallKey {
  readonly accountEmail: AccountEmail;
  readonly hash: string;
}

/** The run that a request began. */
export interface McpCallRun {
  readonly conversationId: ConversationId;
  readonly runId: RunId;
}

export const mcpCallKey = ({ accountEmail, hash }: McpCallKey): Key => ({
  pk: userPartition(accountEmail),
  sk: `McpCall#${hash}`,
});

export const mcpCallItem = (call: McpCallKey, { conversationId, runId }: McpCallRun, now: number): Item => ({
  ...mcpCallKey(call),
  entity_type: "McpCall",
  conversation_id: conversationId,
  run_id: runId,
  ttl: ttlAfter(now, LIFETIME_MS),
});

export const mcpCallFrom = (item: Item): McpCallRun => ({
  conversationId: conversationIdOf(text(item, "conversation_id")),
  runId: runIdOf(text(item, "run_id")),
});
