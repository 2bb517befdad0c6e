import type { AgentId, ConversationId } from "../shared/id-types.ts";
import type { AccessScope } from "../access/access-scope.ts";
import type { Prompt } from "../architectures/assemble.ts";
import type { ChatModel } from "../llm/model.ts";
import { promptTokensOf } from "../llm/prompt-budget.ts";
import type { Opening } from "./turn-model.ts";
import { offeredTools } from "../mcp-servers/model.ts";
import { blockViewOf } from "../memory/core-memory.ts";
import { defaultDefinitions, emptyBlocks } from "../memory/model.ts";
import type { Summary } from "../messages/summary-model.ts";
import type { SummaryRepository } from "../messages/summary-repository.ts";
import { pastOf, requireAnswerer } from "./turn.ts";
import type { TurnRepository, TurnState } from "./turn-repository.ts";
import type { Clock } from "../shared/clock.ts";
import { notFound } from "../shared/errors.ts";
import type { ConversationRepository } from "../conversations/repository.ts";

/** What the next turn of a conversation would send, and the state it is built from. */
export interface NextContext {
  readonly agentId: AgentId;
  readonly architecture: string;
  readonly model: ChatModel;
  readonly prompt: Prompt;
  readonly state: TurnState;
  /** Whether the conversation has been idle for so long that its next turn begins without history. */
  readonly isTimedOut: boolean;
}

interface ContextServiceDeps extends Opening {
  readonly conversations: ConversationRepository;
  readonly summaries: SummaryRepository;
  readonly turns: TurnRepository;
  readonly clock: Clock;
}

/** Shows what the model reads of a conversation: the summary, and the prompt of the next turn. */
export class ContextService {
  readonly #conversations: ConversationRepository;
  readonly #summaries: SummaryRepository;
  readonly #turns: TurnRepository;
  readonly #models: Opening["models"];
  readonly #credentials: Opening["credentials"];
  readonly #clock: Clock;

  constructor({ conversations, summaries, turns, models, credentials, clock }: ContextServiceDeps) {
    this.#conversations = conversations;
    this.#summaries = summaries;
    this.#turns = turns;
    this.#models = models;
    this.#credentials = credentials;
    this.#clock = clock;
  }

  /**
   * Returns the summary of a conversation. Throws `not-found` if the scope has no such conversation, or it has no
   * summary.
   */
  async summary(scope: AccessScope, conversationId: ConversationId): Promise<Summary> {
    const [, summary] = await Promise.all([
      this.#conversations.get(scope, conversationId),
      this.#summaries.find(conversationId),
    ]);
    if (!summary || summary.content === "") throw notFound("Summary");
    return summary;
  }

  /** Deletes the summary of a conversation. Throws `not-found` if the scope has no such conversation. */
  async clearSummary(scope: AccessScope, conversationId: ConversationId): Promise<void> {
    await this.#conversations.get(scope, conversationId);
    await this.#summaries.clear(scope, conversationId, this.#clock.timestamp());
  }

  /**
   * Returns the prompt of the next turn without its message, built by the same reads and code as a turn. `timeZone` is an IANA
   * name; without one, the prompt states the time in UTC. Throws `not-found`, or what a turn throws if the agent can't
   * answer. Reads the conversation first, because only it holds the agent's id.
   */
  async next(
    scope: AccessScope,
    conversationId: ConversationId,
    timeZone: string | undefined,
  ): Promise<NextContext> {
    const { agentId } = await this.#conversations.get(scope, conversationId);
    const now = this.#clock.now();
    const state = await this.#turns.load({ ...scope, agentId, conversationId }, now);
    const { agent, architecture, model, window } = await requireAnswerer(state, agentId, {
      models: this.#models,
      credentials: this.#credentials,
    });

    const past = pastOf(state, agent, now);
    const blocks =
      state.blocks.length > 0 ? state.blocks : emptyBlocks(defaultDefinitions(this.#clock.timestamp()));
    const httpTools = state.httpTools.filter(({ enabled }) => enabled);
    const prompt = architecture.assemble({
      agent,
      ...past,
      message: null,
      blocks: blocks.map(blockViewOf),
      knowledgeBases: state.knowledgeBases.length,
      httpTools,
      mcpTools: offeredTools(state.mcpServers, httpTools),
      promptTokens: promptTokensOf(window),
      now,
      timeZone,
    });
    return {
      agentId,
      architecture: architecture.name,
      model,
      prompt,
      state,
      isTimedOut: past.history.length < state.history.length,
    };
  }
}
