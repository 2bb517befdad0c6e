import type { HttpTool } from "../../http-tools/model.ts";
import type { McpTool } from "../../mcp-servers/model.ts";
import type { Tool } from "../tool.ts";
import { type HttpToolContext, httpTools } from "./http-tools.ts";
import { type McpToolContext, mcpTools } from "./mcp-tools.ts";

/** What the tools that ask other servers may access. */
export type ExternalToolContext = HttpToolContext & McpToolContext;

/** Returns the tools of an agent that ask other servers; none if its owner has added none. */
export const externalTools = (
  http: readonly HttpTool[],
  mcp: readonly McpTool[],
): readonly Tool<ExternalToolContext>[] => [...httpTools(http), ...mcpTools(mcp)];
