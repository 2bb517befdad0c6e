import {
  type AgentId,
  type ConversationId,
  type RunId,
  agentIdOf,
  conversationIdOf,
  runIdOf,
} from "../shared/id-types.ts";
import type { TokenUsage } from "../llm/model.ts";
import type { Message, MessagePlace } from "../messages/model.ts";
import { tokenUsageFrom, toTokenUsageView } from "../plans/token-usage.ts";
import { DAY_MS, ttlAfter } from "../shared/clock.ts";
import { isTransient, TRANSIENT_LIFETIME_MS } from "../shared/transient-ids.ts";
import type { ErrorCode } from "../shared/errors.ts";
import type { WriteAction } from "../table/requests.ts";
import { absent, any, equals } from "../table/expressions.ts";
import { flag, idAfter, optionalText, text } from "../table/fields.ts";
import { conversationPartition } from "../table/keys.ts";
import type { Item, Key } from "../table/marshal.ts";
import { memoryUserId, type AccessScope } from "../access/access-scope.ts";
import { type ClientPause, clientPausesAttribute, clientPausesFrom } from "./client-pauses.ts";

/** The agent, conversation and access scope of a turn. Logs that predate end users have no `endUser`. */
export interface TurnPlace extends AccessScope {
  readonly agentId: AgentId;
  readonly conversationId: ConversationId;
}

/**
 * The ids and times of a run, decided before anything else. They make every write of the run idempotent, no matter how
 * often and by which object it is repeated.
 */
export interface RunIds {
  readonly runId: RunId;
  readonly userMessageId: string;
  readonly answerId: string;
  /** Milliseconds since the epoch; decides the month that the message is counted in. */
  readonly startedAt: number;
  /** The stored times of the user's message and of the answer. */
  readonly askedAt: string;
  readonly answeredAt: string;
  /** Set if the run answers a stored message again. Then `userMessageId` is that of this message. */
  readonly regenerates?: Regeneration;
}

/** A stored message that a run answers again. */
export interface Regeneration {
  readonly question: MessagePlace;
  /** The answer that a complete new one replaces; null if the question has none. */
  readonly answer: MessagePlace | null;
}

/**
 * Whether the answer of a run is not kept: it was not completed, and the answer that it was to replace is better than a part of
 * another one.
 */
export const isDiscarded = ({ regenerates }: RunIds, { status }: Pick<Message, "status">): boolean =>
  status === "interrupted" && (regenerates?.answer ?? null) !== null;

/** Returns a sentence about what is left of a run that was not completed. */
export const whatIsKept = ({ regenerates }: Pick<RunIds, "regenerates">): string =>
  regenerates?.answer ? "The former answer has been kept." : "The text so far has been saved.";

/**
 * `waiting` means that calls wait for a decision, or for results of the client. `interrupted` means that the runner died and recovery
 * ended the run. All states but `running` and `waiting` are final.
 */
export const RUN_STATES = ["running", "waiting", "completed", "failed", "cancelled", "interrupted"] as const;
type RunState = (typeof RUN_STATES)[number];

/** A run as the table stores it. */
export interface Run {
  readonly id: RunId;
  readonly conversationId: ConversationId;
  readonly agentId: AgentId;
  /** The account's e-mail address, or the id of the end user who started it. */
  readonly createdBy: string;
  readonly state: RunState;
  readonly startedAt: string;
  readonly endedAt: string | null;
  readonly userMessageId: string;
  /** The id of the answer; null if there is none. */
  readonly messageId: string | null;
  readonly usage: TokenUsage | null;
  readonly errorCode: string | null;
  /** Whether it has one of the account's slots for concurrent runs. The end of the run returns it. */
  readonly hasSlot: boolean;
  /** See `TurnInput.clientRequest`; null if there is none. */
  readonly clientRequest: string | null;
  /** Where it has left calls to its client, in order. */
  readonly clientPauses: readonly ClientPause[];
}

