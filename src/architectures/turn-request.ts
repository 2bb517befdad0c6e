import { contextTokensFor, promptTokensOf, tokenRatioOf, type Window } from "../llm/prompt-budget.ts";
import { estimateTokens } from "../llm/token-estimate.ts";
import type { ModelMessage, ModelRequest, ToolChoice, ToolSpec } from "../llm/model.ts";
import type { AskingTurn } from "./architecture.ts";
import type { Prompt, PromptInput } from "./assemble.ts";
import { messagesWithin, sizeOf } from "./fit.ts";

/**
 * What is left of a request after each overflow in a turn. The model's window is not known then, so the steps are large:
 * after the second, a request that was made for 32,000 tokens fits into 4,000.
 */
const REMAINING_SHARES = [0.4, 0.25] as const;

interface TurnRequestDeps {
  readonly turn: AskingTurn;
  readonly assemble: (input: PromptInput) => Prompt;
}

/** The requests of one turn, which grow with its tool calls and shrink if the model reads less than expected. */
export class TurnRequest {
  readonly #turn: Pick<AskingTurn, "format" | "learnWindow">;
  readonly #input: PromptInput;
  readonly #assemble: (input: PromptInput) => Prompt;
  readonly #loop: ModelMessage[] = [];
  #window: Window;
  #prompt: Prompt;
  #promptTokens: number;
  #overflows = 0;
  /** How many estimated tokens the last request had. */
  #sent = 0;
  #ratio: number | null = null;

  constructor({ turn, assemble }: TurnRequestDeps) {
    this.#turn = turn;
    this.#window = turn.window;
    this.#promptTokens = promptTokensOf(turn.window);
    this.#input = {
      ...turn,
      httpTools: turn.httpCalls.tools,
      mcpTools: turn.mcpCalls.tools,
      blocks: turn.memory.blocks(),
      promptTokens: this.#promptTokens,
    };
    this.#assemble = assemble;
    this.#prompt = assemble(this.#input);
  }

  get prompt(): Prompt {
    return this.#prompt;
  }

  /** How many tokens the provider counted per estimated token in the last answer; null if it has not counted any. */
  get tokenRatio(): number | null {
    return this.#ratio;
  }

  /** Adds a response, or the result of one of its calls. */
  push(message: ModelMessage): void {
    this.#loop.push(message);
  }

  /** Returns the next request. `choice` is the tool that the model must call; `undefined` if it may choose. */
  next(tools: readonly ToolSpec[], choice?: ToolChoice): ModelRequest {
    const messages = this.#messagesOf(this.#prompt, this.#promptTokens);
    this.#sent = sizeOfRequest(this.#prompt, messages);
    const { format } = this.#turn;
    return { messages, tools, ...(choice && { toolChoice: choice }), ...(format && { format }) };
  }

  /** Compares the provider's count of the last request with the estimate. A count that is far too low is ignored. */
  counted(inputTokens: number): void {
    if (inputTokens > this.#sent * PLAUSIBLE_SHARE) this.#ratio = tokenRatioOf(inputTokens, this.#sent);
  }

  /**
   * Makes the requests of this turn shorter, and remembers the window for later turns. `limit` is the window in tokens,
   * if the provider has stated it. Returns false if the turn has shrunk twice already, or if nothing can be left out.
   */
  shrink(limit: number | undefined): boolean {
    const share = REMAINING_SHARES[this.#overflows++];
    if (share === undefined) return false;

    const window = limit === undefined ? this.#guessedWindow(share) : this.#statedWindow(limit);
    const promptTokens = Math.min(promptTokensOf(window), Math.floor(this.#sent * SURELY_LESS));
    const prompt = this.#assemble({ ...this.#input, promptTokens });
    const size = sizeOfRequest(prompt, this.#messagesOf(prompt, promptTokens));
    if (size > this.#sent * SAME_SHARE) return false;

    this.#window = window;
    this.#promptTokens = promptTokens;
    this.#prompt = prompt;
    this.#turn.learnWindow(Math.max(LEAST_WINDOW, window.contextTokens));
    return true;
  }

  #messagesOf(prompt: Prompt, promptTokens: number): readonly ModelMessage[] {
    return messagesWithin({ prompt: prompt.messages, loop: this.#loop }, promptTokens - sizeOfTools(prompt));
  }

  /** The provider has counted more than its limit, so that shows the least by which the estimate was too low. */
  #statedWindow(limit: number): Window {
    const { contextTokens, tokenRatio } = this.#window;
    return {
      ...this.#window,
      contextTokens: Math.min(limit, contextTokens),
      tokenRatio: Math.max(tokenRatio, tokenRatioOf(limit, this.#sent)),
    };
  }

  #guessedWindow(share: number): Window {
    const contextTokens = contextTokensFor(this.#sent * share, this.#window);
    return { ...this.#window, contextTokens: Math.max(LEAST_WINDOW, contextTokens) };
  }
}

const sizeOfTools = ({ tools }: Prompt): number =>
  tools.length > 0 ? estimateTokens(JSON.stringify(tools)) : 0;

const sizeOfRequest = (prompt: Prompt, messages: readonly ModelMessage[]): number =>
  messages.reduce((sum, message) => sum + sizeOf(message), sizeOfTools(prompt));

/** The largest share of a refused request that is sent again. */
const SURELY_LESS = 0.8;
/** A request that is hardly shorter than the refused one is not sent. */
const SAME_SHARE = 0.95;
/** A provider that counts fewer tokens than this share of the estimate counts something else. */
const PLAUSIBLE_SHARE = 0.5;
/**
 * The smallest window that is guessed or remembered, in tokens. With less, an agent could not remember anything for a
 * week, and a provider may state a number that is not its window.
 */
const LEAST_WINDOW = 2_048;
