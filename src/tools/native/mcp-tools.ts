import * as z from "zod";
import type { McpCalls } from "../../mcp-servers/calls.ts";
import type { McpTool } from "../../mcp-servers/model.ts";
import { type Tool, toolOf } from "../tool.ts";
import { firstPage, resultReader } from "./paged-results.ts";

/** What the tools of an agent's MCP servers may access. */
export interface McpToolContext {
  readonly mcpCalls: McpCalls;
  /** How many tokens a result may have. */
  readonly resultTokens: number;
  /** Aborted when the turn ends. */
  readonly signal: AbortSignal;
}

const READ = "mcp_result_read";

const mcpResultRead = resultReader(READ, ({ mcpCalls }: McpToolContext) => mcpCalls.results);

/** The server checks the arguments: it knows more about them than the schema for the model says. */
const AnyArguments = z.looseObject({});

/** Returns the tools of MCP servers that an agent's model is offered, and the one that reads on in their results; none if there are none. */
export function mcpTools(tools: readonly McpTool[]): readonly Tool<McpToolContext>[] {
  return tools.length === 0 ? [] : [...tools.map(mcpTool), mcpResultRead];
}

function mcpTool(offered: McpTool): Tool<McpToolContext> {
  const { name, tool } = offered;
  return toolOf({
    spec: { name, description: tool.description, parameters: { properties: {}, ...tool.parameters } },
    input: AnyArguments,
    async run(input, { mcpCalls, resultTokens, signal }) {
      const result = await mcpCalls.call(offered, withoutNulls(input, tool.parameters["required"]), signal);
      return firstPage(result, { resultTokens, results: mcpCalls.results, reader: READ });
    },
  });
}

/** Returns arguments without the optional ones that are null, which some models send for what they leave out. */
function withoutNulls(input: Readonly<Record<string, unknown>>, required: unknown): Record<string, unknown> {
  const isRequired = (name: string) => Array.isArray(required) && required.includes(name);
  return Object.fromEntries(
    Object.entries(input).filter(([name, value]) => value !== null || isRequired(name)),
  );
}
