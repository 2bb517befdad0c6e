import type { AgentEvent } from "../architectures/events.ts";
import { AnswerProgress } from "./answer-progress.ts";
import type { RunIds, TurnPlace } from "./model.ts";
import { emptyAnswer } from "./turn.ts";

/** Returns the answer of a run so far, from the events that it has emitted. */
export function progressOf(place: TurnPlace, runIds: RunIds, events: Iterable<AgentEvent>): AnswerProgress {
  const progress = new AnswerProgress(emptyAnswer(place, runIds));
  for (const event of events) progress.add(event);
  return progress;
}
