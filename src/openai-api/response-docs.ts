import { RUN_PROBLEMS } from "../runs/run-problems.ts";
import * as z from "zod";
import { EXAMPLE, type FeatureDocs, type StreamDocs } from "../http/docs.ts";
import { conversationIdOf, runIdOf } from "../shared/id-types.ts";
import { type ResponseRequest, type ResponseState, toResponse } from "../wires/responses.ts";
import { ResponseMessage, ResponseText, ResponseView } from "./response-view.ts";

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
const COMPLETED = response({
  status: "completed",
  answer: { id: EXAMPLE.answerId, text: ANSWER },
  usage: { inputTokens: 812, outputTokens: 9, cachedTokens: 640 },
});
const CANCELLED = response({ status: "cancelled" });
const FAILED = response({
  status: "failed",
  error: { code: "provider-unavailable", message: "The model provider is not available at the moment." },
});
const [MESSAGE] = COMPLETED.output;

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
  output_index: z.literal(0).describe("Always 0."),
};
const Part = {
  ...Item,
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
    event("ResponseItemAdded", "response.output_item.added", "The answer begins.", {
      ...Item,
      item: ResponseMessage.describe("The answer, which is empty."),
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
    event("ResponseItemDone", "response.output_item.done", "The answer has ended.", {
      ...Item,
      item: ResponseMessage.describe("The answer."),
    }),
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

/** What OpenAI's client may ask for beside a response. */
const INCLUDE = {
  include: { description: "Ignored: there is nothing to include.", example: "message.output_text.logprobs" },
  "include[]": {
    description: "Ignored: there is nothing to include.",
    example: ["message.output_text.logprobs"],
  },
};

/** The texts and examples of the routes for OpenAI's responses. */
export const responseDocs: FeatureDocs = {
  operations: {
    createResponse: {
      tag: "Chat",
      summary: "Create one of OpenAI's responses",
      description:
        "OpenAI's Responses API, with an agent as the model. A response is a run: the agent answers with its own memory, tools and instructions; tools stay hidden.\n\n**Conversations.** `previous_response_id` continues from the newest response of a conversation; an older one is refused with 409. Responses that have failed or were cancelled do not count, so the request can be tried again with the same `previous_response_id`; what was said in them stays in the history. `conversation` is the id of a conversation with the agent, or any name of yours. Without either, a conversation begins, which later responses can continue. With `store: false`, or if the input has messages of the assistant, the input is the history and nothing of it is kept for longer than a day; then nothing can follow. What the input says behind the last message of the assistant is new: several messages of the user become one.\n\n**Instructions.** `instructions` and messages of the system or the developer reach the model as words of the user, in this turn only, because the agent has instructions of its own.\n\n**Background.** With `background: true`, the request returns as soon as the run has begun; retrieve the response until its `status` is no longer `in_progress`. Without it, a run goes on as well if the client disconnects.\n\n**End users.** `user` or else `safety_identifier` chooses the end user whose conversations and memory are used, and creates the end user if necessary; an API key needs the scope `end-users:write`. A response that continues another one is about the same person.\n\nTools of the client, `prompt`, images and files by id are refused; so is a JSON `text.format` if the provider of the agent has no such answers (Anthropic, Bedrock). Settings that belong to the agent, such as `temperature`, and unknown members are ignored. With an `Idempotency-Key`, a repeat returns the response of the same run.",
      request: { model: EXAMPLE.agentId, input: "Hi, I'm Alice. I work at the library." },
      answers: { 200: COMPLETED },
      stream: RESPONSE_EVENTS,
      headers: ["RateLimit", "RateLimit-Policy", "X-Conversation-Id", "X-Run-Id"],
      problems: [
        "not-found",
        "conversation-busy",
        "conflict",
        "provider-not-configured",
        "limit-exceeded",
        ...RUN_PROBLEMS,
      ],
    },
    getResponse: {
      tag: "Chat",
      summary: "Retrieve a response, or resume its stream",
      description:
        "Returns a response as it is now, for 90 days. With `stream=true`, streams its events: first those that have happened, behind `starting_after` if it is sent, and then new ones until the run ends. The events are kept for a day. An API key needs `end-users:read` for the responses of end users. An end user does not see the instructions, the metadata, the schema and the `safety_identifier` that an application has sent.",
      answers: { 200: COMPLETED },
      stream: RESPONSE_EVENTS,
      headers: ["X-Conversation-Id", "X-Run-Id"],
      parameters: {
        ...INCLUDE,
        include_obfuscation: { description: "Ignored: events have no padding.", example: "false" },
        stream: { description: "`true` streams the events of the response.", example: "true" },
        starting_after: {
          description: "Only the events after this `sequence_number` are streamed.",
          example: 4,
        },
      },
      problems: ["not-found", "gone"],
    },
    listResponseInput: {
      tag: "Chat",
      summary: "List the input of a response",
      description:
        "Returns the user's message that a response answers, with its files. Instructions, and a history that the client keeps, are not stored.",
      answers: {
        200: {
          object: "list",
          data: [
            {
              id: `msg_${EXAMPLE.messageId}`,
              type: "message",
              role: "user",
              status: "completed",
              content: [{ type: "input_text", text: "Hi, I'm Alice. I work at the library." }],
            },
          ],
          first_id: `msg_${EXAMPLE.messageId}`,
          last_id: `msg_${EXAMPLE.messageId}`,
          has_more: false,
        },
      },
      parameters: {
        ...INCLUDE,
        limit: { description: "Ignored: there is one item.", example: "20" },
        order: { description: "Ignored: there is one item.", example: "asc" },
        after: {
          description:
            "With the id of the item, the list is empty. Anything else is ignored: there is one item.",
          example: `msg_${EXAMPLE.messageId}`,
        },
      },
      problems: ["not-found"],
    },
    cancelResponse: {
      tag: "Chat",
      summary: "Cancel a response",
      description:
        "Stops the run of a response, in the background or not, and returns the response. The answer so far is kept. A response that has ended is returned as it is.",
      answers: { 200: CANCELLED },
      headers: ["X-Conversation-Id", "X-Run-Id"],
      problems: ["not-found"],
    },
  },
  schemas: {
    NewResponse: {
      description: "What OpenAI's client sends for a response. Further members are ignored.",
      fields: {
        model: "The id or the name of an agent.",
        input: "What the user says, or messages of which the last are new.",
        "input.type": "The type of the item.",
        "input.role": "Who says it. The last message is not the assistant's.",
        "input.content": "The text, or its parts.",
        "input.content.type": "The type of the part.",
        "input.content.text": "The text of a part of type `input_text` or `output_text`.",
        "input.content.refusal": "The text of a part of type `refusal`.",
        "input.content.file_data": "A text file: a `data:` URL, or base64.",
        "input.content.file_url": "Only a `data:` URL. Files at other addresses are not fetched.",
        "input.content.image_url": "Not supported: images are refused.",
        "input.content.file_id": "Not supported: files can't be sent by id.",
        "input.content.filename": "The name of the file.",
        instructions: "What the application says about this answer. It has the rights of the user.",
        stream: "Whether the answer is streamed.",
        background: "Whether the request returns as soon as the run has begun. Retrieve the response later.",
        store: "Whether later responses can continue the conversation; true by default.",
        previous_response_id: "The response to continue from: the newest answered one of its conversation.",
        conversation:
          "The id of a conversation with the agent, or any name of yours, which the first message creates.",
        "conversation.id": "The id or the name.",
        text: "The form of the answer.",
        "text.format": "The form of the answer; text by default.",
        metadata: "Texts of your own, which the response repeats.",
        user: "The end user whose conversations and memory are used.",
        safety_identifier: "The same as `user`, which wins if both are sent.",
        tools: "Not supported.",
        prompt: "Not supported.",
      },
    },
    OpenAiResponse: {
      description: "A run as one of OpenAI's responses.",
      fields: {
        id: "The response's id.",
        object: "The type of the object.",
        created_at: "When the run began, in seconds since 1970.",
        status: "How far the response is. `incomplete` means that it was cut off at a limit on its length.",
        background: "Whether it was created in the background.",
        error: "Why it has failed; null if it has not.",
        "error.code": "The nearest code that OpenAI's clients know.",
        "error.message": "A sentence for people.",
        "error.type": "The code of the problem, as in `OpenAiError`.",
        incomplete_details: "Why it is incomplete; null if it is not.",
        "incomplete_details.reason": "Always `max_output_tokens`.",
        instructions: "The `instructions` of the request.",
        max_output_tokens: "Always null: the agent has its own limit.",
        max_tool_calls: "Always null: the agent has its own limit.",
        metadata: "The `metadata` of the request.",
        model: "The `model` of the request.",
        output: "The answer; empty before its end, and if it has no text.",
        parallel_tool_calls: "Always true.",
        previous_response_id: "The `previous_response_id` of the request.",
        conversation: "The conversation that the response belongs to; null if it is not kept.",
        "conversation.id": "The conversation's id.",
        reasoning: "Always null.",
        store: "Whether later responses can continue the conversation.",
        temperature: "Always null: the agent has its own.",
        text: "The form of the answer.",
        "text.format": "The `text.format` of the request.",
        tool_choice: "Always `auto`.",
        tools: "Always empty: the tools of the agent stay hidden.",
        top_p: "Always null: the agent has its own.",
        truncation: "Always `disabled`.",
        usage: "The tokens of the turn; null if the provider has not counted them.",
        user: "The `user` of the request. Absent if it has none.",
        safety_identifier: "The `safety_identifier` of the request. Absent if it has none.",
      },
    },
    OpenAiResponseReference: {
      description: "A response without what was said in it.",
      like: "OpenAiResponse",
    },
    ResponseMessage: {
      description: "The answer of a response.",
      fields: {
        id: "`msg_` and the id of the message.",
        type: "The type of the item.",
        role: "Always `assistant`.",
        status: "Whether the answer is whole.",
        content: "The text, in one part.",
      },
    },
    ResponseText: {
      description: "The text of an answer.",
      fields: {
        type: "The type of the part.",
        text: "The text.",
        annotations: "Always empty.",
        logprobs: "Always empty.",
      },
    },
    ResponseUsage: {
      description: "Tokens as the provider counted them.",
      fields: {
        input_tokens: "Tokens that the model read, in all its responses of the turn.",
        input_tokens_details: "More about `input_tokens`.",
        "input_tokens_details.cached_tokens": "The part of them that came from the provider's cache.",
        output_tokens: "Tokens that the model wrote.",
        output_tokens_details: "More about `output_tokens`.",
        "output_tokens_details.reasoning_tokens":
          "The part of them spent on reasoning; 0 if the provider does not report it.",
        total_tokens: "Both.",
      },
    },
    ResponseInputItems: {
      description: "The input of a response.",
      fields: {
        object: "The type of the object.",
        data: "The user's message.",
        "data.id": "`msg_` and the id of the message.",
        "data.type": "The type of the item.",
        "data.role": "Always `user`.",
        "data.status": "Always `completed`.",
        "data.content": "The text, and the files.",
        "data.content.type": "The type of the part.",
        "data.content.text": "The text.",
        "data.content.filename": "The name of the file.",
        "data.content.file_data": "The file, as a `data:` URL.",
        first_id: "The id of the message; null behind it.",
        last_id: "The id of the message; null behind it.",
        has_more: "Always false.",
      },
    },
  },
};
