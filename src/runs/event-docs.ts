import * as z from "zod";
import { EXAMPLE, type StreamDocs } from "../http/docs.ts";
import { CitationView } from "../knowledge/citation-model.ts";
import { TokenUsageView } from "../plans/token-usage.ts";

const Nothing = z.null().describe("Null in events of this type.");
const MessageId = z.string().describe("The id of the stored message.");
const BlockName = z.string().describe("The name of the memory block.");
const BlockVersion = z.number().int().describe("The number of the version that was created.");
const StopReason = z
  .literal("length")
  .optional()
  .describe("Present if the answer was cut off at a limit on its length.");
const ExpiresAt = z.string().describe("When the run is given up, if nobody has decided by then.");
const CallId = z.string().describe("The id that the call and its result have in common.");

/** Returns the schema of an event. Every event has the members of `EMPTY`, most of which are null. */
const event = <T extends string, S extends z.ZodRawShape>(
  id: string,
  type: T,
  description: string,
  shape: S,
) =>
  z
    .strictObject({
      event_type: z.literal(type).describe("The type of the event."),
      content: Nothing,
      message_id: Nothing,
      tool_name: Nothing,
      tool_args: Nothing,
      success: Nothing,
      ...shape,
      run_id: z.string().describe("The run's id, the same in all events of a stream."),
      seq: z
        .number()
        .int()
        .min(1)
        .describe("1, 2, 3 … within the run. Send the last one as `after` to resume behind it."),
    })
    .describe(description)
    .meta({ id });

const EMPTY = { content: null, message_id: null, tool_name: null, tool_args: null, success: null };
const RUN = { run_id: EXAMPLE.runId };

