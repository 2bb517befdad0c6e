import type {
  ChatCompletionCreateParams,
  ChatCompletionMessageFunctionToolCall,
  ChatCompletionMessageParam,
  ChatCompletionTool,
} from "openai/resources/chat/completions";
import type { Amendments } from "./amendments.ts";
import { resultsAfter, toCall, withoutCalls } from "./dialogue.ts";
import { objectFrom } from "../shared/json.ts";
import type { AnswerFormat, ModelMessage, ModelRequest, ToolCall, ToolSpec } from "./model.ts";
import { alternating, inMistralsOrder, systemAsUser } from "./openai-order.ts";
import type { ModelSettings } from "./provider.ts";
import { portableSchema, withoutEmptyProperties } from "./tool-schemas.ts";

/** Servers differ in parameter names, in the data that they expect back, and in what they accept. */
export type Dialect = "openai" | "compatible" | "gemini" | "deepseek";

export interface OpenAiBodyOptions {
  readonly model: string;
  readonly request: ModelRequest;
  readonly settings: ModelSettings;
  readonly dialect: Dialect;
  /** The server and the model, as in `ProviderData`. */
  readonly source: string;
  readonly amendments: Amendments;
}

/** Returns the body of a request to the chat completions API. */
export function toOpenAiBody(options: OpenAiBodyOptions): ChatCompletionCreateParams {
  const { model, amendments } = options;
  const tools = amendments.has("tools") ? [] : options.request.tools;
  return {
    model,
    stream: !amendments.has("stream"),
    ...(!amendments.has("usage") && !amendments.has("stream") && { stream_options: { include_usage: true } }),
    messages: messagesOf(options),
    ...(tools.length > 0 && { tools: tools.map((tool) => toWireTool(tool, options.dialect)) }),
    ...(tools.length > 0 && toolChoiceOf(options)),
    ...settingsOf(options),
    ...(options.request.format && { response_format: toResponseFormat(options.request.format) }),
  };
}

function toolChoiceOf({
  request: { toolChoice },
  amendments,
}: OpenAiBodyOptions): Pick<ChatCompletionCreateParams, "tool_choice"> {
  if (!toolChoice || amendments.has("tool-choice")) return {};
  const { name } = toolChoice;
  return { tool_choice: name === null ? "required" : { type: "function", function: { name } } };
}

function toResponseFormat({
  name,
  description,
  schema,
  isStrict: strict,
}: AnswerFormat): NonNullable<ChatCompletionCreateParams["response_format"]> {
  if (!schema) return { type: "json_object" };
  const about = { name, ...(description !== undefined && { description }) };
  return { type: "json_schema", json_schema: { ...about, schema: { ...schema }, strict } };
}

function messagesOf(options: OpenAiBodyOptions): ChatCompletionMessageParam[] {
  const { amendments, model, request } = options;
  const plain = amendments.has("tools") ? withoutCalls(request.messages) : request.messages;
  const wire = toWireMessages(plain, options);
  const ordered = isMistral({ model, amendments }) ? inMistralsOrder(wire) : wire;
  const first = amendments.has("system") ? systemAsUser(ordered) : ordered;
  return amendments.has("alternate") ? alternating(first) : first;
}

function settingsOf(options: OpenAiBodyOptions) {
  const { model, settings, dialect, amendments } = options;
  const { temperature } = settings;
  const isOpenAi = dialect === "openai";
  // OpenAI's reasoning models refuse any temperature but their default.
  const takesTemperature = !(isOpenAi && reasons(model)) && !amendments.has("temperature");
  const limit = outputLimit(options);
  // OpenAI has renamed the parameter. Compatible servers know its old name, and some of them the new one only.
  const hasNewName = isOpenAi !== amendments.has("limit-name");
  return {
    ...(temperature !== undefined && takesTemperature && { temperature }),
    ...(limit !== undefined && (hasNewName ? { max_completion_tokens: limit } : { max_tokens: limit })),
  };
}

/** Returns the limit on the output in tokens, as far as the server accepts it. Returns `undefined` if none is to be sent. */
export function outputLimit({
  settings: { maxOutputTokens },
  amendments,
}: Pick<OpenAiBodyOptions, "settings" | "amendments">): number | undefined {
  const largest = amendments.get("output-limit");
  if (maxOutputTokens === undefined || largest === 0) return undefined;
  return Math.min(maxOutputTokens, largest ?? Infinity);
}

/** Whether a model of OpenAI reasons before it answers. */
export const reasons = (model: string): boolean => /^(?:o\d|gpt-(?:[5-9]|\d\d)|codex)/u.test(model);

/** Ensures that every assistant message with tool calls is followed by exactly their results, as the API requires. */
function toWireMessages(
  messages: readonly ModelMessage[],
  options: OpenAiBodyOptions,
): ChatCompletionMessageParam[] {
  const ids = isMistral(options) ? MISTRALS_IDS : USUAL_IDS;
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
      { role: "assistant", content: message.content, ...withProviderData(message, calls, options) },
      ...results,
    ];
  });
}

/** Returns the calls of an assistant message, and what the same server and model expect back with them. */
function withProviderData(
  { providerData }: Extract<ModelMessage, { readonly role: "assistant" }>,
  calls: readonly ChatCompletionMessageFunctionToolCall[],
  { source, dialect, amendments }: OpenAiBodyOptions,
) {
  const isOwn = providerData?.source === source && !amendments.has("provider-data");
  const data = isOwn ? providerData.data : {};
  const { calls: extras, ...back } = data;
  const list: readonly unknown[] = Array.isArray(extras) ? extras : [];
  const signed = calls.map((call, index) => {
    const known = list[index];
    const extra = known ?? (dialect === "gemini" && index === 0 && list.length === 0 ? UNSIGNED : undefined);
    return extra === undefined || extra === null ? call : { ...call, extra_content: extra };
  });
  return {
    ...(calls.length > 0 && { tool_calls: signed }),
    // DeepSeek requires the member with every call, also with calls of other models.
    ...((dialect === "deepseek" || amendments.has("reasoning")) &&
      calls.length > 0 && { reasoning_content: "" }),
    ...back,
  };
}

/** What Gemini accepts in the place of a signature for calls that it has not made. */
const UNSIGNED = { google: { thought_signature: "skip_thought_signature_validator" } } as const;

/**
 * Repairs ids, names and arguments that another provider or a confused model produced, so that no request is refused.
 */
export function toWireCall(
  call: ToolCall,
  used: Set<string>,
  ids: Ids,
): ChatCompletionMessageFunctionToolCall {
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

/** Which call ids a server accepts, and how to make one. */
interface Ids {
  readonly good: RegExp;
  another(place: number): string;
}

/** Mistral's models, at any provider. One with another name is known by what it has refused. */
const isMistral = ({ model, amendments }: Pick<OpenAiBodyOptions, "model" | "amendments">): boolean =>
  /[sx]tral/iu.test(model) || amendments.has("mistral");

const MISTRALS_IDS: Ids = {
  good: /^[A-Za-z0-9]{9}$/u,
  another: (place) => `call${String(place).padStart(5, "0")}`,
};
/** OpenAI accepts ids of up to 40 characters. */
export const USUAL_IDS: Ids = { good: /^[\w-]{1,40}$/u, another: (place) => `call_${place}_again` };

function toWireTool({ name, description, parameters }: ToolSpec, dialect: Dialect): ChatCompletionTool {
  const schema = portableSchema(parameters);
  const accepted = dialect === "gemini" ? withoutEmptyProperties(schema) : schema;
  return { type: "function", function: { name, description, ...(accepted && { parameters: accepted }) } };
}
