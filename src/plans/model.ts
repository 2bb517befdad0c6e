import type { AccountEmail, RunId } from "../shared/id-types.ts";
import { DAY_MS, monthOf, ttlAfter } from "../shared/clock.ts";
import type { WriteAction } from "../table/requests.ts";
import { absent, any, below, type Condition, equals } from "../table/expressions.ts";
import { userPartition } from "../table/keys.ts";
import { optionalCount } from "../table/fields.ts";
import type { Item, Key } from "../table/marshal.ts";
import type { EndUserRef } from "../access/access-scope.ts";
import { returnEndUserMessage } from "./end-user-usage.ts";

/** Longer than any retry or recovery of a run can take. */
const EVENT_LIFETIME_MS = 40 * DAY_MS;

/** The key of an account's usage in a month (UTC, `2026-01`). */
const usageKey = (accountEmail: AccountEmail, month: string): Key => ({
  pk: userPartition(accountEmail),
  sk: `Usage#${month}`,
});

/** The key of the usage that is not counted by month: the number of agents. */
export const activeUsageKey = (accountEmail: AccountEmail): Key => ({
  pk: userPartition(accountEmail),
  sk: "Usage#active",
});

const usageEventKey = (accountEmail: AccountEmail, runId: RunId): Key => ({
  pk: userPartition(accountEmail),
  sk: `UsageEvent#${runId}`,
});

/** One message that a run uses. It counts in the month in which the run began. */
export interface MessageUse {
  readonly accountEmail: AccountEmail;
  /** The end user who sent it; absent for a message of the account's owner. */
  readonly endUser?: EndUserRef | null | undefined;
  readonly runId: RunId;
  /** When the run began, in milliseconds since the epoch. */
  readonly startedAt: number;
  /** The current time in the format that is stored. */
  readonly timestamp: string;
}

/**
 * Returns the write that counts so many messages in the month of `startedAt`, on condition that they stay within `limit`; null
 * means no limit. `messages` must not exceed the limit. Use it in one transaction with `reserveMessage` for each of them.
 */
export const countMessages = (
  { accountEmail, startedAt, timestamp }: Pick<MessageUse, "accountEmail" | "startedAt" | "timestamp">,
  messages: number,
  limit: number | null,
): WriteAction => {
  const month = monthOf(startedAt);
  return countInMonth({ attribute: "messages_used", accountEmail, month, timestamp }, messages, limit);
};

/** A count of pages in one month. */
export interface PageUse {
  readonly accountEmail: AccountEmail;
  /** The month (UTC) in which the pages count, such as `2026-01`. */
  readonly month: string;
  /** The current time in the format that is stored. */
  readonly timestamp: string;
}

/**
 * Returns the write that counts so many pages of knowledge bases, on condition that they stay within `limit`; null means no limit.
 * A negative number gives pages back, which needs no limit. A positive one must not exceed the limit.
 */
export const countPages = (use: PageUse, pages: number, limit: number | null): WriteAction =>
  countInMonth({ attribute: "kb_pages_used", ...use }, pages, limit);

interface MonthlyCount extends PageUse {
  readonly attribute: "messages_used" | "kb_pages_used";
}

const countInMonth = (
  { attribute, accountEmail, month, timestamp }: MonthlyCount,
  amount: number,
  limit: number | null,
): WriteAction => {
  const initial = { messages_used: 0, kb_pages_used: 0, agents_active: 0 };
  const { [attribute]: _counted, ...others } = initial;
  return {
    update: usageKey(accountEmail, month),
    changes: {
      add: { [attribute]: amount },
      set: { updated_at: timestamp },
      setIfAbsent: {
        entity_type: "Usage",
        user_email: accountEmail,
        period_key: month,
        ...others,
        created_at: timestamp,
      },
    },
    ...(limit !== null && { if: any(absent(attribute), below(attribute, limit - amount + 1)) }),
  };
};

/** Returns the write that marks a run's message as counted, so that a run counts once. */
export const reserveMessage = (use: MessageUse): WriteAction => recordUse(use, "reserved");

/**
 * Returns the write that keeps a message from being counted later, with everything in that transaction. Refused if it
 * is counted already.
 */
export const forgoMessage = (use: MessageUse): WriteAction => recordUse(use, "returned");

const recordUse = (
  { accountEmail, runId, startedAt, timestamp }: MessageUse,
  state: string,
): WriteAction => ({
  put: {
    ...usageEventKey(accountEmail, runId),
    entity_type: "UsageEvent",
    event_type: "Message",
    created_at: timestamp,
    state,
    ttl: ttlAfter(startedAt, EVENT_LIFETIME_MS),
  },
  if: absent("pk"),
});

/** Returns the writes that uncount a message once. The first one is refused if it has been uncounted before. */
export const returnMessage = ({
  accountEmail,
  endUser,
  runId,
  startedAt,
  timestamp,
}: MessageUse): readonly WriteAction[] => [
  {
    update: usageEventKey(accountEmail, runId),
    changes: { set: { state: "returned" } },
    if: equals("state", "reserved"),
  },
  {
    update: usageKey(accountEmail, monthOf(startedAt)),
    changes: { add: { messages_used: -1 }, set: { updated_at: timestamp } },
  },
  ...(endUser ? [returnEndUserMessage(endUser, startedAt, timestamp)] : []),
];

/** A count of agents, and the version of the item that it is based on. */
export interface AgentCount {
  readonly accountEmail: AccountEmail;
  readonly agents: number;
  /** The result of `versionOf` from before the agents were read. */
  readonly version: number | undefined;
  readonly timestamp: string;
}

/**
 * Returns the version of the count of agents, or `undefined` if it has none because the legacy Python service wrote it.
 */
export const versionOf = (item: Item | undefined): number | undefined =>
  item && optionalCount(item, "version");

/**
 * Returns the write that stores the number of agents, on condition that none was created or deleted since they were
 * read. Every transaction that creates or deletes an agent must contain it.
 */
export const countAgents = ({ accountEmail, agents, version, timestamp }: AgentCount): WriteAction => ({
  update: activeUsageKey(accountEmail),
  changes: {
    add: { version: 1 },
    set: { agents_active: agents, updated_at: timestamp },
    setIfAbsent: {
      entity_type: "Usage",
      user_email: accountEmail,
      period_key: "active",
      messages_used: 0,
      kb_pages_used: 0,
      created_at: timestamp,
    },
  },
  if: unchangedSince(version),
});

const unchangedSince = (version: number | undefined): Condition =>
  version === undefined ? absent("version") : equals("version", version);
