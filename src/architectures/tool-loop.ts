import { ContextOverflow } from "../llm/context-overflow.ts";
import { providerError } from "../llm/errors.ts";
import type {
  ChatModel,
  FinishReason,
  ModelChunk,
  ModelMessage,
  ProviderData,
  TokenUsage,
  ToolCall,
  ToolSpec,
} from "../llm/model.ts";
import type { CoreMemory } from "../memory/core-memory.ts";
import { sumOfTokens } from "../plans/token-usage.ts";
import type { AnswerEvent } from "./events.ts";
import { argumentsOf, type ToolResult } from "../tools/tool.ts";
import type { Toolbox } from "../tools/toolbox.ts";
import { neutralizeTokens, neutralizeArguments } from "../shared/fence.ts";
import { AppError } from "../shared/errors.ts";
import type { AskingTurn, TurnResult } from "./architecture.ts";
import type { Prompt, PromptInput } from "./assemble.ts";
import { TurnRequest } from "./turn-request.ts";

/** The most model requests per turn. The last one offers no tools, so that a turn always ends in an answer. */
export const MAX_MODEL_CALLS = 10;
/** The most tool calls run per response. For the others, the model is told that they were not run. */
const MAX_CALLS_PER_RESPONSE = 32;
/** Reading stops at this length, because an answer and its tool calls must fit into one item of at most 400 KB. */
const MAX_ANSWER_CHARS = 75_000;

export interface LoopOptions {
  readonly turn: AskingTurn;
  readonly assemble: (input: PromptInput) => Prompt;
  /** Returns the tools of the turn. */
  readonly tools: (prompt: Prompt) => Toolbox;
  readonly maxModelCalls: number;
  readonly signal: AbortSignal;
}

/**
 * Alternates between model requests and tool calls until the model answers without calling a tool. Throws
 * `provider-truncated` if the model has used up its output tokens before it said or did anything.
 */
export async function* runToolLoop(options: LoopOptions): AsyncGenerator<AnswerEvent, TurnResult, void> {
  const { turn, assemble, maxModelCalls, signal } = options;
  const { memory } = turn;
  const request = new TurnRequest({ turn, assemble });
  let usage: TokenUsage | null = null;
  let remainingChars = MAX_ANSWER_CHARS;
  let answer: Pick<TurnResult, "isCut" | "providerData"> = { isCut: false, providerData: null };

  for (let step = 1; step <= maxModelCalls; step++) {
    const tools = options.tools(request.prompt);
    const offered = step === maxModelCalls ? [] : tools.specs;
    const chunks = answerWithin(turn.model, request, offered, signal);
    const response = yield* readResponse(chunks, {
      step: step - 1,
      remainingChars,
      mayCall: offered.length > 0,
      showsReasoning: turn.showsReasoning,
    });
    usage = sumOfTokens(usage, response.usage);
    remainingChars -= response.text.length;
    const isCut = response.finish === "length" || remainingChars <= 0;
    const { providerData, calls } = response;
    answer = { isCut, providerData: providerData && { step: step - 1, providerData } };
    if (calls.length === 0 && isCut && remainingChars === MAX_ANSWER_CHARS)
      throw providerError.spent(response.hasReasoned);
    if (calls.length === 0 || remainingChars <= 0) break;

    request.push(asSent(response));
    memory.beginResponse();
    for (const [index, call] of response.calls.entries()) {
      signal.throwIfAborted();
      const content = yield* runCall(call, index, tools, memory);
      request.push({ role: "tool", callId: call.id, content });
    }
  }

  const { tokenRatio, prompt } = request;
  return { ...answer, usage, tokenRatio, historyTokens: prompt.historyTokens };
}

/**
 * Streams an answer. If the model refuses the request as too long, or has no room to answer it, sends a shorter one. Each
 * request that the provider has counted yields its usage, because each is charged for.
 */
