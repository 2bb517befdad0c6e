import type { ModelMessage, ToolCall } from "../../llm/model.ts";
import type { Attachment } from "../../messages/attachments.ts";
import type { Message, StoredToolCall } from "../../messages/model.ts";
import { countWords, fence } from "../../shared/text.ts";

/** Scripts without spaces have few "words": from this many characters per word on, characters are what counts. */
const CHARS_PER_WORD = 8;

interface Said {
  readonly content: string;
  readonly attachments: readonly Attachment[];
}

/** One side's say: what stands between two changes of speaker. */
interface Say {
  readonly role: "user" | "assistant";
  readonly content: string;
  readonly calls: readonly StoredToolCall[];
}

/**
 * The conversation as the model reads it: as much of the history (oldest first) as fits `budgetWords` beside the new
 * message, then the new message. Whatever the table holds, speakers alternate and the user begins.
 */
export function toConversation(
  history: readonly Message[],
  message: Said,
  budgetWords: number,
): readonly ModelMessage[] {
  const newest = cutToWords(textOf(message), budgetWords);
  const window = newestThatFit(history, budgetWords - weight(newest));

  const says = [...window.map(toSay), { role: "user", content: newest, calls: [] } as const];
  const alternating = join(says.filter(({ content, calls }) => content.trim() !== "" || calls.length > 0));
  const fromUser = alternating.slice(alternating.findIndex(({ role }) => role === "user"));
  return fromUser.flatMap(toMessages);
}

/** The newest messages whose weights fit together; it ends at the first that does not, so that no gap is hidden. */
function newestThatFit(history: readonly Message[], budgetWords: number): readonly Message[] {
  let left = budgetWords;
  let start = history.length;

  while (start > 0) {
    const message = history[start - 1];
    left -= message ? weightOf(message) : 0;
    if (left < 0) break;
    start--;
  }

  return history.slice(start);
}

const toSay = (message: Message): Say => ({
  role: message.role === "assistant" ? "assistant" : "user",
  content: message.role === "assistant" ? message.content : textOf(message),
  calls: message.toolCalls,
});

/** Joins what one side said in several messages, as after a turn that failed, by a blank line. */
function join(says: readonly Say[]): readonly Say[] {
  const joined: Say[] = [];

  for (const say of says) {
    const last = joined.at(-1);
    if (last?.role !== say.role) {
      joined.push(say);
    } else {
      const content = [last.content, say.content].filter((text) => text.trim() !== "").join("\n\n");
      joined[joined.length - 1] = { role: say.role, content, calls: [...last.calls, ...say.calls] };
    }
  }

  return joined;
}

/** Tool calls come before the words they led to, each followed by its result. */
function toMessages({ role, content, calls }: Say): readonly ModelMessage[] {
  if (role === "user") return [{ role, content }];
  if (calls.length === 0) return [{ role, content, calls: [] }];

  const made: ToolCall[] = calls.map(({ id, name, arguments: text }) => ({ id, name, arguments: text }));
  const results = calls.map(({ id, output }) => ({ role: "tool", callId: id, content: output }) as const);
  const answer: ModelMessage[] = content.trim() === "" ? [] : [{ role, content, calls: [] }];
  return [{ role, content: "", calls: made }, ...results, ...answer];
}

/** A user's message as the model reads it: its files, fenced, and then what was said. */
function textOf({ content, attachments }: Said): string {
  const files = attachments.map(
    (file) =>
      `<attached_file name="${attributeText(file.filename)}">\n${fence(file.content)}\n</attached_file>`,
  );
  const said = content.trim() === "" && files.length === 0 ? "(empty message)" : fence(content);
  return [...files, said].join("\n\n");
}

const attributeText = (text: string): string =>
  text
    .replaceAll("&", "&amp;")
    .replaceAll('"', "&quot;")
    .replaceAll("<", "&lt;")
    .replaceAll(/[\r\n]/gu, " ");

const weightOf = (message: Message): number =>
  weight(textOf(message)) +
  message.toolCalls.reduce((sum, call) => sum + weight(call.arguments) + weight(call.output), 0);

const weight = (text: string): number => Math.max(countWords(text), Math.ceil(text.length / CHARS_PER_WORD));

/** The beginning of a text that is too long, and a note that says so: an answer to part of it beats none. */
function cutToWords(text: string, maxWords: number): string {
  if (weight(text) <= maxWords) return text;

  const words = text.matchAll(/\S+/gu);
  let end = 0;
  for (let taken = 0; taken < maxWords; taken++) {
    const word = words.next().value;
    if (!word || word.index + word[0].length > maxWords * CHARS_PER_WORD) break;
    end = word.index + word[0].length;
  }

  const beginning = text.slice(0, end || maxWords * CHARS_PER_WORD).toWellFormed();
  return `${beginning}\n\n[The rest of this message was cut off: it is longer than the ${maxWords} words that can be read at once.]`;
}
