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
  messages: toWireMessages(options.request.messages, idsOf(options.model)),
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
function toWireMessages(messages: readonly ModelMessage[], ids: Ids): ChatCompletionMessageParam[] {
  const used = new Set<string>();

  return messages.flatMap((message, index): ChatCompletionMessageParam[] => {
    if (message.role === "tool") return [];
    if (message.role !== "assistant") return [{ role: message.role, content: message.content }];

    const calls = message.calls.map((call) => toWireCall(call, used, ids));
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
function toWireCall(call: ToolCall, used: Set<string>, ids: Ids): ChatCompletionMessageFunctionToolCall {
  const { name, input } = toCall(call);
  const isObject = objectFrom(call.arguments) !== undefined;
  const id = ids.good.test(call.id) && !used.has(call.id) ? call.id : ids.another(used.size + 1);
  used.add(id);
  return {
    id,
    type: "function",
    function: { name, arguments: isObject ? call.arguments : JSON.stringify(input) },
  };
}

/** The ids of calls that a server takes, and how to make one. */
interface Ids {
  readonly good: RegExp;
  another(place: number): string;
}

/** OpenAI takes ids of at most 40 characters; Mistral's models, wherever they are served, only such as their own. */
const idsOf = (model: string): Ids =>
  /[sx]tral/iu.test(model)
    ? { good: /^[A-Za-z0-9]{9}$/u, another: (place) => `call${String(place).padStart(5, "0")}` }
    : { good: /^[\w-]{1,40}$/u, another: (place) => `call_${place}_again` };

const toWireTool = ({ name, description, parameters }: ToolSpec): ChatCompletionTool => ({
  type: "function",
  function: { name, description, parameters },
});
