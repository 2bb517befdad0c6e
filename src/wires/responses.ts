import type { EndUserRef } from "../access/access-scope.ts";
import type { AgentEvent } from "../architectures/events.ts";
import type { TokenUsage, ToolCall } from "../llm/model.ts";
import { differenceOfTokens } from "../plans/token-usage.ts";
import type { ErrorCode } from "../shared/errors.ts";
import { isTransient } from "../shared/transient-ids.ts";
import { responseIdOf } from "./response-id.ts";
import { FIRST_PART, type FramedRun, type FrameWriter, missingText, type Wire } from "./wire.ts";

type ResponsesWire = Wire & { readonly kind: "responses" };

/** What a response repeats of its request. It is stored with the run, so that every look at the response shows the same. */
export interface ResponseRequest {
  /** As the client has sent it. */
  readonly model: string;
  readonly instructions: string | null;
  readonly previousResponseId: string | null;
  readonly metadata: Readonly<Record<string, string>>;
  /** The `text.format` of the request. */
  readonly format: Readonly<Record<string, unknown>>;
  readonly isBackground: boolean;
  /** Whether later responses can continue the conversation. */
  readonly isStored: boolean;
  readonly user: string | null;
  readonly safetyIdentifier: string | null;
  /** The client's tools, and which of them the model must call. Absent in requests of versions that took none. */
  readonly tools?: FunctionTool[];
  readonly toolChoice?: ToolChoiceView;
  readonly isParallel?: boolean;
  /** Whether an end user has sent it, and not the application. */
  readonly isEndUsers: boolean;
}

/** A tool of the client, in the form of OpenAI's responses. */
interface FunctionTool {
  readonly type: "function";
  readonly name: string;
  readonly description: string | null;
  readonly parameters: Record<string, unknown> | null;
  readonly strict: boolean | null;
}

/** What a response repeats of `tool_choice`. */
type ToolChoiceView = "none" | "auto" | "required" | { readonly type: "function"; readonly name: string };

/** The run of a response, and which part of it the response is; see `ResponseRef`. */
export interface ResponseRun extends Pick<FramedRun, "runId" | "conversationId"> {
  readonly endUser?: EndUserRef | null | undefined;
  readonly part?: number | undefined;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
}

type ResponseStatus = "in_progress" | "completed" | "incomplete" | "failed" | "cancelled";

/** How far a response is. */
export interface ResponseState {
  readonly status: ResponseStatus;
  /** The answer so far, and the id under which it is stored. Absent if there is no text. */
  readonly answer?: { readonly id: string; readonly text: string } | undefined;
  /** The calls that are left to the client. Absent if there are none. */
  readonly calls?: readonly ToolCall[] | undefined;
  readonly usage?: TokenUsage | null | undefined;
  /** Why the response has failed. */
  readonly error?: { readonly code: ErrorCode; readonly message: string } | undefined;
}

/** Returns a run in the form of OpenAI's responses. */
export function toResponse(run: ResponseRun, request: ResponseRequest, state: ResponseState) {
  const { status, answer, calls = [], usage, error } = state;
  const { tools = [], toolChoice = "auto", isParallel = true } = request;
  const messageStatus = status === "completed" ? "completed" : "incomplete";
  return {
    id: responseIdOf(run),
    object: "response" as const,
    created_at: Math.floor(run.startedAt / 1000),
    status,
    background: request.isBackground,
    error: error ? { code: errorCodeOf(error.code), message: error.message, type: error.code } : null,
    incomplete_details: status === "incomplete" ? { reason: "max_output_tokens" as const } : null,
    instructions: request.instructions,
    max_output_tokens: null,
    max_tool_calls: null,
    metadata: request.metadata,
    model: request.model,
    output: [
      ...(answer ? [toOutput(itemIdOf(answer.id, run.part), answer.text, messageStatus)] : []),
      ...calls.map((call) => toCallOutput(call, "completed")),
    ],
    parallel_tool_calls: isParallel,
    previous_response_id: request.previousResponseId,
    conversation: isTransient(run.conversationId) ? null : { id: run.conversationId },
    reasoning: null,
    store: request.isStored,
    temperature: null,
    text: { format: request.format },
    tool_choice: toolChoice,
    tools,
    top_p: null,
    truncation: "disabled" as const,
    usage: usage ? toResponseUsage(usage) : null,
    ...(request.user !== null && { user: request.user }),
    ...(request.safetyIdentifier !== null && { safety_identifier: request.safetyIdentifier }),
  };
}

const toResponseUsage = ({ inputTokens, outputTokens, cachedTokens, reasoningTokens = 0 }: TokenUsage) => ({
  input_tokens: inputTokens,
  input_tokens_details: { cached_tokens: cachedTokens },
  output_tokens: outputTokens,
  output_tokens_details: { reasoning_tokens: reasoningTokens },
  total_tokens: inputTokens + outputTokens,
});

/** OpenAI's clients know few codes. The error's `type` says more. */
function errorCodeOf(code: ErrorCode): "rate_limit_exceeded" | "invalid_prompt" | "server_error" {
  if (code === "provider-rate" || code === "limit-exceeded") return "rate_limit_exceeded";
  if (code === "provider-content" || code === "provider-overflow") return "invalid_prompt";
  return "server_error";
}

/** Returns the id of a message as an item of a response. The parts of a run share one message, and have items of their own. */
export const itemIdOf = (messageId: string, part = 0): string =>
  part === 0 ? `msg_${messageId}` : `msg_${messageId}_${part}`;

const toPart = (text: string) => ({ type: "output_text" as const, text, annotations: [], logprobs: [] });

