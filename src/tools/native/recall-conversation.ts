import * as z from "zod";
import type { ConversationReader } from "../../messages/conversation-reader.ts";
import type { Message } from "../../messages/model.ts";
import type { RecallHit } from "../../search/model.ts";
import { isStopWord, wordsOf } from "../../search/words.ts";
import { excerpt, onOneLine, preview } from "../../shared/text.ts";
import { defineTool } from "../tool.ts";
import type { MemoryToolContext } from "./memory-context.ts";
import { PageNumber } from "./schema.ts";

const PAGE_SIZE = 10;
const PREVIEW_CHARS = 200;
/** As much of a long query, or of a title, as is repeated. */
const QUERY_CHARS = 200;
const TITLE_CHARS = 60;

/** Some models fill in null or "" for nothing. */
const Query = z
  .string()
  .nullish()
  .transform((query) => query?.trim().toWellFormed() ?? "")
  .describe(
    "What to look for in all conversations with this user. Without it, this conversation is read back.",
  );

export const recallConversation = defineTool({
  name: "recall_conversation",
  description:
    "Find what was said in any conversation with this user, best matches first, with `query`. " +
    "Without it, read this conversation back, newest messages first: what was said before those you can see.",
  input: z.object({ query: Query, page: PageNumber }),
  async run({ query, page }, { conversation }: MemoryToolContext) {
    return query === "" ? readBack(conversation, Math.max(1, page)) : search(conversation, query, page);
  },
});

async function readBack(conversation: ConversationReader, page: number): Promise<string> {
  const { messages, total } = await conversation.read(PAGE_SIZE, (page - 1) * PAGE_SIZE);
  if (total === 0) return "No earlier messages found in this conversation.";
  if (messages.length === 0) return "No more messages. You've reached the beginning of this conversation.";

  const pages = Math.ceil(total / PAGE_SIZE);
  const header = `Earlier Conversation (Page ${page} of ${pages}, ${total} total messages):`;
  const more = page < pages ? ["", `(Use page=${page + 1} to see older messages)`] : [];
  return [header, "", ...messages.map(rowOf), ...more].join("\n");
}

async function search(conversation: ConversationReader, query: string, wanted: number): Promise<string> {
  const page = Math.max(1, wanted);
  const offset = (page - 1) * PAGE_SIZE;
  const answer = await conversation.search(query, PAGE_SIZE, offset);
  if (!answer) return "Error: Earlier conversations can't be searched at the moment. Try again later.";

  const { hits, total, notes } = answer;
  const shown = preview(onOneLine(query), QUERY_CHARS);
  const building = notes.includes("index-building") ? [INCOMPLETE] : [];
  if (total === 0) {
    const why = notes.includes("nothing-stored")
      ? "nothing has been said before this message"
      : "nothing that was said with this user matches";
    return [`No messages found for "${shown}": ${why}.`, ...building].join("\n");
  }

  // In a text the pairs of scripts without spaces stand without one.
  const words = wordsOf(query)
    .filter((word) => !isStopWord(word))
    .map((word) => word.replace(" ", ""));
  const pages = Math.ceil(total / PAGE_SIZE);
  if (page > pages)
    return [
      `Page ${page} does not exist: there are ${pages} pages for "${shown}", from 1.`,
      ...building,
    ].join("\n");
  const header = `Conversation Search for "${shown}" (Page ${page} of ${pages}, ${total} total messages):`;
  const more = page < pages ? ["", `(Use page=${page + 1} for more)`] : [];
  return [header, "", ...hits.map((hit) => hitRow(hit, words)), ...more, ...building].join("\n");
}

const INCOMPLETE = "(The search index is still being built: some messages may be missing.)";

/** What was said, in words: the outputs of tools, of this one above all, are not repeated. */
function rowOf(message: Message): string {
  const files = message.attachments.map(({ filename }) => filename);
  const said = preview(onOneLine(saidIn(message.content, files)), PREVIEW_CHARS);
  return `[${momentOf(message.createdAt)}] ${speakerOf(message.role)}: ${said}`;
}

/** The part of a message that was found, and where it was said. */
function hitRow(hit: RecallHit, words: readonly string[]): string {
  const title = preview(onOneLine(hit.conversationTitle), TITLE_CHARS) || "untitled";
  const said = excerpt(onOneLine(saidIn(hit.content, hit.files)), words, PREVIEW_CHARS);
  return `[${momentOf(hit.createdAt)}] (${title}) ${speakerOf(hit.role)}: ${said}`;
}

const speakerOf = (role: string): string => (role === "assistant" ? "Assistant" : "User");

function saidIn(content: string, files: readonly string[]): string {
  if (content.trim() !== "") return content;
  return files.length > 0 ? `(files: ${files.join(", ")})` : "(no words)";
}

/** `11:51 AM, Jan 29` */
function momentOf(timestamp: string): string {
  const date = new Date(timestamp);
  if (Number.isNaN(date.getTime())) return "time unknown";

  const time = date.toLocaleTimeString("en-US", {
    hour: "2-digit",
    minute: "2-digit",
    hour12: true,
    timeZone: "UTC",
  });
  const day = date.toLocaleDateString("en-US", { month: "short", day: "2-digit", timeZone: "UTC" });
  return `${time}, ${day}`;
}
