import { RUN_PROBLEMS } from "../runs/run-problems.ts";
import * as z from "zod";
import { EXAMPLE, type FeatureDocs, type StreamDocs } from "../http/docs.ts";

const COMPLETION_ID = `chatcmpl-${EXAMPLE.runId}`;
const CREATED = 1_780_306_200;

const USAGE = {
  prompt_tokens: 812,
  completion_tokens: 9,
  total_tokens: 821,
  prompt_tokens_details: { cached_tokens: 640 },
};

const MODEL = {
  id: EXAMPLE.agentId,
  object: "model",
  created: CREATED,
  owned_by: "account",
  name: "Ada",
};

const chunk = (delta: object, finishReason: "stop" | null = null) => ({
  id: COMPLETION_ID,
  object: "chat.completion.chunk",
  created: CREATED,
  model: EXAMPLE.agentId,
  choices: [{ index: 0, delta, logprobs: null, finish_reason: finishReason }],
});

const USAGE_FIELDS = {
  prompt_tokens: "Tokens that the model read, in all its responses of the turn.",
  completion_tokens: "Tokens that the model wrote.",
  total_tokens: "Both.",
  prompt_tokens_details: "More about `prompt_tokens`.",
  "prompt_tokens_details.cached_tokens": "The part of them that came from the provider's cache.",
  completion_tokens_details: "More about `completion_tokens`. Absent if the provider does not report it.",
  "completion_tokens_details.reasoning_tokens": "The part of them spent on reasoning.",
};

/** The chunks of a streamed completion, as `chatCompletionsWriter` writes them. */
export const CHUNKS: StreamDocs = {
  id: "CompletionEvent",
  description:
    "What one `data:` line holds. The last line is `data: [DONE]`. If the run fails after the stream has begun, the last line is an `OpenAiError` instead.",
  discriminator: "object",
  events: [
    z
      .strictObject({
        id: z.string().describe("The completion's id: `chatcmpl-` and the id of the run."),
        object: z.literal("chat.completion.chunk").describe("The type of the event."),
        created: z.number().int().describe("When the run began, in seconds since 1970."),
        model: z.string().describe("The `model` of the request."),
        choices: z
          .array(
            z.strictObject({
              index: z.literal(0).describe("Always 0."),
              delta: z
                .strictObject({
                  role: z.literal("assistant").optional().describe("In the first chunk."),
                  content: z.string().optional().describe("A piece of the answer."),
                  tool_calls: z
                    .array(
                      z.strictObject({
                        index: z.number().int().describe("0, 1, 2 … within the answer."),
                        id: z.string().describe("The call's id."),
                        type: z.literal("function").describe("The type of the tool."),
                        function: z
                          .strictObject({
                            name: z.string().describe("The tool's name."),
                            arguments: z.string().describe("All its arguments: JSON as text."),
                          })
                          .describe("The call."),
                      }),
                    )
                    .optional()
                    .describe("A call of one of the client's tools, whole."),
                })
                .describe("What is new."),
              logprobs: z.null().describe("Always null."),
              finish_reason: z
                .enum(["stop", "length", "tool_calls"])
                .nullable()
                .describe("Why the answer has ended; null before its end."),
            }),
          )
          .describe("One choice, and none in the chunk with the tokens."),
        usage: z
          .looseObject({})
          .nullable()
          .optional()
          .describe("A `CompletionUsage` in the last chunk, null before. Only with `include_usage`."),
      })
      .describe("A piece of the answer.")
      .meta({ id: "CompletionChunk" }),
  ],
  examples: [chunk({ content: "Nice to meet you, Alice!" })],
};

