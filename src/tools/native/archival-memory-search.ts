import * as z from "zod";
import { dayOf } from "../../memory/archival-model.ts";
import { onOneLine, preview } from "../../shared/text.ts";
import { defineTool } from "../tool.ts";
import type { MemoryToolContext } from "./memory-context.ts";
import { PageNumber } from "./schema.ts";

const PAGE_SIZE = 5;
const PREVIEW_CHARS = 80;
/** As much of a long query as is repeated above its results. */
const QUERY_CHARS = 200;

export const archivalMemorySearch = defineTool({
  name: "archival_memory_search",
  description: `Search archival memory by what it is about, ${PAGE_SIZE} results per page.`,
  input: z.object({ query: z.string().describe("What to look for."), page: PageNumber }),
  async run({ query, page }, { archive }: MemoryToolContext) {
    // What lies before the first page is told of with what the search would find.
    const offset = Math.max(0, page - 1) * PAGE_SIZE;
    const answer = await archive.search(query.toWellFormed(), PAGE_SIZE, offset);
    if (!answer) return "Error: Archival memory can't be searched at the moment. Try again later.";

    const { hits, total, notes } = answer;
    const shown = preview(onOneLine(query), QUERY_CHARS);
    const building = [
      ...(notes.includes("index-building") ? [INCOMPLETE] : []),
      ...(notes.includes("embeddings-failed") ? [WORDS_ONLY] : []),
    ];
    if (total === 0) return [`No archival memories found for "${shown}"`, ...building].join("\n");

    const pages = Math.ceil(total / PAGE_SIZE);
    if (page < 1 || page > pages)
      return [
        `Page ${page} does not exist: there are ${pages} pages for "${shown}", from 1.`,
        ...building,
      ].join("\n");

    const rows = hits.map(
      (hit, index) =>
        `[${offset + index + 1}] (${dayOf(hit)}) ${preview(onOneLine(hit.content), PREVIEW_CHARS)}`,
    );
    const more = page < pages ? ["", `(Use page=${page + 1} for more)`] : [];
    const header = `Archival Memory Search for "${shown}" (Page ${page} of ${pages}, ${total} total):`;
    return [header, "", ...rows, ...more, ...building].join("\n");
  },
});

const WORDS_ONLY = "(Found by words alone: search by meaning is not available at the moment.)";
const INCOMPLETE = "(The search index is still being built: some memories may be missing.)";
