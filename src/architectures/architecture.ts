import type { HttpToolCalls } from "../http-tools/calls.ts";
import type { McpCalls } from "../mcp-servers/calls.ts";
import type { KnowledgeReader } from "../knowledge/knowledge-reader.ts";
import type { AnswerFormat, ChatModel, TokenUsage, ToolChoice } from "../llm/model.ts";
import type { Window } from "../llm/prompt-budget.ts";
import type { ArchivalMemory } from "../memory/archival-memory.ts";
import type { CoreMemory } from "../memory/core-memory.ts";
import type { ConversationReader } from "../messages/conversation-reader.ts";
import type { AnswerEvent } from "./events.ts";
import type { TurnSoFar } from "./turn-so-far.ts";
import type { ResponseData } from "../messages/model.ts";
import type { Prompt, PromptInput } from "./assemble.ts";

/** Everything that an architecture needs for one turn. */
interface Turn extends Omit<PromptInput, "blocks" | "promptTokens" | "httpTools" | "mcpTools"> {
  readonly model: ChatModel;
  readonly window: Window;
  readonly memory: CoreMemory;
  readonly archive: ArchivalMemory;
  readonly knowledge: KnowledgeReader;
  readonly httpCalls: HttpToolCalls;
  readonly mcpCalls: McpCalls;
  /** Reads the whole conversation, including this turn's message and what no longer fits the window. */
  readonly conversation: ConversationReader;
  /** Whether the caller wants to see what the model thinks. */
  readonly showsReasoning: boolean;
  /** The form that the answer must have. Absent for text. */
  readonly format?: AnswerFormat | undefined;
  /** Which of the client's tools the model must call first. Absent if it may choose. */
  readonly toolChoice?: ToolChoice | undefined;
  /** Whether the client runs at most one of its tools per response of the model. */
  readonly oneClientCall?: boolean | undefined;
  /** Which calls wait for a decision before they are run. */
  readonly approvals: Approvals;
  /** When calls that wait are given up, in milliseconds since the epoch; null if a turn can't wait here. */
  readonly waitsUntil: number | null;
  /** What the turn has done before it paused; absent at its beginning. */
  readonly soFar?: TurnSoFar | undefined;
  /** Remembers that the model reads only so many tokens. Called when the model has refused a request as too long. */
  learnWindow(contextTokens: number): void;
}

/** Decides which tools ask before they are run. */
interface Approvals {
  /** Whether the calls of the tool with this name wait for a decision. */
  asks(name: string): boolean;
}

/** The part of a turn that its requests to the model need. */
export type AskingTurn = Omit<Turn, "archive" | "conversation" | "knowledge" | "httpCalls" | "mcpCalls"> & {
  readonly httpCalls: Pick<HttpToolCalls, "tools">;
  readonly mcpCalls: Pick<McpCalls, "tools">;
};

/** What is known about an answer once it is complete. */
export interface TurnResult {
  /** The tokens of all model requests of the turn, or null if the provider reported none. */
  readonly usage: TokenUsage | null;
  /** Whether the answer was cut off, by a limit of the model's or by our own. */
  readonly isCut: boolean;
  /** What the provider expects back with the last response, and its number, from 0. */
  readonly providerData: ResponseData | null;
  /** How many tokens the provider counted per estimated token of the last request; null if it reported none. */
  readonly tokenRatio: number | null;
  /** How many tokens the conversation may take in the prompt. */
  readonly historyTokens: number;
  /** Whether the answer is not complete, because calls wait for a decision or for the client's results. */
  readonly isWaiting: boolean;
}

/** A way of turning a message into an answer. To add one, export it from a new file and list it in the registry. */
export interface Architecture {
  /** Stored with agents, so it must never change. */
  readonly name: string;
  /** The label shown in forms. */
  readonly label: string;
  /** Whether the model sees core memory and can edit it. */
  readonly keepsMemory: boolean;
  /** Whether it needs a model that can call tools. */
  readonly needsTools: boolean;
  /** Status lines to show while the turn is being prepared. */
  readonly preparations: readonly string[];
  /** Returns what the model is sent. Turns and the context preview both use it, so the preview is always accurate. */
  assemble(input: PromptInput): Prompt;
  /**
   * Answers the message. The first model request is sent at the first `next()`. Throws `AppError` if the answer can't
   * be completed; events that were already yielded remain valid.
   */
  run(turn: Turn, signal: AbortSignal): AsyncGenerator<AnswerEvent, TurnResult, void>;
}
