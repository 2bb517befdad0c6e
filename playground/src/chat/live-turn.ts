import type { Citation, RunEvent } from "../types.ts";

/** What somebody has sent. */
export interface Question {
  readonly content: string;
  readonly attachments: readonly { readonly filename: string; readonly size: number }[];
}

/** A part of an answer, in the order in which they came. */
export type Part =
  | { readonly type: "text"; readonly text: string }
  | {
      readonly type: "tool";
      readonly id: string;
      readonly name: string;
      readonly args: Readonly<Record<string, unknown>>;
      /** Undefined while the tool is running. */
      readonly result: string | undefined;
      readonly success: boolean | undefined;
      /** Absent if the tool does not ask. */
      readonly approval?: "requested" | "approved" | "rejected";
    }
  | { readonly type: "memory"; readonly block: string; readonly text: string };

/** How a turn has ended. */
export type TurnEnd =
  | { readonly kind: "complete"; readonly isCutOff: boolean }
  | { readonly kind: "cancelled" }
  /** It goes on when its calls are decided. */
  | { readonly kind: "waiting" }
  | { readonly kind: "error"; readonly sentence: string; readonly isRetryable: boolean }
  /** The client has given up following it. The service goes on. */
  | { readonly kind: "lost"; readonly error: unknown };

/** A turn that this page follows, as far as it has come. */
export interface LiveTurn {
  /** Undefined before the first event. */
  readonly runId: string | undefined;
  /** The number of the last event. */
  readonly seq: number;
  /** Undefined if another page has sent the message; then it is among the stored ones. */
  readonly question: Question | undefined;
  /** The id of the stored message that the turn answers again, or whose answer it is; undefined for a new message. */
  readonly replaces: string | undefined;
  /** What the service is doing, before there is anything to show. */
  readonly status: string;
  readonly parts: readonly Part[];
  readonly reasoning: string;
  readonly citations: readonly Citation[];
  readonly usage: { readonly input: number; readonly output: number } | undefined;
  readonly end: TurnEnd | undefined;
}

/** Returns a turn of which nothing has arrived yet. */
export const beginTurn = (question: Question | undefined, replaces?: string): LiveTurn => ({
  runId: undefined,
  seq: 0,
  question,
  replaces,
  status: "",
  parts: [],
  reasoning: "",
  citations: [],
  usage: undefined,
  end: undefined,
});

/** Returns a turn after one more event. Events of kinds that this page does not know change nothing. */
export function withEvent(turn: LiveTurn, event: RunEvent): LiveTurn {
  const next: LiveTurn = { ...turn, runId: event.run_id, seq: event.seq };
  switch (event.event_type) {
    case "LIFECYCLE_NOTIFICATION":
      return { ...next, status: event.content };
    case "AGENT_RESPONSE_TO_USER":
      return { ...next, parts: withText(turn.parts, event.content) };
    case "REASONING":
      return { ...next, reasoning: turn.reasoning + event.content };
    case "TOOL_CALL_START": {
      const { tool_call_id: id, tool_name: name, tool_args: args } = event;
      const part: Part = { type: "tool", id, name, args, result: undefined, success: undefined };
      return { ...next, parts: [...turn.parts, part] };
    }
    case "TOOL_CALL_RESULT":
      return {
        ...next,
        parts: turn.parts.map((part) =>
          part.type === "tool" && part.id === event.tool_call_id
            ? { ...part, result: event.content, success: event.success }
            : part,
        ),
        citations: [...turn.citations, ...(event.citations ?? [])],
      };
    case "APPROVAL_REQUESTED":
      return { ...next, parts: withApproval(turn.parts, event.tool_call_id, "requested") };
    case "APPROVAL_DECIDED":
      return {
        ...next,
        parts: withApproval(turn.parts, event.tool_call_id, event.success ? "approved" : "rejected"),
        end: undefined,
      };
    case "RUN_WAITING":
      return { ...next, end: { kind: "waiting" } };
    case "MEMORY_UPDATED":
    case "CONTEXT_COMPACTED":
      return { ...next, parts: withMemory(turn.parts, event.block, event.content) };
    case "USAGE": {
      const { input_tokens: input, output_tokens: output } = event.usage;
      return { ...next, usage: { input, output } };
    }
    case "STREAM_COMPLETE":
      return { ...next, end: endOf(event) };
    case "ERROR":
      return { ...next, end: { kind: "error", sentence: event.content, isRetryable: event.retryable } };
    default:
      return next;
  }
}

/** What the service writes at the end of a run that somebody has cancelled. */
const CANCELLED = "Cancelled";

const endOf = (event: Extract<RunEvent, { event_type: "STREAM_COMPLETE" }>): TurnEnd =>
  event.content === CANCELLED
    ? { kind: "cancelled" }
    : { kind: "complete", isCutOff: event.stop_reason === "length" };

/** A provider may use an id again, so the last call with it is meant. */
function withApproval(
  parts: readonly Part[],
  callId: string,
  approval: "requested" | "approved" | "rejected",
): readonly Part[] {
  const at = parts.findLastIndex((part) => part.type === "tool" && part.id === callId);
  return parts.map((part, index) => (index === at && part.type === "tool" ? { ...part, approval } : part));
}

function withText(parts: readonly Part[], text: string): readonly Part[] {
  const last = parts.at(-1);
  return last?.type === "text"
    ? [...parts.slice(0, -1), { type: "text", text: last.text + text }]
    : [...parts, { type: "text", text }];
}

/** A compaction is reported by two events, of which the first one says more. */
function withMemory(parts: readonly Part[], block: string, text: string): readonly Part[] {
  const last = parts.at(-1);
  const isSame = last?.type === "memory" && last.block === block && last.text.startsWith("Auto-compacted");
  return isSame ? parts : [...parts, { type: "memory", block, text }];
}

/** Returns the text of an answer. */
export const textOf = (turn: LiveTurn): string =>
  turn.parts.map((part) => (part.type === "text" ? part.text : "")).join("");
