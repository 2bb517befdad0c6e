import type { RunId } from "../shared/id-types.ts";
import { AppError, type ErrorCode, notFound } from "../shared/errors.ts";
import type { Clock } from "../shared/clock.ts";
import type { MessageRepository } from "../messages/repository.ts";
import { AnswerProgress } from "./answer-progress.ts";
import type { AgentEvent } from "../architectures/events.ts";
import { type Run, type RunIds, whatIsKept } from "./model.ts";
import type { WebhookRepository } from "../webhooks/repository.ts";
import type { SenderClient } from "../webhooks/sender-client.ts";
import type { RunRepository } from "./repository.ts";
import type { LoggedRun, NumberedEvent, RunLog } from "./run-log.ts";
import { emptyAnswer } from "./turn.ts";
import { completedEvent, failed, turnEnd } from "./turn-end.ts";
import type { TurnEnd, TurnRepository } from "./turn-repository.ts";

export interface RecoverDeps {
  readonly runs: Pick<RunRepository, "find">;
  readonly turns: Pick<TurnRepository, "preventBegin" | "end">;
  readonly messages: Pick<MessageRepository, "find">;
  readonly webhooks: Pick<WebhookRepository, "wanted">;
  readonly webhookSender: Pick<SenderClient, "nudge">;
  readonly clock: Clock;
}

/** The parts of the log that recovery needs. */
type RecoveryLog = Pick<RunLog, "unfinished" | "all" | "append" | "end" | "drop" | "unsaved" | "saved">;

interface RunRecoveryDeps {
  readonly log: RecoveryLog;
  readonly deps: () => Promise<RecoverDeps>;
  /** Whether a run is in progress in this object. It needs no recovery. */
  readonly isActive: (runId: RunId) => boolean;
  /** Called after dead runs have been recovered. */
  readonly recovered: () => Promise<void>;
  readonly now: () => number;
}

/** Finishes what a conversation's runner left behind: runs that died with it, and ends that were not saved. */
export class RunRecovery {
  readonly #log: RecoveryLog;
  readonly #deps: () => Promise<RecoverDeps>;
  readonly #isActive: (runId: RunId) => boolean;
  readonly #recovered: () => Promise<void>;
  readonly #now: () => number;
  #recovering: Promise<void> | undefined;

  constructor({ log, deps, isActive, recovered, now }: RunRecoveryDeps) {
    this.#log = log;
    this.#deps = deps;
    this.#isActive = isActive;
    this.#recovered = recovered;
    this.#now = now;
  }

  /** Recovers the runs whose runner has died. Concurrent callers share the same work. */
  async recoverRuns(): Promise<void> {
    const dead = this.#log.unfinished().filter(({ runIds }) => !this.#isActive(runIds.runId));
    if (dead.length === 0 && !this.#recovering) return;

    this.#recovering ??= this.#recover(dead).finally(() => {
      this.#recovering = undefined;
    });
    await this.#recovering;
  }

  async #recover(dead: readonly LoggedRun[]): Promise<void> {
    const deps = await this.#deps();
    const [first] = dead;
    // All runs of a conversation belong to one account.
    const wanted = first ? (await deps.webhooks.wanted(first.place.accountEmail)).types : [];

    for (const run of dead) {
      const { runId } = run.runIds;
      const event = await recoverRun(run, this.#log.all(runId), deps, wanted);
      if (!event) {
        this.#log.drop(runId);
        continue;
      }

      // Clients may have seen any number of the reserved block, logged or not. So the end takes the next one.
      const seq = run.reserved + 1;
      this.#log.append(runId, [{ seq, event }]);
      this.#log.end(runId, seq, this.#now());
    }
    // The dead runner may have recorded an event and not sent it, too.
    if (first && wanted.length > 0) await deps.webhookSender.nudge(first.place.accountEmail);
    await this.#recovered();
  }

  /** Saves the ends that the table has not accepted yet. Throws if it still fails. */
  async saveUnsaved(): Promise<void> {
    const ends = this.#log.unsaved();
    if (ends.length === 0) return;
    const { turns, webhookSender } = await this.#deps();

    for (const end of ends) {
      await saveLate(end, turns);
      this.#log.saved(end.runIds.runId);
      if (end.wantedEvents) await webhookSender.nudge(end.place.accountEmail);
    }
  }
}

async function saveLate(end: TurnEnd, turns: Pick<TurnRepository, "end">): Promise<void> {
  try {
    await turns.end(end);
  } catch (error) {
    const { code, retryable } = AppError.from(error);
    if (retryable) throw error;
    // If the conversation is gone, there is nothing to save. A permanent failure must not be retried forever.
    if (code === "not-found") return;
    console.error({ message: "An answer can't be saved.", runId: end.runIds.runId, code });
    await turns.end({ ...end, message: null, end: { ...end.end, messageId: null } });
  }
}

/**
 * Recovers a run whose runner has died. The table decides: if the run has ended there, that end is kept. Otherwise the
 * run is ended as interrupted, with the part of the answer that is in the log. Returns the terminal event that the log
 * lacks, or `undefined` if the run never began or no longer exists. `wantedEvents` are the types of events that the account's
 * webhook endpoints want.
 */
export async function recoverRun(
  { place, runIds }: LoggedRun,
  events: Iterable<NumberedEvent>,
  { runs, turns, messages, clock }: Pick<RecoverDeps, "runs" | "turns" | "messages" | "clock">,
  wantedEvents: readonly string[] = [],
): Promise<AgentEvent | undefined> {
  let stored = await runs.find(place.conversationId, runIds.runId);
  if (!stored && !(await turns.preventBegin(place, runIds)))
    stored = await runs.find(place.conversationId, runIds.runId);
  if (!stored) return undefined;
  // A run that has waited may have died before the table knew that it goes on.
  if (stored.state !== "running" && stored.state !== "waiting")
    return terminalEventOf(stored, runIds, messages);

  const progress = new AnswerProgress(emptyAnswer(place, runIds));
  for (const { event } of events) progress.add(event);
  const interrupted = new AppError("unavailable", `The answer was interrupted. ${whatIsKept(runIds)}`);

  try {
    const how = { state: "interrupted", endedAt: clock.timestamp(), errorCode: interrupted.code } as const;
    await turns.end({ ...turnEnd(place, runIds, progress, how), hasSlot: stored.hasSlot, wantedEvents });
    // The dead runner's own end may have been stored just before this one. Then that end is kept.
    const ended = await runs.find(place.conversationId, runIds.runId);
    return ended && ended.state !== how.state
      ? terminalEventOf(ended, runIds, messages)
      : failed(interrupted);
  } catch (error) {
    if (error instanceof AppError && error.code === "not-found") return failed(notFound("Conversation"));
    throw error;
  }
}

/** Returns the terminal event that the run itself would have sent. */
async function terminalEventOf(
  run: Run,
  runIds: RunIds,
  messages: RecoverDeps["messages"],
): Promise<AgentEvent> {
  if (run.state === "completed") {
    const answer = await messages.find(run.conversationId, runIds.answeredAt, runIds.answerId);
    const text = answer?.content ?? "";
    const isCut = answer?.status === "truncated";
    return text.trim() === ""
      ? completedEvent(null, isCut)
      : { ...completedEvent(runIds.answerId, isCut), text };
  }
  if (run.state === "cancelled") return { type: "cancelled", messageId: run.messageId };
  // Only our own error codes are stored.
  const code = (run.errorCode ?? "unavailable") as ErrorCode;
  return failed(new AppError(code, `The answer could not be completed. ${whatIsKept(runIds)}`));
}
