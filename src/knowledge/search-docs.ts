import { EXAMPLE, type FeatureDocs } from "../http/docs.ts";
import { MAX_QUERIES } from "../search/schemas.ts";
import { USUAL_RESULTS } from "./search-routes.ts";

const PASSAGE = {
  passage_id: EXAMPLE.passageId,
  kb_id: EXAMPLE.kbId,
  page_id: EXAMPLE.pageId,
  page_title: "Opening hours",
  source_url: "https://library.example.org/opening-hours",
  heading: "Weekends",
  headings: ["Opening hours", "Weekends"],
  content: "On Saturdays, the library is open from 10 to 16. On Sundays, it is closed.",
  citation_url: "https://library.example.org/opening-hours#:~:text=On%20Saturdays",
};

const FOUND = {
  results: [{ ...PASSAGE, chunk_id: EXAMPLE.passageId, score: 1 }],
  query: "Is the library open on Sundays?",
  total: 1,
  next_cursor: null,
  has_more: false,
  notes: [],
  indexing: null,
  evidence: {
    matched_terms: ["library", "open", "sundays"],
    missing_terms: [],
    considered: 96,
    newest_at: EXAMPLE.later,
  },
};

const SEARCH =
  "Send the question in the body or in the query; the body counts more. Results are found by words and, if embeddings are set up, by meaning; at most 100 in all. While pages are still being indexed, a search answers from those that are: `notes` contain `index-building`, and `indexing` says how far it is.";

/** The texts about what is sent in the query or in the body. */
const ASKED = {
  query: "The question. Required, here or in the other place.",
  top_k: `How many results; ${USUAL_RESULTS} by default.`,
  cursor: "The `next_cursor` of the previous page.",
};

const ASKED_PARAMETERS = {
  query: { description: ASKED.query, example: "Where does Alice work?" },
  top_k: { description: ASKED.top_k, example: 5 },
  cursor: { description: ASKED.cursor, example: EXAMPLE.cursor },
};

/** The texts about a passage, also among the results of a search. */
const PASSAGE_FIELDS = {
  page_title: "The title of the page; null if it has none.",
  source_url: "The address of the page. Null for an uploaded file.",
  heading: "The nearest heading above the passage.",
  headings: "The title and all headings above the passage, outermost first.",
  content: "The passage with its surroundings, in Markdown: up to 240 words.",
  citation_url: "The address of the page with a text fragment, with which browsers scroll to the passage.",
};

/** The texts and examples of the routes that search knowledge bases. */
export const knowledgeSearchDocs: FeatureDocs = {
  operations: {
    searchKnowledgeBase: {
      tag: "Knowledge",
      summary: "Search a knowledge base",
      description: `Returns the passages that match best. ${SEARCH}`,
      parameters: ASKED_PARAMETERS,
      request: { query: "Is the library open on Sundays?", top_k: 5 },
      answers: { 200: FOUND },
      problems: ["not-found"],
    },
    searchAgentKnowledge: {
      tag: "Knowledge",
      summary: "Search all knowledge bases of an agent",
      description: `Returns the passages that match best, of all knowledge bases that the agent is linked to. ${SEARCH} \`base-unavailable\` and \`base-gone\` mean that one of them was left out.`,
      parameters: ASKED_PARAMETERS,
      request: { query: "Is the library open on Sundays?", top_k: 5 },
      answers: { 200: FOUND },
      problems: ["not-found"],
    },
    getPassage: {
      tag: "Knowledge",
      summary: "Get a passage that an answer cites",
      description:
        "Returns a passage with its surroundings, and an address with which browsers scroll to it. If the page has changed since the search, the answer is a 404.",
      answers: { 200: { ...PASSAGE, passage: "On Sundays, it is closed." } },
      problems: ["not-found"],
    },
  },
  schemas: {
    KnowledgeSearch: {
      description: "A question to knowledge bases.",
      fields: { ...ASKED, queries: `Up to ${MAX_QUERIES} further questions.` },
    },
    Passage: {
      description: "A passage of a page.",
      fields: { ...PASSAGE_FIELDS, passage: "The passage alone, in Markdown." },
    },
    FoundPassages: {
      description: "A page of results of a search in knowledge bases.",
      fields: {
        results: "The results, best first.",
        ...Object.fromEntries(
          Object.entries(PASSAGE_FIELDS).map(([name, text]) => [`results.${name}`, text]),
        ),
        "results.chunk_id": "The same as `passage_id`.",
        "results.score": "From 0 to 1, relative to the best result.",
        query: "The question, as it was searched.",
        total: "How many results there are, at most 100 per knowledge base.",
        notes: "Remarks on the results, such as `nothing-stored`, `index-building` or `base-unavailable`.",
        indexing:
          "How many pages are indexed, counting one of which only the first part is, and how many there are, in the knowledge bases that are still being indexed. The results are from the indexed ones. Null if all pages are.",
        "indexing.indexed_pages": "How many pages are indexed.",
        "indexing.total_pages": "How many pages there are.",
      },
    },
  },
};
