import type { TurnResult } from "../architectures/architecture.ts";
import type { AgentEvent, AnswerEvent, PausedTurn } from "../architectures/events.ts";
import type { WaitingCall } from "../architectures/turn-so-far.ts";
import type { OpenModel } from "../llm/model.ts";
import { NO_RECORD } from "../memory/change-records.ts";
import { AppError } from "../shared/errors.ts";
import { afterTurn } from "./after-turn.ts";
import type { AnswerProgress } from "./answer-progress.ts";
import type { CompactionNotes } from "./compaction-notes.ts";
import type { RunIds } from "./model.ts";
import { approvalEvents } from "./run-events.ts";
import type { Plan, TurnInput } from "./turn.ts";
import type { TurnDeps } from "./turn-deps.ts";
import { endTurn, persistently, type TurnEnding } from "./turn-end.ts";
import type { AnsweredBy } from "./turn-repository.ts";

/** A turn that is being answered. */
interface AnsweringTurn {
  readonly input: TurnInput;
  readonly runIds: RunIds;
  readonly plan: Plan;
  readonly progress: AnswerProgress;
  readonly notes: CompactionNotes;
  readonly answering: AsyncGenerator<AnswerEvent, TurnResult, void>;
  /** The first event, if it has been asked for already. */
  readonly first: Promise<IteratorResult<AnswerEvent, TurnResult>> | undefined;
  readonly signal: AbortSignal;
}

/** Emits the events of an answer, and at last its terminal event, or `waiting`. */
export async function* answerEvents(
  { input, runIds, plan, progress, notes, answering, first, signal }: AnsweringTurn,
  deps: TurnDeps,
): AsyncGenerator<AgentEvent, void, void> {
  const { account } = plan;
  const hasSlot = account.limits.concurrent_runs !== null;
  const wantedEvents = plan.ended.past.wantedEvents.types;
  const calls: WaitingCall[] = [];
  let ending: TurnEnding = { kind: "completed" };
  let historyTokens = 0;
  try {
    let result = await (first ?? answering.next());
    for (; !result.done; result = await answering.next()) {
      progress.add(result.value);
      if (result.value.type === "call-waiting") calls.push(waitingCallOf(result.value));
      yield result.value;
    }
    progress.complete(result.value);
    historyTokens = result.value.historyTokens;
    if (result.value.isWaiting && plan.waitsUntil !== null) {
      const now = { ms: deps.clock.now(), timestamp: deps.clock.timestamp() };
      const events = approvalEvents(input, runIds, calls, wantedEvents, now);
      const pausing = { hasSlot, events, clientPauses: progress.clientPauses(true) ?? [] };
      await persistently(() => deps.turns.pause(input, runIds.runId, pausing), deps);
      // Whoever has cancelled the run meanwhile must not find it waiting.
      signal.throwIfAborted();
      yield* notes.atEnd();
      // Its tools may have changed memories, too.
      if (wantedEvents.length > 0) deps.follow(() => deps.webhookSender.nudge(input.accountEmail));
      plan.mcpCalls.finish();
      yield { type: "waiting", expiresAt: plan.waitsUntil, paused: pausedTurn(input, plan, result.value) };
      return;
    }
  } catch (thrown) {
    ending = signal.aborted ? endingOf(signal.reason) : { kind: "failed", error: AppError.from(thrown) };
  }

  yield* notes.atEnd();
  const isAnswered = yield* endTurn(
    {
      place: input,
      runIds,
      progress,
      ending,
      answeredBy: answeredBy(plan.ended.model),
      hasSlot,
      wantedEvents,
    },
    deps,
  );
  if (wantedEvents.length > 0) deps.follow(() => sendEvents(input, plan, deps));
  const answer = progress.message(progress.isCut ? "truncated" : "complete");
  if (isAnswered) {
    deps.follow(() => afterTurn({ ...plan.ended, answer, historyTokens }, deps));
    // The memory may have been compacted.
    if (plan.ended.record !== NO_RECORD) deps.follow(() => deps.webhookSender.nudge(input.accountEmail));
  }
  // Last, because other servers may be slow.
  plan.mcpCalls.finish();
}

/** Has the events sent that a turn has recorded. Only accounts whose webhook endpoints want events come here. */
async function sendEvents(input: TurnInput, { account, ended }: Plan, deps: TurnDeps): Promise<void> {
  const { end_user_messages_per_month: endUserQuota } = account.limits;
  await deps.usageNotices.ofMessages(input, ended.past.wantedEvents, endUserQuota);
  await deps.webhookSender.nudge(input.accountEmail);
}

const waitingCallOf = (event: AgentEvent & { type: "call-waiting" }): WaitingCall => {
  const { callId: id, name, arguments: text, waitsFor, expiresAt } = event;
  return { id, name, arguments: text, waitsFor, expiresAt, decision: undefined };
};

const pausedTurn = (input: TurnInput, plan: Plan, { usage }: TurnResult): PausedTurn => ({
  usage,
  answeredBy: answeredBy(plan.ended.model),
  seenLines: plan.ended.memory.seenLines(),
  showsReasoning: input.showsReasoning,
  timeZone: input.timeZone,
  format: input.format,
  clientTools: input.clientTools,
  oneClientCall: input.oneClientCall,
  preceding: input.preceding,
});

/** The abort reason of a run that its user has cancelled. */
export class RunCancelled extends Error {
  override readonly name = "RunCancelled";
}

const endingOf = (reason: unknown): TurnEnding =>
  reason instanceof RunCancelled ? { kind: "cancelled" } : { kind: "failed", error: AppError.from(reason) };

/** If the fallback has taken over, the model's id and provider are those of the fallback. */
const answeredBy = ({ provider, id: model }: OpenModel): AnsweredBy => ({ provider, model });
