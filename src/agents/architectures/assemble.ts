import type { ModelMessage, ToolSpec } from "../../llm/model.ts";
import type { BlockView } from "../../memory/core-memory.ts";
import type { Attachment } from "../../messages/attachments.ts";
import type { Message } from "../../messages/model.ts";
import { readableBeginning, weight } from "../../messages/reading.ts";
import type { Summary } from "../../messages/summary-model.ts";
import { windowOf } from "../../messages/window.ts";
import type { Agent } from "../model.ts";
import { toConversation } from "./history.ts";

/** All that a prompt is made of: the same gives the same prompt, byte for byte. */
export interface PromptInput {
  readonly agent: Agent;
  /** What was said before, oldest first; the prompt takes of it what fits the model's window. */
  readonly history: readonly Message[];
  readonly summary: Summary | null;
  /** What the user says now; null to see what a turn would send beside it. */
  readonly message: { readonly content: string; readonly attachments: readonly Attachment[] } | null;
  readonly blocks: readonly BlockView[];
  /** How many words the model reads at most. */
  readonly contextWords: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** A named part of what the model reads, whole with its tags. */
export interface PromptSection {
  readonly name: string;
  readonly text: string;
}

/** What the model is sent. */
export interface Prompt {
  /** The parts of the system prompt, from what changes least to what changes most. */
  readonly sections: readonly PromptSection[];
  /** What changes with every turn; it stands behind the newest message, and is not sent again. */
  readonly volatile: PromptSection;
  /** The system prompt, the window, and the new message. */
  readonly messages: readonly ModelMessage[];
  readonly tools: readonly ToolSpec[];
  /** The stored messages that are sent, oldest first. */
  readonly window: readonly Message[];
  /** The memory blocks that are named, but too long to be shown. */
  readonly hiddenBlocks: readonly string[];
}

/** What an architecture decides of its prompt. */
interface PromptParts extends Pick<Prompt, "sections" | "volatile" | "tools" | "hiddenBlocks"> {
  readonly historyWords: number;
}

/**
 * Puts a prompt together so that its beginning is the same text from turn to turn: providers charge a fraction for what
 * they have read before, up to the first byte that differs. So the system prompt has nothing that changes by itself, the
 * history follows it as it was sent before, and the time comes last.
 */
export function assemblePrompt(
  { history, summary, message }: PromptInput,
  { sections, volatile, tools, hiddenBlocks, historyWords }: PromptParts,
): Prompt {
  const newest = message ? readableBeginning(message, historyWords) : undefined;
  const left = historyWords - (newest === undefined ? 0 : weight(newest));
  const window = windowOf(history, summary?.coversUntil ?? null, left);

  const system = { role: "system", content: sections.map(({ text }) => text).join("\n\n") } as const;
  const said = newest === undefined ? undefined : `${newest}\n\n${volatile.text}`;
  const messages = [system, ...toConversation(window, said)];
  return { sections, volatile, messages, tools, window, hiddenBlocks };
}
