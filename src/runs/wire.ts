import { toTokenUsageView } from "../plans/token-usage.ts";
import { preview } from "../shared/text.ts";
import type { AgentEvent } from "./events.ts";

/** What of a tool's result the stream shows; the model and the stored message have it whole. */
const RESULT_PREVIEW = 200;

/** The six members that every payload has, in this order. */
interface Payload {
  readonly event_type: string;
  readonly content: string | null;
  readonly message_id: string | null;
  readonly tool_name: string | null;
  readonly tool_args: Readonly<Record<string, unknown>> | null;
  readonly success: boolean | null;
}

const EMPTY = { content: null, message_id: null, tool_name: null, tool_args: null, success: null };

/** One event as it goes over the wire: a `data:` line with JSON, and a blank line. `seq` counts from 1 in each run. */
export function toFrame(event: AgentEvent, runId: string, seq: number): string {
  return `data: ${JSON.stringify({ ...payloadOf(event), ...extrasOf(event), run_id: runId, seq })}\n\n`;
}

/** Keeps the connection alive, and is how a client that left is noticed. Clients ignore comments. */
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
    case "tool-finished":
      return { tool_call_id: event.callId };
    case "block-compacted": {
      const { block, version, wordsBefore, wordsAfter } = event.compaction;
      return { block, version, words_before: wordsBefore, words_after: wordsAfter };
    }
    case "memory-updated":
      return { block: event.update.block, version: event.update.version };
    case "usage":
      return { usage: toTokenUsageView(event.usage) };
    case "failed":
      return { code: event.code, retryable: event.retryable };
    default:
      return {};
  }
}
