import { EXAMPLE, examplePage, type FeatureDocs } from "../http/docs.ts";

const BASE = {
  kb_id: EXAMPLE.kbId,
  name: "Handbook",
  description: "How the library works",
  pinecone_namespace: null,
  total_pages: 12,
  total_chunks: 96,
  total_vectors: 0,
  status: "active",
  created_by: EXAMPLE.email,
  created_at: EXAMPLE.at,
  updated_at: null,
};

const PAGE = {
  page_id: EXAMPLE.pageId,
  url: "https://library.example.org/opening-hours",
  file_name: null,
  title: "Opening hours",
  description: "When the library is open",
  language: "en",
  word_count: 210,
  index_error: null,
  chunk_count: 2,
  created_at: EXAMPLE.at,
  updated_at: EXAMPLE.later,
};

const UPDATE =
  "Changes the name or the description; absent members keep their values. Send `If-Match` with the `ETag` that you read, and a change in between is refused with 412 instead of being lost.";
/** The texts and examples of knowledge bases, their pages and searches. */
export const knowledgeDocs: FeatureDocs = {
  operations: {
    getCreateKnowledgeBaseForm: {
      tag: "Knowledge",
      summary: "Get the form that creates a knowledge base",
      description:
        "Describes the inputs of `createKnowledgeBase` for a front end that renders them without knowing them.",
      answers: {
        200: {
          form_name: "Create Knowledge Base",
          submit_path: "/knowledge-bases",
          form_inputs: [{ input_type: "text", name: "name", label: "Name", required: true, max: 200 }],
        },
      },
    },
    createKnowledgeBase: {
      tag: "Knowledge",
      summary: "Create a knowledge base",
      description:
        "Creates an empty knowledge base. Fill it with `uploadFiles` or `createCrawlJob`, and let an agent search it with `linkKnowledgeBase`. An account may have 100; one more is a 409. Knowledge bases belong to the whole account, so an API key that is limited to certain agents can't create them.",
      request: { name: "Handbook", description: "How the library works" },
      answers: { 201: { ...BASE, total_pages: 0, total_chunks: 0 } },
      problems: ["conflict"],
    },
    listKnowledgeBases: {
      tag: "Knowledge",
      summary: "List all knowledge bases",
      description:
        "Returns all knowledge bases as an array without pages. An API key that is limited to certain agents gets an empty array: list those of an agent instead.",
      answers: { 200: [BASE] },
    },
    getKnowledgeBase: {
      tag: "Knowledge",
      summary: "Get a knowledge base",
      description:
        "Returns a knowledge base with its counts. A deleted one can be read for 30 days, without pages.",
      answers: { 200: BASE },
      headers: ["ETag"],
      problems: ["not-found"],
    },
    updateKnowledgeBase: {
      tag: "Knowledge",
      summary: "Update a knowledge base",
      description: UPDATE,
      request: { name: "Library handbook" },
      answers: { 200: { ...BASE, name: "Library handbook", updated_at: EXAMPLE.later } },
      headers: ["ETag"],
      problems: ["not-found", "conflict", "precondition-failed"],
    },
    patchKnowledgeBase: {
      tag: "Knowledge",
      summary: "Update a knowledge base (the same as PUT)",
      description: UPDATE,
      request: { description: "How the library works today" },
      answers: { 200: { ...BASE, description: "How the library works today", updated_at: EXAMPLE.later } },
      headers: ["ETag"],
      problems: ["not-found", "conflict", "precondition-failed"],
    },
    deleteKnowledgeBase: {
      tag: "Knowledge",
      summary: "Delete a knowledge base",
      description:
        "Closes the knowledge base at once and removes its pages, crawl jobs and links. If it has many pages, the answer is a 202, and the rest is removed soon after. A repeated request is a 404 when nothing is left. Pages of this month still count.",
      problems: ["not-found", "conflict"],
    },
    linkKnowledgeBase: {
      tag: "Knowledge",
      summary: "Let an agent search a knowledge base",
      description:
        "Links an agent to a knowledge base of the same account. From its next turn on, an agent of the architecture `krishna-memgpt` searches it and cites what it finds. Linking again changes nothing. An agent may have 20 links; one more is a 409.",
      answers: {
        201: {
          message: "Knowledge base linked successfully",
          kb_id: EXAMPLE.kbId,
          agent_id: EXAMPLE.agentId,
          linked_at: EXAMPLE.at,
        },
      },
      problems: ["not-found", "conflict"],
    },
    listLinkedKnowledgeBases: {
      tag: "Knowledge",
      summary: "List the knowledge bases of an agent",
      description: "Returns what the agent is linked to, as an array without pages.",
      answers: { 200: [BASE] },
      problems: ["not-found"],
    },
    unlinkKnowledgeBase: {
      tag: "Knowledge",
      summary: "Keep an agent from searching a knowledge base",
      description:
        "Removes a link; the knowledge base stays. Removing a link that does not exist is a 204 as well.",
      problems: ["not-found", "conflict"],
    },
    listKnowledgePages: {
      tag: "Knowledge",
      summary: "List the pages and files of a knowledge base",
      description: "Lists what is stored, without the texts.",
      answers: { 200: examplePage(PAGE) },
      problems: ["not-found"],
    },
    getKnowledgePage: {
      tag: "Knowledge",
      summary: "Get a page with its text",
      description:
        "Returns the text as Markdown, part by part: `next_from` is where the next part begins, and null at the end.",
      parameters: {
        from: {
          description:
            "The position in the text where the answer begins; `next_from` of the previous answer.",
          example: 0,
        },
        max_chars: {
          description: "The most characters of the text in the answer, 1,000 to 200,000.",
          example: 20_000,
        },
      },
      answers: {
        200: {
          ...PAGE,
          markdown: "# Opening hours\n\nOn Saturdays, the library is open from 10 to 16.",
          from: 0,
          next_from: null,
          total_chars: 65,
        },
      },
      problems: ["not-found"],
    },
    deleteKnowledgePage: {
      tag: "Knowledge",
      summary: "Delete a page or file",
      description:
        "Removes a page from searches at once. The next crawl that finds the page stores it again. The count of the month does not become lower.",
      problems: ["not-found", "conflict"],
    },
    listLegacyChunks: {
      tag: "Knowledge",
      summary: "List chunks of the legacy service",
      description:
        "Lists what the legacy service has stored in a knowledge base. It is not searched: crawl the pages again.",
      answers: {
        200: examplePage({
          chunk_id: "chunk-17",
          source_url: "https://library.example.org/opening-hours",
          page_title: "Opening hours",
          chunk_index: 0,
          content: "On Saturdays, the library is open from 10 to 16.",
          word_count: 10,
          parent_chunk_id: null,
          level: 0,
          created_at: EXAMPLE.at,
        }),
      },
      problems: ["not-found"],
    },
    deleteLegacyChunk: {
      tag: "Knowledge",
      summary: "Delete a chunk of the legacy service",
      description: "Deletes what the legacy service has stored, once the pages have been crawled again.",
      problems: ["not-found", "conflict"],
    },
    uploadFiles: {
      tag: "Knowledge",
      summary: "Upload files to a knowledge base",
      description:
        "Reads up to 20 files, 10 MB together, as Markdown: HTML, Markdown, text, CSV, DOCX and PDF. A file of the same name replaces the earlier one; the same file again is `unchanged` and costs nothing. 201 means that all files are stored, 207 that some are; if none is, the answer is the problem of the first file. Every stored or replaced file counts as a page of the month.",
      request: { file: ["# Handbook\n\nThe library opens at ten."] },
      answers: {
        201: {
          files: [
            {
              file_name: "handbook.md",
              status: "stored",
              page_id: EXAMPLE.pageId,
              title: "Handbook",
              word_count: 6,
              warning: null,
              error: null,
            },
          ],
        },
        207: {
          files: [
            {
              file_name: "logo.png",
              status: "failed",
              page_id: null,
              title: null,
              word_count: 0,
              warning: null,
              error: {
                code: "validation-failed",
                detail: "Images cannot be read. Upload their text, for example as a DOCX or text file.",
              },
            },
          ],
        },
      },
      problems: ["not-found", "conflict", "limit-exceeded"],
    },
  },
  schemas: {
    KnowledgeBase: {
      description: "A knowledge base.",
      fields: {
        pinecone_namespace: "Null except on bases of the legacy service.",
        total_pages: "Stored pages and files.",
        total_chunks: "Passages of all pages.",
        total_vectors: "0 except on bases of the legacy service.",
        name: "The name, at most 200 characters.",
        description: "What it is about, at most 2,000 characters; null if it has no description.",
        status: "`deleted` for 30 days after its deletion.",
      },
    },
    KnowledgeBaseReference: {
      description: "A knowledge base, for callers that may not read it.",
      like: "KnowledgeBase",
    },
    NewKnowledgeBase: { description: "A knowledge base to create.", like: "KnowledgeBase" },
    KnowledgeBaseChanges: {
      description: "Changes of a knowledge base. Absent members keep their values.",
      like: "KnowledgeBase",
    },
    KnowledgeBaseLink: {
      description: "An agent that may search a knowledge base.",
      fields: {
        linked_at: {
          description: "When they were linked (UTC). Absent if they were linked already.",
          format: "date-time",
        },
      },
    },
    KnowledgePage: {
      description: "A page or file, without its text.",
      fields: {
        url: "The canonical address, or null for an uploaded file.",
        file_name: "The name of an uploaded file, or null.",
        index_error: "Why searches do not find the page, in a sentence; null if nothing is wrong.",
        description: "The description that the page states; null if it states none.",
        language: "The language (BCP 47) that the page states; null if unknown.",
        chunk_count: "The number of passages.",
        updated_at: { description: "When its text was last stored (UTC).", format: "date-time" },
      },
    },
    KnowledgePageText: {
      description: "A page or file with a part of its text.",
      like: "KnowledgePage",
      fields: {
        from: "The position of the first character of `markdown` in the whole text.",
        next_from: "Where the next part begins; null at the end of the text.",
        markdown: "The part of the text, as Markdown.",
        total_chars: "How many characters the whole text has.",
      },
    },
    LegacyChunk: {
      description: "A part of a page that the legacy service has stored.",
      fields: {
        chunk_id: "The chunk's id.",
        source_url: "The address of the page.",
        page_title: "The title of the page; null if it has none.",
        chunk_index: "The position among the chunks of the page, from 0.",
        parent_chunk_id: "The chunk that contains it; null if none does.",
        level: "How deep it is nested, from 0.",
      },
    },
    NewUploads: {
      description: "Files to upload.",
      fields: { file: "One or more files. Repeat the field for several ones." },
    },
    Uploads: {
      description: "What became of the files, in the order of the request.",
      fields: {
        "files.warning": "What to know about the file although it was stored.",
        files: "One item per file.",
        "files.file_name": "The file's name.",
        "files.status": "What became of the file.",
        "files.page_id": "The page that has the text; null if the file was not stored.",
        "files.title": "The title that was found; null if there is none.",
        "files.error": "Why the file was not stored; null if it was.",
        "files.error.code": "The code of the problem.",
        "files.error.detail": "A sentence for people.",
      },
    },
    UploadsReference: {
      description: "What became of the files, for callers that may not read them.",
      like: "Uploads",
    },
  },
};
