import type { AgentEvent } from "../architectures/events.ts";
import type { EndUserRef } from "../access/access-scope.ts";
import type { TokenUsage } from "../llm/model.ts";
import type { ConversationId, RunId } from "../shared/id-types.ts";
import type { ResponseRequest } from "./responses.ts";

/** The major versions of the AI SDK whose parts can be asked for. Version 5 stands for 5.0.7, which all later ones read. */
export const AI_SDK_VERSIONS = [5, 6, 7] as const;
export type AiSdkVersion = (typeof AI_SDK_VERSIONS)[number];

/** The format in which a client reads the events of a run. */
export type Wire =
  | { readonly kind: "native" }
  /** The native one, for visitors of web pages; see `widgetWriter`. */
  | { readonly kind: "widget" }
  /** The UI message stream of the AI SDK. */
  | { readonly kind: "ai-sdk"; readonly version: AiSdkVersion }
  /** The chunks of OpenAI's chat completions. `model` is repeated as the client has sent it. */
  | { readonly kind: "chat-completions"; readonly model: string; readonly includesUsage: boolean }
  /** The events of OpenAI's responses after the number `startingAfter`; -1 for all of them. */
  | {
      readonly kind: "responses";
      readonly request: ResponseRequest;
      readonly endUser: EndUserRef | null | undefined;
      readonly startingAfter: number;
    };

export const NATIVE: Wire = { kind: "native" };

/** Where a part of a run begins: at its first event, or where the run has left calls to its client. */
export interface PartBeginning {
  /** How often the run had left calls to its client before. */
  readonly part: number;
  /** The number of the event behind which the part begins; 0 for the first. */
  readonly seq: number;
  /** The length of the run's answer before the part, in UTF-16 code units. */
  readonly chars: number;
  /** The tokens of the run before the part; null if the provider has not counted them. */
  readonly usage: TokenUsage | null;
}

export const FIRST_PART: PartBeginning = { part: 0, seq: 0, chars: 0, usage: null };

/** What the frames of a run say about it. */
export interface FramedRun {
  readonly runId: RunId;
  readonly conversationId: ConversationId;
  readonly userMessageId: string;
  /** The id of the stored answer, decided when the run began. */
  readonly answerId: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** Where the part of the run begins that is shown; absent if it is the first. Only the wire `responses` shows parts. */
  readonly beginning?: PartBeginning | undefined;
}

/**
 * Returns an event of a run as SSE frames, or "" if the wire does not show it. Must be called with the events in order; all wires
 * but `native` and `widget` need them from the first one on. `seq` is the number of the event. `answerBefore` returns the text of the
 * answer before the event.
 */
export type FrameWriter = (event: AgentEvent, seq: number, answerBefore: () => string) => string;

/** Returns a value as a frame: a `data:` line with JSON, and a blank line. */
export const dataFrame = (value: object): string => `data: ${JSON.stringify(value)}\n\n`;

/** The last frame of the AI SDK's and of OpenAI's streams. */
export const DONE = "data: [DONE]\n\n";

/**
 * Returns the part of a completed answer that the events before its end lacked. After a crash, these may lack the last words.
 */
export function missingText(event: AgentEvent & { type: "completed" }, answerBefore: () => string): string {
  if (event.text === undefined) return "";
  const before = answerBefore();
  return event.text.startsWith(before) ? event.text.slice(before.length).toWellFormed() : "";
}
