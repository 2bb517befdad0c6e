import { estimateTokens } from "../llm/token-estimate.ts";
import type { ToolSpec } from "../llm/model.ts";
import type { PromptSection } from "./assemble.ts";

/** The largest shares of a prompt, apart from its fixed parts. What one part leaves is free for those after it. */
const PERSONA_SHARE = 0.3;
const SUMMARY_SHARE = 0.1;
/** What core memory leaves for the summary and the conversation. */
const CONVERSATION_SHARE = 0.3;
/** For the calls and results of the turn itself. */
const LOOP_SHARE = 0.12;
/** The share of one result, so that several fit, and the most that a result may have in a large window. */
const RESULT_SHARE = 0.1;
const MAX_RESULT_TOKENS = 4_000;
/** Below this, a result says nothing. */
const MIN_RESULT_TOKENS = 100;

interface SharesInput {
  /** How many tokens the prompt may have. */
  readonly promptTokens: number;
  /** What every prompt of the architecture has. */
  readonly fixed: readonly PromptSection[];
  readonly tools: readonly ToolSpec[];
}

/**
 * Divides the tokens of a prompt among its parts, in the order of their importance: the fixed parts, the persona, core
 * memory, the summary, and the conversation with what is left. If the window shrinks, the conversation loses its oldest
 * messages first, then the summary is shortened, then memory blocks are only named.
 */
export class Shares {
  /** What the fixed parts leave. */
  readonly #free: number;
  #taken = 0;

  constructor({ promptTokens, fixed, tools }: SharesInput) {
    const specs = tools.length > 0 ? estimateTokens(JSON.stringify(tools)) : 0;
    this.#free = Math.max(0, promptTokens - specs - sizeOf(fixed));
  }

  get personaTokens(): number {
    return Math.floor(this.#free * PERSONA_SHARE);
  }

  get memoryTokens(): number {
    return Math.floor(this.#rest - this.#free * CONVERSATION_SHARE);
  }

  get summaryTokens(): number {
    return Math.floor(this.#free * SUMMARY_SHARE);
  }

  /** How many tokens the conversation may take; `most` if there is more. */
  historyTokens(most: number): number {
    return Math.max(0, Math.min(most, Math.floor(this.#rest)));
  }

  get resultTokens(): number {
    return Math.min(MAX_RESULT_TOKENS, Math.max(MIN_RESULT_TOKENS, Math.floor(this.#free * RESULT_SHARE)));
  }

  /** Subtracts what parts have taken, and returns them. */
  take<Parts extends readonly PromptSection[]>(...parts: Parts): Parts {
    this.#taken += sizeOf(parts);
    return parts;
  }

  get #rest(): number {
    return this.#free * (1 - LOOP_SHARE) - this.#taken;
  }
}

/** Two tokens for the blank line after each section. */
const sizeOf = (sections: readonly PromptSection[]): number =>
  sections.reduce((sum, { text }) => sum + estimateTokens(text) + 2, 0);
