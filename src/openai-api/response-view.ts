import * as z from "zod";
import { CHOICES } from "./client-tools.ts";

/** A list that OpenAI's clients expect, and that is always empty here. */
const Nothing = z.array(z.strictObject({})).max(0);

/** The text of an answer. */
export const ResponseText = z
  .object({
    type: z.literal("output_text"),
    text: z.string(),
    annotations: Nothing,
    logprobs: Nothing,
  })
  .meta({ id: "ResponseText" });

/** The answer of a response. */
export const ResponseMessage = z
  .object({
    id: z.string(),
    type: z.literal("message"),
    role: z.literal("assistant"),
    status: z.enum(["in_progress", "completed", "incomplete"]),
    content: z.array(ResponseText),
  })
  .meta({ id: "ResponseMessage" });

/** A call that is left to the client. */
export const ResponseCall = z
  .object({
    id: z.string(),
    type: z.literal("function_call"),
    call_id: z.string(),
    name: z.string(),
    arguments: z.string(),
    status: z.enum(["in_progress", "completed"]),
  })
  .meta({ id: "ResponseCall" });

const ResponseTool = z
  .object({
    type: z.literal("function"),
    name: z.string(),
    description: z.string().nullable(),
    parameters: z.record(z.string(), z.unknown()).nullable(),
    strict: z.boolean().nullable(),
  })
  .meta({ id: "ResponseTool" });

const Usage = z
  .object({
    input_tokens: z.number(),
    input_tokens_details: z.object({ cached_tokens: z.number() }),
    output_tokens: z.number(),
    output_tokens_details: z.object({ reasoning_tokens: z.number() }),
    total_tokens: z.number(),
  })
  .meta({ id: "ResponseUsage" });

/** A run as one of OpenAI's responses; see `toResponse`. */
export const ResponseView = z
  .object({
    id: z.string(),
    object: z.literal("response"),
    created_at: z.number(),
    status: z.enum(["in_progress", "completed", "incomplete", "failed", "cancelled"]),
    background: z.boolean(),
    error: z.object({ code: z.string(), message: z.string(), type: z.string() }).nullable(),
    incomplete_details: z.object({ reason: z.literal("max_output_tokens") }).nullable(),
    instructions: z.string().nullable(),
    max_output_tokens: z.null(),
    max_tool_calls: z.null(),
    metadata: z.record(z.string(), z.string()),
    model: z.string(),
    output: z.array(z.union([ResponseMessage, ResponseCall])),
    parallel_tool_calls: z.boolean(),
    previous_response_id: z.string().nullable(),
    conversation: z.object({ id: z.string() }).nullable(),
    reasoning: z.null(),
    store: z.boolean(),
    temperature: z.null(),
    text: z.object({ format: z.record(z.string(), z.unknown()) }),
    tool_choice: z.union([z.enum(CHOICES), z.object({ type: z.literal("function"), name: z.string() })]),
    tools: z.array(ResponseTool),
    top_p: z.null(),
    truncation: z.literal("disabled"),
    usage: Usage.nullable(),
    user: z.string().exactOptional(),
    safety_identifier: z.string().exactOptional(),
  })
  .meta({ id: "OpenAiResponse" });

/** A response without what was said in it. */
export const ResponseReference = ResponseView.pick({
  id: true,
  object: true,
  created_at: true,
  status: true,
}).meta({ id: "OpenAiResponseReference" });

const InputText = z.object({ type: z.literal("input_text"), text: z.string() });
const InputFile = z.object({ type: z.literal("input_file"), filename: z.string(), file_data: z.string() });

const ResponseInputMessage = z
  .object({
    id: z.string(),
    type: z.literal("message"),
    role: z.literal("user"),
    status: z.literal("completed"),
    content: z.array(z.union([InputText, InputFile])),
  })
  .meta({ id: "ResponseInputMessage" });

const ResponseResult = z
  .object({
    id: z.string(),
    type: z.literal("function_call_output"),
    call_id: z.string(),
    output: z.string(),
    status: z.literal("completed"),
  })
  .meta({ id: "ResponseResult" });

/** What a response answers; see `toInputItems` and `toResultItems`. */
export const InputItemsView = z
  .object({
    object: z.literal("list"),
    data: z.array(z.union([ResponseInputMessage, ResponseResult])),
    first_id: z.string().nullable(),
    last_id: z.string().nullable(),
    has_more: z.literal(false),
  })
  .meta({ id: "ResponseInputItems" });
