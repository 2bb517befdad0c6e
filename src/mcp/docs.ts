import type { FeatureDocs } from "../http/docs.ts";

/** The texts and examples of the Model Context Protocol. */
export const mcpDocs: FeatureDocs = {
  operations: {
    callMcp: {
      tag: "Chat",
      summary: "Use an agent from an MCP client",
      description:
        "The agent as a server of the Model Context Protocol (streamable HTTP, without sessions that have state). Give an MCP client this address: it signs you in by OAuth, or takes an API key as a header. It finds the tools `chat`, `memory_search`, `memory_read`, `memory_blocks`, `memory_add` and `memory_edit`, and the blocks of core memory as resources. A caller sees only the tools that its scopes allow. The body is a JSON-RPC message. The answer is JSON or, if the client takes it, a stream of server-sent events with progress; a notification is answered with 202. Errors are those of JSON-RPC, not problem documents. GET and DELETE are answered with 405, as the protocol says.",
      request: {
        jsonrpc: "2.0",
        id: 1,
        method: "tools/call",
        params: { name: "chat", arguments: { message: "What did I tell you about the lighthouse?" } },
      },
      answers: {
        200: {
          jsonrpc: "2.0",
          id: 1,
          result: { content: [{ type: "text", text: "You want to visit it in spring." }] },
        },
      },
      problems: ["not-found"],
    },
  },
  schemas: {
    McpMessage: {
      description: "A message of JSON-RPC 2.0, as the Model Context Protocol defines it.",
      fields: {
        jsonrpc: "Always `2.0`.",
        id: "The id of a request; absent for a notification.",
        method: "The method, such as `tools/call`.",
        params: "The parameters of the method.",
      },
    },
  },
};
