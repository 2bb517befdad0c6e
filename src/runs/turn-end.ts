import { providerError } from "../llm/errors.ts";
import { AppError } from "../shared/errors.ts";
import type { AnswerProgress } from "./answer-progress.ts";
import type { AgentEvent } from "./events.ts";
import type { RunSeed, TurnPlace } from "./model.ts";
import type { TurnDeps } from "./turn-deps.ts";
import type { AnsweredBy, TurnEnd } from "./turn-repository.ts";

/** Between two tries to save an answer, besides the database client's own retries. */
const SAVE_WAIT_MS = 500;

/** Why the model's part of a turn is over. */
export type TurnEnding =
  | { readonly kind: "completed" }
  | { readonly kind: "cancelled" }
  | { readonly kind: "failed"; readonly error: AppError };

interface EndingTurn {
  readonly place: TurnPlace;
  readonly seed: RunSeed;
  readonly progress: AnswerProgress;
  readonly ending: TurnEnding;
  readonly answeredBy: AnsweredBy;
}

/**
 * Stores how a turn ended and tells of it, in exactly one terminal event. What was said is kept in any case. Gives
 * whether it has been answered, and the answer saved.
 */
export async function* endTurn(turn: EndingTurn, deps: TurnDeps): AsyncGenerator<AgentEvent, boolean, void> {
  const { place, seed, progress, answeredBy } = turn;
  // A model that says nothing and calls nothing has not answered.
  const isEmpty = turn.ending.kind === "completed" && !progress.hasBegun;
  const ending: TurnEnding = isEmpty ? { kind: "failed", error: providerError.empty() } : turn.ending;
  if (ending.kind === "failed" && ending.error.status >= 500) logFailure(seed.runId, ending.error);

  const end: TurnEnd = {
    ...turnEnd(place, seed, progress, {
      state: ending.kind,
      endedAt: deps.clock.timestamp(),
      errorCode: ending.kind === "failed" ? ending.error.code : null,
    }),
    answeredBy,
  };
  const unsaved = await save(end, deps);

  // Where there is nothing to save but a count, the turn's own ending is what the client should hear.
  if (unsaved && end.message) yield failed(unsaved);
  else if (ending.kind === "failed") yield failed(ending.error);
  else if (ending.kind === "cancelled") yield { type: "cancelled", messageId: end.end.messageId };
  else yield* completed(progress, seed);
  return ending.kind === "completed" && !unsaved;
}

/** What is stored of a turn that ends now: its answer as far as it came, or the count given back. */
export function turnEnd(
  place: TurnPlace,
  seed: RunSeed,
  progress: AnswerProgress,
  how: Pick<TurnEnd["end"], "state" | "endedAt" | "errorCode">,
): TurnEnd {
  const isComplete = how.state === "completed";
  const message = progress.hasBegun ? progress.message(isComplete ? "complete" : "interrupted") : null;
  return { place, seed, message, end: { ...how, messageId: message?.id ?? null, usage: progress.usage } };
}

function* completed(progress: AnswerProgress, seed: RunSeed): Generator<AgentEvent, void, void> {
  if (progress.usage) yield { type: "usage", usage: progress.usage };
  yield completedEvent(progress.hasText ? seed.answerId : null);
}

/** Without words there is nothing to show under an id; clients offer to go on instead. */
export const completedEvent = (messageId: string | null): AgentEvent => ({
  type: "completed",
  content: messageId === null ? "Response complete (tools only)" : "Response complete",
  messageId,
});

export const failed = ({ code, message, retryable }: AppError): AgentEvent => ({
  type: "failed",
  code,
  message,
  retryable,
});

/** Saves the end, however long the database is away within reason; gives the error if it could not be saved. */
async function save(end: TurnEnd, deps: TurnDeps): Promise<AppError | undefined> {
  const deadline = deps.clock.now() + deps.saveMs;

  for (;;) {
    try {
      await deps.turns.end(end);
      return undefined;
    } catch (thrown) {
      const error = AppError.from(thrown);
      if (error.code === "not-found") return error;
      if (!error.retryable || deps.clock.now() >= deadline) return giveUp(end, error, deps);
      await new Promise((resolve) => setTimeout(resolve, SAVE_WAIT_MS));
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
  logFailure(end.seed.runId, error);
  deps.keepUnsaved(
    end.message ? { ...end, end: { ...end.end, state: "failed", errorCode: error.code } } : end,
  );
  return error;
}

/** What a provider said may quote a key or the user, so only its kind is logged; our own mistakes are logged whole. */
function logFailure(runId: string, { code, cause }: AppError): void {
  const kind = cause instanceof Error ? cause.name : typeof cause;
  const isOurs = code === "internal" || code === "persist-failed" || code === "unavailable";
  console.error({ message: "A turn failed.", runId, code, cause: isOurs ? cause : kind });
}
