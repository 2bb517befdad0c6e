import type { RunId } from "../shared/id-types.ts";
import { toTokenUsageView } from "../plans/token-usage.ts";
import { toCitationView } from "../knowledge/citation-model.ts";
import { formatTimestamp } from "../shared/clock.ts";
import { preview } from "../shared/text.ts";
import type { AgentEvent } from "../architectures/events.ts";

/** How many characters of a tool's result the stream shows. The model and the stored message get all of it. */
export const RESULT_PREVIEW = 200;

/** The six members that every payload has, in this order; the order is part of the wire format. */
interface Payload {
  readonly event_type: string;
  readonly content: string | null;
  readonly message_id: string | null;
  readonly tool_name: string | null;
  readonly tool_args: Readonly<Record<string, unknown>> | null;
  readonly success: boolean | null;
}

const EMPTY = { content: null, message_id: null, tool_name: null, tool_args: null, success: null };

/**
 * Returns an event as SSE frames: each is a `data:` line with JSON, and a blank line. `seq` counts from 1 in each run.
 * `answerBefore` returns the text of the answer before this event.
 */
export function toFrames(event: AgentEvent, runId: RunId, seq: number, answerBefore: () => string): string {
  const frame = (payload: Payload, number = seq) =>
    `data: ${JSON.stringify({ ...payload, ...extrasOf(event), run_id: runId, seq: number })}\n\n`;
  const own = payloadOf(event);
  const message_id = own.message_id;

  if (event.type === "message-saved") return frame(own) + frame({ ...own, event_type: USER_SAVED });
  if ((event.type !== "completed" && event.type !== "cancelled") || message_id === null) return frame(own);
  const content = (event.type === "completed" ? event.text : undefined) ?? answerBefore();
  const saved = { event_type: ASSISTANT_SAVED, ...EMPTY, content: content.toWellFormed(), message_id };
  // The number of the event before, so that a client which resumes after this frame still gets the end.
  return frame(saved, seq - 1) + frame(own);
}

/** The latest single-page application waits for these two events. They repeat others, so they are frames only. */
const USER_SAVED = "USER_MESSAGE_SAVED";
const ASSISTANT_SAVED = "ASSISTANT_MESSAGE_SAVED";

/** Keeps the connection alive, and detects clients that have left. Clients ignore comments. */
export const PING = ": ping\n\n";

function payloadOf(event: AgentEvent): Payload {
  switch (event.type) {
    case "status":
      return { event_type: "LIFECYCLE_NOTIFICATION", ...EMPTY, content: event.text };
    case "message-saved":
      return {
        event_type: "MESSAGE_SAVED",
        ...EMPTY,
        content: "User message saved",
        message_id: event.messageId,
      };
    case "block-compacted": {
      const { block, wordsBefore, wordsAfter } = event.compaction;
      const content = `Auto-compacted [${block}] from ${wordsBefore} to ${wordsAfter} words. Original content archived.`;
      return { event_type: "CONTEXT_COMPACTED", ...EMPTY, content };
    }
    case "text":
      return { event_type: "AGENT_RESPONSE_TO_USER", ...EMPTY, content: event.text };
    case "reasoning":
      return { event_type: "REASONING", ...EMPTY, content: event.text };
    case "tool-started": {
      const { name, input } = event;
      return {
        event_type: "TOOL_CALL_START",
        ...EMPTY,
        content: `Calling ${name}...`,
        tool_name: name,
        tool_args: input,
      };
    }
    case "tool-finished": {
      const content = preview(event.output, RESULT_PREVIEW);
      return { event_type: "TOOL_CALL_RESULT", ...EMPTY, content, tool_name: event.name, success: event.ok };
    }
    case "call-waiting": {
      const { name, input, waitsFor } = event;
      const [event_type, what] =
        waitsFor === "approval"
          ? ["APPROVAL_REQUESTED", `Waiting for approval of ${name}...`]
          : ["TOOL_RESULT_REQUESTED", `Waiting for the result of ${name}...`];
      return { event_type, ...EMPTY, content: what, tool_name: name, tool_args: input };
    }
    case "call-decided": {
      const { name, decision } = event;
      if (decision.kind === "answered")
        return { event_type: "TOOL_RESULT_RECEIVED", ...EMPTY, content: "Result received", tool_name: name };
      const isApproved = decision.kind === "approved";
      const content = isApproved ? "Approved" : "Rejected";
      return { event_type: "APPROVAL_DECIDED", ...EMPTY, content, tool_name: name, success: isApproved };
    }
    case "waiting":
      return { event_type: "RUN_WAITING", ...EMPTY, content: "Waiting for a decision" };
    case "memory-updated":
      return {
        event_type: "MEMORY_UPDATED",
        ...EMPTY,
        content: `Memory block [${event.update.block}] updated`,
      };
    case "usage":
      return { event_type: "USAGE", ...EMPTY };
    case "completed":
      return { event_type: "STREAM_COMPLETE", ...EMPTY, content: event.content, message_id: event.messageId };
    case "cancelled":
      return { event_type: "STREAM_COMPLETE", ...EMPTY, content: "Cancelled", message_id: event.messageId };
    case "failed":
      return { event_type: "ERROR", ...EMPTY, content: event.message };
  }
}

/** Members that only some events have. */
function extrasOf(event: AgentEvent): object {
  switch (event.type) {
    case "tool-started":
      return { tool_call_id: event.callId };
    case "tool-finished": {
      const { callId, citations = [] } = event;
      return {
        tool_call_id: callId,
        ...(citations.length > 0 && { citations: citations.map(toCitationView) }),
      };
    }
    case "call-waiting": {
      const { callId, expiresAt } = event;
      return { tool_call_id: callId, expires_at: expiresAt === null ? null : formatTimestamp(expiresAt) };
    }
    case "call-decided":
      return { tool_call_id: event.callId };
    case "waiting":
      return { expires_at: formatTimestamp(event.expiresAt) };
    case "block-compacted": {
      const { block, version, wordsBefore, wordsAfter } = event.compaction;
      return { block, version, words_before: wordsBefore, words_after: wordsAfter };
    }
    case "memory-updated":
      return { block: event.update.block, version: event.update.version };
    case "usage":
      return { usage: toTokenUsageView(event.usage) };
    case "completed":
      return event.isCut ? { stop_reason: "length" } : {};
    case "failed":
      return { code: event.code, retryable: event.retryable };
    default:
      return {};
  }
}
