import {
  createMcpHandler,
  McpServer,
  ResourceTemplate,
  type ServerContext,
} from "@modelcontextprotocol/server";
import * as z from "zod";
import { logProblem } from "../http/problem-document.ts";
import { Content, OccurredAt } from "../memory/archival-schemas.ts";
import { MAX_LINE_CHARS } from "../memory/lines.ts";
import { Moment, QueryText } from "../search/schemas.ts";
import { AppError } from "../shared/errors.ts";
import { type McpCall, mayUse } from "./access.ts";
import type { McpCallKey, McpCallRun } from "./model.ts";
import { chat, type ChatRequest } from "./chat.ts";
import { addMemory, editBlock, readBlock, readBlocks, readMemory, searchMemories } from "./memory-tools.ts";

/**
 * The part of the Model Context Protocol that needs its SDK. Only `serve.ts` imports this file, and only when a request of the protocol
 * arrives: the SDK builds the schemas of all messages of the protocol when it is loaded, which no other request should pay for.
 */

const MAX_RESULTS = 20;
const BLOCK_URI = "memory://blocks/{block}";

/** What a server needs to know about one HTTP request. */
interface Serving {
  /** Returns by what a repeat of a request is recognised, if anything identifies it. */
  keyOf(requestId: string | number, idempotencyKey: string | undefined): Promise<McpCallKey | undefined>;
  /** Called when a request of the client has begun a run. Returns whether the client has cancelled the request already. */
  begun(run: McpCallRun, requestId: string | number): Promise<boolean>;
}

type Served = McpCall & Serving;

/**
 * Answers a request of the Model Context Protocol. Serves the revision 2026-07-28, and without sessions those of 2025. `message` is the
 * parsed body.
 */
export function answerMcp(
  request: Request,
  message: unknown,
  call: Omit<Served, "closesToCancel">,
): Promise<Response> {
  const handler = createMcpHandler(({ era }) => createServer({ ...call, closesToCancel: era === "modern" }), {
    onerror: (error) =>
      console.warn({
        message: "An MCP request was not served.",
        requestId: call.c.var.requestId,
        error: String(error),
      }),
  });
  return handler.fetch(request, { parsedBody: message });
}

/** Returns a server with the tools and resources that the caller may use. It serves one request. */
function createServer(mcp: Served): McpServer {
  const { name } = mcp.agent;
  const server = new McpServer(
    { name: "dynamic-agent-builder", title: name, version: "1" },
    {
      instructions: instructionsFor(mcp),
      capabilities: { tools: UNCHANGING, ...(mayUse(mcp, "readMemory") && { resources: UNCHANGING }) },
    },
  );
  if (mayUse(mcp, "chat")) registerChat(server, mcp);
  if (mayUse(mcp, "readMemory")) {
    registerReaders(server, mcp);
    registerBlocks(server, mcp);
  }
  if (mayUse(mcp, "writeMemory")) registerWriters(server, mcp);
  return server;
}

/** The service sends no notices of changes, so the SDK ends each subscription as soon as it is acknowledged. By default, it would promise them. */
const UNCHANGING = { listChanged: false } as const;

const instructionsFor = (mcp: McpCall): string =>
  [
    `An agent called ${JSON.stringify(mcp.agent.name)} that remembers.`,
    ...(mayUse(mcp, "chat") ? ["`chat` sends it a message; pass the `conversation_id` on to continue."] : []),
    ...(mayUse(mcp, "readMemory") || mayUse(mcp, "writeMemory")
      ? [
          "The `memory_` tools work on what it remembers about you: core memory in blocks of lines, and archival memory.",
        ]
      : []),
  ].join(" ");

function registerChat(server: McpServer, mcp: Served): void {
  server.registerTool(
    "chat",
    {
      title: "Chat",
      description: `Send a message to the agent ${JSON.stringify(mcp.agent.name)} and get its answer. It remembers earlier conversations.`,
      inputSchema: z.object({
        message: z.string().describe("What to say."),
        conversation_id: z
          .string()
          .optional()
          .describe("The conversation to continue, from an earlier result. Without it, a new one begins."),
        idempotency_key: z
          .string()
          .min(1)
          .max(255)
          .optional()
          .describe(
            "A text of your own. The same call with the same text sends nothing again and returns the same answer.",
          ),
      }),
      annotations: { readOnlyHint: false, destructiveHint: false, openWorldHint: true },
    },
    ({ message, conversation_id: conversationId, idempotency_key: idempotencyKey }, context) =>
      resultOf(mcp, async () => {
        const key = await mcp.keyOf(context.mcpReq.id, idempotencyKey);
        const input = { message, conversationId, idempotencyKey };
        const result = await chat(mcp, input, chatRequestOf(mcp, context, key));
        // Some clients show their model the text only.
        return { text: [result.answer, `conversation_id: ${result.conversation_id}`], structured: result };
      }),
  );
}

