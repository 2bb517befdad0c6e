import { DAY_MS, monthOf, ttlAfter } from "../shared/clock.ts";
import type { WriteAction } from "../table/requests.ts";
import { absent, any, below } from "../table/expressions.ts";
import { memoryPartition } from "../table/keys.ts";
import type { Key } from "../table/marshal.ts";
import type { EndUserRef } from "../access/access-scope.ts";
import type { Tally } from "./tally.ts";

/** Long enough for the month to end, and for the last message that began in it to be returned. */
const LIFETIME_MS = 72 * DAY_MS;

/**
 * The key of an end user's usage in a month (UTC). It is in the partition of their memory, so that both are deleted
 * together.
 */
export const endUserUsageKey = ({ agentId, id }: EndUserRef, ms: number): Key => ({
  pk: memoryPartition(agentId, id),
  sk: `Usage#${monthOf(ms)}`,
});

/**
 * The maximum of conversations that one end user may have with an agent. Monthly limits do not bound what is stored.
 */
export const MAX_END_USER_CONVERSATIONS = 1_000;

/** The tally of an end user's conversations, in the partition of their memory. */
export const conversationTally = ({ agentId, id }: EndUserRef): Tally => ({
  key: { pk: memoryPartition(agentId, id), sk: "Usage#conversations" },
  entityType: "EndUserUsage",
  owner: { agent_id: agentId, end_user_id: id },
});

/**
 * Returns the write that counts an end user's message in the month of `startedAt`, on condition that fewer than `limit`
 * are counted. Null means no limit.
 */
export const countEndUserMessage = (
  endUser: EndUserRef,
  startedAt: number,
  timestamp: string,
  limit: number | null,
): WriteAction => ({
  ...changeOf(endUser, startedAt, timestamp, 1),
  ...(limit !== null && { if: any(absent("messages_used"), below("messages_used", limit)) }),
});

/** Returns the write that uncounts a message. Use it in the transaction that returns the message to the account. */
export const returnEndUserMessage = (endUser: EndUserRef, startedAt: number, timestamp: string) =>
  changeOf(endUser, startedAt, timestamp, -1);

const changeOf = (endUser: EndUserRef, startedAt: number, timestamp: string, by: 1 | -1) => ({
  update: endUserUsageKey(endUser, startedAt),
  changes: {
    add: { messages_used: by },
    set: { updated_at: timestamp },
    setIfAbsent: {
      entity_type: "EndUserUsage",
      agent_id: endUser.agentId,
      end_user_id: endUser.id,
      period_key: monthOf(startedAt),
      ttl: ttlAfter(startedAt, LIFETIME_MS),
    },
  },
});
