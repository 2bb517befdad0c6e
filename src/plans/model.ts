import { DAY_MS, monthOf, ttlAfter } from "../shared/clock.ts";
import type { WriteAction } from "../table/client.ts";
import { absent, any, below, type Condition, equals } from "../table/expressions.ts";
import { userPartition } from "../table/keys.ts";
import { optionalCount } from "../table/fields.ts";
import type { Item, Key } from "../table/marshal.ts";

/** Long enough for every retry and recovery to have come and gone. */
const EVENT_LIFETIME_MS = 40 * DAY_MS;

/** A month is by UTC: `2026-01`. */
const usageKey = (email: string, month: string): Key => ({
  pk: userPartition(email),
  sk: `Usage#${month}`,
});

/** What of the usage knows no months. */
export const activeUsageKey = (email: string): Key => ({ pk: userPartition(email), sk: "Usage#active" });

const usageEventKey = (email: string, runId: string): Key => ({
  pk: userPartition(email),
  sk: `UsageEvent#${runId}`,
});

/** One message that a run uses, counted in the month that the run began in. */
export interface MessageUse {
  readonly email: string;
  readonly runId: string;
  /** When the run began, in milliseconds since the epoch. */
  readonly startedAt: number;
  /** The present as it is stored. */
  readonly timestamp: string;
}

/**
 * Counts a message, if fewer than `limit` are; null means that there is no limit. The event item makes sure that a run
 * counts once.
 */
export const countMessage = (use: MessageUse, limit: number | null): readonly WriteAction[] => {
  const { email, startedAt, timestamp } = use;
  const month = monthOf(startedAt);
  return [
    {
      update: usageKey(email, month),
      changes: {
        add: { messages_used: 1 },
        set: { updated_at: timestamp },
        setIfAbsent: {
          entity_type: "Usage",
          user_email: email,
          period_key: month,
          kb_pages_used: 0,
          agents_active: 0,
          created_at: timestamp,
        },
      },
      ...(limit !== null && { if: any(absent("messages_used"), below("messages_used", limit)) }),
    },
    recordUse(use, "reserved"),
  ];
};

/** Makes sure that a message is never counted, nor what is written together with its count. Refused where it has been. */
export const forgoMessage = (use: MessageUse): WriteAction => recordUse(use, "returned");

const recordUse = ({ email, runId, startedAt, timestamp }: MessageUse, state: string): WriteAction => ({
  put: {
    ...usageEventKey(email, runId),
    entity_type: "UsageEvent",
    event_type: "Message",
    created_at: timestamp,
    state,
    ttl: ttlAfter(startedAt, EVENT_LIFETIME_MS),
  },
  if: absent("pk"),
});

/** Gives a counted message back, once. */
export const returnMessage = ({ email, runId, startedAt, timestamp }: MessageUse): readonly WriteAction[] => [
  {
    update: usageEventKey(email, runId),
    changes: { set: { state: "returned" } },
    if: equals("state", "reserved"),
  },
  {
    update: usageKey(email, monthOf(startedAt)),
    changes: { add: { messages_used: -1 }, set: { updated_at: timestamp } },
  },
];

/** A count of agents, and the state of the item that it is made from. */
export interface AgentCount {
  readonly email: string;
  readonly agents: number;
  /** As `versionOf` gave it before the agents were read. */
  readonly version: number | undefined;
  readonly timestamp: string;
}

/** The version of the count of agents; nothing where it has none yet, because the service before wrote it. */
export const versionOf = (item: Item | undefined): number | undefined =>
  item && optionalCount(item, "version");

/**
 * Writes how many agents there are, if none has come or gone since they were read. To stand in every transaction that
 * makes one come or go.
 */
export const countAgents = ({ email, agents, version, timestamp }: AgentCount): WriteAction => ({
  update: activeUsageKey(email),
  changes: {
    add: { version: 1 },
    set: { agents_active: agents, updated_at: timestamp },
    setIfAbsent: {
      entity_type: "Usage",
      user_email: email,
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