/** The events of a run, as `toFrames` writes them. */
export const RUN_EVENTS: StreamDocs = {
  id: "RunEvent",
  description:
    "What one `data:` line holds. Lines that begin with `:` keep the connection alive; ignore them, and ignore types that you do not know. Exactly one `STREAM_COMPLETE` or `ERROR` ends a run. A stream ends with it, or with `RUN_WAITING`.",
  discriminator: "event_type",
  events: [
    event("LifecycleEvent", "LIFECYCLE_NOTIFICATION", "What the turn does at the moment.", {
      content: z.string().describe("A status line for people, such as `Loading memory...`."),
    }),
    event("MessageSavedEvent", "MESSAGE_SAVED", "The user's message is stored.", {
      content: z.string().describe("Always `User message saved`."),
      message_id: MessageId,
    }),
    event("UserMessageSavedEvent", "USER_MESSAGE_SAVED", "Repeats `MESSAGE_SAVED`, with the same `seq`.", {
      content: z.string().describe("Always `User message saved`."),
      message_id: MessageId,
    }),
    event("ToolCallStartEvent", "TOOL_CALL_START", "The agent calls a tool.", {
      content: z.string().describe("A status line for people."),
      tool_name: z.string().describe("The tool's name."),
      tool_args: z.record(z.string(), z.unknown()).describe("The tool's arguments."),
      tool_call_id: CallId,
    }),
    event("ToolCallResultEvent", "TOOL_CALL_RESULT", "A tool has returned.", {
      content: z.string().describe("The result, cut to 200 characters and `...`."),
      tool_name: z.string().describe("The tool's name."),
      success: z.boolean().describe("Whether the tool succeeded."),
      tool_call_id: CallId,
      citations: z
        .array(CitationView)
        .optional()
        .describe("The passages of knowledge bases that the result shows. Absent if it shows none."),
    }),
    event(
      "ApprovalRequestedEvent",
      "APPROVAL_REQUESTED",
      "A call waits until somebody approves or rejects it.",
      {
        content: z.string().describe("A status line for people."),
        tool_name: z.string().describe("The tool's name."),
        tool_args: z.record(z.string(), z.unknown()).describe("The tool's arguments."),
        tool_call_id: CallId,
        expires_at: ExpiresAt,
      },
    ),
    event("ApprovalDecidedEvent", "APPROVAL_DECIDED", "Somebody has approved or rejected a call.", {
      content: z.enum(["Approved", "Rejected"]).describe("The decision."),
      tool_name: z.string().describe("The tool's name."),
      success: z.boolean().describe("Whether the call was approved."),
      tool_call_id: CallId,
    }),
    event(
      "ToolResultRequestedEvent",
      "TOOL_RESULT_REQUESTED",
      "A call of a tool that the client runs waits for its result.",
      {
        content: z.string().describe("A status line for people."),
        tool_name: z.string().describe("The tool's name."),
        tool_args: z.record(z.string(), z.unknown()).describe("The tool's arguments."),
        tool_call_id: CallId,
        expires_at: ExpiresAt.nullable().describe(
          "When the run is given up; null if it has ended with the call.",
        ),
      },
    ),
    event("ToolResultReceivedEvent", "TOOL_RESULT_RECEIVED", "The client has sent the result of a call.", {
      content: z.string().describe("Always `Result received`."),
      tool_name: z.string().describe("The tool's name."),
      tool_call_id: CallId,
    }),
    event(
      "RunWaitingEvent",
      "RUN_WAITING",
      "The run waits until its calls are decided, and this stream ends. A replay has it only if the run still waits there.",
      {
        content: z.string().describe("A status line for people."),
        expires_at: ExpiresAt,
      },
    ),
    event("MemoryUpdatedEvent", "MEMORY_UPDATED", "The agent has changed a block of its core memory.", {
      content: z.string().describe("A status line for people."),
      block: BlockName,
      version: BlockVersion,
    }),
    event(
      "ContextCompactedEvent",
      "CONTEXT_COMPACTED",
      "A memory block that was nearly full has been shortened after an earlier answer.",
      {
        content: z.string().describe("A status line for people."),
        block: BlockName,
        version: BlockVersion,
        words_before: z.number().int().describe("How many words the block had."),
        words_after: z.number().int().describe("How many words it has now."),
      },
    ),
    event(
      "ReasoningEvent",
      "REASONING",
      "A piece of what the model thinks. Only with `?reasoning=1`; never stored.",
      {
        content: z.string().describe("The piece."),
      },
    ),
    event("TextEvent", "AGENT_RESPONSE_TO_USER", "A piece of the answer.", {
      content: z.string().describe("The piece. Joined, the pieces are the answer."),
    }),
    event("UsageEvent", "USAGE", "Tokens as the provider counted them.", {
      usage: TokenUsageView.describe("The tokens of the whole turn."),
    }),
    event(
      "AssistantMessageSavedEvent",
      "ASSISTANT_MESSAGE_SAVED",
      "The answer is stored. Directly before `STREAM_COMPLETE`, with the `seq` of the event before.",
      { content: z.string().describe("The whole answer."), message_id: MessageId, stop_reason: StopReason },
    ),
    event("StreamCompleteEvent", "STREAM_COMPLETE", "The turn has ended, and this stream with it.", {
      content: z
        .string()
        .describe("`Response complete`, `Response complete (tools only)` without text, or `Cancelled`."),
      message_id: z.string().nullable().describe("The id of the answer; null if it has no text."),
      stop_reason: StopReason,
    }),
    event("ErrorEvent", "ERROR", "The turn has failed, and this stream ends.", {
      content: z.string().describe("A sentence for the user."),
      code: z.string().describe("The code of the problem, as in problem documents."),
      retryable: z.boolean().describe("Whether sending the message again may help."),
    }),
  ],
  examples: [
    { ...EMPTY, event_type: "LIFECYCLE_NOTIFICATION", content: "Loading memory...", ...RUN, seq: 1 },
    {
      ...EMPTY,
      event_type: "MESSAGE_SAVED",
      content: "User message saved",
      message_id: EXAMPLE.messageId,
      ...RUN,
      seq: 2,
    },
    {
      ...EMPTY,
      event_type: "USER_MESSAGE_SAVED",
      content: "User message saved",
      message_id: EXAMPLE.messageId,
      ...RUN,
      seq: 2,
    },
    {
      ...EMPTY,
      event_type: "CONTEXT_COMPACTED",
      content: "Auto-compacted [human] from 4100 to 2050 words. Original content archived.",
      block: "human",
      version: 8,
      words_before: 4_100,
      words_after: 2_050,
      ...RUN,
      seq: 3,
    },
    { ...EMPTY, event_type: "REASONING", content: "The user has told me their name.", ...RUN, seq: 4 },
    {
      ...EMPTY,
      event_type: "TOOL_CALL_START",
      content: "Calling core_memory_append...",
      tool_name: "core_memory_append",
      tool_args: { block: "human", content: "Name: Alice" },
      tool_call_id: "call_1",
      ...RUN,
      seq: 5,
    },
    {
      ...EMPTY,
      event_type: "TOOL_CALL_RESULT",
      content: 'Appended to [human] at line 1: "Name: Alice" (2/5000 words)',
      tool_name: "core_memory_append",
      success: true,
      tool_call_id: "call_1",
      ...RUN,
      seq: 6,
    },
    {
      ...EMPTY,
      event_type: "APPROVAL_REQUESTED",
      content: "Waiting for approval of send_mail...",
      tool_name: "send_mail",
      tool_args: { to: "bob@example.com" },
      tool_call_id: "call_2",
      expires_at: EXAMPLE.later,
      ...RUN,
      seq: 6,
    },
    {
      ...EMPTY,
      event_type: "TOOL_RESULT_REQUESTED",
      content: "Waiting for the result of open_page...",
      tool_name: "open_page",
      tool_args: { url: "https://example.com/" },
      tool_call_id: "call_3",
      expires_at: EXAMPLE.later,
      ...RUN,
      seq: 7,
    },
    {
      ...EMPTY,
      event_type: "TOOL_RESULT_RECEIVED",
      content: "Result received",
      tool_name: "open_page",
      tool_call_id: "call_3",
      ...RUN,
      seq: 9,
    },
    {
      ...EMPTY,
      event_type: "RUN_WAITING",
      content: "Waiting for a decision",
      expires_at: EXAMPLE.later,
      ...RUN,
      seq: 7,
    },
    {
      ...EMPTY,
      event_type: "APPROVAL_DECIDED",
      content: "Approved",
      tool_name: "send_mail",
      success: true,
      tool_call_id: "call_2",
      ...RUN,
      seq: 8,
    },
    {
      ...EMPTY,
      event_type: "MEMORY_UPDATED",
      content: "Memory block [human] updated",
      block: "human",
      version: 9,
      ...RUN,
      seq: 7,
    },
    { ...EMPTY, event_type: "AGENT_RESPONSE_TO_USER", content: "Nice to meet you, Alice!", ...RUN, seq: 8 },
    {
      ...EMPTY,
      event_type: "USAGE",
      usage: { input_tokens: 542, output_tokens: 11, cached_tokens: 0 },
      ...RUN,
      seq: 9,
    },
    {
      ...EMPTY,
      event_type: "ASSISTANT_MESSAGE_SAVED",
      content: "Nice to meet you, Alice!",
      message_id: EXAMPLE.answerId,
      ...RUN,
      seq: 9,
    },
    {
      ...EMPTY,
      event_type: "STREAM_COMPLETE",
      content: "Response complete",
      message_id: EXAMPLE.answerId,
      ...RUN,
      seq: 10,
    },
    {
      ...EMPTY,
      event_type: "ERROR",
      content: "The provider is limiting requests. Please try again in a moment.",
      code: "provider-rate",
      retryable: true,
      ...RUN,
      seq: 10,
    },
  ],
};
