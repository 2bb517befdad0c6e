import { EXAMPLE, type FeatureDocs } from "../http/docs.ts";
import { RUN_PROBLEMS } from "../runs/run-problems.ts";
import { CANCELLED, COMPLETED, RESPONSE_EVENTS } from "./response-event-docs.ts";

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
        "OpenAI's Responses API, with an agent as the model. A response is a run, or a part of one: the agent answers with its own memory, tools and instructions; these tools stay hidden.\n\n**Conversations.** `previous_response_id` continues from the newest response of a conversation; an older one is refused with 409. Responses that have failed or were cancelled do not count, so the request can be tried again with the same `previous_response_id`; what was said in them stays in the history. `conversation` is the id of a conversation with the agent, or any name of yours. Without either, a conversation begins, which later responses can continue. With `store: false`, or if the input has messages or calls of the assistant, the input is the history and nothing of it is kept for longer than a day; then nothing can follow. What the input says behind the last message of the assistant is new: several messages of the user become one.\n\n**Instructions.** `instructions` and messages of the system or the developer reach the model as words of the user, in this turn only, because the agent has instructions of its own.\n\n**Background.** With `background: true`, the request returns as soon as the run has begun; retrieve the response until its `status` is no longer `in_progress`. Without it, a run goes on as well if the client disconnects.\n\n**End users.** `user` or else `safety_identifier` chooses the end user whose conversations and memory are used, and creates the end user if necessary; an API key needs the scope `end-users:write`. A response that continues another one is about the same person.\n\n**Client tools.** `tools` (functions) are offered to the model beside the agent's own. When it calls one, the response is completed with items of the type `function_call`, and the run waits for 24 hours. Send the results of all calls as `function_call_output`, with `previous_response_id` or `conversation`: the same run goes on, as the next response, with the tools and the instructions of that request. A repeat returns the same response. Messages of the user behind the results end the run with these, and another run answers; messages without the results end it, too. Without a conversation, send the calls and the results in the input. Items of the type `reasoning` are ignored.\n\nHosted tools, `item_reference`, `prompt`, images and files by id are refused; so is a JSON `text.format` if the provider of the agent has no such answers (Anthropic, Bedrock). Settings that belong to the agent, such as `temperature`, and unknown members are ignored. With an `Idempotency-Key`, a repeat returns the response of the same run.",
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
        "Returns the user's message that a response answers, with its files, or the results of the client's tools that it follows, cut to 2,000 bytes each. Instructions, and a history that the client keeps, are not stored.",
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
        limit: { description: "Ignored: the list is whole.", example: "20" },
        order: { description: "Ignored: the list is whole.", example: "asc" },
        after: {
          description: "The id of an item: the list begins behind it. Ignored if there is no such item.",
          example: `msg_${EXAMPLE.messageId}`,
        },
      },
      problems: ["not-found"],
    },
    cancelResponse: {
      tag: "Chat",
      summary: "Cancel a response",
      description:
        "Stops the run of a response, in the background or not, and returns the response. The answer so far is kept. A response that has ended is returned as it is, also if the run waits for the results of its calls.",
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
        "input.role": "Who says it. The last message is not the assistant's. Required in messages.",
        "input.call_id":
          "The id of the call, in items of the types `function_call` and `function_call_output`.",
        "input.name": "The tool's name, in a `function_call`.",
        "input.arguments": "The arguments, in a `function_call`: JSON as text.",
        "input.output": "The result, in a `function_call_output`: text, or parts of the type `input_text`.",
        "input.output.type": "The type of the part.",
        "input.output.text": "The text of the part.",
        "input.output.refusal": "The text of a part of type `refusal`.",
        "input.output.file_data": "Not supported: a result is text.",
        "input.output.file_url": "Not supported: a result is text.",
        "input.output.image_url": "Not supported: a result is text.",
        "input.output.file_id": "Not supported: a result is text.",
        "input.output.filename": "Not supported: a result is text.",
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
        "text.format.type": "The form of the answer.",
        "text.format.name": "The name of the schema.",
        "text.format.description": "What the answer is for.",
        "text.format.schema": "The JSON Schema.",
        "text.format.strict": "Whether the provider must keep exactly to the schema.",
        metadata: "Texts of your own, which the response repeats.",
        user: "The end user whose conversations and memory are used.",
        safety_identifier: "The same as `user`, which wins if both are sent.",
        tools: "Tools that the client runs. The agent has its own besides.",
        "tools.type": "Always `function`: tools that OpenAI runs do not exist here.",
        "tools.strict": "Repeated in the response, and otherwise ignored.",
        tool_choice:
          "`none` offers no tools of the client, `required` makes the model call a tool first, and an object names that tool.",
        "tool_choice.type": "The type of the tool.",
        "tool_choice.name": "The tool's name.",
        parallel_tool_calls: "If false, the client runs at most one of its tools per response of the model.",
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
        output:
          "The answer, if it has text, and then the calls that are left to the client. Empty before the end.",
        parallel_tool_calls: "The `parallel_tool_calls` of the request; true by default.",
        previous_response_id: "The `previous_response_id` of the request.",
        conversation: "The conversation that the response belongs to; null if it is not kept.",
        "conversation.id": "The conversation's id.",
        reasoning: "Always null.",
        store: "Whether later responses can continue the conversation.",
        temperature: "Always null: the agent has its own.",
        text: "The form of the answer.",
        "text.format": "The `text.format` of the request.",
        tool_choice: "The `tool_choice` of the request; `auto` by default.",
        "tool_choice.type": "The type of the tool.",
        "tool_choice.name": "The tool's name.",
        tools: "The `tools` of the request. Those of the agent stay hidden.",
        top_p: "Always null: the agent has its own.",
        truncation: "Always `disabled`.",
        usage: "The tokens of the response; null if the provider has not counted them.",
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
    ResponseCall: {
      description: "A call that is left to the client.",
      fields: {
        id: "`fc_` and the id of the call.",
        type: "The type of the item.",
        call_id: "The id of the call, for its result.",
        name: "The tool's name.",
        arguments: "The arguments: JSON as text.",
        status: "Whether the call is whole.",
      },
    },
    ResponseTool: {
      description: "A tool of the client, as the request has sent it.",
      fields: {
        type: "The type of the tool.",
        name: "The tool's name.",
        description: "What it does; null if the request does not say so.",
        parameters: "The JSON Schema of its arguments; null if there is none.",
        strict: "The `strict` of the request; null if it has none.",
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
        data: "The user's message, or the results of the client's tools.",
        first_id: "The id of the first item; null if there is none.",
        last_id: "The id of the last item; null if there is none.",
        has_more: "Always false.",
      },
    },
    ResponseInputMessage: {
      description: "The user's message that a response answers.",
      fields: {
        id: "`msg_` and the id of the message.",
        type: "The type of the item.",
        role: "Always `user`.",
        status: "Always `completed`.",
        content: "The text, and the files.",
        "content.type": "The type of the part.",
        "content.text": "The text.",
        "content.filename": "The name of the file.",
        "content.file_data": "The file, as a `data:` URL.",
      },
    },
    ResponseResult: {
      description: "The result of a tool of the client.",
      fields: {
        id: "`fco_` and the id of the call.",
        type: "The type of the item.",
        call_id: "The id of the call.",
        output: "The result, cut to 2,000 bytes.",
        status: "Always `completed`.",
      },
    },
  },
};
