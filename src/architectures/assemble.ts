import { estimateTokens } from "../llm/token-estimate.ts";
import type { ModelMessage, ToolSpec } from "../llm/model.ts";
import type { HttpTool } from "../http-tools/model.ts";
import type { McpTool } from "../mcp-servers/model.ts";
import type { BlockView } from "../memory/core-memory.ts";
import type { Attachment } from "../messages/attachments.ts";
import type { Message } from "../messages/model.ts";
import { readableWithin } from "../messages/reading.ts";
import type { Summary } from "../messages/summary-model.ts";
import { type WindowMessage, windowOf } from "../messages/window.ts";
import { toConversation } from "./history.ts";

/** Everything that a prompt is built from. Equal inputs produce the same prompt, byte for byte. */
export interface PromptInput {
  /** The part of the agent that shapes its prompt. */
  readonly agent: { readonly persona: string };
  /** Earlier messages, oldest first. The prompt includes those that fit the model's window. */
  readonly history: readonly Message[];
  readonly summary: Summary | null;
  /** The user's new message, or null to preview what a turn would send besides it. */
  readonly message: { readonly content: string; readonly attachments: readonly Attachment[] } | null;
  readonly blocks: readonly BlockView[];
  /** How many knowledge bases the agent may search. */
  readonly knowledgeBases: number;
  /** The HTTP tools of the agent that its model is offered. */
  readonly httpTools: readonly HttpTool[];
  /** The tools of the agent's MCP servers that its model is offered. */
  readonly mcpTools: readonly McpTool[];
  /** The tools that the client runs. Absent if it has sent none. */
  readonly clientTools?: readonly ToolSpec[] | undefined;
  /** How many tokens the prompt and its tools may have, as `estimateTokens` counts them. */
  readonly promptTokens: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** The user's IANA time zone, if it is known. */
  readonly timeZone?: string | undefined;
}

/** A named section of the prompt, including its tags. */
export interface PromptSection {
  readonly name: string;
  readonly text: string;
}

/** What the model is sent. */
export interface Prompt {
  /** The sections of the system prompt, from the most stable to the least stable. */
  readonly sections: readonly PromptSection[];
  /** Changes every turn. It follows the newest message and is not sent again in later turns. */
  readonly volatile: PromptSection;
  /** The system prompt, the window and the new message. */
  readonly messages: readonly ModelMessage[];
  readonly tools: readonly ToolSpec[];
  /** The stored messages that are sent, oldest first. */
  readonly window: readonly WindowMessage[];
  /** How many tokens the window and the new message may take. */
  readonly historyTokens: number;
  /** How many tokens the result of a tool may have. */
  readonly resultTokens: number;
  /** The memory blocks that are named in the prompt but too long to be shown. */
  readonly hiddenBlocks: readonly string[];
}

/** The parts of a prompt that the architecture decides. */
interface PromptParts extends Pick<
  Prompt,
  "sections" | "volatile" | "tools" | "hiddenBlocks" | "historyTokens" | "resultTokens"
> {}

/** The largest share of the history that the new message takes if there are earlier ones, so that some of them stay. */
const NEWEST_SHARE = 0.75;

/**
 * Assembles a prompt whose beginning stays the same from turn to turn. Providers charge a fraction for the prefix that
 * they have cached, up to the first byte that differs. That is why the system prompt contains nothing volatile, the
 * history is repeated exactly as it was sent before, and the time comes last.
 */
export function assemblePrompt({ history, summary, message }: PromptInput, parts: PromptParts): Prompt {
  const { sections, volatile, historyTokens } = parts;
  const maxNewestTokens = Math.floor(history.length > 0 ? historyTokens * NEWEST_SHARE : historyTokens);
  const newest = message ? readableWithin(message, maxNewestTokens) : undefined;
  const remaining = historyTokens - (newest === undefined ? 0 : estimateTokens(newest));
  const window = windowOf(history, summary?.coversUntil ?? null, remaining);

  const system = { role: "system", content: sections.map(({ text }) => text).join("\n\n") } as const;
  const newestText = newest === undefined ? undefined : `${newest}\n\n${volatile.text}`;
  return { ...parts, messages: [system, ...toConversation(window, newestText)], window };
}
