import { MESSAGE_TOKENS, shortened } from "../messages/reading.ts";
import { estimateTokens } from "../llm/token-estimate.ts";
import type { ModelMessage } from "../llm/model.ts";

/** To how many tokens the results of earlier responses are shortened. */
const EARLIER_RESULT_TOKENS = 60;
/** Arguments longer than this are replaced in earlier calls, because JSON can't be shortened. */
const EARLIER_ARGUMENTS_TOKENS = 120;
const REPLACED_ARGUMENTS = '{"note":"These arguments were long and are left out here."}';
/** The smallest share that a result of the last response keeps. */
const LEAST_RESULT_TOKENS = 40;

/** The messages of a request: the prompt, and what the turn has added to it. */
export interface Exchange {
  /** The system prompt, the earlier messages, and the new message. */
  readonly prompt: readonly ModelMessage[];
  /** The responses of this turn, each followed by the results of its calls. */
  readonly loop: readonly ModelMessage[];
}

/** Returns how many tokens a message takes. */
export function sizeOf(message: ModelMessage): number {
  const tokens = MESSAGE_TOKENS + estimateTokens(message.content);
  if (message.role !== "assistant") return tokens;

  const data = message.providerData && estimateTokens(JSON.stringify(message.providerData.data));
  return message.calls.reduce(
    (sum, call) => sum + estimateTokens(call.name + call.arguments) + MESSAGE_TOKENS,
    tokens + (data ?? 0),
  );
}

/**
 * Returns the messages of a request, with at most `maxTokens` if that is possible. What the turn adds to its prompt
 * displaces the oldest messages of the conversation first, then the results of its earlier calls, then parts of the
 * newest results.
 */
export function messagesWithin({ prompt, loop }: Exchange, maxTokens: number): readonly ModelMessage[] {
  const excess = (some: readonly ModelMessage[], others: readonly ModelMessage[]) =>
    [...some, ...others].reduce((sum, message) => sum + sizeOf(message), 0) - maxTokens;
  const whole = loop.length === 0 ? 0 : excess(prompt, loop);
  if (whole <= 0) return [...prompt, ...loop];

  const kept = withoutOldest(prompt, whole);
  if (excess(kept, loop) <= 0) return [...kept, ...loop];

  const lastResponse = loop.findLastIndex(({ role }) => role === "assistant");
  const shorter = [...loop.slice(0, lastResponse).map(asEarlier), ...loop.slice(lastResponse)];
  const over = excess(kept, shorter);
  return [...kept, ...(over <= 0 ? shorter : withShorterResults(shorter, lastResponse, over))];
}

/** Drops messages between the system prompt and the new message, oldest first, until `excess` tokens are gone. */
function withoutOldest(prompt: readonly ModelMessage[], excess: number): readonly ModelMessage[] {
  const newest = prompt.length - 1;
  let remaining = excess;
  let start = 1;
  while (start < newest && remaining > 0) {
    remaining -= sizeOfAt(prompt, start++);
    // The conversation has to begin with the user, and a result has to follow its call.
    while (start < newest && prompt[start]?.role !== "user") remaining -= sizeOfAt(prompt, start++);
  }
  return [...prompt.slice(0, 1), ...prompt.slice(start)];
}

const sizeOfAt = (messages: readonly ModelMessage[], index: number): number => {
  const message = messages[index];
  return message ? sizeOf(message) : 0;
};

/** Returns a message of an earlier response, without most of what it looked up or wrote. */
function asEarlier(message: ModelMessage): ModelMessage {
  if (message.role === "tool")
    return { ...message, content: shortened(message.content, EARLIER_RESULT_TOKENS) };
  if (message.role !== "assistant") return message;
  const calls = message.calls.map((call) => {
    const isLong = estimateTokens(call.arguments, EARLIER_ARGUMENTS_TOKENS) > EARLIER_ARGUMENTS_TOKENS;
    return isLong ? { ...call, arguments: REPLACED_ARGUMENTS } : call;
  });
  return { ...message, content: shortened(message.content, EARLIER_ARGUMENTS_TOKENS), calls };
}

/** Shortens the results of the last response equally, so that `excess` tokens are gone. */
function withShorterResults(
  loop: readonly ModelMessage[],
  lastResponse: number,
  excess: number,
): readonly ModelMessage[] {
  const results = loop.slice(lastResponse + 1);
  const size = results.reduce((sum, { content }) => sum + estimateTokens(content), 0);
  const each = Math.floor(Math.max(0, size - excess) / Math.max(1, results.length));
  const most = Math.max(LEAST_RESULT_TOKENS, each);
  return [
    ...loop.slice(0, lastResponse),
    ...loop.slice(lastResponse, lastResponse + 1).map(asEarlier),
    ...results.map((result) => ({ ...result, content: shortened(result.content, most) })),
  ];
}
