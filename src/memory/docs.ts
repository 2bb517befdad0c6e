import { EXAMPLE, examplePage, type FeatureDocs } from "../http/docs.ts";

const BLOCK = {
  block_name: "jobs",
  name: "jobs",
  description: "Where the user has worked",
  word_limit: 500,
  is_default: false,
  word_count: 6,
  capacity_percent: 1,
  created_at: EXAMPLE.at,
};

const CONTENT = {
  block_name: "jobs",
  name: "jobs",
  lines: ["2024 to today: the city library"],
  word_count: 6,
  word_limit: 500,
  capacity_percent: 1,
  is_default: false,
};

const MEMORY = {
  memory_id: EXAMPLE.memoryId,
  content: "Alice has a cat called Tom.",
  created_at: EXAMPLE.at,
  occurred_at: "2026-05-30",
};

const RUN_CHANGE = { block_name: "human", version: 4, memory_id: null, created_at: EXAMPLE.at };

const END_USER =
  "With `end_user_id`, it is about that end user's memory instead of your own; an API key then also needs the scope for end users.";

const SOURCES =
  "The pages of knowledge bases that the agent had read in the run before it wrote this. Absent if there are none.";

/** The texts and examples of core memory and archival memory. */
export const memoryDocs: FeatureDocs = {
  operations: {
    listMemoryBlocks: {
      tag: "Memory",
      summary: "List the core memory blocks of an agent",
      description: `Returns all blocks with their limits and how full they are, without their lines. The first read creates the default blocks. ${END_USER}`,
      answers: { 200: [BLOCK] },
      problems: ["not-found"],
    },
    createMemoryBlock: {
      tag: "Memory",
      summary: "Create a core memory block",
      description: `Adds a block to the part of the memory that the agent reads in every turn. The description tells the agent what belongs into it. A name that is taken or reserved is a 409; the plan limits how many blocks there may be. ${END_USER}`,
      request: { name: "jobs", description: "Where the user has worked", word_limit: 500 },
      answers: { 201: { ...BLOCK, word_count: 0, capacity_percent: 0 } },
      problems: ["not-found", "conflict", "limit-exceeded"],
    },
    updateMemoryBlock: {
      tag: "Memory",
      summary: "Change a block's description or word limit",
      description: `Changes what a block is for and how many words it can hold; absent members keep their values. A limit below the words that the block has is a 409. ${END_USER}`,
      request: { word_limit: 1000 },
      answers: { 200: { ...BLOCK, word_limit: 1000 } },
      problems: ["not-found", "conflict"],
    },
    deleteMemoryBlock: {
      tag: "Memory",
      summary: "Delete a custom memory block",
      description: `Deletes a block and its lines; its versions are kept. Default blocks can't be deleted (409). ${END_USER}`,
      problems: ["not-found", "conflict"],
    },
    getMemoryBlockContent: {
      tag: "Memory",
      summary: "Get the lines of a core memory block",
      description: `Returns the lines with an \`ETag\`. Send it in \`If-None-Match\` to get a 304 while nothing has changed, and in \`If-Match\` when you replace the lines. ${END_USER}`,
      answers: { 200: CONTENT },
      headers: ["ETag"],
      problems: ["not-found"],
    },
    replaceMemoryBlockContent: {
      tag: "Memory",
      summary: "Replace the lines of a core memory block",
      description: `Stores the lines as a new version. The agent may change the block at the same time: send \`If-Match\` with the \`ETag\` that you read, and a change in between is refused with 412 instead of being lost. More words than the block's limit are a 422. ${END_USER}`,
      request: { lines: ["2024 to today: the city library"] },
      answers: { 200: CONTENT },
      headers: ["ETag"],
      problems: ["not-found", "conflict", "precondition-failed", "payload-too-large"],
    },
    listMemoryBlockVersions: {
      tag: "Memory",
      summary: "List the versions of a memory block, newest first",
      description: `Returns who changed the block, when, and its lines afterwards. The newest 200 versions are kept; of older ones, the first and the last of each day. ${END_USER}`,
      answers: {
        200: examplePage({
          version: 3,
          lines: ["2024 to today: the city library"],
          word_count: 6,
          by: "agent",
          run_id: EXAMPLE.runId,
          created_at: EXAMPLE.at,
        }),
      },
      problems: ["not-found"],
    },
    deleteMemoryBlockVersion: {
      tag: "Memory",
      summary: "Delete a version of a memory block",
      description: `Removes what an earlier version said for good, such as a secret. The current version can't be deleted (409): change the block first. ${END_USER}`,
      problems: ["not-found", "conflict"],
    },
    restoreMemoryBlock: {
      tag: "Memory",
      summary: "Restore a version of a memory block",
      description: `Stores the lines of an earlier version as a new version, so that restoring can be undone as well. \`If-Match\` prevents lost updates as in a replacement. ${END_USER}`,
      request: { version: 2 },
      answers: { 200: CONTENT },
      headers: ["ETag"],
      problems: ["not-found", "conflict", "precondition-failed"],
    },
    listMemoryChanges: {
      tag: "Memory",
      summary: "List what a run wrote to the memory",
      description: `Returns each change that the agent made to its memory in a run: the version of a block that it created, or the memory that it stored. Changes are listed for 90 days, in the order in which they were made. The list of an unknown run is empty. ${END_USER}`,
      answers: { 200: examplePage(RUN_CHANGE) },
      problems: ["not-found"],
    },
    revertMemoryChanges: {
      tag: "Memory",
      summary: "Take back what a run wrote to the memory",
      description: `Restores the lines that each block had before the run, as a new version, and removes the memories that the run stored. What has been changed since, by you or in another run, stays as it is and is reported as a \`conflict\`; so does a block whose former lines are no longer kept. Repeating the request is safe. ${END_USER}`,
      answers: {
        200: { items: [{ block_name: "human", memory_id: null, outcome: "reverted" }] },
      },
      problems: ["not-found", "conflict"],
    },
    createMemory: {
      tag: "Memory",
      summary: "Store an archival memory",
      description: `Stores a text that the agent can find by searching. The same content is stored once: a repeat is answered with 200 and the memory that has it. ${END_USER}`,
      request: { content: MEMORY.content, occurred_at: MEMORY.occurred_at },
      answers: { 200: MEMORY, 201: MEMORY },
      problems: ["not-found", "conflict", "limit-exceeded"],
    },
    listMemories: {
      tag: "Memory",
      summary: "List archival memories, newest first",
      description: `Returns what the agent has archived about the person, page by page. ${END_USER}`,
      answers: { 200: examplePage(MEMORY) },
      problems: ["not-found"],
    },
    createMemories: {
      tag: "Memory",
      summary: "Store up to 100 archival memories",
      description: `Stores several texts with one request, for example when you import a history. Each content is stored once; \`created\` says which ones are new. Either all fit into the plan, or none is stored. ${END_USER}`,
      request: { items: [{ content: MEMORY.content, occurred_at: MEMORY.occurred_at }] },
      answers: { 200: { items: [{ memory_id: EXAMPLE.memoryId, created: true }] } },
      problems: ["not-found", "conflict", "limit-exceeded"],
    },
    searchMemories: {
      tag: "Memory",
      summary: "Search archival memory, best matches first",
      description: `Searches by words and, if embeddings are set up, by meaning; without a query, it lists the newest. \`as_of\` searches the memories as they stood at an earlier time. \`evidence\` on the first page says which words no memory has. ${END_USER}`,
      answers: {
        200: {
          items: [{ ...MEMORY, score: 1 }],
          total: 1,
          next_cursor: null,
          has_more: false,
          notes: [],
          evidence: {
            matched_terms: ["cat"],
            missing_terms: ["dog"],
            considered: 120,
            newest_at: EXAMPLE.at,
          },
        },
      },
      problems: ["not-found"],
    },
    getMemoryStatus: {
      tag: "Memory",
      summary: "Count the memories that searches find",
      description: `Says how many memories there are, how many are found by their words and by their meaning, and why the embeddings server failed last. The request starts indexing what is missing. ${END_USER}`,
      answers: {
        200: {
          memories: 120,
          indexed: 120,
          embedded: 118,
          model: "text-embedding-3-small/512",
          last_error: null,
        },
      },
      problems: ["not-found"],
    },
    getMemory: {
      tag: "Memory",
      summary: "Get an archival memory",
      description: `Returns one memory with the time of what it is about and the pages that the agent had read before it wrote it. ${END_USER}`,
      answers: { 200: MEMORY },
      problems: ["not-found"],
    },
    updateMemory: {
      tag: "Memory",
      summary: "Change an archival memory",
      description: `Replaces the content or the time; absent members keep their values. Up to 20 former texts are kept for searches with \`as_of\`. A content that another memory has is a 409. ${END_USER}`,
      request: { content: "Alice has two cats, Tom and Tim." },
      answers: { 200: { ...MEMORY, content: "Alice has two cats, Tom and Tim." } },
      problems: ["not-found", "conflict", "limit-exceeded"],
    },
    deleteMemory: {
      tag: "Memory",
      summary: "Delete an archival memory",
      description: `Deletes a memory and all its former texts for good. No search finds it afterwards, with or without \`as_of\`. ${END_USER}`,
      problems: ["not-found", "conflict"],
    },
  },
  schemas: {
    MemoryBlock: {
      description: "A block of core memory, without its lines.",
      fields: {
        name: "The same as `block_name`: the name under which blocks are created.",
        description: "What belongs into the block, at most 200 characters. The agent reads it.",
      },
    },
    MemoryBlockReference: { description: "A block, for callers that may not read it.", like: "MemoryBlock" },
    NewMemoryBlock: {
      description: "A block to create. `name` or `block_name` is required.",
      like: "MemoryBlock",
      fields: {
        name: "The name: lower-case letters, digits and underscores, beginning with a letter; at most 50 characters.",
        block_name: "The same as `name`.",
        word_limit: "The most words that the block can hold, 100 to 50,000.",
      },
    },
    MemoryBlockChanges: {
      description: "Changes of a block. Absent members keep their values.",
      like: "MemoryBlock",
      fields: { word_limit: "The most words that the block can hold, 100 to 50,000." },
    },
    MemoryBlockContent: {
      description: "The lines of a block.",
      fields: { name: "The same as `block_name`." },
    },
    MemoryBlockContentReference: {
      description: "A block's lines, for callers that may not read them. The version is the `ETag`.",
      like: "MemoryBlockContent",
    },
    NewMemoryBlockContent: {
      description: "The lines that replace those of a block.",
      fields: { lines: "Line breaks within a line become spaces. Empty lines are removed." },
    },
    MemoryBlockRestoration: {
      description: "The version to restore.",
      fields: { version: "The number of the version." },
    },
    MemoryBlockVersion: {
      description: "A version of a block.",
      fields: {
        version: "The number of the version: 1, 2, 3 …",
        lines: "The lines that the block had then.",
        by: "`user`, `agent`, `compaction`, `restore` or `import`.",
        run_id: "The run in which an agent made the change.",
        sources: SOURCES,
      },
    },
    RunMemoryChange: {
      description: "A change of the memory in a run: of a block, or a new archival memory.",
      fields: {
        block_name: "The block that was changed; null for an archival memory.",
        version: "The version of the block that was created; null for an archival memory.",
        memory_id: "The archival memory that was stored; null for a block.",
      },
    },
    RevertedMemoryChanges: {
      description: "What became of each block and archival memory that the run changed.",
      fields: {
        items: "One item per block and per archival memory.",
        "items.block_name": "The block; null for an archival memory.",
        "items.memory_id": "The archival memory; null for a block.",
        "items.outcome":
          "`reverted`: it is as before the run. `conflict`: it has been changed since, and stays as it is.",
      },
    },
    Memory: {
      description: "An archival memory.",
      fields: { content: "The text of the memory.", sources: SOURCES },
    },
    MemoryReference: { description: "A memory, for callers that may not read it.", like: "Memory" },
    NewMemory: {
      description: "A memory to store.",
      fields: {
        content: "The text of the memory.",
        occurred_at: "The date or time (ISO 8601) of what the memory is about.",
      },
    },
    NewMemories: { description: "Memories to store.", fields: { items: "1 to 100 memories." } },
    MemoryChanges: {
      description: "Changes of a memory. Absent members keep their values.",
      fields: { content: "The text of the memory.", occurred_at: "Null removes it." },
    },
    StoredMemories: {
      description: "What became of the memories, in the order of the request.",
      fields: {
        items: "One item per memory of the request.",
        "items.created": "Whether it is new. False if a memory with this content existed already.",
      },
    },
    FoundMemories: {
      description: "A page of results of a search in archival memory.",
      fields: {
        items: "The results, best first.",
        "items.superseded_at":
          "When a change replaced this text. Only with `as_of`; absent if the text is current.",
        notes: "Remarks on the results, such as `nothing-stored` or `index-building`.",
      },
    },
    ArchivalMemoryStatus: {
      description: "How much of an archival memory searches can find.",
      fields: {
        memories: "How many memories there are.",
        indexed: "How many memories are found by their words.",
        embedded: "How many memories are found by their meaning.",
        model: "The embedding model and the length of its vectors. Null if search is by words only.",
        last_error: "Why the embeddings server failed last. Null once it embeds memories again.",
        "last_error.message": "What went wrong, in a sentence.",
        "last_error.at": { description: "When it happened (UTC).", format: "date-time" },
      },
    },
    KnowledgeSource: {
      description: "A page that the agent had read before it wrote something.",
      fields: { url: "The address of the page; null for an uploaded file." },
    },
  },
};
