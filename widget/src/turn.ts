import type { RunEvent } from "../../client/src/index.ts";

/** How a turn has ended. */
type TurnEnd =
  | { readonly kind: "complete" | "stopped" }
  /** Somebody has to approve what the agent wants to do. Then the answer goes on; this page does not wait for it. */
  | { readonly kind: "waiting" }
  /** The answer could not be completed. What there is of it is kept. */
  | { readonly kind: "failed"; readonly error: unknown }
  /** The service has not begun with the message, as far as this page knows. */
  | { readonly kind: "unsent"; readonly error: unknown }
  /** The connection was lost for good. The service goes on. */
  | { readonly kind: "lost" };

/** A question and its answer, as far as it has come. */
export interface Turn {
  /** Undefined if it was sent from elsewhere, such as from before a reload: then it is among the stored messages. */
  readonly question: { readonly content: string; readonly key: string } | undefined;
  readonly text: string;
  /** Undefined until the service has begun. */
  readonly runId: string | undefined;
  /** The ids under which question and answer are stored. */
  readonly questionId: string | undefined;
  readonly answerId: string | undefined;
  /** Undefined while the answer is being written. */
  readonly end: TurnEnd | undefined;
}

/** Returns a turn of which nothing has arrived yet. */
export const beginTurn = (question: Turn["question"]): Turn => ({
  question,
  text: "",
  runId: undefined,
  questionId: undefined,
  answerId: undefined,
  end: undefined,
});

/** What the service writes at the end of a run that somebody has cancelled. */
const CANCELLED = "Cancelled";

/** Returns a turn after one more event. Events that say nothing to a visitor change nothing. */
export function withEvent(turn: Turn, event: RunEvent): Turn {
  const next = { ...turn, runId: event.run_id };
  switch (event.event_type) {
    case "MESSAGE_SAVED":
      return { ...next, questionId: event.message_id ?? undefined };
    case "AGENT_RESPONSE_TO_USER":
      return { ...next, text: turn.text + event.content };
    case "STREAM_COMPLETE": {
      const kind = event.content === CANCELLED ? "stopped" : "complete";
      return { ...next, answerId: event.message_id ?? undefined, end: { kind } };
    }
    case "RUN_WAITING":
      return { ...next, end: { kind: "waiting" } };
    case "ERROR":
      return { ...next, end: { kind: "failed", error: new Error(event.content) } };
    default:
      return next;
  }
}
