import type { AccessScope } from "../access/access-scope.ts";
import type { AnswerFormat, ToolChoice, ToolSpec } from "../llm/model.ts";
import type { Attachment } from "../messages/attachments.ts";
import type { GivenMessage } from "../messages/model.ts";
import type { AgentId, ConversationId, RunId } from "../shared/id-types.ts";
import type { RateLimit } from "../shared/rate-limit.ts";
import type { Wire } from "../wires/wire.ts";
import type { RunPart } from "./client-pauses.ts";
import type { CallDecision } from "./decisions.ts";
import type { IdempotencyKey } from "./idempotency-keys.ts";
import type { WantedExchange } from "./last-exchange.ts";
import type { GivenResponse } from "./turn.ts";

/** Identifies the conversation and the request that is served. */
export interface RunnerCall {
  readonly scope: AccessScope;
  readonly conversationId: ConversationId;
  readonly requestId: string;
}

/** How a run is to take place, whatever it answers. */
interface RunInput {
  /** The user's IANA time zone, if the client has stated it. */
  readonly timeZone?: string | undefined;
  /** Whether the caller wants to see what the model thinks. */
  readonly showsReasoning: boolean;
  /** The format of the frames that `send` returns; the native one by default. */
  readonly wire?: Wire;
  /** Tools that the client runs. Absent if it has none. */
  readonly clientTools?: readonly ToolSpec[] | undefined;
  readonly key: IdempotencyKey | null;
}

/** The last answer of a conversation, to be written again. */
export interface RegenerateInput extends RunInput {
  readonly regenerates: Pick<WantedExchange, "messageId">;
  /** The user's message, if its client can't tell whether it is stored. If it is not, it is run like a new one. */
  readonly message?: ClientMessage;
}

/** A message that may be stored. */
export interface ClientMessage {
  /** The id that its client has given it; that of the stored message, if the client has read the conversation. */
  readonly clientId: string;
  readonly input: SendInput;
}

/** A message to run. */
export interface SendInput extends RunInput {
  readonly agentId: AgentId;
  readonly content: string;
  readonly attachments: readonly Attachment[];
  /** The history, oldest first, if the client keeps it. If absent, it is that of the conversation. */
  readonly givenHistory?: readonly GivenMessage[] | undefined;
  /** What the client says before the message, behind the history. Only this turn reads it. */
  readonly preceding?: readonly GivenMessage[] | undefined;
  /** The part of a run that the message follows. Throws `conflict` if a later one of the conversation has been answered. */
  readonly follows?: RunPart | undefined;
  /** What the client's protocol repeats of the request whenever it shows the run, as JSON. */
  readonly clientRequest?: string | undefined;
  /** The form that the answer must have. Absent for text. */
  readonly format?: AnswerFormat | undefined;
  /** What the agent has answered since the message, if the client keeps the history. */
  readonly givenResponses?: readonly GivenResponse[] | undefined;
  /** Which of the client's tools the model must call first. Absent if it may choose. */
  readonly toolChoice?: ToolChoice | undefined;
  /** Whether the client runs at most one of its tools per response of the model. */
  readonly oneClientCall?: boolean | undefined;
  /** Results of calls that the conversation's last run has left to the client. The run ends with them before the message is run. */
  readonly results?: readonly CallDecision[] | undefined;
}

/** A run as a stream: its SSE frames from the first one on. */
export interface StreamedRun {
  readonly runId: RunId;
  readonly frames: ReadableStream<Uint8Array>;
  readonly messagesLeft: RateLimit | null;
}

/** A run that has begun. `messagesLeft` is null if messages are unlimited, or if the run had begun before. */
export interface BegunRun {
  readonly runId: RunId;
  readonly messagesLeft: RateLimit | null;
  /** The number of the event behind which a run goes on that has waited. Absent if it has begun. */
  readonly after?: number;
  /** The part of the run that begins there; see `RunPart`. Absent if the run has begun. */
  readonly part?: number;
}
