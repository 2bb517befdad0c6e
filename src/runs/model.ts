import type { TokenUsage } from "../llm/model.ts";
import { tokenUsageFrom, toTokenUsageView } from "../plans/token-usage.ts";
import { DAY_MS, ttlAfter } from "../shared/clock.ts";
import type { ErrorCode } from "../shared/errors.ts";
import type { WriteAction } from "../table/client.ts";
import { absent, equals } from "../table/expressions.ts";
import { idAfter, optionalText, text } from "../table/fields.ts";
import { conversationPartition } from "../table/keys.ts";
import type { Item, Key } from "../table/marshal.ts";
import { personIn, type Space } from "../users/space.ts";

/** Where a turn takes place, in whose space. Logs of runs from before there were end users know the owner only. */
export interface TurnPlace extends Space {
  readonly agentId: string;
  readonly conversationId: string;
}

/**
 * What is decided of a run before anything else happens: it makes every write of the run the same write, however often
 * it is repeated, and by whomever.
 */
export interface RunSeed {
  readonly runId: string;
  readonly userMessageId: string;
  readonly answerId: string;
  /** Milliseconds since the epoch; decides the month that the message is counted in. */
  readonly startedAt: number;
  /** The stored times of the user's message and of the answer. */
  readonly askedAt: string;
  readonly answeredAt: string;
}

/** `interrupted`: the run died, and was settled by somebody else. All but `running` are final. */
type RunState = "running" | "completed" | "failed" | "cancelled" | "interrupted";

/** A run as the table knows it. */
export interface Run {
  readonly id: string;
  readonly conversationId: string;
  readonly agentId: string;
  readonly createdBy: string;
  readonly state: RunState;
  readonly startedAt: string;
  readonly endedAt: string | null;
  readonly userMessageId: string;
  /** The answer; null while there is none. */
  readonly messageId: string | null;
  readonly usage: TokenUsage | null;
  readonly errorCode: string | null;
}

/** How a run ended. */
export interface RunEnd {
  readonly state: Exclude<RunState, "running">;
  readonly endedAt: string;
  readonly messageId: string | null;
  readonly usage: TokenUsage | null;
  readonly errorCode: ErrorCode | null;
}

/** Runs are records for people who look into things; messages are what lasts. */
const LIFETIME_MS = 90 * DAY_MS;

export const RUN_PREFIX = "RUN#";

const STATES: readonly string[] = ["running", "completed", "failed", "cancelled", "interrupted"];

export const runKey = (conversationId: string, runId: string): Key => ({
  pk: conversationPartition(conversationId),
  sk: `${RUN_PREFIX}${runId}`,
});

/** Records that a run has begun. */
export const beginRun = (place: TurnPlace, seed: RunSeed): WriteAction => ({
  put: {
    ...runKey(place.conversationId, seed.runId),
    entity_type: "Run",
    run_id: seed.runId,
    conversation_id: place.conversationId,
    agent_id: place.agentId,
    created_by: personIn(place),
    state: "running",
    started_at: seed.askedAt,
    ended_at: null,
    user_message_id: seed.userMessageId,
    message_id: null,
    usage: null,
    error_code: null,
    ttl: ttlAfter(seed.startedAt, LIFETIME_MS),
  },
  if: absent("pk"),
});

/** Records how a run ended, unless it has ended already. */
export const endRun = (conversationId: string, runId: string, end: RunEnd): WriteAction => ({
  update: runKey(conversationId, runId),
  changes: {
    set: {
      state: end.state,
      ended_at: end.endedAt,
      message_id: end.messageId,
      error_code: end.errorCode,
      usage: end.usage && toTokenUsageView(end.usage),
    },
  },
  if: equals("state", "running"),
});

export function runFrom(item: Item): Run {
  const state = text(item, "state");
  return {
    id: text(item, "run_id") || idAfter(item, RUN_PREFIX),
    conversationId: text(item, "conversation_id"),
    agentId: text(item, "agent_id"),
    createdBy: text(item, "created_by"),
    // Only `endRun` and `beginRun` write states; anything else is a run that nobody will end.
    state: STATES.includes(state) ? (state as RunState) : "interrupted",
    startedAt: text(item, "started_at"),
    endedAt: optionalText(item, "ended_at"),
    userMessageId: text(item, "user_message_id"),
    messageId: optionalText(item, "message_id"),
    usage: tokenUsageFrom(item),
    errorCode: optionalText(item, "error_code"),
  };
}
