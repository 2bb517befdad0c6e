import * as z from "zod";
import type { ConversationReader } from "../../messages/conversation-reader.ts";
import type { Message } from "../../messages/model.ts";
import type { RecallHit, SearchCriteria } from "../../search/model.ts";
import { passageOf, type PassageWords, passageWords } from "../../search/passage.ts";
import { inParentheses, onOneLine, preview } from "../../shared/text.ts";
import { defineTool } from "../tool.ts";
import type { MemoryToolContext } from "./memory-context.ts";
import { PageNumber } from "./schema.ts";
import {
  After,
  Before,
  dated,
  evidenceOf,
  limitOf,
  Queries,
  questionsOf,
  criteriaFromInput,
} from "./search-input.ts";

const PAGE_SIZE = 10;
const PREVIEW_CHARS = 200;
/** The most characters of a query or of a title that are repeated in the output. */
const QUERY_CHARS = 200;
const TITLE_CHARS = 60;

const Query = z
  .string()
  .default("")
  .transform((query) => query.trim().toWellFormed())
  .describe("What to look for in all conversations with this user. Without it, this conversation is listed.");

export const recallConversation = defineTool({
  name: "recall_conversation",
  description:
    "With `query`, search all conversations with this user, best matches first. " +
    "Without it, list the messages of this conversation, newest first, including those that you can no longer see.",
  input: z.object({
    query: Query,
    page: PageNumber,
    queries: Queries,
    after: After,
    before: Before,
    limit: limitOf(PAGE_SIZE),
  }),
  async run({ page, limit, ...input }, { conversation }: MemoryToolContext) {
    const criteria = criteriaFromInput(input);
    if (typeof criteria === "string") return criteria;
    const isSearch = criteria.query !== "" || criteria.from !== undefined || criteria.to !== undefined;
    return isSearch
      ? search(conversation, criteria, Math.max(1, page), limit)
      : listMessages(conversation, Math.max(1, page));
  },
});

async function listMessages(conversation: ConversationReader, page: number): Promise<string> {
  const { messages, total } = await conversation.read(PAGE_SIZE, (page - 1) * PAGE_SIZE);
  if (total === 0) return "No earlier messages found in this conversation.";
  if (messages.length === 0) return "No more messages. You've reached the beginning of this conversation.";

  const pages = Math.ceil(total / PAGE_SIZE);
  const header = `Earlier Conversation (Page ${page} of ${pages}, ${total} total messages):`;
  const more = page < pages ? ["", `(Use page=${page + 1} to see older messages)`] : [];
  return [header, "", ...messages.map(rowOf), ...more].join("\n");
}

async function search(
  conversation: ConversationReader,
  criteria: SearchCriteria,
  page: number,
  limit: number,
): Promise<string> {
  const answer = await conversation.search(criteria, limit, (page - 1) * limit);
  if (!answer) return "Error: Earlier conversations can't be searched right now. Try again later.";

  const { hits, total, notes } = answer;
  const query = questionsOf(criteria);
  const shown = preview(onOneLine(query), QUERY_CHARS);
  const remarks = [
    ...evidenceOf(answer.evidence, total, ["message", "messages"]),
    ...(notes.includes("index-building") ? [INCOMPLETE] : []),
  ];
  if (total === 0) {
    const why = notes.includes("nothing-stored")
      ? "there are no messages before this one"
      : "no message in the conversations with this user matches";
    return [`No messages found for "${shown}": ${why}.`, ...remarks].join("\n");
  }

  const pages = Math.ceil(total / limit);
  if (page > pages)
    return [
      `Page ${page} does not exist. The results for "${shown}" have ${pages} ${pages === 1 ? "page" : "pages"}.`,
      ...remarks,
    ].join("\n");
  const header = `Conversation Search for "${shown}" (Page ${page} of ${pages}, ${total} total messages):`;
  const more = page < pages ? ["", `(Use page=${page + 1} for more)`] : [];
  const words = passageWords(query);
  return [header, "", ...hits.map((hit) => hitRow(hit, words)), ...more, ...remarks].join("\n");
}

const INCOMPLETE = "(The search index is still being built. Some messages may be missing.)";

/** Formats a message. Tool outputs are left out, or the outputs of this tool would be repeated in its own results. */
function rowOf(message: Message): string {
  const files = message.attachments.map(({ filename }) => filename);
  const shown = preview(onOneLine(textOf(message.content, files)), PREVIEW_CHARS);
  return `[${momentOf(message.createdAt)}] ${speakerOf(message.role)}: ${shown}`;
}

/**
 * Formats a search hit: the matching part of the message and the title of its conversation. Its date has a year, because
 * it may be from any conversation.
 */
function hitRow(hit: RecallHit, words: PassageWords): string {
  const title = preview(inParentheses(hit.conversationTitle), TITLE_CHARS) || "untitled";
  const shown = hit.filePassage
    ? `(file: ${inParentheses(hit.filePassage.filename)}) ${passageOf(onOneLine(hit.filePassage.text), words, PREVIEW_CHARS)}`
    : passageOf(onOneLine(textOf(hit.content, hit.files)), words, PREVIEW_CHARS);
  return `[${momentOf(hit.createdAt, true)}] (${title}) ${speakerOf(hit.role)}: ${dated(shown, hit.createdAt)}`;
}

const speakerOf = (role: string): string => (role === "assistant" ? "Assistant" : "User");

function textOf(content: string, files: readonly string[]): string {
  if (content.trim() !== "") return content;
  return files.length > 0 ? `(files: ${files.join(", ")})` : "(no words)";
}

/** Formats a time as `11:51 AM, Jan 29` (UTC). */
function momentOf(timestamp: string, withYear = false): string {
  const date = new Date(timestamp);
  if (Number.isNaN(date.getTime())) return "time unknown";

  const time = date.toLocaleTimeString("en-US", {
    hour: "2-digit",
    minute: "2-digit",
    hour12: true,
    timeZone: "UTC",
  });
  const day = date.toLocaleDateString("en-US", {
    month: "short",
    day: "2-digit",
    timeZone: "UTC",
    ...(withYear && { year: "numeric" }),
  });
  return `${time}, ${day}`;
}
