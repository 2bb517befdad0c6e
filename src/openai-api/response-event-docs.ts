import * as z from "zod";
import { EXAMPLE, type StreamDocs } from "../http/docs.ts";
import { conversationIdOf, runIdOf } from "../shared/id-types.ts";
import { type ResponseRequest, type ResponseState, toResponse } from "../wires/responses.ts";
import { ResponseCall, ResponseMessage, ResponseText, ResponseView } from "./response-view.ts";

const REQUEST: ResponseRequest = {
  model: EXAMPLE.agentId,
  instructions: null,
  previousResponseId: null,
  metadata: {},
  format: { type: "text" },
  isBackground: false,
  isStored: true,
  user: null,
  safetyIdentifier: null,
  isEndUsers: false,
};

const RUN = {
  runId: runIdOf(EXAMPLE.runId),
  conversationId: conversationIdOf(EXAMPLE.conversationId),
  startedAt: Date.parse(EXAMPLE.at),
};

const ANSWER = "Nice to meet you, Alice!";

const response = (state: ResponseState) => toResponse(RUN, REQUEST, state);
const IN_PROGRESS = response({ status: "in_progress" });
export const COMPLETED = response({
  status: "completed",
  answer: { id: EXAMPLE.answerId, text: ANSWER },
  usage: { inputTokens: 812, outputTokens: 9, cachedTokens: 640 },
});
export const CANCELLED = response({ status: "cancelled" });
const FAILED = response({
  status: "failed",
  error: { code: "provider-unavailable", message: "The model provider is not available at the moment." },
});
const CALL = {
  id: "call_1",
  name: "get_weather",
  arguments: '{"city":"Rome"}',
};
const CALLING = response({ status: "completed", calls: [CALL] });
const [CALL_ITEM] = CALLING.output;
const CALL_AT = { output_index: 0, item_id: CALL_ITEM?.id };
const MESSAGE = COMPLETED.output.find((item) => item.type === "message");

/** Returns the schema of an event. */
const event = <T extends string, S extends z.ZodRawShape>(
  id: string,
  type: T,
  description: string,
  shape: S,
) =>
  z
    .strictObject({
      type: z.literal(type).describe("The type of the event, which is also the `event` of its frame."),
      ...shape,
      sequence_number: z.number().int().describe("The number of the event, from 0."),
    })
    .describe(description)
    .meta({ id });

const Whole = { response: ResponseView.describe("The response as it is now.") };
const Item = {
  output_index: z.number().int().describe("The place of the item in the output, from 0."),
};
const CallPart = {
  ...Item,
  item_id: z.string().describe("The id of the item."),
};
const Part = {
  output_index: z.literal(0).describe("Always 0: the answer comes before calls."),
  item_id: z.string().describe("The id of the answer."),
  content_index: z.literal(0).describe("Always 0."),
};
const NoLogprobs = z.array(z.strictObject({})).max(0).describe("Always empty.");

