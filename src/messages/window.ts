import { type Message, messageKey } from "./model.ts";
import { messageTokens } from "./reading.ts";

/** A message as a model reads it. */
export interface WindowMessage {
  readonly message: Message;
  /** To how many tokens the message is shortened; null if it is read whole. */
  readonly maxTokens: number | null;
}

/** The most messages read for a turn. Older ones are outside every window. */
export const HISTORY_MESSAGES = 200;

/** The share of a full window that shortened messages may take. The rest is for the newest messages. */
const SHORTENED_SHARE = 0.25;
/** To how many tokens a message is shortened if newer ones fill the window: at most, and at least. */
const SHORT_TOKENS = 64;
const LEAST_TOKENS = 16;

/** Returns the sort key of a message, which is its place in its conversation. */
export const placeOf = ({ conversationId, createdAt, id }: Message): string =>
  messageKey(conversationId, createdAt, id).sk;

/** Returns the messages after a place, or all messages if `place` is null. */
export const messagesAfter = (messages: readonly Message[], place: string | null): readonly Message[] =>
  place === null ? messages : messages.filter((message) => placeOf(message) > place);

/**
 * Returns the part of a history (oldest first) that a model reads: all messages after the summary. As long as they fit
 * into `tokens`, the window starts with the same message from turn to turn. A window that moved with every message would
 * start with different bytes each time, and no provider could cache it.
 *
 * If they do not fit, the newest messages are read whole and the older ones shortened, so that no message is missing
 * while its summary is being written. Only what is too long even then is left out, oldest first.
 */
export function windowOf(
  history: readonly Message[],
  coversUntil: string | null,
  tokens: number,
): readonly WindowMessage[] {
  const open = messagesAfter(history, coversUntil);
  const whole = newestThatFit(open, { tokens, messages: HISTORY_MESSAGES });
  return fromUser(whole.length === open.length ? whole.map(asWhole) : partlyShortened(open, tokens));
}

function partlyShortened(open: readonly Message[], tokens: number): readonly WindowMessage[] {
  const mainTokens = Math.floor(tokens * (1 - SHORTENED_SHARE));
  const whole = newestThatFit(open, { tokens: mainTokens, messages: HISTORY_MESSAGES });
  const older = open.slice(0, open.length - whole.length);

  const each = Math.floor((tokens - mainTokens) / Math.max(1, older.length));
  const short = Math.max(LEAST_TOKENS, Math.min(SHORT_TOKENS, each));
  let remaining = tokens - tokensOfAll(whole);
  const shortened: WindowMessage[] = [];
  for (const message of older.toReversed()) {
    if (remaining < short) break;
    // The newest of them takes what the whole messages leave, because it is the one that the next message is about.
    const most = shortened.length === 0 ? Math.max(short, mainTokens - (tokens - remaining)) : short;
    const size = messageTokens(message, most);
    shortened.push({ message, maxTokens: size <= most ? null : most });
    remaining -= Math.min(size, most);
  }
  return [...shortened.toReversed(), ...whole.map(asWhole)];
}

const asWhole = (message: Message): WindowMessage => ({ message, maxTokens: null });

/** Returns how many tokens messages take. If they have more than `limit`, the result is some number above `limit`. */
export function tokensOfAll(messages: readonly Message[], limit = Number.POSITIVE_INFINITY): number {
  let tokens = 0;
  for (const message of messages) {
    tokens += messageTokens(message, limit - tokens);
    if (tokens > limit) break;
  }
  return tokens;
}

/** Returns the newest messages that fit together. It stops at the first that does not fit, so that there is no gap. */
export function newestThatFit(
  history: readonly Message[],
  size: { readonly tokens: number; readonly messages: number },
): readonly Message[] {
  let remaining = size.tokens;
  let start = history.length;

  while (start > 0 && history.length - start < size.messages) {
    const message = history[start - 1];
    remaining -= message ? messageTokens(message, remaining) : 0;
    if (remaining < 0) break;
    start--;
  }

  return history.slice(start);
}

/** Drops the answers at the beginning, because providers require that a conversation starts with the user. */
function fromUser(window: readonly WindowMessage[]): readonly WindowMessage[] {
  const first = window.findIndex(({ message }) => message.role !== "assistant");
  return first < 0 ? [] : window.slice(first);
}
