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
  ToolChoice,
  ToolSpec,
} from "../llm/model.ts";
import { newCallId } from "../llm/tool-calls.ts";
import { sumOfTokens } from "../plans/token-usage.ts";
import type { AnswerEvent, Decision, WaitsFor } from "./events.ts";
import { argumentsOf, type ToolResult } from "../tools/tool.ts";
import type { Toolbox } from "../tools/toolbox.ts";
import { neutralizeTokens, neutralizeArguments } from "../shared/fence.ts";
import { AppError } from "../shared/errors.ts";
import type { AskingTurn, TurnResult } from "./architecture.ts";
import type { Prompt, PromptInput } from "./assemble.ts";
import { TurnRequest } from "./turn-request.ts";
import type { TurnSoFar } from "./turn-so-far.ts";

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
 * Alternates between model requests and tool calls until the model answers without calling a tool, or calls tools that have to wait.
 * A turn that has waited goes on behind the calls that have been decided. Throws `provider-truncated` if the model has used up its
 * output tokens before it said or did anything.
 */
export async function* runToolLoop(options: LoopOptions): AsyncGenerator<AnswerEvent, TurnResult, void> {
  const { turn, assemble, maxModelCalls, signal } = options;
  const { memory, soFar, clientTools = [] } = turn;
  const request = new TurnRequest({ turn, assemble });
  let usage: TokenUsage | null = soFar?.paused.usage ?? null;
  let remainingChars = MAX_ANSWER_CHARS - (soFar?.chars ?? 0);
  let answer: Pick<TurnResult, "isCut" | "providerData"> = { isCut: false, providerData: null };
  let isWaiting = false;
  const takenIds = new Set(soFar?.responses.flatMap(({ calls }) => calls.map(({ id }) => id)));

  if (soFar) yield* goOn(soFar, request, options);
  const first = (soFar?.modelCalls ?? 0) + 1;
  for (let step = first; step <= maxModelCalls && !isWaiting; step++) {
    const tools = options.tools(request.prompt);
    // The agent may have gained a tool with the name of one that the client has run while the turn has waited.
    const own = tools.specs.filter(({ name }) => !isOfClient(name, turn));
    const offered = step === maxModelCalls ? [] : [...own, ...clientTools];
    // Later responses may answer, or else the turn would never end.
    const choice = step === first && offered.length > 0 ? turn.toolChoice : undefined;
    const chunks = answerWithin(turn.model, request, { tools: offered, choice }, signal);
    const response = yield* readResponse(chunks, {
      step: step - 1,
      remainingChars,
      mayCall: offered.length > 0,
      waitsFor: (call, earlier) => waitOf(call, earlier, tools, turn),
      takenIds,
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
      const content = yield* runCall(call, response.calls.slice(0, index), tools, turn);
      if (content === undefined) isWaiting = true;
      else request.push({ role: "tool", callId: call.id, content });
    }
  }

  const { tokenRatio, prompt } = request;
  return { ...answer, usage, tokenRatio, historyTokens: prompt.historyTokens, isWaiting };
}

/** Repeats the responses of a turn that has waited to the model, and does what has been decided about their last calls. */
async function* goOn(
  { responses, paused }: TurnSoFar,
  request: TurnRequest,
  { turn, tools, signal }: LoopOptions,
): AsyncGenerator<AnswerEvent, void, void> {
  turn.memory.resumeResponse(paused.seenLines);
  for (const { waiting, results, ...response } of responses) {
    const { providerData = null } = response;
    request.push(asSent({ ...response, providerData }));
    for (const call of response.calls) {
      signal.throwIfAborted();
      const decision = waiting.find(({ id }) => id === call.id)?.decision;
      const content =
        results.get(call.id) ?? (yield* runDecided(call, decision, tools(request.prompt), turn));
      request.push({ role: "tool", callId: call.id, content });
    }
  }
}

async function* runDecided(
  call: ToolCall,
  decision: Decision | undefined,
  tools: Toolbox,
  turn: AskingTurn,
): AsyncGenerator<AnswerEvent, string, void> {
  if (decision?.kind === "approved") return yield* finished(call, await tools.invoke(call), turn);
  const result =
    decision?.kind === "answered"
      ? answered(decision, tools)
      : { ok: false, output: tools.shown(notApproved(decision?.reason ?? null)) };
  return yield* finished(call, result, turn);
}

const answered = ({ form, output }: Decision & { kind: "answered" }, tools: Toolbox): ToolResult =>
  form === "error"
    ? { ok: false, output: tools.shown(`Error: ${output}`) }
    : { ok: true, output: tools.shown(output) };

const notApproved = (reason: string | null): string =>
  `Error: Not run. The user has not approved this call.${reason === null ? "" : ` The reason: ${reason}`}`;

/**
 * Streams an answer. If the model refuses the request as too long, or has no room to answer it, sends a shorter one. Each
 * request that the provider has counted yields its usage, because each is charged for.
 */
async function* answerWithin(
  model: ChatModel,
  request: TurnRequest,
  { tools, choice }: { readonly tools: readonly ToolSpec[]; readonly choice: ToolChoice | undefined },
  signal: AbortSignal,
): AsyncGenerator<ModelChunk, void, void> {
  for (;;) {
    let hasBegun = false;
    let outputTokens = Number.POSITIVE_INFINITY;
    let isFull = false;
    try {
      for await (const chunk of model.stream(request.next(tools, choice), signal)) {
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
const asSent = ({
  text,
  calls,
  providerData,
}: Pick<ModelResponse, "text" | "calls" | "providerData">): ModelMessage => ({
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
  /** Returns what a call waits for, which has `earlier` ones in its response. */
  readonly waitsFor: (call: ToolCall, earlier: readonly ToolCall[]) => WaitsFor | undefined;
  /** The ids of the calls of the turn. Those of the response are added. */
  readonly takenIds: Set<string>;
  readonly showsReasoning: boolean;
}

async function* readResponse(
  chunks: AsyncIterable<ModelChunk>,
  { step, remainingChars, mayCall, waitsFor, takenIds, showsReasoning }: Reading,
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
      const waits = waitsFor(chunk.call, calls);
      // Security: the id of a call that waits is ours, so that a decision that arrives late, or twice, can't count for a later call.
      // Some servers use the same ids in each response, but clients find the calls of an answer by their ids.
      const call = waits || takenIds.has(chunk.call.id) ? { ...chunk.call, id: newCallId() } : chunk.call;
      takenIds.add(call.id);
      yield started(call, step, waits, calls.length === 0 ? providerData : null);
      calls.push(call);
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

const started = (
  call: ToolCall,
  step: number,
  waitsFor: WaitsFor | undefined,
  providerData: ProviderData | null,
): AnswerEvent => ({
  type: "tool-started",
  callId: call.id,
  name: call.name,
  arguments: call.arguments,
  input: argumentsOf(call),
  step,
  ...(waitsFor && { waitsFor }),
  ...(providerData && { providerData }),
});

/** Returns why a call is not run, for the model; `undefined` if it may be. `earlier`: the calls before it in the response. */
function refusalOf(
  { name }: ToolCall,
  earlier: readonly ToolCall[],
  tools: Toolbox,
  turn: AskingTurn,
): ToolResult | undefined {
  if (earlier.length >= MAX_CALLS_PER_RESPONSE) return TOO_MANY_CALLS;
  if (isOfClient(name, turn))
    return turn.oneClientCall && earlier.some((call) => isOfClient(call.name, turn))
      ? ONE_CLIENT_CALL
      : undefined;
  return turn.waitsUntil === null && needsApproval(name, tools, turn) ? CANNOT_ASK : undefined;
}

/** Returns what a call waits for: its client, or somebody's approval; `undefined` if it is run, or refused, at once. */
function waitOf(
  call: ToolCall,
  earlier: readonly ToolCall[],
  tools: Toolbox,
  turn: AskingTurn,
): WaitsFor | undefined {
  if (refusalOf(call, earlier, tools, turn)) return undefined;
  if (isOfClient(call.name, turn)) return "result";
  return needsApproval(call.name, tools, turn) ? "approval" : undefined;
}

const isOfClient = (name: string, { clientTools = [] }: AskingTurn): boolean =>
  clientTools.some((tool) => tool.name === name);

const needsApproval = (name: string, tools: Toolbox, { approvals }: AskingTurn): boolean =>
  tools.has(name) && approvals.asks(name);

/** Runs a call, or asks about it. Returns the result for the model; `undefined` if the call has to wait. */
async function* runCall(
  call: ToolCall,
  earlier: readonly ToolCall[],
  tools: Toolbox,
  turn: AskingTurn,
): AsyncGenerator<AnswerEvent, string | undefined, void> {
  const refusal = refusalOf(call, earlier, tools, turn);
  if (refusal) return yield* finished(call, refusal, turn);
  const waitsFor = waitOf(call, earlier, tools, turn);
  if (!waitsFor) return yield* finished(call, await tools.invoke(call), turn);

  const { id: callId, name, arguments: text } = call;
  const { waitsUntil: expiresAt } = turn;
  yield {
    type: "call-waiting",
    callId,
    name,
    arguments: text,
    input: argumentsOf(call),
    waitsFor,
    expiresAt,
  };
  return undefined;
}

async function* finished(
  call: ToolCall,
  result: ToolResult,
  { memory }: Pick<AskingTurn, "memory">,
): AsyncGenerator<AnswerEvent, string, void> {
  yield { type: "tool-finished", callId: call.id, name: call.name, ...result };
  for (const update of memory.takeUpdates()) yield { type: "memory-updated", update };
  return result.output;
}

const TOO_MANY_CALLS: ToolResult = {
  ok: false,
  output: `Error: Not run. At most ${MAX_CALLS_PER_RESPONSE} tool calls are run per response.`,
};

const ONE_CLIENT_CALL: ToolResult = {
  ok: false,
  output: "Error: Not run. Call this tool again, and no other tool of the application in the same response.",
};

const CANNOT_ASK: ToolResult = {
  ok: false,
  output: "Error: Not run. This tool has to be approved, and nobody can be asked in this conversation.",
};
