import * as z from "zod";
import { MAX_CONTENT_BYTES } from "../../memory/archival-model.ts";
import { utf8Length } from "../../shared/text.ts";
import { defineTool } from "../tool.ts";
import type { MemoryToolContext } from "./memory-context.ts";

/** Returns the day of a stored time: `2026-01-29`. */
const dayIn = (timestamp: string): string => timestamp.slice(0, "2026-01-29".length);

export const archivalMemoryInsert = defineTool({
  name: "archival_memory_insert",
  description:
    "Store details for later in archival memory, one topic at a time. Content that is already there is not stored twice.",
  input: z.object({
    content: z.string().describe("The content to store, worded so that it makes sense on its own."),
  }),
  async run({ content }, { archive }: MemoryToolContext) {
    if (content.trim() === "") return "Error: The content of a memory can't be empty.";
    if (utf8Length(content) > MAX_CONTENT_BYTES)
      return `Error: A memory can have at most ${MAX_CONTENT_BYTES / 1024} KB. Split it into several.`;

    const { memory, created } = await archive.insert(content.toWellFormed());
    if (created) return `Stored in archival memory (id: ${memory.id})`;
    return `Already exists in archival memory (id: ${memory.id}, created: ${dayIn(memory.createdAt)})`;
  },
});