/** The events of a streamed response, as `responsesWriter` writes them. */
export const RESPONSE_EVENTS: StreamDocs = {
  id: "ResponseEvent",
  description:
    "What one `data:` line holds. Numbers have no gaps unless the run was interrupted. OpenAI has no event for a cancelled response: it ends with `response.incomplete`, with the status `cancelled`.",
  discriminator: "type",
  events: [
    event("ResponseCreated", "response.created", "The run has begun.", Whole),
    event("ResponseInProgress", "response.in_progress", "The agent works.", Whole),
    event("ResponseItemAdded", "response.output_item.added", "The answer begins, or a call.", {
      ...Item,
      item: z.union([ResponseMessage, ResponseCall]).describe("The answer or the call, which is empty."),
    }),
    event("ResponsePartAdded", "response.content_part.added", "The text of the answer begins.", {
      ...Part,
      part: ResponseText.describe("The text, which is empty."),
    }),
    event("ResponseTextDelta", "response.output_text.delta", "A piece of the answer.", {
      ...Part,
      delta: z.string().describe("The piece."),
      logprobs: NoLogprobs,
    }),
    event("ResponseTextDone", "response.output_text.done", "The text of the answer has ended.", {
      ...Part,
      text: z.string().describe("All of it."),
      logprobs: NoLogprobs,
    }),
    event("ResponsePartDone", "response.content_part.done", "The text of the answer has ended.", {
      ...Part,
      part: ResponseText.describe("All of it."),
    }),
    event("ResponseItemDone", "response.output_item.done", "The answer has ended, or a call.", {
      ...Item,
      item: z.union([ResponseMessage, ResponseCall]).describe("The answer, or the call."),
    }),
    event(
      "ResponseArgumentsDelta",
      "response.function_call_arguments.delta",
      "The arguments of a call, in one piece.",
      { ...CallPart, delta: z.string().describe("The arguments: JSON as text.") },
    ),
    event(
      "ResponseArgumentsDone",
      "response.function_call_arguments.done",
      "The arguments of a call have ended.",
      { ...CallPart, arguments: z.string().describe("All of them.") },
    ),
    event("ResponseCompleted", "response.completed", "The response is whole.", Whole),
    event(
      "ResponseIncomplete",
      "response.incomplete",
      "The response was cut off at a limit on its length, or cancelled.",
      Whole,
    ),
    event("ResponseFailed", "response.failed", "The run has failed. An `error` follows.", Whole),
    event("ResponseError", "error", "Why the run has failed. OpenAI's client throws it.", {
      code: z.string().describe("The code of the problem, as in `OpenAiError`."),
      message: z.string().describe("A sentence for people."),
      param: z.null().describe("Always null."),
    }),
  ],
  examples: [
    { type: "response.created", response: IN_PROGRESS, sequence_number: 0 },
    { type: "response.in_progress", response: IN_PROGRESS, sequence_number: 1 },
    {
      type: "response.output_item.added",
      output_index: 0,
      item: { ...MESSAGE, status: "in_progress", content: [] },
      sequence_number: 2,
    },
    {
      type: "response.content_part.added",
      output_index: 0,
      item_id: MESSAGE?.id,
      content_index: 0,
      part: { ...MESSAGE?.content[0], text: "" },
      sequence_number: 3,
    },
    {
      type: "response.output_text.delta",
      output_index: 0,
      item_id: MESSAGE?.id,
      content_index: 0,
      delta: ANSWER,
      logprobs: [],
      sequence_number: 4,
    },
    {
      type: "response.output_text.done",
      output_index: 0,
      item_id: MESSAGE?.id,
      content_index: 0,
      text: ANSWER,
      logprobs: [],
      sequence_number: 5,
    },
    {
      type: "response.content_part.done",
      output_index: 0,
      item_id: MESSAGE?.id,
      content_index: 0,
      part: MESSAGE?.content[0],
      sequence_number: 6,
    },
    { type: "response.output_item.done", output_index: 0, item: MESSAGE, sequence_number: 7 },
    { type: "response.completed", response: COMPLETED, sequence_number: 8 },
    {
      type: "response.output_item.added",
      output_index: 0,
      item: { ...CALL_ITEM, arguments: "", status: "in_progress" },
      sequence_number: 2,
    },
    {
      type: "response.function_call_arguments.delta",
      ...CALL_AT,
      delta: CALL.arguments,
      sequence_number: 3,
    },
    {
      type: "response.function_call_arguments.done",
      ...CALL_AT,
      arguments: CALL.arguments,
      sequence_number: 4,
    },
    { type: "response.output_item.done", output_index: 0, item: CALL_ITEM, sequence_number: 5 },
    { type: "response.completed", response: CALLING, sequence_number: 6 },
    { type: "response.incomplete", response: CANCELLED, sequence_number: 2 },
    { type: "response.failed", response: FAILED, sequence_number: 2 },
    {
      type: "error",
      code: "provider-unavailable",
      message: "The model provider is not available at the moment.",
      param: null,
      sequence_number: 3,
    },
  ],
};
