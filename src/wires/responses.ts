import type { EndUserRef } from "../access/access-scope.ts";
import type { AgentEvent } from "../architectures/events.ts";
import type { TokenUsage } from "../llm/model.ts";
import type { ErrorCode } from "../shared/errors.ts";
import { isTransient } from "../shared/transient-ids.ts";
import { responseIdOf } from "./response-id.ts";
import { type FramedRun, type FrameWriter, missingText, type Wire } from "./wire.ts";

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
  /** Whether an end user has sent it, and not the application. */
  readonly isEndUsers: boolean;
}

/** The run of a response. */
export interface ResponseRun extends Pick<FramedRun, "runId" | "conversationId"> {
  readonly endUser?: EndUserRef | null | undefined;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
}

type ResponseStatus = "in_progress" | "completed" | "incomplete" | "failed" | "cancelled";

/** How far a response is. */
export interface ResponseState {
  readonly status: ResponseStatus;
  /** The answer so far, and the id under which it is stored. Absent if there is no text. */
  readonly answer?: { readonly id: string; readonly text: string } | undefined;
  readonly usage?: TokenUsage | null | undefined;
  /** Why the response has failed. */
  readonly error?: { readonly code: ErrorCode; readonly message: string } | undefined;
}

/** Returns a run in the form of OpenAI's responses. */
export function toResponse(run: ResponseRun, request: ResponseRequest, state: ResponseState) {
  const { status, answer, usage, error } = state;
  const isWhole = status === "completed";
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
    output: answer ? [toOutput(answer.id, answer.text, isWhole ? "completed" : "incomplete")] : [],
    parallel_tool_calls: true,
    previous_response_id: request.previousResponseId,
    conversation: isTransient(run.conversationId) ? null : { id: run.conversationId },
    reasoning: null,
    store: request.isStored,
    temperature: null,
    text: { format: request.format },
    tool_choice: "auto" as const,
    tools: [],
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

/** Returns the id of a message as an item of a response. */
export const itemIdOf = (messageId: string): string => `msg_${messageId}`;

const toPart = (text: string) => ({ type: "output_text" as const, text, annotations: [], logprobs: [] });

const toOutput = (id: string, text: string, status: "completed" | "incomplete") => ({
  id: itemIdOf(id),
  type: "message" as const,
  role: "assistant" as const,
  status,
  content: [toPart(text)],
});

/** The frames that open the answer, and one for a piece of it: more than any other event becomes. */
const MAX_FRAMES_OF_EVENT = 3;

/**
 * Returns a function that writes the events of a run as those of OpenAI's responses. Tools, memory and status lines stay hidden. The
 * frames are numbered from 0; those up to `wire.startingAfter` are left out. OpenAI has no event for a cancelled response: it ends
 * as `response.incomplete`, with the status `cancelled`. If the run waits, the stream ends without an event that says so: the response is
 * still in progress.
 */
export function responsesWriter(wire: ResponsesWire, run: FramedRun): FrameWriter {
  const { request, endUser, startingAfter } = wire;
  const item = { output_index: 0, item_id: itemIdOf(run.answerId), content_index: 0 };
  let nextNumber = 0;
  let lastSeq: number | undefined;
  let isAnswering = false;
  let usage: TokenUsage | null = null;

  return (event, seq, answerBefore) => {
    // A replay lacks it when the run has gone on. So its number counts as lost in every stream.
    if (event.type === "waiting") return "";
    const first = lastSeq === undefined ? begin() : "";
    // A crash may have taken events that were sent but not logged. Their frames had numbers, which must not be used again.
    const lost = seq - (lastSeq ?? 0) - 1;
    if (lost > 0) nextNumber += lost + MAX_FRAMES_OF_EVENT;
    lastSeq = seq;
    if (event.type === "usage") usage = event.usage;
    return first + framesOf(event, answerBefore);
  };

  function framesOf(event: AgentEvent, answerBefore: () => string): string {
    switch (event.type) {
      case "text":
        return piece(event.text);
      case "completed": {
        const rest = missingText(event, answerBefore);
        const last = rest === "" ? "" : piece(rest);
        const text = event.text ?? answerBefore();
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
    const response = toResponse({ ...run, endUser }, request, { status: "in_progress" });
    return frame("response.created", { response }) + frame("response.in_progress", { response });
  }

  function piece(delta: string): string {
    const opening = isAnswering ? "" : open();
    isAnswering = true;
    return opening + frame("response.output_text.delta", { ...item, delta, logprobs: [] });
  }

  function open(): string {
    const empty = { ...toOutput(run.answerId, "", "incomplete"), status: "in_progress", content: [] };
    return (
      frame("response.output_item.added", { output_index: 0, item: empty }) +
      frame("response.content_part.added", { ...item, part: toPart("") })
    );
  }

  function end(status: ResponseStatus, answer: string, error?: ResponseState["error"]): string {
    const text = answer.toWellFormed();
    const response = toResponse({ ...run, endUser }, request, {
      status,
      answer: isAnswering ? { id: run.answerId, text } : undefined,
      usage,
      error,
    });
    const type = status === "completed" || status === "failed" ? status : "incomplete";
    return (isAnswering ? close(text, response.output[0]) : "") + frame(`response.${type}`, { response });
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
