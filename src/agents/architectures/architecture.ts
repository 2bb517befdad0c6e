import type { ChatModel, TokenUsage } from "../../llm/model.ts";
import type { ArchivalMemory } from "../../memory/archival-memory.ts";
import type { CoreMemory } from "../../memory/core-memory.ts";
import type { Attachment } from "../../messages/attachments.ts";
import type { ConversationReader } from "../../messages/conversation-reader.ts";
import type { Message } from "../../messages/model.ts";
import type { AnswerEvent } from "../../runs/events.ts";
import type { Agent } from "../model.ts";

/** All that an architecture needs to know of a turn. */
interface Turn {
  readonly agent: Agent;
  /** What was said before, oldest first; the architecture takes of it what fits its window. */
  readonly history: readonly Message[];
  readonly message: { readonly content: string; readonly attachments: readonly Attachment[] };
  readonly model: ChatModel;
  readonly memory: CoreMemory;
  readonly archive: ArchivalMemory;
  /** The whole conversation, the message of this turn included, for what lies outside the window. */
  readonly conversation: ConversationReader;
  /** When the turn began, in milliseconds since the epoch. */
  readonly now: number;
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
  /**
   * Answers. The first model request leaves at the first `next()`. Throws `AppError` when the answer can't be
   * completed; what was yielded until then stands.
   */
  run(turn: Turn, signal: AbortSignal): AsyncGenerator<AnswerEvent, TurnResult, void>;
}