/** How a run ended. */
export interface RunEnd {
  readonly state: Exclude<RunState, "running" | "waiting">;
  readonly endedAt: string;
  readonly messageId: string | null;
  readonly usage: TokenUsage | null;
  readonly errorCode: ErrorCode | null;
  /** Set if it has left calls to its client. It replaces what was noted when it paused. */
  readonly clientPauses?: readonly ClientPause[];
}

/** Runs are kept for support only, so they expire. Messages do not. */
export const RUN_LIFETIME_MS = 90 * DAY_MS;

export const RUN_PREFIX = "RUN#";

export const runKey = (conversationId: ConversationId, runId: RunId): Key => ({
  pk: conversationPartition(conversationId),
  sk: `${RUN_PREFIX}${runId}`,
});

/** Returns the write that records the beginning of a run. */
export const beginRun = (
  place: TurnPlace,
  runIds: RunIds,
  hasSlot: boolean,
  clientRequest: string | undefined,
): WriteAction => ({
  put: {
    ...runKey(place.conversationId, runIds.runId),
    entity_type: "Run",
    run_id: runIds.runId,
    conversation_id: place.conversationId,
    agent_id: place.agentId,
    created_by: memoryUserId(place),
    state: "running",
    started_at: runIds.askedAt,
    ended_at: null,
    user_message_id: runIds.userMessageId,
    message_id: null,
    usage: null,
    error_code: null,
    has_slot: hasSlot,
    ...(clientRequest !== undefined && { client_request: clientRequest }),
    ttl: ttlAfter(
      runIds.startedAt,
      isTransient(place.conversationId) ? TRANSIENT_LIFETIME_MS : RUN_LIFETIME_MS,
    ),
  },
  if: absent("pk"),
});

const hasNotEnded = any(equals("state", "running"), equals("state", "waiting"));

/** Returns the write that records how a run ended. It is refused if the run has ended already. */
export const endRun = (conversationId: ConversationId, runId: RunId, end: RunEnd): WriteAction => ({
  update: runKey(conversationId, runId),
  changes: {
    set: {
      state: end.state,
      ended_at: end.endedAt,
      message_id: end.messageId,
      error_code: end.errorCode,
      usage: end.usage && toTokenUsageView(end.usage),
      ...(end.clientPauses && clientPausesAttribute(end.clientPauses)),
    },
  },
  if: hasNotEnded,
});

/**
 * Returns the write that records that a run waits, with all its client pauses, or that it goes on, and whether it has a slot from then
 * on. It is refused if the run has ended.
 * Safe to repeat.
 */
export const pauseRun = (
  conversationId: ConversationId,
  runId: RunId,
  state: "waiting" | "running",
  {
    hasSlot,
    clientPauses = [],
  }: { readonly hasSlot: boolean; readonly clientPauses?: readonly ClientPause[] },
): WriteAction => ({
  update: runKey(conversationId, runId),
  changes: {
    set: {
      state,
      has_slot: hasSlot,
      ...(clientPauses.length > 0 && clientPausesAttribute(clientPauses)),
    },
  },
  if: hasNotEnded,
});

export function runFrom(item: Item): Run {
  const state = text(item, "state");
  return {
    id: runIdOf(text(item, "run_id") || idAfter(item, RUN_PREFIX)),
    conversationId: conversationIdOf(text(item, "conversation_id")),
    agentId: agentIdOf(text(item, "agent_id")),
    createdBy: text(item, "created_by"),
    // Nothing would ever end a run in an unknown state.
    state: RUN_STATES.find((known) => known === state) ?? "interrupted",
    startedAt: text(item, "started_at"),
    endedAt: optionalText(item, "ended_at"),
    userMessageId: text(item, "user_message_id"),
    messageId: optionalText(item, "message_id"),
    usage: tokenUsageFrom(item),
    errorCode: optionalText(item, "error_code"),
    hasSlot: flag(item, "has_slot"),
    clientRequest: optionalText(item, "client_request"),
    clientPauses: clientPausesFrom(item),
  };
}
