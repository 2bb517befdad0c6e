import type { Message } from "../messages/model.ts";
import { AppError } from "../shared/errors.ts";
import type { AgentId } from "../shared/id-types.ts";
import type { RunIds } from "./model.ts";

/** The last message of a user in a conversation, with its answer. */
export interface LastExchange {
  /** The agent of the conversation. */
  readonly agentId: AgentId;
  readonly question: Message;
  /** Null if the message has not been answered. */
  readonly answer: Message | null;
}

/** Which answer a caller wants to have written again. The last one, if both are absent. */
export interface WantedExchange {
  /** The id of the answer, or that of a message that has none. */
  readonly messageId?: string | undefined;
  /** The id of the user's message. */
  readonly questionId?: string | undefined;
}

/**
 * Returns the exchange at the end of a conversation. `newest` are its last two messages, newest first. Returns `undefined` if the
 * conversation does not end with a user's message and at most one answer.
 */
export function lastExchangeOf(
  agentId: AgentId,
  [last, before]: readonly Message[],
): LastExchange | undefined {
  if (last?.role === "user") return { agentId, question: last, answer: null };
  if (last?.role === "assistant" && before?.role === "user")
    return { agentId, question: before, answer: last };
  return undefined;
}

/**
 * Throws `conflict` if there is nothing to answer again, or if the wanted exchange is not the last one. `attempt` is the run that was to
 * write the wanted answer, if it is known.
 */
export function requireLast(
  exchange: LastExchange | undefined,
  { messageId, questionId }: WantedExchange,
  attempt: RunIds | undefined,
): LastExchange {
  if (!exchange)
    throw new AppError("conflict", "This conversation has no message that could be answered again.");
  const { question, answer } = exchange;
  const isNewest = messageId === undefined || messageId === (answer ?? question).id;
  if (!isNewest && !(attempt && isLastAttempt(attempt, exchange))) throw notTheLast();
  if (questionId !== undefined && questionId !== question.id) throw notTheLast();
  return exchange;
}

/**
 * Whether a run was a later attempt to answer the question than the one whose answer is stored. Its answer was not kept, but a client
 * that has followed it still shows its beginning.
 */
const isLastAttempt = ({ userMessageId, answeredAt }: RunIds, { question, answer }: LastExchange): boolean =>
  userMessageId === question.id && (answer === null || answeredAt > answer.createdAt);

/** The error for a message that others have followed, also while the request was under way. */
export const notTheLast = (): AppError =>
  new AppError(
    "conflict",
    "Only the last answer of a conversation can be written again, and this is not the last one. Read the messages again.",
  );
