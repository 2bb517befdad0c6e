import type { ChatModel, TokenUsage } from "../../llm/model.ts";
import type { ArchivalMemory } from "../../memory/archival-memory.ts";
import type { CoreMemory } from "../../memory/core-memory.ts";
import type { ConversationReader } from "../../messages/conversation-reader.ts";
import type { AnswerEvent } from "../../runs/events.ts";
import type { Prompt, PromptInput } from "./assemble.ts";

/** All that an architecture needs to know of a turn. */
export interface Turn extends Omit<PromptInput, "blocks" | "contextWords"> {
  readonly model: ChatModel;
  readonly memory: CoreMemory;
  readonly archive: ArchivalMemory;
  /** The whole conversation, the message of this turn included, for what lies outside the window. */
  readonly conversation: ConversationReader;
}

/** The tokens of all model requests of a turn, or null where the provider counted none. */
export interface TurnResult {
  readonly usage: TokenUsage | null;
}

/**
 * A way of turning a message into an answer. A new one is a file that exports one of these, and a line in the
 * registry.
 */
export interface Architecture {
  /** Stored with agents; never changes. */
  readonly name: string;
  /** Shown in forms. */
  readonly label: string;
  /** Whether the model is shown core memory and can edit it. */
  readonly keepsMemory: boolean;
  /** Status lines shown while the turn is prepared. */
  readonly preparations: readonly string[];
  /** How many words of conversation are read word for word, by a model that reads so many in all. */
  historyWords(contextWords: number): number;
  /** What the model is sent. Turns send this and nothing else; whoever wants to know what they send asks here too. */
  assemble(input: PromptInput): Prompt;
  /**
   * Answers. The first model request leaves at the first `next()`. Throws `AppError` when the answer can't be
   * completed; what was yielded until then stands.
   */
  run(turn: Turn, signal: AbortSignal): AsyncGenerator<AnswerEvent, TurnResult, void>;
}

/** What a turn's prompt is made of. */
export const promptInputOf = (turn: Turn): PromptInput => ({
  ...turn,
  blocks: turn.memory.blocks(),
  contextWords: turn.model.contextWords,
});
