import * as z from "zod";
import { dayOf } from "../../memory/archival-model.ts";
import { endFrom } from "../../search/moment-range.ts";
import { defineTool } from "../tool.ts";
import type { MemoryToolContext } from "./memory-context.ts";
import { pageNote, partsOf } from "./pages.ts";
import { PageNumber } from "./schema.ts";
import { AsOf, notADate } from "./search-input.ts";

/** Another text is no id, and looking for it would read all memories. */
const ID = /^[\da-f-]{32,40}$/iu;

export const archivalMemoryRead = defineTool({
  name: "archival_memory_read",
  description:
    "Read a whole archival memory by its id. Search results show only the parts of a long memory that match.",
  input: z.object({
    memory_id: z
      .string()
      .trim()
      .min(1)
      .describe("The id, as search results and archival_memory_insert show it."),
    page: PageNumber,
    as_of: AsOf,
  }),
  async run({ memory_id: id, page: wanted, as_of: text }, { archive, resultTokens }: MemoryToolContext) {
    const asOf = text === undefined ? undefined : endFrom(text);
    if (text !== undefined && asOf === undefined) return notADate("as_of");

    const memory = ID.test(id) ? await archive.read(id, asOf) : undefined;
    if (!memory && asOf !== undefined)
      return "Error: There is no archival memory with this id, or none of its texts from that time is kept.";
    if (!memory)
      return `Error: There is no archival memory with this id. Search for it with archival_memory_search.`;

    const parts = partsOf(memory.content, resultTokens);
    const page = Math.min(Math.max(1, wanted), parts.length);
    const header = `Archival Memory ${memory.id} (${dayOf(memory)}):`;
    return [header, "", parts[page - 1] ?? "", ...pageNote(page, parts.length)].join("\n");
  },
});
