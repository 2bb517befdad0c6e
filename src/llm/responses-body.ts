import type {
  EasyInputMessage,
  FunctionTool,
  ResponseCreateParamsBase,
  ResponseFormatTextConfig,
  ResponseInputItem,
  ResponseReasoningItem,
} from "openai/resources/responses/responses";
import { objectsAt, textAt } from "../shared/json.ts";
import { resultsAfter, withoutCalls } from "./dialogue.ts";
import type { AnswerFormat, ModelMessage, ToolSpec } from "./model.ts";
import { USUAL_IDS, outputLimit, type OpenAiBodyOptions, reasons, toWireCall } from "./openai-body.ts";
import { portableSchema } from "./tool-schemas.ts";

/** The API refuses a lower limit on the output. */
const MIN_OUTPUT_TOKENS = 16;

/** Returns the body of a request to the Responses API. The server stores nothing of it. */
export function toResponsesBody(options: OpenAiBodyOptions): ResponseCreateParamsBase {
  const { model, amendments, request } = options;
  const messages = amendments.has("tools") ? withoutCalls(request.messages) : request.messages;
  const tools = amendments.has("tools") ? [] : request.tools;
  const begin = messages.findIndex(({ role }) => role !== "system");
  const head = begin < 0 ? messages : messages.slice(0, begin);
  const instructions = head.map(({ content }) => content).join("\n\n");
  const input = toInput(messages.slice(head.length), options);
  return {
    model,
    stream: !amendments.has("stream"),
    store: false,
    ...(instructions.trim() !== "" && { instructions }),
    // The API requires an item.
    input: input.length > 0 ? input : [{ role: "user", content: "(no message)" }],
    ...(tools.length > 0 && { tools: tools.map(toWireTool) }),
    ...(tools.length > 0 && toolChoiceOf(options)),
    ...reasoningOf(options),
    ...settingsOf(options),
    ...(request.format && { text: { format: toTextFormat(request.format) } }),
  };
}

function toolChoiceOf({
  request: { toolChoice },
  amendments,
}: OpenAiBodyOptions): Pick<ResponseCreateParamsBase, "tool_choice"> {
  if (!toolChoice || amendments.has("tool-choice")) return {};
  const { name } = toolChoice;
  return { tool_choice: name === null ? "required" : { type: "function", name } };
}

function toTextFormat({
  name,
  description,
  schema,
  isStrict: strict,
}: AnswerFormat): ResponseFormatTextConfig {
  if (!schema) return { type: "json_object" };
  const about = { name, ...(description !== undefined && { description }) };
  return { type: "json_schema", ...about, schema: { ...schema }, strict };
}

/** Asks for a summary to show, and for the encrypted reasoning that goes back with the calls. */
function reasoningOf({ model, dialect, amendments }: OpenAiBodyOptions) {
  // Of other servers it is not known which of their models reason. They refuse what a model has not.
  if (dialect === "openai" && !reasons(model)) return {};
  return {
    ...(!amendments.has("encrypted") && { include: ["reasoning.encrypted_content" as const] }),
    ...(!amendments.has("summary") && { reasoning: { summary: "auto" as const } }),
  };
}

function settingsOf(options: OpenAiBodyOptions) {
  const { settings, dialect, model, amendments } = options;
  const takesTemperature = !(dialect === "openai" && reasons(model)) && !amendments.has("temperature");
  const limit = outputLimit(options);
  return {
    ...(settings.temperature !== undefined && takesTemperature && { temperature: settings.temperature }),
    ...(limit !== undefined && { max_output_tokens: Math.max(limit, MIN_OUTPUT_TOKENS) }),
  };
}

/** Ensures that every call is followed by its result, as the API requires. Blank messages are left out. */
function toInput(messages: readonly ModelMessage[], options: OpenAiBodyOptions): ResponseInputItem[] {
  const ids = USUAL_IDS;
  const used = new Set<string>();

  return messages.flatMap((message, index): ResponseInputItem[] => {
    if (message.role === "tool") return [];
    if (message.role !== "assistant")
      return textItems(message.role === "system" ? "developer" : "user", message.content);

    const calls = message.calls.map((call) => {
      const { id, function: made } = toWireCall(call, used, ids);
      return { type: "function_call" as const, call_id: id, name: made.name, arguments: made.arguments };
    });
    const results = resultsAfter(messages, index).map((output, at) => ({
      type: "function_call_output" as const,
      call_id: calls[at]?.call_id ?? "",
      output,
    }));
    return [...toOutput(message, calls, options), ...results];
  });
}

const textItems = (role: EasyInputMessage["role"], content: string): EasyInputMessage[] =>
  content.trim() === "" ? [] : [{ role, content }];

/**
 * Returns an answer as the items that it consisted of, with its reasoning in the same places if it comes from the same
 * server and model. The text of several messages is sent as one.
 */
function toOutput(
  { content, providerData }: Extract<ModelMessage, { readonly role: "assistant" }>,
  calls: readonly ResponseInputItem[],
  { source, amendments }: OpenAiBodyOptions,
): readonly ResponseInputItem[] {
  const data = providerData?.source === source ? providerData.data : {};
  const phase = PHASES.find((known) => known === data["phase"]);
  const texts: ResponseInputItem[] = textItems("assistant", content).map((item) =>
    phase ? { ...item, phase } : item,
  );
  const left = [...calls];

  const items = objectsAt(data, "output").flatMap((item): ResponseInputItem[] => {
    const type = textAt(item, "type");
    if (type === "reasoning") return amendments.has("encrypted") ? [] : [toReasoning(item)];
    return type === "message" ? texts.splice(0) : left.splice(0, 1);
  });
  const output = [...texts, ...items, ...left];
  // The API refuses reasoning that nothing follows. What followed may not have been stored.
  return output.slice(0, output.findLastIndex((item) => item.type !== "reasoning") + 1);
}

const PHASES = ["commentary", "final_answer"] as const;

const toReasoning = (item: Readonly<Record<string, unknown>>): ResponseReasoningItem => ({
  type: "reasoning",
  id: textAt(item, "id"),
  summary: objectsAt(item, "summary").map((part) => ({ type: "summary_text", text: textAt(part, "text") })),
  encrypted_content: textAt(item, "encrypted_content"),
});

/** Without `strict: false`, the API requires every argument. */
const toWireTool = ({ name, description, parameters }: ToolSpec): FunctionTool => ({
  type: "function",
  name,
  description,
  parameters: { ...portableSchema(parameters) },
  strict: false,
});