const toOutput = (id: string, text: string, status: "completed" | "incomplete") => ({
  id,
  type: "message" as const,
  role: "assistant" as const,
  status,
  content: [toPart(text)],
});

/** Returns a call that is left to the client. */
const toCallOutput = (call: ToolCall, status: "in_progress" | "completed") => ({
  id: `fc_${call.id}`,
  type: "function_call" as const,
  call_id: call.id,
  name: call.name,
  arguments: status === "completed" ? call.arguments : "",
  status,
});

/** The frames that open the answer, and one for a piece of it: more than any event becomes that a crash can take. */
const MAX_FRAMES_OF_EVENT = 3;

/**
 * Returns a function that writes the events of a run, or of a part of it, as those of OpenAI's responses. The agent's own tools, memory
 * and status lines stay hidden. The frames are numbered from 0; those up to `wire.startingAfter` are left out. Calls that are left to
 * the client complete the response. OpenAI has no event for a cancelled response: it ends as `response.incomplete`, with the status
 * `cancelled`. If the run waits for an approval, the stream ends without an event that says so: the response is still in progress.
 */
export function responsesWriter(wire: ResponsesWire, run: FramedRun): FrameWriter {
  const { request, endUser, startingAfter } = wire;
  const { beginning = FIRST_PART } = run;
  const { part } = beginning;
  const item = { output_index: 0, item_id: itemIdOf(run.answerId, part), content_index: 0 };
  let nextNumber = 0;
  let lastSeq: number | undefined;
  let isAnswering = false;
  let usage: TokenUsage | null = null;
  /** The calls that are left to the client. */
  const calls: ToolCall[] = [];

  return (event, seq, answerBefore) => {
    // A replay lacks it when the run has gone on. So its number counts as lost in every stream.
    if (event.type === "waiting" && calls.length === 0) return "";
    const first = lastSeq === undefined ? begin() : "";
    // A crash may have taken events that were sent but not logged. Their frames had numbers, which must not be used again.
    const lost = seq - (lastSeq ?? beginning.seq) - 1;
    if (lost > 0) nextNumber += lost + MAX_FRAMES_OF_EVENT;
    lastSeq = seq;
    return first + framesOf(event, () => answerBefore().slice(beginning.chars));
  };

  function framesOf(event: AgentEvent, answerBefore: () => string): string {
    switch (event.type) {
      case "text":
        return piece(event.text);
      case "usage":
        usage = event.usage;
        return "";
      case "call-waiting":
        if (event.waitsFor === "result")
          calls.push({ id: event.callId, name: event.name, arguments: event.arguments });
        return "";
      case "waiting":
        usage = event.paused?.usage ?? usage;
        return end("completed", answerBefore());
      case "completed": {
        const text = event.text?.slice(beginning.chars) ?? answerBefore();
        const rest = missingText({ ...event, text }, answerBefore);
        const last = rest === "" ? "" : piece(rest);
        return last + end(event.isCut ? "incomplete" : "completed", text);
      }
      case "cancelled":
        return end("cancelled", answerBefore());
      case "failed": {
        const { code, message } = event;
        // The response first: OpenAI's clients stop reading at an error.
        return (
          end("failed", answerBefore(), { code, message }) + frame("error", { code, message, param: null })
        );
      }
      default:
        return "";
    }
  }

  function begin(): string {
    const response = responseWith({ status: "in_progress" });
    return frame("response.created", { response }) + frame("response.in_progress", { response });
  }

  function piece(delta: string): string {
    const opening = isAnswering ? "" : open();
    isAnswering = true;
    return opening + frame("response.output_text.delta", { ...item, delta, logprobs: [] });
  }

  function open(): string {
    const empty = { ...toOutput(item.item_id, "", "incomplete"), status: "in_progress", content: [] };
    return (
      frame("response.output_item.added", { output_index: 0, item: empty }) +
      frame("response.content_part.added", { ...item, part: toPart("") })
    );
  }

  function end(status: ResponseStatus, answer: string, error?: ResponseState["error"]): string {
    const text = answer.toWellFormed();
    const left = status === "completed" ? calls : [];
    const response = responseWith({
      status,
      answer: isAnswering ? { id: run.answerId, text } : undefined,
      calls: left,
      usage: differenceOfTokens(usage, beginning.usage),
      error,
    });
    const type = status === "completed" || status === "failed" ? status : "incomplete";
    return (
      (isAnswering ? close(text, response.output[0]) : "") +
      left.map((call, index) => callFrames(call, isAnswering ? index + 1 : index)).join("") +
      frame(`response.${type}`, { response })
    );
  }

  function callFrames(call: ToolCall, output_index: number): string {
    const whole = toCallOutput(call, "completed");
    const at = { item_id: whole.id, output_index };
    return (
      frame("response.output_item.added", { output_index, item: toCallOutput(call, "in_progress") }) +
      frame("response.function_call_arguments.delta", { ...at, delta: call.arguments }) +
      frame("response.function_call_arguments.done", { ...at, arguments: call.arguments }) +
      frame("response.output_item.done", { output_index, item: whole })
    );
  }

  function responseWith(state: ResponseState) {
    return toResponse({ ...run, endUser, part }, request, state);
  }

  function close(text: string, output: object | undefined): string {
    return (
      frame("response.output_text.done", { ...item, text, logprobs: [] }) +
      frame("response.content_part.done", { ...item, part: toPart(text) }) +
      frame("response.output_item.done", { output_index: 0, item: output })
    );
  }

  function frame(type: string, members: object): string {
    const sequence_number = nextNumber++;
    if (sequence_number <= startingAfter) return "";
    return `event: ${type}\ndata: ${JSON.stringify({ type, ...members, sequence_number })}\n\n`;
  }
}
