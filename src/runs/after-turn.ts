import type { Architecture } from "../architectures/architecture.ts";
import type { OpenModel } from "../llm/model.ts";
import { promptTokensOf, type Window } from "../llm/prompt-budget.ts";
import type { CapacityWarning } from "../memory/capacity-model.ts";
import type { RecordChange } from "../memory/change-records.ts";
import { watchCapacity } from "../memory/capacity-watch.ts";
import type { CoreMemory } from "../memory/core-memory.ts";
import { thinVersions } from "../memory/version-thinning.ts";
import type { Message } from "../messages/model.ts";
import { isTransient } from "../shared/transient-ids.ts";
import type { RunIds, TurnPlace } from "./model.ts";
import { refreshServedWindow } from "./served-window.ts";
import type { TurnDeps } from "./turn-deps.ts";
import type { TurnState } from "./turn-repository.ts";

/** A completed turn. Its answer has been sent and saved. */
export interface EndedTurn {
  readonly place: TurnPlace;
  readonly runIds: RunIds;
  readonly architecture: Architecture;
  readonly model: OpenModel;
  readonly window: Window;
  /** How many tokens the conversation could take in the turn's prompt. */
  readonly historyTokens: number;
  /** Core memory as the turn left it. */
  readonly memory: CoreMemory;
  /** Capacity warnings that the turn found and did not report. */
  readonly warnings: readonly CapacityWarning[];
  /** The history that the turn began with. */
  readonly past: Pick<TurnState, "history" | "hasOlder" | "summary" | "servedWindows" | "wantedEvents">;
  /** Records changes of the memory for the account's webhooks. */
  readonly record: RecordChange;
  readonly userMessage: Message;
  readonly answer: Message;
}

/** Work to do after an answer has been sent. Its events are sent at the beginning of the next run. */
interface Job {
  readonly name: string;
  run(turn: EndedTurn, deps: TurnDeps): Promise<void>;
}

const JOBS: readonly Job[] = [
  {
    name: "block versions",
    async run({ memory }, { versions }) {
      for (const update of memory.written()) await thinVersions(memory.owner, update, versions);
    },
  },
  {
    name: "memory capacity",
    async run({ place, runIds, architecture, model, window, memory, warnings, record }, deps) {
      if (!architecture.keepsMemory) return;

      const { accountEmail } = place;
      const blocks = memory.blocks();
      await watchCapacity(
        {
          owner: memory.owner,
          accountEmail,
          runId: runIds.runId,
          model,
          promptTokens: promptTokensOf(window),
          blocks,
          warnings,
          record,
        },
        deps,
      );
    },
  },
  {
    name: "conversation summary",
    async run(turn, { summarizer }) {
      const { place, runIds, model, window, historyTokens, past, userMessage, answer } = turn;
      // Nobody will continue a transient conversation.
      if (isTransient(place.conversationId)) return;
      await summarizer.updateSummary({
        place,
        runId: runIds.runId,
        model,
        promptTokens: promptTokensOf(window),
        historyTokens,
        // Reuses what the turn has read. As long as everything fits into the window, nothing more is read.
        known: { ...past, history: [...past.history, userMessage, answer] },
      });
    },
  },
  {
    // The last one, because it may wait for a server.
    name: "served window",
    run: ({ place, model, past }, { turns, clock }) =>
      refreshServedWindow(model, past.servedWindows, clock.now(), (window, previousAskedAt) =>
        turns.saveServedWindow(place, window, previousAskedAt),
      ),
  },
];

/**
 * Runs the jobs that follow an answer, one after the other. Logs failures and never throws, as the answer is complete.
 */
export async function afterTurn(turn: EndedTurn, deps: TurnDeps): Promise<void> {
  for (const job of JOBS) {
    try {
      await job.run(turn, deps);
    } catch (error) {
      console.warn({
        message: "A job after an answer failed.",
        job: job.name,
        runId: turn.runIds.runId,
        error: String(error),
      });
    }
  }
}
