import { beginningWithin, endWithin, estimateTokens } from "../llm/token-estimate.ts";
import { neutralizeTokens, fence } from "../shared/fence.ts";
import { onOneLine } from "../shared/text.ts";
import type { Attachment } from "./attachments.ts";
import type { Message, StoredToolCall } from "./model.ts";

/** The share of a shortened text that comes from its beginning. The rest comes from its end. */
const BEGINNING_SHARE = 0.6;

const SHORTENED =
  "[Shortened: a part of this text is left out here, because it is too long to be read at once.]";
/** What the mark costs, with the line breaks around it. */
const MARK_TOKENS = estimateTokens(`\n\n${SHORTENED}\n\n`);

interface UserText {
  readonly content: string;
  readonly attachments: readonly Attachment[];
}

/** Returns a user's message as the model reads it: its fenced files, then its text without control tokens. */
export const readableText = (message: UserText): string =>
  [...message.attachments.map((file) => fileSection(file, fence(file.content))), bodyOf(message)].join(
    "\n\n",
  );

/** What the role of a message and the marks around it take, in tokens. */
export const MESSAGE_TOKENS = 6;
/** What surrounds the name, the arguments and the output of a tool call, in tokens. */
const CALL_TOKENS = 20;

/**
 * Returns how many tokens a message takes, including its files and tool calls. If it has more than `limit`, the result
 * is some number above `limit`.
 */
export function messageTokens(message: Message, limit = Number.POSITIVE_INFINITY): number {
  // Fencing is slower than counting, so a text that is too long anyway is not fenced.
  const stored = [message.content, ...message.attachments.map(({ content }) => content)];
  let tokens = 0;
  for (const text of stored) {
    tokens += estimateTokens(text, limit - tokens);
    if (tokens > limit) return tokens;
  }

  tokens = MESSAGE_TOKENS + estimateTokens(readableText(message), limit);
  for (const call of message.toolCalls) tokens += tokensOfCall(call);
  for (const { providerData } of message.providerData ?? []) {
    if (tokens > limit) break;
    tokens += estimateTokens(JSON.stringify(providerData.data));
  }
  return tokens;
}

/** Returns how many tokens a tool call and its result take. */
export const tokensOfCall = (call: StoredToolCall): number =>
  CALL_TOKENS + estimateTokens(call.name) + estimateTokens(call.arguments) + estimateTokens(call.output);

/**
 * Returns a text, or its beginning and its end with a mark in between if it has more than `maxTokens`. With hardly any
 * tokens, only the mark or nothing is left.
 */
export function shortened(text: string, maxTokens: number): string {
  if (estimateTokens(text, maxTokens) <= maxTokens) return text;

  const remaining = maxTokens - MARK_TOKENS;
  if (remaining < 0) return beginningWithin(text, maxTokens);
  const beginning = beginningWithin(text, Math.floor(remaining * BEGINNING_SHARE));
  const end = endWithin(text, Math.floor(remaining * (1 - BEGINNING_SHARE)));
  return [beginning.trimEnd(), SHORTENED, end].filter((part) => part !== "").join("\n\n");
}

/**
 * Returns a user's message like `readableText`, shortened to about `maxTokens`. The text has priority over the files,
 * because it says what they are for. A mark shows each place where something is left out.
 */
export function readableWithin(message: UserText, maxTokens: number): string {
  const whole = readableText(message);
  if (estimateTokens(whole, maxTokens) <= maxTokens) return whole;

  const body = shortened(bodyOf(message), maxTokens);
  let remaining = maxTokens - estimateTokens(body);
  const files = message.attachments.map((file, index) => {
    const frame = estimateTokens(fileSection(file, ""));
    const isLast = index === message.attachments.length - 1;
    // A short file leaves its share to the files after it.
    const share = isLast ? remaining : remaining / (message.attachments.length - index);
    const section = fileSection(file, shortened(fence(file.content), Math.max(0, Math.floor(share - frame))));
    remaining -= estimateTokens(section);
    return section;
  });
  return [...files, body].join("\n\n");
}

const bodyOf = ({ content, attachments }: UserText): string =>
  content.trim() === "" && attachments.length === 0 ? "(empty message)" : neutralizeTokens(content);

const fileSection = ({ filename }: Attachment, content: string): string =>
  `<attached_file name="${fence(attributeText(filename))}">\n${content}\n</attached_file>`;

const attributeText = (text: string): string =>
  onOneLine(text).replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;");
