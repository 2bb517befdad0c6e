import { DAY_MS, ttlAfter } from "../shared/clock.ts";
import {
  type AccountEmail,
  type ConversationId,
  conversationIdOf,
  type RunId,
  runIdOf,
} from "../shared/id-types.ts";
import { flag, optionalText } from "../table/fields.ts";
import { userPartition } from "../table/keys.ts";
import type { Item, Key } from "../table/marshal.ts";

/** Longer than any run. */
const LIFETIME_MS = DAY_MS;

/**
 * A request of a client. `hash` covers the caller and either its session and the id that it gave to the request, or an idempotency key.
 */
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

/** What is known about a request. Its parts arrive in any order. */
export interface McpCallState {
  /** The conversation that the request begins, or that its run is in. */
  readonly conversationId: ConversationId | undefined;
  /** The run that it has begun. */
  readonly run: McpCallRun | undefined;
  /** Whether its client has cancelled it. */
  readonly isCancelled: boolean;
}

/** The item of a request about which something becomes known. */
export const mcpCallItem = (call: McpCallKey, known: Item, now: number): Item => ({
  ...mcpCallKey(call),
  entity_type: "McpCall",
  ...known,
  ttl: ttlAfter(now, LIFETIME_MS),
});

/** The attributes of the run that a request has begun. */
export const mcpRunAttributes = ({ conversationId, runId }: McpCallRun): Item => ({
  conversation_id: conversationId,
  run_id: runId,
});

export function mcpCallFrom(item: Item): McpCallState {
  const [conversation, run] = [optionalText(item, "conversation_id"), optionalText(item, "run_id")];
  const conversationId = conversation === null ? undefined : conversationIdOf(conversation);
  return {
    conversationId,
    run: conversationId && run !== null ? { conversationId, runId: runIdOf(run) } : undefined,
    isCancelled: flag(item, "cancelled"),
  };
}
