import { countWords, fence } from "../shared/text.ts";
import type { Attachment } from "./attachments.ts";
import type { Message } from "./model.ts";

/** Scripts without spaces have few "words": from this many characters per word on, characters are what counts. */
const CHARS_PER_WORD = 8;

interface Said {
  readonly content: string;
  readonly attachments: readonly Attachment[];
}

/** A user's message as the model reads it: its files, fenced, and then what was said. */
export const readableText = (said: Said): string =>
  [...said.attachments.map((file) => fileSection(file, fence(file.content))), wordsSaid(said)].join("\n\n");

/** How much of a model's window a text takes, in words. */
export const weight = (text: string): number =>
  Math.max(countWords(text), Math.ceil(text.length / CHARS_PER_WORD));

/** The same for a message with its files and tool calls. */
export const weightOf = (message: Message): number =>
  weight(readableText(message)) +
  message.toolCalls.reduce((sum, call) => sum + weight(call.arguments) + weight(call.output), 0);

/** The longest beginning of a text that weighs no more than `maxWords`, cut between words where it has any. */
export function beginningOf(text: string, maxWords: number): string {
  if (weight(text) <= maxWords) return text;

  const words = text.matchAll(/\S+/gu);
  let end = 0;
  for (let taken = 0; taken < maxWords; taken++) {
    const word = words.next().value;
    if (!word || word.index + word[0].length > maxWords * CHARS_PER_WORD) break;
    end = word.index + word[0].length;
  }

  return text.slice(0, end || maxWords * CHARS_PER_WORD).toWellFormed();
}

/**
 * The same, as far as it fits: what was said comes before the files, because it says what they are for. Where something
 * is cut off, a note says so: an answer to part of it beats none.
 */
export function readableBeginning(message: Said, maxWords: number): string {
  const whole = readableText(message);
  if (weight(whole) <= maxWords) return whole;

  const tooLong = `it is longer than the ${maxWords} words that can be read at once`;
  const said = cutToWords(wordsSaid(message), maxWords, `The rest of this message was cut off: ${tooLong}.`);
  let left = maxWords - weight(said);
  const files = message.attachments.map((file) => {
    const why = "The rest of this file was cut off: the message is longer than can be read at once.";
    const content = cutToWords(fence(file.content), left, why);
    left -= weight(content);
    return fileSection(file, content);
  });
  return [...files, said].join("\n\n");
}

/** The beginning of a text that is too long, and a note that says why there is no more. */
function cutToWords(text: string, maxWords: number, why: string): string {
  if (weight(text) <= maxWords) return text;
  return [beginningOf(text, Math.max(0, maxWords)), `[${why}]`].filter((part) => part !== "").join("\n\n");
}

const wordsSaid = ({ content, attachments }: Said): string =>
  content.trim() === "" && attachments.length === 0 ? "(empty message)" : fence(content);

const fileSection = ({ filename }: Attachment, content: string): string =>
  `<attached_file name="${attributeText(filename)}">\n${content}\n</attached_file>`;

const attributeText = (text: string): string =>
  text
    .replaceAll("&", "&amp;")
    .replaceAll('"', "&quot;")
    .replaceAll("<", "&lt;")
    .replaceAll(/[\r\n]/gu, " ");
