import type {
  ChatCompletionMessageFunctionToolCall,
  ChatCompletionCreateParamsStreaming,
  ChatCompletionMessageParam,
  ChatCompletionTool,
} from "openai/resources/chat/completions";
import { resultsAfter, toCall } from "./dialogue.ts";
import { objectFrom } from "./json.ts";
import type { ModelMessage, ModelRequest, ToolCall, ToolSpec } from "./model.ts";
import type { ModelSettings } from "./provider.ts";

/** OpenAI has renamed things that the servers which speak its protocol still call by their old names. */
export type Dialect = "openai" | "compatible";

export interface OpenAiBodyOptions {
  readonly model: string;
  readonly request: ModelRequest;
  readonly settings: ModelSettings;
  readonly dialect: Dialect;
  /** Whether to ask for the token count. */
  readonly withUsage: boolean;
}

/** A request as the chat completions API wants it. */
export const toOpenAiBody = (options: OpenAiBodyOptions): ChatCompletionCreateParamsStreaming => ({
  model: options.model,
  stream: true,
  ...(options.withUsage && { stream_options: { include_usage: true } }),
  messages: toWireMessages(options.request.messages),
  ...(options.request.tools.length > 0 && { tools: options.request.tools.map(toWireTool) }),
  ...settingsOf(options),
});

function settingsOf({ model, settings: { temperature, maxOutputTokens }, dialect }: OpenAiBodyOptions) {
  const isOpenAi = dialect === "openai";
  return {
    // OpenAI's models that think first refuse any temperature but their own.
    ...(temperature !== undefined && !(isOpenAi && THINKS.test(model)) && { temperature }),
    ...(maxOutputTokens !== undefined &&
      (isOpenAi ? { max_completion_tokens: maxOutputTokens } : { max_tokens: maxOutputTokens })),
  };
}

const THINKS = /^(?:o\d|gpt-(?:[5-9]|\d\d))/u;

/** Each answer that calls tools is followed by exactly its results, whatever the messages are. */
function toWireMessages(messages: readonly ModelMessage[]): ChatCompletionMessageParam[] {
  const used = new Set<string>();

  return messages.flatMap((message, index): ChatCompletionMessageParam[] => {
    if (message.role === "tool") return [];
    if (message.role !== "assistant") return [{ role: message.role, content: message.content }];

    const calls = message.calls.map((call) => toWireCall(call, used));
    const results = resultsAfter(messages, index).map((content, at) => ({
      role: "tool" as const,
      tool_call_id: calls[at]?.id ?? "",
      content,
    }));
    return [
      { role: "assistant", content: message.content, ...(calls.length > 0 && { tool_calls: calls }) },
      ...results,
    ];
  });
}

/** What another provider, or no model in its right mind, has made of a call must not have the request refused. */
function toWireCall(call: ToolCall, used: Set<string>): ChatCompletionMessageFunctionToolCall {
  const { name, input } = toCall(call);
  const isObject = objectFrom(call.arguments) !== undefined;
  const id = GOOD_ID.test(call.id) && !used.has(call.id) ? call.id : `call_${used.size + 1}_again`;
  used.add(id);
  return {
    id,
    type: "function",
    function: { name, arguments: isObject ? call.arguments : JSON.stringify(input) },
  };
}

/** OpenAI takes ids of at most 40 characters. */
const GOOD_ID = /^[\w-]{1,40}$/u;

const toWireTool = ({ name, description, parameters }: ToolSpec): ChatCompletionTool => ({
  type: "function",
  function: { name, description, parameters },
});