/** The texts and examples of the routes for OpenAI's clients. */
export const openAiDocs: FeatureDocs = {
  operations: {
    createChatCompletion: {
      tag: "Chat",
      summary: "Chat with an agent through OpenAI's client",
      description:
        'OpenAI\'s chat completions, with an agent as the model: `new OpenAI({ baseURL: "…/v1", apiKey: "dab_…" })`. The agent answers with its own memory, tools and instructions; tools stay hidden.\n\n**History.** With `X-Conversation-Id` or `metadata.conversation_id`, the service keeps the conversation, and only the last message of the request is read. Without them, the messages of the request are the history, nothing of it is kept for longer than a day, and only the agent\'s memory is lasting. Then system messages reach the model as words of the user, because the agent has instructions of its own.\n\n**End users.** `user` chooses the end user whose conversations and memory are used, and creates the end user if necessary; an API key needs the scope `end-users:write`. It never says who the caller is.\n\n**Client tools.** `tools` are offered to the model beside the agent\'s own. When it calls one, the answer ends with `finish_reason: "tool_calls"`. Send the results as messages of the role `tool`, behind the answer with the calls: in a conversation, the same run goes on; without one, the messages of the request are the history. A run waits for 24 hours. Another message ends it.\n\n`n` above 1 and audio are refused; so is a JSON `response_format` if the provider of the agent has no such answers (Anthropic, Bedrock). Settings that belong to the agent, such as `temperature`, and unknown members are ignored. A run goes on if the client disconnects; cancel it with `cancelRun`. With an `Idempotency-Key`, a repeat returns the answer of the same run.',
      request: {
        model: EXAMPLE.agentId,
        messages: [{ role: "user", content: "Hi, I'm Alice. I work at the library." }],
      },
      answers: {
        200: {
          id: COMPLETION_ID,
          object: "chat.completion",
          created: CREATED,
          model: EXAMPLE.agentId,
          choices: [
            {
              index: 0,
              message: { role: "assistant", content: "Nice to meet you, Alice!", refusal: null },
              logprobs: null,
              finish_reason: "stop",
            },
          ],
          usage: USAGE,
        },
      },
      stream: CHUNKS,
      headers: ["RateLimit", "RateLimit-Policy", "X-Conversation-Id", "X-Run-Id"],
      problems: [
        "not-found",
        "conversation-busy",
        "conflict",
        "gone",
        "provider-not-configured",
        "limit-exceeded",
        ...RUN_PROBLEMS,
      ],
    },
    listAgentsAsModels: {
      tag: "Agents",
      summary: "List the agents as OpenAI's models",
      description: "Lists the agents that the caller may use, for clients that offer a choice of models.",
      answers: { 200: { object: "list", data: [MODEL] } },
    },
    getAgentAsModel: {
      tag: "Agents",
      summary: "Get an agent as one of OpenAI's models",
      description: "Returns one agent, by its id or its name.",
      answers: { 200: MODEL },
      problems: ["not-found"],
    },
  },
  schemas: {
    CompletionRequest: {
      description: "What OpenAI's client sends for a chat completion. Further members are ignored.",
      fields: {
        model: "The id or the name of an agent.",
        messages: "What was said, and last what the user says now.",
        "messages.role":
          "Who says it. The last message is the user's, or the result of a tool of the client.",
        "messages.content": "The text, or its parts.",
        "messages.content.type": "The type of the part.",
        "messages.content.text": "The text of a part of type `text`.",
        "messages.content.refusal": "The text of a part of type `refusal`.",
        "messages.content.file": "The file of a part of type `file`.",
        "messages.content.file.file_data": "A text file: a `data:` URL, or base64.",
        "messages.content.file.filename": "The name of the file.",
        "messages.tool_calls": "The calls of the client's tools in an answer, as they came.",
        "messages.tool_calls.id": "The call's id.",
        "messages.tool_calls.type": "The type of the tool.",
        "messages.tool_calls.function": "The call.",
        "messages.tool_calls.function.name": "The tool's name.",
        "messages.tool_calls.function.arguments": "The arguments: JSON as text.",
        "messages.tool_call_id": "The call that a message of the role `tool` is the result of.",
        stream: "Whether the answer is streamed.",
        stream_options: "Options of the stream.",
        "stream_options.include_usage": "Whether the last chunk has the tokens.",
        user: "The end user whose conversations and memory are used.",
        metadata: "Only `conversation_id` is read.",
        "metadata.conversation_id": "The same as `X-Conversation-Id`.",
        n: "The number of answers.",
        tools: "Tools that the client runs. The agent has its own besides.",
        "tools.type": "The type of the tool.",
        "tools.function": "The function.",
        tool_choice:
          "`none` offers no tools of the client, `required` makes the model call a tool first, and an object names that tool.",
        "tool_choice.type": "The type of the tool.",
        "tool_choice.function": "The tool.",
        "tool_choice.function.name": "The tool's name.",
        parallel_tool_calls: "If false, the client runs at most one of its tools per response of the model.",
        functions: "Not supported.",
        audio: "Not supported.",
        response_format: "The form of the answer; text by default.",
        "response_format.type": "The form of the answer.",
        "response_format.json_schema": "Required with the type `json_schema`.",
        "response_format.json_schema.name": "The name of the schema.",
        "response_format.json_schema.description": "What the answer is for.",
        "response_format.json_schema.schema": "The JSON Schema.",
        "response_format.json_schema.strict": "Whether the provider must keep exactly to the schema.",
      },
    },
    CompletionCall: {
      description: "A call of one of the client's tools.",
      fields: {
        id: "The call's id.",
        type: "The type of the tool.",
        function: "The call.",
        "function.name": "The tool's name.",
        "function.arguments": "The arguments: JSON as text.",
      },
    },
    CompletionUsage: { description: "Tokens as the provider counted them.", fields: USAGE_FIELDS },
    Completion: {
      description: "A whole answer.",
      fields: {
        id: "The completion's id: `chatcmpl-` and the id of the run.",
        object: "The type of the object.",
        created: "When the run began, in seconds since 1970.",
        model: "The `model` of the request.",
        choices: "One choice.",
        "choices.index": "Always 0.",
        "choices.message": "The answer.",
        "choices.message.role": "Always `assistant`.",
        "choices.message.refusal": "Always null: a refusal is a text like any other.",
        "choices.logprobs": "Always null.",
        "choices.message.content": "The text of the answer.",
        "choices.message.tool_calls": "The calls of the client's tools. Absent if there are none.",
        "choices.finish_reason":
          "`length` if the answer was cut off at a limit on its length, `tool_calls` if the client has to run tools.",
        usage: "The tokens of the turn. Absent if the provider has not counted them.",
      },
    },
    AgentAsModel: {
      description: "An agent as one of OpenAI's models.",
      fields: {
        id: "The agent's id. Send it, or the name, as `model`.",
        object: "The type of the object.",
        created: "When the agent was created, in seconds since 1970.",
        owned_by: "Always `account`.",
        name: "The agent's name.",
      },
    },
    AgentsAsModels: {
      description: "The agents of the account.",
      fields: { object: "The type of the object.", data: "The agents." },
    },
  },
};
