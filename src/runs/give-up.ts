import type { AgentEvent } from "../architectures/events.ts";
import { openCallsIn, turnSoFar } from "../architectures/turn-so-far.ts";
import type { CallDecision } from "./decisions.ts";
import { fence } from "../shared/fence.ts";
import type { LoggedRun } from "./run-log.ts";
import { progressOf } from "./run-progress.ts";
import type { TurnDeps } from "./turn-deps.ts";
import { lastEvents } from "./turn-end.ts";

/** Why a run does not wait any longer. */
export type GiveUpReason = "message" | "expired" | "cancelled";

/** How a turn that waits is ended. */
interface GivingUp {
  readonly reason: GiveUpReason;
  readonly wantedEvents: readonly string[];
  readonly results: readonly CallDecision[];
}

/** What the calls become that nobody has decided. Later turns read it in the conversation. */
const RESULTS: { readonly [reason in GiveUpReason]: string } = {
  message: "Error: Not run. The user has sent another message before this call was decided.",
  expired: "Error: Not run. Nobody has decided about this call in time.",
  cancelled: "Error: Not run. The user has stopped the answer.",
};

/**
 * Ends a turn that waits as cancelled. `events` are those that it has emitted, and `wantedEvents` the types that the account's
 * webhook endpoints want. `results` are those of calls that the client has run after all. The answer so far is stored, with its calls.
 */
export async function* giveUpTurn(
  { place, runIds, state }: Pick<LoggedRun, "place" | "runIds" | "state">,
  events: readonly AgentEvent[],
  { reason, wantedEvents, results }: GivingUp,
  deps: TurnDeps,
): AsyncGenerator<AgentEvent, void, void> {
  const progress = progressOf(place, runIds, events);
  for (const { id: callId, name, decision } of openCallsIn(events)) {
    const given = results.find((result) => result.callId === callId)?.decision;
    if (given && !decision) yield { type: "call-decided", callId, name, decision: given };
    const result = decision ?? given;
    const event: AgentEvent =
      result?.kind === "answered"
        ? { type: "tool-finished", callId, name, ok: true, output: fence(result.output) }
        : { type: "tool-finished", callId, name, ok: false, output: RESULTS[reason] };
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