async function* answerWithin(
  model: ChatModel,
  request: TurnRequest,
  tools: readonly ToolSpec[],
  signal: AbortSignal,
): AsyncGenerator<ModelChunk, void, void> {
  for (;;) {
    let hasBegun = false;
    let outputTokens = Number.POSITIVE_INFINITY;
    let isFull = false;
    try {
      for await (const chunk of model.stream(request.next(tools), signal)) {
        if (chunk.type === "usage") {
          outputTokens = chunk.usage.outputTokens;
          request.counted(chunk.usage.inputTokens);
        } else if (chunk.type !== "finish" && chunk.type !== "without-tools") hasBegun = true;
        // Cut off before the first word: the prompt alone fills the window.
        isFull = chunk.type === "finish" && chunk.reason === "length" && !hasBegun && outputTokens <= 1;
        if (isFull && request.shrink(undefined)) break;
        isFull = false;
        yield chunk;
      }
    } catch (error) {
      // What the user has seen can't be taken back.
      if (hasBegun || !(error instanceof AppError) || error.code !== "provider-overflow") throw error;
      const limit = error.cause instanceof ContextOverflow ? error.cause.limit : undefined;
      if (!request.shrink(limit)) throw error;
      continue;
    }
    if (!isFull) return;
  }
}

/** Returns a response in the form in which it is sent back to the model, now and in later turns. */
const asSent = ({ text, calls, providerData }: ModelResponse): ModelMessage => ({
  role: "assistant",
  content: neutralizeTokens(text),
  calls: calls.map((call) => ({ ...call, arguments: neutralizeArguments(call.arguments) })),
  ...(providerData && { providerData }),
});

interface ModelResponse {
  readonly text: string;
  readonly calls: readonly ToolCall[];
  readonly usage: TokenUsage | null;
  readonly providerData: ProviderData | null;
  readonly finish: FinishReason | null;
  readonly hasReasoned: boolean;
}

interface Reading {
  /** The number of the response in its turn, from 0. */
  readonly step: number;
  readonly remainingChars: number;
  readonly mayCall: boolean;
  readonly showsReasoning: boolean;
}

async function* readResponse(
  chunks: AsyncIterable<ModelChunk>,
  { step, remainingChars, mayCall, showsReasoning }: Reading,
): AsyncGenerator<AnswerEvent, ModelResponse, void> {
  const calls: ToolCall[] = [];
  let text = "";
  let usage: TokenUsage | null = null;
  let providerData: ProviderData | null = null;
  let finish: FinishReason | null = null;
  let hasReasoned = false;
  // Anti-DoS: a run keeps its events in memory.
  let reasoningChars = MAX_ANSWER_CHARS;

  for await (const chunk of chunks) {
    if (chunk.type === "text") {
      // Truncated here rather than when it is stored, so that the stored answer equals the one that was shown.
      const piece = chunk.text.slice(0, remainingChars - text.length).toWellFormed();
      text += piece;
      yield { type: "text", text: piece };
      if (text.length >= remainingChars) break;
    } else if (chunk.type === "call") {
      // A model that was offered no tools may still emit calls. They are ignored.
      if (!mayCall) continue;
      yield started(chunk.call, step, calls.length === 0 ? providerData : null);
      calls.push(chunk.call);
    } else if (chunk.type === "usage") usage = sumOfTokens(usage, chunk.usage);
    else if (chunk.type === "provider-data") providerData = chunk.providerData;
    else if (chunk.type === "finish") finish = chunk.reason;
    else if (chunk.type === "without-tools") yield { type: "status", text: WITHOUT_TOOLS };
    else {
      hasReasoned = true;
      const piece = chunk.text.slice(0, reasoningChars).toWellFormed();
      reasoningChars -= piece.length;
      if (showsReasoning && piece !== "") yield { type: "reasoning", text: piece };
    }
  }

  hasReasoned ||= (usage?.reasoningTokens ?? 0) > 0;
  return { text, calls, usage, providerData, finish, hasReasoned };
}

const WITHOUT_TOOLS = "This model can't use tools: memory can be read in this turn, but not changed.";

const started = (call: ToolCall, step: number, providerData: ProviderData | null): AnswerEvent => ({
  type: "tool-started",
  callId: call.id,
  name: call.name,
  arguments: call.arguments,
  input: argumentsOf(call),
  step,
  ...(providerData && { providerData }),
});

async function* runCall(
  call: ToolCall,
  index: number,
  tools: Toolbox,
  memory: CoreMemory,
): AsyncGenerator<AnswerEvent, string, void> {
  const result = index < MAX_CALLS_PER_RESPONSE ? await tools.invoke(call) : TOO_MANY_CALLS;

  yield { type: "tool-finished", callId: call.id, name: call.name, ...result };
  for (const update of memory.takeUpdates()) yield { type: "memory-updated", update };
  return result.output;
}

const TOO_MANY_CALLS: ToolResult = {
  ok: false,
  output: `Error: Not run. At most ${MAX_CALLS_PER_RESPONSE} tool calls are run per response.`,
};
