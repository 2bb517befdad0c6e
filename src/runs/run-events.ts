import type { EventType, WebhookEvent } from "../webhooks/event-model.ts";
import type { WaitingCall } from "../architectures/turn-so-far.ts";
import { formatTimestamp } from "../shared/clock.ts";
import { newId } from "../shared/ids.ts";
import type { RunEnd, RunIds, TurnPlace } from "./model.ts";
import type { TurnEnd } from "./turn-repository.ts";

const TYPES: { readonly [state in RunEnd["state"]]: EventType } = {
  completed: "run.completed",
  cancelled: "run.cancelled",
  failed: "run.failed",
  interrupted: "run.failed",
};

/**
 * Returns the event of a run's end, or `undefined` if no endpoint of the account wants it. It has the run's id: a run ends once, so
 * that every attempt to store the end, also of another object, records the same event.
 */
export function runEventOf({ place, runIds, end, wantedEvents = [] }: TurnEnd): WebhookEvent | undefined {
  const type = TYPES[end.state];
  if (!wantedEvents.includes(type)) return undefined;
  return {
    id: runIds.runId,
    type,
    createdAt: end.endedAt,
    data: {
      run_id: runIds.runId,
      agent_id: place.agentId,
      conversation_id: place.conversationId,
      end_user_id: place.endUser?.id ?? null,
      state: end.state,
      message_id: end.messageId,
      error_code: end.errorCode,
      started_at: runIds.askedAt,
      ended_at: end.endedAt,
    },
  };
}

/**
 * Returns the events of the calls that wait for an approval; none if no endpoint of the account wants them. Each call of this
 * function returns events with other ids, so it must be called once for a pause.
 */
export function approvalEvents(
  place: TurnPlace,
  { runId }: RunIds,
  calls: readonly WaitingCall[],
  wanted: readonly string[],
  now: { readonly ms: number; readonly timestamp: string },
): readonly WebhookEvent[] {
  if (!wanted.includes(REQUESTED)) return [];
  return calls
    .filter(({ waitsFor }) => waitsFor === "approval")
    .map((call) => ({
      id: newId(now.ms),
      type: REQUESTED,
      createdAt: now.timestamp,
      data: {
        run_id: runId,
        agent_id: place.agentId,
        conversation_id: place.conversationId,
        end_user_id: place.endUser?.id ?? null,
        tool_call_id: call.id,
        tool_name: call.name,
        expires_at: call.expiresAt === null ? null : formatTimestamp(call.expiresAt),
      },
    }));
}

const REQUESTED = "approval.requested";
