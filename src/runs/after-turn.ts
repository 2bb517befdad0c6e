import type { Architecture } from "../agents/architectures/architecture.ts";
import type { ChatModel } from "../llm/model.ts";
import type { Message } from "../messages/model.ts";
import type { RunSeed, TurnPlace } from "./model.ts";
import type { TurnDeps } from "./turn-deps.ts";
import type { TurnState } from "./turn-repository.ts";

/** A turn whose answer has been sent and saved. */
export interface EndedTurn {
  readonly place: TurnPlace;
  readonly seed: RunSeed;
  readonly architecture: Architecture;
  readonly model: ChatModel;
  /** What the turn began with. */
  readonly past: Pick<TurnState, "history" | "hasOlder" | "summary">;
  readonly userMessage: Message;
  readonly answer: Message;
}

/** Something to be done when an answer is out. What it has to tell is told at the beginning of the next run. */
interface Job {
  readonly name: string;
  run(turn: EndedTurn, deps: TurnDeps): Promise<void>;
}

const JOBS: readonly Job[] = [
  {
    name: "conversation summary",
    run: ({ place, seed, architecture, model, past, userMessage, answer }, { summarizer }) =>
      summarizer.keepUp({
        place,
        runId: seed.runId,
        model,
        words: architecture.historyWords(model.contextWords),
        // The reads of the turn serve again: as long as everything fits, nothing is read.
        known: { ...past, history: [...past.history, userMessage, answer] },
      }),
  },
];

/** Does what follows an answer, one job after the other. Never throws: nothing of it is worth failing anybody for. */
export async function afterTurn(turn: EndedTurn, deps: TurnDeps): Promise<void> {
  for (const job of JOBS) {
    try {
      await job.run(turn, deps);
    } catch (error) {
      console.warn({
        message: "A job behind an answer failed.",
        job: job.name,
        runId: turn.seed.runId,
        error: String(error),
      });
    }
  }
}
