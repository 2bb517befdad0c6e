import * as z from "zod";
import type { Numbered } from "../../knowledge/knowledge-reader.ts";
import type { KnowledgeHit } from "../../knowledge/knowledge-search.ts";
import { estimateTokens } from "../../llm/token-estimate.ts";
import { passageOf, type PassageWords, passageWords } from "../../search/passage.ts";
import { onOneLine, preview } from "../../shared/text.ts";
import { defineTool } from "../tool.ts";
import { field, indented, type KnowledgeToolContext } from "./knowledge-context.ts";
import { evidenceOf, Queries, questionsOf, criteriaFromInput } from "./search-input.ts";

const USUAL_RESULTS = 3;
const MAX_RESULTS = 10;
/** Few characters are a token in the scripts with the longest ones. */
const CHARS_PER_TOKEN = 2;
/** The most characters of the query that are repeated above its results. */
const QUERY_CHARS = 200;

export const knowledgeBaseSearch = defineTool({
  name: "knowledge_base_search",
  description:
    "Search the knowledge bases: pages and documents that are the source of facts. Results are numbered. In your answer, cite the number of each result that you use, in brackets after the statement: [1].",
  input: z.object({
    query: z
      .string()
      .optional()
      .describe("What to look for, as a question or in words that a page would use."),
    queries: Queries,
    top_k: z.coerce
      .number()
      .int()
      .default(USUAL_RESULTS)
      .transform((count) => Math.min(Math.max(count, 1), MAX_RESULTS))
      .describe(`How many results, up to ${MAX_RESULTS}.`),
  }),
  async run({ top_k: limit, query = "", queries }, { knowledge, resultTokens }: KnowledgeToolContext) {
    const criteria = criteriaFromInput({ query, queries });
    if (typeof criteria === "string") return criteria;
    if (criteria.query === "") return "Error: Query is required for knowledge base search.";
    const answer = await knowledge.search(criteria, limit);
    if (!answer) return "Error: The knowledge bases can't be searched right now. Try again later.";

    const { hits, total, notes, evidence } = answer;
    const questions = questionsOf(criteria);
    const shown = field(preview(onOneLine(questions), QUERY_CHARS));
    const remarks = [
      ...evidenceOf(evidence, total, ["passage", "passages"]),
      ...notes.flatMap((note) => REMARKS.get(note) ?? []),
    ];
    if (hits.length === 0) return [`No relevant content found for: "${shown}"`, ...remarks].join("\n");

    const most = Math.floor(resultTokens / hits.length);
    const words = passageWords(questions);
    const rows = hits.map((hit) => rowOf(hit, words, most));
    return {
      output: [`Knowledge Base Search Results for "${shown}":`, "", ...rows, ...remarks].join("\n"),
      citations: hits.map(({ citation }) => citation),
    };
  },
});

/** Returns a result with as much of its text as fits into `maxTokens`: with its surroundings, alone, or the part that matches. */
function rowOf({ found, citation }: Numbered<KnowledgeHit>, words: PassageWords, maxTokens: number): string {
  const { title, url, headings, score, content, text } = found;
  const fitting = [content, text].find((candidate) => estimateTokens(candidate, maxTokens) <= maxTokens);
  const shown = fitting ?? passageOf(text, words, maxTokens * CHARS_PER_TOKEN);
  const name = field(title ?? headings.at(-1) ?? "Untitled");
  return [
    `[${citation.n}] (Score: ${score.toFixed(2)}) ${name}`,
    `    Source: ${field(url ?? title ?? "file")}`,
    `    Content: ${indented(shown).trimStart()}`,
    "",
  ].join("\n");
}

const REMARKS = new Map([
  ["index-building", "(The knowledge bases are still being indexed. Some pages may be missing.)"],
  ["pages-left-out", "(Some pages could not be indexed and are missing.)"],
  ["base-unavailable", "(One knowledge base can't be searched right now. Its pages are missing.)"],
  ["base-gone", "(A knowledge base that was linked to this agent no longer exists.)"],
  ["embeddings-failed", "(Keyword matches only: semantic search is not available right now.)"],
]);
