import type { Citation } from "../knowledge/citation-model.ts";
import type { ProviderData, TokenUsage } from "../llm/model.ts";
import type { Compaction } from "../memory/capacity-model.ts";
import type { MemoryUpdate } from "../memory/core-memory.ts";
import type { ErrorCode } from "../shared/errors.ts";

/**
 * An event of a turn; events are emitted in the order in which they happen. Adding a member is compatible, changing one
 * is not. Exactly one of `completed`, `cancelled` and `failed` ends a turn.
 */
export type AgentEvent =
  | { readonly type: "message-saved"; readonly messageId: string }
  /** A memory block was compacted after an earlier answer. */
  | { readonly type: "block-compacted"; readonly compaction: Compaction }
  | AnswerEvent
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
  | { readonly type: "memory-updated"; readonly update: MemoryUpdate };

/** The status lines with which every turn begins. */
export const STATUS = {
  loading: "Loading agent information...",
  validating: "Validating conversation...",
} as const;

/** Returns whether the event ends its turn. */
export const isTerminal = ({ type }: AgentEvent): boolean =>
  type === "completed" || type === "cancelled" || type === "failed";
