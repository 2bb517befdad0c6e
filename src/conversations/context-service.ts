import type { Space } from "../users/space.ts";
import type { Prompt } from "../agents/architectures/assemble.ts";
import type { ChatModel } from "../llm/model.ts";
import type { Opening } from "../runs/turn-model.ts";
import { blockViewOf } from "../memory/core-memory.ts";
import { defaultDefinitions, emptyBlocks } from "../memory/model.ts";
import type { Summary } from "../messages/summary-model.ts";
import type { SummaryRepository } from "../messages/summary-repository.ts";
import { pastOf, requireAnswerer } from "../runs/turn.ts";
import type { TurnRepository, TurnState } from "../runs/turn-repository.ts";
import type { Clock } from "../shared/clock.ts";
import { notFound } from "../shared/errors.ts";
import type { ConversationRepository } from "./repository.ts";

/** What the next turn of a conversation would send, and what it was made of. */
export interface NextContext {
  readonly agentId: string;
  readonly architecture: string;
  readonly model: ChatModel;
  readonly prompt: Prompt;
  readonly historyWords: number;
  readonly state: TurnState;
  /** Whether the conversation has rested for so long that its next turn begins without its history. */
  readonly isTimedOut: boolean;
}

interface ContextServiceDeps extends Opening {
  readonly conversations: ConversationRepository;
  readonly summaries: SummaryRepository;
  readonly turns: TurnRepository;
  readonly clock: Clock;
}

/** What the model reads of a conversation: the summary of what is past, and the next turn's prompt. */
export class ContextService {
  readonly #deps: ContextServiceDeps;

  constructor(deps: ContextServiceDeps) {
    this.#deps = deps;
  }

  /** The summary of a conversation, read beside the check that it is in the space. */
  async summary(space: Space, conversationId: string): Promise<Summary> {
    const { conversations, summaries } = this.#deps;
    const [, summary] = await Promise.all([
      conversations.get(space, conversationId),
      summaries.find(conversationId),
    ]);
    if (!summary || summary.content === "") throw notFound("Summary");
    return summary;
  }

  async clearSummary(space: Space, conversationId: string): Promise<void> {
    const { conversations, summaries } = this.#deps;
    await conversations.get(space, conversationId);
    await summaries.clear(space, conversationId, this.#deps.clock.timestamp());
  }

  /**
   * The prompt of the next turn, but for its message, made of the reads that the turn makes and by the same hand. Refuses
   * what the turn would refuse. Which agent it is about, only the conversation tells: that is read first.
   */
  async next(space: Space, conversationId: string): Promise<NextContext> {
    const { conversations, turns, clock } = this.#deps;
    const { agentId } = await conversations.get(space, conversationId);
    const now = clock.now();
    const state = await turns.load({ ...space, agentId, conversationId }, now);
    const { agent, architecture, model } = await requireAnswerer(state, agentId, this.#deps);

    const past = pastOf(state, agent, now);
    const blocks =
      state.blocks.length > 0 ? state.blocks : emptyBlocks(defaultDefinitions(clock.timestamp()));
    const prompt = architecture.assemble({
      agent,
      ...past,
      message: null,
      blocks: blocks.map(blockViewOf),
      contextWords: model.contextWords,
      now,
    });
    return {
      agentId,
      architecture: architecture.name,
      model,
      prompt,
      historyWords: architecture.historyWords(model.contextWords),
      state,
      isTimedOut: past.history.length < state.history.length,
    };
  }
}
