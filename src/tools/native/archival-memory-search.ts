import * as z from "zod";
import { dayOf } from "../../memory/archival-model.ts";
import type { MemoryHit } from "../../search/model.ts";
import { passageOf, passageWords } from "../../search/passage.ts";
import { inParentheses, onOneLine, preview } from "../../shared/text.ts";
import { defineTool } from "../tool.ts";
import type { MemoryToolContext } from "./memory-context.ts";
import { PageNumber } from "./schema.ts";
import {
  After,
  AsOf,
  Before,
  dated,
  evidenceOf,
  limitOf,
  Queries,
  questionsOf,
  criteriaFromInput,
} from "./search-input.ts";

const PAGE_SIZE = 5;
/** The most characters of a memory that a result shows. */
const PASSAGE_CHARS = 400;
/** Few characters are a token in the scripts with the longest ones, and what is left over is not missed. */
const CHARS_PER_TOKEN = 2;
/** The most characters of the query that are repeated above its results. */
const QUERY_CHARS = 200;

export const archivalMemorySearch = defineTool({
  name: "archival_memory_search",
  description: `Search archival memory by meaning and keywords, ${PAGE_SIZE} results per page. A result shows the part of a memory that matches. Ask for several facts at once with \`queries\`, and take a higher \`limit\` if you must be sure.`,
  input: z.object({
    query: z.string().describe("What to look for."),
    page: PageNumber,
    queries: Queries,
    after: After,
    before: Before,
    as_of: AsOf,
    limit: limitOf(PAGE_SIZE),
  }),
  async run({ page, limit, ...input }, { archive, resultTokens }: MemoryToolContext) {
    const criteria = criteriaFromInput(input);
    if (typeof criteria === "string") return criteria;
    // A page below 1 still runs the search, because its error message says how many pages there are.
    const offset = Math.max(0, page - 1) * limit;
    const answer = await archive.search(criteria, limit, offset);
    if (!answer) return "Error: Archival memory can't be searched right now. Try again later.";

    const { hits, total, notes } = answer;
    const query = questionsOf(criteria);
    const shown = preview(onOneLine(query), QUERY_CHARS);
    const remarks = [
      ...evidenceOf(answer.evidence, total, ["memory", "memories"]),
      ...(notes.includes("index-building") ? [INCOMPLETE] : []),
      ...(notes.includes("embeddings-failed") ? [WORDS_ONLY] : []),
    ];
    if (total === 0) return [`No archival memories found for "${shown}"`, ...remarks].join("\n");

    const pages = Math.ceil(total / limit);
    if (page < 1 || page > pages)
      return [
        `Page ${page} does not exist. The results for "${shown}" have ${pages} ${pages === 1 ? "page" : "pages"}.`,
        ...remarks,
      ].join("\n");

    const chars = Math.min(PASSAGE_CHARS, Math.floor((resultTokens * CHARS_PER_TOKEN) / limit));
    const words = passageWords(query);
    const rows = hits.map((hit, index) => {
      const shownText = dated(passageOf(onOneLine(hit.content), words, chars), dayOf(hit));
      return `[${offset + index + 1}] (${inParentheses(dayOf(hit))}) ${shownText}${changeOf(hit)}`;
    });
    const shortened = hits.flatMap(({ content, memoryId }, index) =>
      onOneLine(content).length > chars ? [`[${offset + index + 1}] ${memoryId}`] : [],
    );
    const more = page < pages ? ["", `(Use page=${page + 1} for more)`] : [];
    const header = `Archival Memory Search for "${shown}" (Page ${page} of ${pages}, ${total} total):`;
    const again = criteria.asOf === undefined ? "" : " and the same as_of";
    const ids =
      shortened.length > 0
        ? ["", `(Shortened, to be read with archival_memory_read${again}: ${shortened.join(", ")})`]
        : [];
    return [header, "", ...rows, ...more, ...remarks, ...ids].join("\n");
  },
});

/** Returns the mark of a text that has been changed since. */
const changeOf = ({ supersededAt }: MemoryHit): string =>
  supersededAt === undefined
    ? ""
    : ` (changed on ${inParentheses(supersededAt.slice(0, "2026-01-29".length))})`;

const WORDS_ONLY = "(Keyword matches only: semantic search is not available right now.)";
const INCOMPLETE = "(The search index is still being built. Some memories may be missing.)";
