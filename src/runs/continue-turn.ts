import { approvalModeOf } from "../agents/tool-approvals.ts";
import type { AgentEvent } from "../architectures/events.ts";
import { turnSoFar } from "../architectures/turn-so-far.ts";
import { AppError } from "../shared/errors.ts";
import { answerEvents } from "./answer-events.ts";
import { CompactionNotes } from "./compaction-notes.ts";
import type { RunIds, TurnPlace } from "./model.ts";
import { approvedIn } from "./past-turn.ts";
import { progressOf } from "./run-progress.ts";
import { prepare } from "./turn.ts";
import type { TurnDeps } from "./turn-deps.ts";
import { lastEvents } from "./turn-end.ts";

/**
 * Continues a turn that has waited, after all its calls have been decided. `events` are those that it has emitted. Returns the events
 * that follow; they end like those of `openTurn`. A turn that must not go on, because its agent is gone for instance, ends as failed.
 * Throws what may pass: then the turn has not gone on, and this may be called again.
 */
export async function continueTurn(
  { place, runIds }: { readonly place: TurnPlace; readonly runIds: RunIds },
  events: readonly AgentEvent[],
  deps: TurnDeps,
  signal: AbortSignal,
): Promise<AsyncGenerator<AgentEvent, void, void>> {
  const soFar = turnSoFar(events);
  if (!soFar) throw new AppError("internal", "The run has not paused.");
  const progress = progressOf(place, runIds, events);
  const { answeredBy: before, usage: _usage, seenLines: _seenLines, ...options } = soFar.paused;
  const input = { ...place, content: "", attachments: [], ...options };
  try {
    const plan = await prepare(input, runIds, deps, soFar);
    await deps.turns.goOn(place, runIds.runId, {
      approved: approvedIn(soFar).filter(
        (tool) => approvalModeOf(plan.agent.toolApprovals, tool) === "first",
      ),
      takesSlot: plan.account.limits.concurrent_runs !== null,
      timestamp: deps.clock.timestamp(),
    });
    const notes = new CompactionNotes(Promise.resolve([]));
    const answering = plan.run(signal);
    return answerEvents({ input, runIds, plan, progress, notes, answering, first: undefined, signal }, deps);
  } catch (thrown) {
    const error = AppError.from(thrown);
    if (error.retryable) throw error;
    const ending = { kind: "failed", error } as const;
    const { types: wantedEvents } = await deps.webhooks.wanted(place.accountEmail);
    progress.usage = soFar.paused.usage;
    // An earlier attempt may have taken the slot without learning of it.
    const turn = { place, runIds, progress, ending, answeredBy: before, hasSlot: true, wantedEvents };
    return lastEvents(turn, deps);
  }
}
