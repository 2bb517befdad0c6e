import * as z from "zod";
import type { Message } from "../../messages/model.ts";
import { onOneLine, preview } from "../../shared/text.ts";
import { defineTool } from "../tool.ts";
import type { MemoryToolContext } from "./memory-context.ts";
import { PageNumber } from "./schema.ts";

const PAGE_SIZE = 10;
const PREVIEW_CHARS = 200;

export const recallConversation = defineTool({
  name: "recall_conversation",
  description: "Read this conversation back, newest messages first: what was said before those you can see.",
  input: z.object({ page: PageNumber }),
  async run({ page: wanted }, { conversation }: MemoryToolContext) {
    const page = Math.max(1, wanted);
    const { messages, total } = await conversation.read(PAGE_SIZE, (page - 1) * PAGE_SIZE);
    if (total === 0) return "No earlier messages found in this conversation.";
    if (messages.length === 0) return "No more messages. You've reached the beginning of this conversation.";

    const pages = Math.ceil(total / PAGE_SIZE);
    const header = `Earlier Conversation (Page ${page} of ${pages}, ${total} total messages):`;
    const more = page < pages ? ["", `(Use page=${page + 1} to see older messages)`] : [];
    return [header, "", ...messages.map(rowOf), ...more].join("\n");
  },
});

/** What was said, in words: the outputs of tools, of this one above all, are not repeated. */
function rowOf(message: Message): string {
  const speaker = message.role === "assistant" ? "Assistant" : "User";
  return `[${momentOf(message.createdAt)}] ${speaker}: ${preview(onOneLine(saidIn(message)), PREVIEW_CHARS)}`;
}

function saidIn({ content, attachments }: Message): string {
  if (content.trim() !== "") return content;
  return attachments.length > 0
    ? `(files: ${attachments.map(({ filename }) => filename).join(", ")})`
    : "(no words)";
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
