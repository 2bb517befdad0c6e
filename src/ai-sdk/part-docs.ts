import * as z from "zod";
import { EXAMPLE, type StreamDocs } from "../http/docs.ts";
import { CitationView } from "../knowledge/citation-model.ts";
import { TokenUsageView } from "../plans/token-usage.ts";

/** Returns the schema of a part. Members that are not named here are refused by the AI SDK, so it has no others. */
const part = <T extends string, S extends z.ZodRawShape>(
  id: string,
  type: T,
  description: string,
  shape: S,
) =>
  z
    .strictObject({ type: z.literal(type).describe("The type of the part."), ...shape })
    .describe(description)
    .meta({ id });

const BlockId = z.string().describe("The block's id, the same in its start, its pieces and its end.");
const CallId = z.string().describe("The id that the call and its result have in common.");
const ToolName = z.string().describe("The tool's name.");
const ToolKind = {
  providerExecuted: z
    .literal(true)
    .optional()
    .describe("The tool runs on the server. Absent for the client's tools, and for calls that ask first."),
  dynamic: z
    .literal(true)
    .optional()
    .describe("The application need not know the tool. Absent for the client's tools."),
};
const Transient = z.literal(true).describe("The part is not kept in the message.");
const FinishReason = z
  .enum(["stop", "length", "tool-calls", "error"])
  .optional()
  .describe("Why the answer ended. Only with `?ai_sdk=6` and later.");
const MemoryBlock = z.object({
  block: z.string().describe("The name of the memory block."),
  version: z.number().int().describe("The number of the version that was created."),
});

