import type { Architecture } from "../agents/architectures/architecture.ts";
import type { OpenModel } from "../llm/model.ts";
import type { CapacityWarning } from "../memory/capacity-model.ts";
import { watchCapacity } from "../memory/capacity-watch.ts";
import type { CoreMemory } from "../memory/core-memory.ts";
import type { Message } from "../messages/model.ts";
import type { RunSeed, TurnPlace } from "./model.ts";
import type { TurnDeps } from "./turn-deps.ts";
import type { TurnState } from "./turn-repository.ts";

/** A turn whose answer has been sent and saved. */
export interface EndedTurn {
  readonly place: TurnPlace;
  readonly seed: RunSeed;
  readonly architecture: Architecture;
  readonly model: OpenModel;
  /** Core memory as the turn left it. */
  readonly memory: CoreMemory;
  /** Warnings that the turn found and has not told of. */
  readonly warnings: readonly CapacityWarning[];
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
    name: "memory capacity",
    async run({ place, seed, architecture, model, memory, warnings }, deps) {
      if (!architecture.keepsMemory) return;

      const { owner: agentOwner } = place;
      const blocks = memory.blocks();
      await watchCapacity(
        { owner: memory.owner, agentOwner, runId: seed.runId, model, blocks, warnings },
        deps,
      );
    },
  },
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
