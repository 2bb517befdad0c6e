import type {
  ChatCompletionCreateParamsStreaming,
  ChatCompletionMessageParam,
  ChatCompletionTool,
} from "openai/resources/chat/completions";
import type { ModelMessage, ModelRequest, ToolSpec } from "./model.ts";
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
  messages: options.request.messages.map(toWireMessage),
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

function toWireMessage(message: ModelMessage): ChatCompletionMessageParam {
  if (message.role === "tool")
    return { role: "tool", tool_call_id: message.callId, content: message.content };
  if (message.role !== "assistant") return { role: message.role, content: message.content };

  const calls = message.calls.map(({ id, name, arguments: text }) => ({
    id,
    type: "function" as const,
    function: { name, arguments: text },
  }));
  return { role: "assistant", content: message.content, ...(calls.length > 0 && { tool_calls: calls }) };
}

const toWireTool = ({ name, description, parameters }: ToolSpec): ChatCompletionTool => ({
  type: "function",
  function: { name, description, parameters },
});
