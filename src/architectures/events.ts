import type { Citation } from "../knowledge/citation-model.ts";
import type { AnswerFormat, ProviderData, TokenUsage, ToolChoice, ToolSpec } from "../llm/model.ts";
import type { Compaction } from "../memory/capacity-model.ts";
import type { GivenMessage } from "../messages/model.ts";
import type { MemoryUpdate } from "../memory/core-memory.ts";
import type { ErrorCode } from "../shared/errors.ts";

/** What a call waits for: somebody's decision whether the tool may run, or the result of a tool that the client runs. */
export type WaitsFor = "approval" | "result";

/** What somebody has said about a call that waits. */
export type Decision =
  | { readonly kind: "approved" }
  /** `reason` is for the model; null if none was given. */
  | { readonly kind: "rejected"; readonly reason: string | null }
  /** The result of a tool that the client has run. */
  | {
      readonly kind: "answered";
      readonly output: string;
      /** Absent if the client has sent the result as text; `json` if it has sent the value of this JSON, `error` if the tool has failed. */
      readonly form?: "json" | "error";
    };

/** What a turn that waits needs to go on and that its other events do not tell. Never sent to clients. */
export interface PausedTurn {
  /** The tokens so far, or null if the provider reported none. */
  readonly usage: TokenUsage | null;
  /** The model that has answered so far. */
  readonly answeredBy: { readonly provider: string; readonly model: string };
  /** The lines of core memory as the model has numbered them, by block; null for a line that is gone. */
  readonly seenLines: Readonly<Record<string, readonly (string | null)[]>>;
  readonly showsReasoning: boolean;
  readonly timeZone?: string | undefined;
  readonly format?: AnswerFormat | undefined;
  readonly clientTools?: readonly ToolSpec[] | undefined;
  readonly oneClientCall?: boolean | undefined;
  /** Which of the client's tools the model must call first when the turn goes on, if the request with the results has said so. */
  readonly toolChoice?: ToolChoice | undefined;
  /** What the client has said before the message, behind the history. */
  readonly preceding?: readonly GivenMessage[] | undefined;
}

/** What the request with the results of the client's tools says about the rest of the turn. Absent members ask for nothing. */
export type TurnOptions = Pick<
  PausedTurn,
  "clientTools" | "format" | "oneClientCall" | "preceding" | "toolChoice"
>;

/**
 * An event of a turn; events are emitted in the order in which they happen. Adding a member is compatible, changing one
 * is not. Exactly one of `completed`, `cancelled` and `failed` ends a turn. A turn may pause any number of times before:
 * then `waiting` is its last event for the time being.
 */
export type AgentEvent =
  | { readonly type: "message-saved"; readonly messageId: string }
  /** A memory block was compacted after an earlier answer. */
  | { readonly type: "block-compacted"; readonly compaction: Compaction }
  | AnswerEvent
  /**
   * The turn waits until its calls are decided. `expiresAt` is when it is given up, in milliseconds since the epoch. Without `paused`, it
   * goes on waiting as before, because only some of its calls have been decided.
   */
  | { readonly type: "waiting"; readonly expiresAt: number; readonly paused?: PausedTurn }
  | {
      readonly type: "call-decided";
      readonly callId: string;
      readonly name: string;
      readonly decision: Decision;
      /** What the request with the decision says about the rest of the turn. Never sent to clients. Absent if it says nothing. */
      readonly options?: TurnOptions;
    }
  | { readonly type: "usage"; readonly usage: TokenUsage }
  /** `messageId` is null if the turn ended without any text. `isCut`: the answer was cut off at a limit on its length. */
  | {
      readonly type: "completed";
      readonly content: string;
      readonly messageId: string | null;
      readonly isCut?: boolean;
      /** The whole answer, if the events before this one may lack a part of it, as after a crash. */
      readonly text?: string;
    }
  /** Stopped by the user. `messageId` is null if no text had been produced. */
  | { readonly type: "cancelled"; readonly messageId: string | null }
  | {
      readonly type: "failed";
      readonly code: ErrorCode;
      readonly message: string;
      readonly retryable: boolean;
    };

/** The events that an architecture emits. The code that runs the turn emits the others. */
export type AnswerEvent =
  /** A status line. */
  | { readonly type: "status"; readonly text: string }
  | { readonly type: "text"; readonly text: string }
  /** What the model thinks. It is shown to callers who ask for it, and never stored with the answer. */
  | { readonly type: "reasoning"; readonly text: string }
  | {
      readonly type: "tool-started";
      readonly callId: string;
      readonly name: string;
      readonly arguments: string;
      readonly input: Readonly<Record<string, unknown>>;
      /** Which response of the turn contains the call, from 0. Absent in logs of earlier versions. */
      readonly step?: number;
      /** What the call waits for before it has a result. Absent if it waits for nothing, and in logs of earlier versions. */
      readonly waitsFor?: WaitsFor;
      /** What the provider expects back with the response, on its first call. */
      readonly providerData?: ProviderData;
    }
  | {
      readonly type: "tool-finished";
      readonly callId: string;
      readonly name: string;
      readonly ok: boolean;
      readonly output: string;
      /** The passages of knowledge bases that the output shows. Absent if it shows none, and in logs of earlier versions. */
      readonly citations?: readonly Citation[];
    }
  /** The call is not run yet. `expiresAt` is in milliseconds since the epoch; null for a call that ends the turn. */
  | {
      readonly type: "call-waiting";
      readonly callId: string;
      readonly name: string;
      readonly arguments: string;
      readonly input: Readonly<Record<string, unknown>>;
      readonly waitsFor: WaitsFor;
      readonly expiresAt: number | null;
    }
  | { readonly type: "memory-updated"; readonly update: MemoryUpdate };

/** The status lines with which every turn begins. */
export const STATUS = {
  loading: "Loading agent information...",
  validating: "Validating conversation...",
} as const;

/** Returns whether the event ends its turn. */
export const isTerminal = ({ type }: AgentEvent): boolean =>
  type === "completed" || type === "cancelled" || type === "failed";
