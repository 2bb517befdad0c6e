import type { ChatModel, ModelMessage, TokenUsage, ToolCall } from "../../llm/model.ts";
import type { CoreMemory } from "../../memory/core-memory.ts";
import { sumOfTokens } from "../../plans/token-usage.ts";
import type { AnswerEvent } from "../../runs/events.ts";
import { argumentsOf } from "../../tools/tool.ts";
import type { Toolbox } from "../../tools/toolbox.ts";
import type { TurnResult } from "./architecture.ts";

/** On the last of these, tools are withheld, so a turn always ends in an answer. */
export const MAX_MODEL_CALLS = 10;
/** Calls of one response that are run; the model is told of the others that they were not. */
const MAX_CALLS_PER_RESPONSE = 32;
/** An answer is one item of at most 400 KB, calls included: beyond this much text the model is not read any further. */
const MAX_ANSWER_CHARS = 75_000;

export interface LoopOptions {
  readonly model: ChatModel;
  readonly messages: readonly ModelMessage[];
  readonly tools: Toolbox;
  readonly memory: CoreMemory;
  readonly maxModelCalls: number;
  readonly signal: AbortSignal;
}

/** Lets the model speak and run tools in turns until it answers without calling any. */
export async function* runToolLoop(options: LoopOptions): AsyncGenerator<AnswerEvent, TurnResult, void> {
  const { tools, memory, maxModelCalls, signal } = options;
  const messages = [...options.messages];
  let usage: TokenUsage | null = null;
  let room = MAX_ANSWER_CHARS;

  for (let step = 1; step <= maxModelCalls; step++) {
    const offered = step === maxModelCalls ? [] : tools.specs;
    const chunks = options.model.stream({ messages, tools: offered }, signal);
    const response = yield* readResponse(chunks, { room, mayCall: offered.length > 0 });

    usage = sumOfTokens(usage, response.usage);
    room -= response.text.length;
    if (response.calls.length === 0 || room <= 0) break;

    messages.push({ role: "assistant", content: response.text, calls: response.calls });
    memory.beginResponse();
    for (const [index, call] of response.calls.entries()) {
      signal.throwIfAborted();
      const content = yield* runCall(call, index, tools, memory);
      messages.push({ role: "tool", callId: call.id, content });
    }
  }

  return { usage };
}

interface ModelResponse {
  readonly text: string;
  readonly calls: readonly ToolCall[];
  readonly usage: TokenUsage | null;
}

async function* readResponse(
  chunks: ReturnType<ChatModel["stream"]>,
  { room, mayCall }: { readonly room: number; readonly mayCall: boolean },
): AsyncGenerator<AnswerEvent, ModelResponse, void> {
  const calls: ToolCall[] = [];
  let text = "";
  let usage: TokenUsage | null = null;

  for await (const chunk of chunks) {
    if (chunk.type === "usage") {
      usage = chunk.usage;
    } else if (chunk.type === "text") {
      // Cut here and not where it is stored: what was shown is what is kept.
      const piece = chunk.text.slice(0, room - text.length).toWellFormed();
      text += piece;
      yield { type: "text", text: piece };
      if (text.length >= room) break;
    } else if (mayCall) {
      // Calls of a model that was offered no tools mean nothing.
      calls.push(chunk.call);
      const { id, name, arguments: raw } = chunk.call;
      yield { type: "tool-started", callId: id, name, arguments: raw, input: argumentsOf(chunk.call) };
    }
  }

  return { text, calls, usage };
}

async function* runCall(
  call: ToolCall,
  index: number,
  tools: Toolbox,
  memory: CoreMemory,
): AsyncGenerator<AnswerEvent, string, void> {
  const { ok, output } = index < MAX_CALLS_PER_RESPONSE ? await tools.invoke(call) : TOO_MANY_CALLS;

  yield { type: "tool-finished", callId: call.id, name: call.name, ok, output };
  for (const update of memory.takeUpdates()) yield { type: "memory-updated", update };
  return output;
}

const TOO_MANY_CALLS = {
  ok: false,
  output: `Error: Not run: at most ${MAX_CALLS_PER_RESPONSE} tool calls are run per response.`,
};
