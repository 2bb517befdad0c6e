import type { AgentEvent } from "../architectures/events.ts";
import { openCallsIn, turnSoFar } from "../architectures/turn-so-far.ts";
import type { LoggedRun } from "./run-log.ts";
import { progressOf } from "./run-progress.ts";
import type { TurnDeps } from "./turn-deps.ts";
import { lastEvents } from "./turn-end.ts";

/** Why a run does not wait any longer. */
export type GiveUpReason = "message" | "expired" | "cancelled";

/** What the calls become that nobody has decided. Later turns read it in the conversation. */
const RESULTS: { readonly [reason in GiveUpReason]: string } = {
  message: "Error: Not run. The user has sent another message before this call was decided.",
  expired: "Error: Not run. Nobody has decided about this call in time.",
  cancelled: "Error: Not run. The user has stopped the answer.",
};

/**
 * Ends a turn that waits as cancelled. `events` are those that it has emitted, and `wantedEvents` the types that the account's
 * webhook endpoints want. The answer so far is stored, with its calls.
 */
export async function* giveUpTurn(
  { place, runIds, state }: Pick<LoggedRun, "place" | "runIds" | "state">,
  events: readonly AgentEvent[],
  { reason, wantedEvents }: { readonly reason: GiveUpReason; readonly wantedEvents: readonly string[] },
  deps: TurnDeps,
): AsyncGenerator<AgentEvent, void, void> {
  const progress = progressOf(place, runIds, events);
  for (const { id: callId, name } of openCallsIn(events)) {
    const event = { type: "tool-finished", callId, name, ok: false, output: RESULTS[reason] } as const;
    progress.add(event);
    yield event;
  }

  const paused = turnSoFar(events)?.paused;
  progress.usage = paused?.usage ?? null;
  const ending = { kind: "cancelled" } as const;
  // A run that waits has no slot. Once its calls are decided, an attempt to go on may have taken one without learning of it.
  const hasSlot = state === "decided";
  const turn = { place, runIds, progress, ending, answeredBy: paused?.answeredBy, hasSlot, wantedEvents };
  yield* lastEvents(turn, deps);
}