/** The parts of a UI message stream, as `aiSdkWriter` writes them. */
export const UI_PARTS: StreamDocs = {
  id: "UiMessagePart",
  description:
    "What one `data:` line of the AI SDK's UI message stream (version 1) holds. The last line is `data: [DONE]`. Types that begin with `data-` are this service's own.",
  discriminator: "type",
  events: [
    part("UiStart", "start", "The answer begins.", {
      messageId: z.string().describe("The id under which the answer is stored."),
    }),
    part("UiRun", "data-run", "The run that writes the answer. With these ids it can be cancelled.", {
      id: z.string().describe("The run's id: an answer that goes on after a pause has the part once."),
      data: z
        .object({
          run_id: z.string().describe("The run's id."),
          conversation_id: z.string().describe("The conversation's id."),
          user_message_id: z.string().describe("The id under which the user's message is stored."),
        })
        .describe("The ids."),
    }),
    part("UiStatus", "data-status", "What the turn does at the moment.", {
      data: z.object({ text: z.string().describe("A status line for people.") }).describe("The status."),
      transient: Transient,
    }),
    part("UiCompaction", "data-compaction", "A memory block that was nearly full has been shortened.", {
      data: MemoryBlock.extend({
        words_before: z.number().int().describe("How many words the block had."),
        words_after: z.number().int().describe("How many words it has now."),
      }).describe("The block."),
    }),
    part("UiStartStep", "start-step", "A response of the model begins.", {}),
    part("UiFinishStep", "finish-step", "A response of the model has ended, and its tools have run.", {}),
    part("UiReasoningStart", "reasoning-start", "The model begins to think. Only with `?reasoning=1`.", {
      id: BlockId,
    }),
    part("UiReasoningDelta", "reasoning-delta", "A piece of what the model thinks.", {
      id: BlockId,
      delta: z.string().describe("The piece."),
    }),
    part("UiReasoningEnd", "reasoning-end", "The model has thought.", { id: BlockId }),
    part("UiTextStart", "text-start", "A text begins.", { id: BlockId }),
    part("UiTextDelta", "text-delta", "A piece of the text.", {
      id: BlockId,
      delta: z.string().describe("The piece."),
    }),
    part("UiTextEnd", "text-end", "The text has ended.", { id: BlockId }),
    part("UiToolInputStart", "tool-input-start", "The agent calls a tool.", {
      toolCallId: CallId,
      toolName: ToolName,
      ...ToolKind,
    }),
    part("UiToolInputAvailable", "tool-input-available", "The arguments of the call are complete.", {
      toolCallId: CallId,
      toolName: ToolName,
      input: z.record(z.string(), z.unknown()).describe("The arguments."),
      ...ToolKind,
    }),
    part("UiToolInputError", "tool-input-error", "The model has called a tool of the client wrongly.", {
      toolCallId: CallId,
      toolName: ToolName,
      input: z.string().describe("What the model has written as the arguments."),
      errorText: z.string().describe("Why it is none. Send it back as the result."),
    }),
    part("UiToolOutputAvailable", "tool-output-available", "A tool has returned.", {
      toolCallId: CallId,
      output: z
        .unknown()
        .describe("The result, cut to 200 characters and `...`; that of the client's tools as it was sent."),
      ...ToolKind,
    }),
    part("UiToolOutputError", "tool-output-error", "A tool has failed.", {
      toolCallId: CallId,
      errorText: z
        .string()
        .describe("Why, cut to 200 characters and `...`; that of the client's tools as it was sent."),
      ...ToolKind,
    }),
    part(
      "UiApprovalRequest",
      "tool-approval-request",
      "A call waits for an approval. Only with `?ai_sdk=6` and later.",
      {
        approvalId: CallId,
        toolCallId: CallId,
      },
    ),
    part("UiOutputDenied", "tool-output-denied", "A call was rejected. Only with `?ai_sdk=6` and later.", {
      toolCallId: CallId,
    }),
    part(
      "UiApproval",
      "data-approval",
      "A call waits, or has been decided about, for releases before 6. Decide with `decideCall`.",
      {
        id: CallId,
        data: z
          .object({
            tool_call_id: CallId,
            tool_name: ToolName,
            state: z
              .enum(["requested", "approved", "rejected"])
              .describe("What has been decided; `requested` until then."),
            expires_at: z.string().nullable().describe("When the run is given up; null once it is decided."),
          })
          .describe("The call."),
      },
    ),
    part("UiCitations", "data-citations", "The passages of knowledge bases that a result shows.", {
      data: z
        .object({
          tool_call_id: z.string().describe("The call that found them."),
          citations: z.array(CitationView).describe("The passages."),
        })
        .describe("The passages and their call."),
    }),
    part("UiSourceUrl", "source-url", "A page that the answer may refer to. Each is sent once.", {
      sourceId: z.string().describe("The page's id."),
      url: z.string().describe("The page's address."),
      title: z.string().optional().describe("The page's title, if it has one."),
    }),
    part("UiSourceDocument", "source-document", "A file that the answer may refer to. Each is sent once.", {
      sourceId: z.string().describe("The file's id."),
      mediaType: z.string().describe("Always `text/plain`: agents read files as text."),
      title: z.string().describe("The file's title, or `Document`."),
    }),
    part("UiMemory", "data-memory", "The agent has changed a block of its core memory.", {
      data: MemoryBlock.describe("The block."),
    }),
    part("UiUsage", "data-usage", "Tokens as the provider counted them.", {
      data: TokenUsageView.describe("The tokens of the whole turn."),
    }),
    part("UiStop", "data-stop", "The answer was cut off.", {
      data: z.object({ reason: z.literal("length").describe("A limit on its length.") }).describe("Why."),
    }),
    part("UiAbort", "abort", "The run was cancelled.", {}),
    part("UiErrorCode", "data-error", "The code of the error that follows.", {
      data: z
        .object({
          code: z.string().describe("The code of the problem, as in problem documents."),
          retryable: z.boolean().describe("Whether sending the message again may help."),
        })
        .describe("The error."),
      transient: Transient,
    }),
    part("UiError", "error", "The turn has failed.", {
      errorText: z.string().describe("A sentence for the user."),
    }),
    part("UiFinish", "finish", "The answer has ended, and this stream with it.", {
      finishReason: FinishReason,
    }),
  ],
  examples: [
    { type: "start", messageId: EXAMPLE.answerId },
    {
      type: "data-run",
      id: EXAMPLE.runId,
      data: {
        run_id: EXAMPLE.runId,
        conversation_id: EXAMPLE.conversationId,
        user_message_id: EXAMPLE.messageId,
      },
    },
    { type: "data-status", data: { text: "Loading memory..." }, transient: true },
    { type: "data-compaction", data: { block: "human", version: 4, words_before: 171, words_after: 92 } },
    { type: "start-step" },
    { type: "reasoning-start", id: "1" },
    { type: "reasoning-delta", id: "1", delta: "She works at the library." },
    { type: "reasoning-end", id: "1" },
    {
      type: "tool-input-start",
      toolCallId: "call_1",
      toolName: "core_memory_append",
      providerExecuted: true,
      dynamic: true,
    },
    {
      type: "tool-input-available",
      toolCallId: "call_1",
      toolName: "core_memory_append",
      input: { block: "human", content: "Works at the library" },
      providerExecuted: true,
      dynamic: true,
    },
    {
      type: "tool-output-available",
      toolCallId: "call_1",
      output: "Appended to [human].",
      providerExecuted: true,
      dynamic: true,
    },
    {
      type: "tool-output-error",
      toolCallId: "call_2",
      errorText: "Error: There is no block named jobs.",
      providerExecuted: true,
      dynamic: true,
    },
    { type: "tool-input-start", toolCallId: "call_4", toolName: "read_title" },
    { type: "tool-input-available", toolCallId: "call_4", toolName: "read_title", input: {} },
    {
      type: "tool-input-error",
      toolCallId: "call_5",
      toolName: "read_title",
      input: "[1",
      errorText: "The arguments are not a JSON object.",
    },
    { type: "tool-output-available", toolCallId: "call_4", output: { title: "Opening hours" } },
    { type: "tool-approval-request", approvalId: "call_2", toolCallId: "call_2" },
    { type: "tool-output-denied", toolCallId: "call_2" },
    {
      type: "data-approval",
      id: "call_2",
      data: {
        tool_call_id: "call_2",
        tool_name: "send_mail",
        state: "requested",
        expires_at: EXAMPLE.later,
      },
    },
    {
      type: "data-citations",
      data: {
        tool_call_id: "call_3",
        citations: [
          {
            n: 1,
            kb_id: EXAMPLE.kbId,
            page_id: EXAMPLE.pageId,
            url: "https://docs.example.org/hours",
            title: "Opening hours",
            heading: "Weekdays",
            passage_id: EXAMPLE.passageId,
          },
        ],
      },
    },
    {
      type: "source-url",
      sourceId: EXAMPLE.pageId,
      url: "https://docs.example.org/hours",
      title: "Opening hours",
    },
    { type: "source-document", sourceId: "handbook", mediaType: "text/plain", title: "Handbook" },
    { type: "data-memory", data: { block: "human", version: 5 } },
    { type: "finish-step" },
    { type: "text-start", id: "2" },
    { type: "text-delta", id: "2", delta: "Nice to meet you, Alice!" },
    { type: "text-end", id: "2" },
    { type: "data-usage", data: { input_tokens: 812, output_tokens: 9, cached_tokens: 640 } },
    { type: "data-stop", data: { reason: "length" } },
    { type: "abort" },
    { type: "data-error", data: { code: "provider-rate", retryable: true }, transient: true },
    { type: "error", errorText: "The provider limits requests. Please wait a moment." },
    { type: "finish" },
  ],
};
