import type { RunId } from "../shared/id-types.ts";
import { providerError } from "../llm/errors.ts";
import { sleep } from "../shared/async.ts";
import { AppError } from "../shared/errors.ts";
import type { AnswerProgress } from "./answer-progress.ts";
import type { AgentEvent } from "../architectures/events.ts";
import { isDiscarded, type RunIds, type TurnPlace } from "./model.ts";
import type { TurnDeps } from "./turn-deps.ts";
import type { AnsweredBy, TurnEnd } from "./turn-repository.ts";

/** The wait between two attempts to save an answer, in addition to the database client's own retries. */
const SAVE_WAIT_MS = 500;

/** How the model's part of a turn ended. */
export type TurnEnding =
  | { readonly kind: "completed" }
  | { readonly kind: "cancelled" }
  | { readonly kind: "failed"; readonly error: AppError };

interface EndingTurn {
  readonly place: TurnPlace;
  readonly runIds: RunIds;
  readonly progress: AnswerProgress;
  readonly ending: TurnEnding;
  /** Undefined if the model is not known. */
  readonly answeredBy: AnsweredBy | undefined;
  /** Whether the run may have one of the account's slots for concurrent runs. */
  readonly hasSlot: boolean;
  /** The types of events that the account's webhook endpoints want. */
  readonly wantedEvents: readonly string[];
}

/**
 * Stores how a turn ended, and yields exactly one terminal event, the last one. The answer so far is stored in any
 * case. Returns whether the turn was completed and its answer saved.
 */
export async function* endTurn(turn: EndingTurn, deps: TurnDeps): AsyncGenerator<AgentEvent, boolean, void> {
  const { place, runIds, progress, answeredBy, hasSlot, wantedEvents } = turn;
  // An answer without text and tool calls counts as a failure.
  const isEmpty = turn.ending.kind === "completed" && !progress.hasBegun;
  const ending: TurnEnding = isEmpty ? { kind: "failed", error: providerError.empty() } : turn.ending;
  if (ending.kind === "failed" && ending.error.status >= 500) logFailure(runIds.runId, ending.error);

  const end: TurnEnd = {
    ...turnEnd(place, runIds, progress, {
      state: ending.kind,
      endedAt: deps.clock.timestamp(),
      errorCode: ending.kind === "failed" ? ending.error.code : null,
    }),
    ...(answeredBy && { answeredBy }),
    hasSlot,
    ...(wantedEvents.length > 0 && { wantedEvents }),
  };
  const unsaved = await save(end, deps);

  // If only a count could not be saved, the turn's own ending matters more to the client.
  if (unsaved && end.end.messageId !== null) yield failed(unsaved);
  else if (ending.kind === "failed") yield failed(ending.error);
  else if (ending.kind === "cancelled") yield { type: "cancelled", messageId: end.end.messageId };
  else yield* completed(progress, runIds);
  return ending.kind === "completed" && !unsaved;
}

/** Like `endTurn`, for a turn that has waited and that nothing follows. */
export async function* lastEvents(turn: EndingTurn, deps: TurnDeps): AsyncGenerator<AgentEvent, void, void> {
  yield* endTurn(turn, deps);
  if (turn.wantedEvents.length > 0) deps.follow(() => deps.webhookSender.nudge(turn.place.accountEmail));
}

/**
 * Returns the end to store: with the answer so far, or without a message, in which case the count is returned. An answer that is not
 * kept counts, but the run's record has no id of it.
 */
export function turnEnd(
  place: TurnPlace,
  runIds: RunIds,
  progress: AnswerProgress,
  how: Pick<TurnEnd["end"], "state" | "endedAt" | "errorCode">,
): TurnEnd {
  const status = how.state !== "completed" ? "interrupted" : progress.isCut ? "truncated" : "complete";
  const message = progress.hasBegun ? progress.message(status) : null;
  const messageId = message && !isDiscarded(runIds, message) ? message.id : null;
  const clientPauses = progress.clientPauses(how.state === "completed");
  return {
    place,
    runIds,
    message,
    end: { ...how, messageId, usage: progress.usage, ...(clientPauses && { clientPauses }) },
  };
}

function* completed(progress: AnswerProgress, runIds: RunIds): Generator<AgentEvent, void, void> {
  if (progress.usage) yield { type: "usage", usage: progress.usage };
  yield completedEvent(progress.hasText ? runIds.answerId : null, progress.isCut);
}

/** Without text there is no message to show, so the id is null. Clients then offer to continue. */
export const completedEvent = (
  messageId: string | null,
  isCut: boolean,
): AgentEvent & { type: "completed" } => ({
  type: "completed",
  content: messageId === null ? "Response complete (tools only)" : "Response complete",
  messageId,
  ...(isCut && { isCut }),
});

export const failed = ({ code, message, retryable }: AppError): AgentEvent => ({
  type: "failed",
  code,
  message,
  retryable,
});

/** Saves the end, with retries for up to `saveMs`. Returns the error if it could not be saved. */
async function save(end: TurnEnd, deps: TurnDeps): Promise<AppError | undefined> {
  try {
    await persistently(() => deps.meterClient.end(end), deps);
    return undefined;
  } catch (thrown) {
    const error = AppError.from(thrown);
    return error.code === "not-found" ? error : giveUp(end, error, deps);
  }
}

/** Makes a write of a turn, and repeats it for up to `saveMs` while it fails. Throws its last error. */
export async function persistently(
  write: () => Promise<void>,
  { clock, saveMs }: Pick<TurnDeps, "clock" | "saveMs">,
): Promise<void> {
  const deadline = clock.now() + saveMs;
  for (;;) {
    try {
      return await write();
    } catch (thrown) {
      const error = AppError.from(thrown);
      if (!error.retryable || clock.now() >= deadline) throw error;
      await sleep(SAVE_WAIT_MS);
    }
  }
}

function giveUp(end: TurnEnd, cause: AppError, deps: TurnDeps): AppError {
  const error = new AppError(
    "persist-failed",
    "The answer could not be saved yet. It will be saved as soon as possible.",
    {
      cause,
    },
  );
  logFailure(end.runIds.runId, error);
  deps.keepUnsaved(
    end.end.messageId === null
      ? end
      : { ...end, end: { ...end.end, state: "failed", errorCode: error.code } },
  );
  return error;
}

/**
 * Security: a provider's error may quote a key or the user, so only its name is logged. Our own errors are logged in
 * full.
 */
function logFailure(runId: RunId, { code, cause }: AppError): void {
  const kind = cause instanceof Error ? cause.name : typeof cause;
  const isOurs = code === "internal" || code === "persist-failed" || code === "unavailable";
  console.error({ message: "A turn failed.", runId, code, cause: isOurs ? cause : kind });
}
