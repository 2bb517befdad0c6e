import type { TokenUsage } from "../llm/model.ts";
import type { Compaction } from "../memory/capacity-model.ts";
import type { MemoryUpdate } from "../memory/core-memory.ts";
import type { ErrorCode } from "../shared/errors.ts";

/**
 * What happens in a turn, in the order it happens. Adding a member is compatible, changing one is not. Exactly one of
 * `completed`, `cancelled` and `failed` ends a turn.
 */
export type AgentEvent =
  /** A step of the preparations, in words for a status line. */
  | { readonly type: "status"; readonly text: string }
  | { readonly type: "message-saved"; readonly messageId: string }
  /** A memory block was compacted behind an earlier answer. */
  | { readonly type: "block-compacted"; readonly compaction: Compaction }
  | AnswerEvent
  | { readonly type: "usage"; readonly usage: TokenUsage }
  /** `messageId` is null where the turn ended without an answer in words. */
  | { readonly type: "completed"; readonly content: string; readonly messageId: string | null }
  /** Stopped by the user; `messageId` is null where nothing had been said. */
  | { readonly type: "cancelled"; readonly messageId: string | null }
  | {
      readonly type: "failed";
      readonly code: ErrorCode;
      readonly message: string;
      readonly retryable: boolean;
    };

/** What an architecture says and does; the rest is told by whoever runs it. */
export type AnswerEvent =
  | { readonly type: "text"; readonly text: string }
  | {
      readonly type: "tool-started";
      readonly callId: string;
      readonly name: string;
      readonly arguments: string;
      readonly input: Readonly<Record<string, unknown>>;
    }
  | {
      readonly type: "tool-finished";
      readonly callId: string;
      readonly name: string;
      readonly ok: boolean;
      readonly output: string;
    }
  | { readonly type: "memory-updated"; readonly update: MemoryUpdate };

/** Whether an event is the one that ends its turn. */
export const isTerminal = ({ type }: AgentEvent): boolean =>
  type === "completed" || type === "cancelled" || type === "failed";