/** Progress is told only to a client that has asked for it, and its numbers increase. */
function chatRequestOf(served: Served, { mcpReq }: ServerContext, key: McpCallKey | undefined): ChatRequest {
  const progressToken = mcpReq._meta?.progressToken;
  let progress = 0;
  return {
    signal: mcpReq.signal,
    key,
    begun: (run) => served.begun(run, mcpReq.id),
    progress: async (message) => {
      if (progressToken === undefined) return;
      progress++;
      await mcpReq.notify({ method: "notifications/progress", params: { progressToken, progress, message } });
    },
  };
}

function registerReaders(server: McpServer, mcp: McpCall): void {
  server.registerTool(
    "memory_search",
    {
      title: "Search memory",
      description: "Search the agent's archival memory by meaning and keywords.",
      inputSchema: z.object({
        query: QueryText.describe("What to look for."),
        limit: z.number().int().min(1).max(MAX_RESULTS).default(5).describe("The most results."),
        after: Moment.describe("Only what is of this date or time (ISO 8601) or later."),
        before: Moment.describe("Only what is from before this date or time (ISO 8601)."),
      }),
      annotations: { readOnlyHint: true },
    },
    (input) => jsonResultOf(mcp, () => searchMemories(mcp, input)),
  );
  server.registerTool(
    "memory_read",
    {
      title: "Read a memory",
      description: "Read a whole archival memory by its id.",
      inputSchema: z.object({
        memory_id: z.string().describe("The id, from `memory_search` or `memory_add`."),
      }),
      annotations: { readOnlyHint: true },
    },
    ({ memory_id: id }) => jsonResultOf(mcp, () => readMemory(mcp, id)),
  );
  server.registerTool(
    "memory_blocks",
    {
      title: "Read core memory",
      description: "Read all blocks of the agent's core memory, with their lines and versions.",
      annotations: { readOnlyHint: true },
    },
    () => jsonResultOf(mcp, () => readBlocks(mcp)),
  );
}

function registerWriters(server: McpServer, mcp: McpCall): void {
  server.registerTool(
    "memory_add",
    {
      title: "Add a memory",
      description:
        "Store something in the agent's archival memory. Content that is already there is not stored twice.",
      inputSchema: z.object({
        content: Content.describe("What to remember, worded so that it makes sense on its own."),
        occurred_at: OccurredAt.optional().describe("The date or time (ISO 8601) of what it is about."),
      }),
      annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true },
    },
    ({ content, occurred_at: occurredAt = null }) =>
      jsonResultOf(mcp, () => addMemory(mcp, { content, occurredAt })),
  );
  server.registerTool(
    "memory_edit",
    {
      title: "Edit core memory",
      description:
        "Replace the lines of a block of core memory. Read it with `memory_blocks` first: the edit is refused if the block has changed since.",
      inputSchema: z.object({
        block: z.string().max(50).describe("The name of the block."),
        lines: z.array(z.string().max(MAX_LINE_CHARS)).describe("All lines that the block shall have."),
        version: z.string().max(100).describe("The `version` of the block that was read."),
      }),
      annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true },
    },
    (input) => jsonResultOf(mcp, () => editBlock(mcp, input)),
  );
}

function registerBlocks(server: McpServer, mcp: McpCall): void {
  const list = async () => {
    const { blocks } = await readBlocks(mcp);
    return {
      resources: blocks.map(({ block, description }) => ({
        uri: BLOCK_URI.replace("{block}", encodeURIComponent(block)),
        name: block,
        description,
        mimeType: "text/plain",
      })),
    };
  };
  server.registerResource(
    "memory-block",
    new ResourceTemplate(BLOCK_URI, { list }),
    { title: "Core memory", description: "A block of the agent's core memory.", mimeType: "text/plain" },
    async (uri, { block }) => {
      const { content } = await readBlock(mcp, String(block));
      return { contents: [{ uri: uri.href, mimeType: "text/plain", text: content.lines.join("\n") }] };
    },
  );
}

interface ToolOutput {
  readonly text: readonly string[];
  readonly structured: { readonly [member: string]: unknown };
}

/** Returns the result of a tool. What the caller can mend is said to its model; anything else is logged and named by its code only. */
async function resultOf({ c }: McpCall, work: () => Promise<ToolOutput>) {
  try {
    const { text, structured } = await work();
    return {
      content: text.map((part) => ({ type: "text" as const, text: part })),
      structuredContent: { ...structured },
    };
  } catch (thrown) {
    const error = AppError.from(thrown);
    logProblem(error, { requestId: c.var.requestId });
    return { content: [{ type: "text" as const, text: `${error.message} (${error.code})` }], isError: true };
  }
}

const jsonResultOf = (mcp: McpCall, work: () => Promise<{ readonly [member: string]: unknown }>) =>
  resultOf(mcp, async () => {
    const structured = await work();
    return { text: [JSON.stringify(structured)], structured };
  });
