import { AppError, type ErrorCode, notFound } from "../shared/errors.ts";
import type { Clock } from "../shared/clock.ts";
import type { MessageRepository } from "../messages/repository.ts";
import { AnswerProgress } from "./answer-progress.ts";
import type { AgentEvent } from "./events.ts";
import type { Run, RunSeed } from "./model.ts";
import type { RunRepository } from "./repository.ts";
import type { LoggedRun, NumberedEvent } from "./run-log.ts";
import { emptyAnswer } from "./turn.ts";
import { completedEvent, failed, turnEnd } from "./turn-end.ts";
import type { TurnRepository } from "./turn-repository.ts";

export interface SettleDeps {
  readonly runs: RunRepository;
  readonly turns: TurnRepository;
  readonly messages: MessageRepository;
  readonly clock: Clock;
}

/**
 * Settles a run whose runner has died. The table decides: a run that has ended there has ended; any other is ended as
 * interrupted, with what the log has of its answer. Gives the terminal event that the log lacks, or nothing for a run
 * that never began, or of which nothing is left.
 */
export async function settleRun(
  { place, seed }: LoggedRun,
  events: Iterable<NumberedEvent>,
  { runs, turns, messages, clock }: SettleDeps,
): Promise<AgentEvent | undefined> {
  let stored = await runs.find(place.conversationId, seed.runId);
  if (!stored && !(await turns.preventBegin(place, seed)))
    stored = await runs.find(place.conversationId, seed.runId);
  if (!stored) return undefined;
  if (stored.state !== "running") return terminalEventOf(stored, seed, messages);

  const progress = new AnswerProgress(emptyAnswer(place, seed));
  for (const { event } of events) progress.add(event);
  const interrupted = new AppError("unavailable", "The answer was interrupted. What had been said is kept.");

  try {
    const how = { state: "interrupted", endedAt: clock.timestamp(), errorCode: interrupted.code } as const;
    await turns.end(turnEnd(place, seed, progress, how));
    // The dead runner's own end may have arrived just before this one, and then stands.
    const ended = await runs.find(place.conversationId, seed.runId);
    return ended && ended.state !== how.state ? terminalEventOf(ended, seed, messages) : failed(interrupted);
  } catch (error) {
    if (error instanceof AppError && error.code === "not-found") return failed(notFound("Conversation"));
    throw error;
  }
}

/** The event that the run's own end would have sent. */
async function terminalEventOf(run: Run, seed: RunSeed, messages: MessageRepository): Promise<AgentEvent> {
  if (run.state === "completed") {
    const answer = await messages.find(run.conversationId, seed.answeredAt, seed.answerId);
    return completedEvent(answer?.content.trim() ? seed.answerId : null);
  }
  if (run.state === "cancelled") return { type: "cancelled", messageId: run.messageId };
  // Only our own codes are stored with runs.
  const code = (run.errorCode ?? "unavailable") as ErrorCode;
  return failed(new AppError(code, "The answer could not be completed. What had been said is kept."));
}
