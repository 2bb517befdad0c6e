import type { EventType, WebhookEvent } from "../webhooks/event-model.ts";
import type { RunEnd } from "./model.ts";
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
