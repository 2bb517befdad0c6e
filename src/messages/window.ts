import { type Message, messageKey } from "./model.ts";
import { weightOf } from "./reading.ts";

/** What a window may hold. */
export interface WindowSize {
  readonly words: number;
  readonly messages: number;
}

/** Messages read for a turn; what is older lies outside every window. */
export const HISTORY_MESSAGES = 200;

/** Where a message stands among those of its conversation. */
export const placeOf = ({ conversationId, createdAt, id }: Message): string =>
  messageKey(conversationId, createdAt, id).sk;

/** The messages behind a place; all of them without one. */
export const behind = (messages: readonly Message[], place: string | null): readonly Message[] =>
  place === null ? messages : messages.filter((message) => placeOf(message) > place);

/**
 * What a model reads of a history (oldest first): all that stands behind the summary, or the newest of it that fit. It
 * begins where the summary ends for as long as that fits, and so with the same message from turn to turn: a window that
 * moved with every message would begin with other bytes each time, and no provider could keep it in its cache.
 */
export const windowOf = (
  history: readonly Message[],
  coversUntil: string | null,
  words: number,
): readonly Message[] =>
  fromUser(newestThatFit(behind(history, coversUntil), { words, messages: Number.POSITIVE_INFINITY }));

/** The newest messages whose weights fit together; it ends at the first that does not, so that no gap is hidden. */
export function newestThatFit(history: readonly Message[], size: WindowSize): readonly Message[] {
  let left = size.words;
  let start = history.length;

  while (start > 0 && history.length - start < size.messages) {
    const message = history[start - 1];
    left -= message ? weightOf(message) : 0;
    if (left < 0) break;
    start--;
  }

  return history.slice(start);
}

/** Without the answers at its beginning: a conversation that a model reads is begun by the user. */
export function fromUser(messages: readonly Message[]): readonly Message[] {
  const first = messages.findIndex(({ role }) => role !== "assistant");
  return first < 0 ? [] : messages.slice(first);
}
