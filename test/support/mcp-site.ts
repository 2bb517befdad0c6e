import { inject } from "vitest";
import type { McpSiteLog, McpSiteOptions } from "./mcp-site-protocol.ts";

async function send(method: string, path: string, body?: unknown): Promise<unknown> {
  const response = await fetch(`${inject("control")}${path}`, {
    method,
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(await response.text());
  return response.json();
}

/** An MCP server of a test, which one of the official SDKs serves. */
export interface McpSite {
  readonly origin: string;
  /** The address of the server. */
  readonly url: string;
  readonly change: (options: McpSiteOptions) => Promise<void>;
  readonly log: () => Promise<McpSiteLog>;
  /** The methods of the messages that it got so far. */
  readonly asked: () => Promise<readonly string[]>;
}

/** Starts an MCP server with the tools `echo`, `long`, `fail` and `picture`, and its own authorization server. */
export async function startMcpSite(options: McpSiteOptions = {}): Promise<McpSite> {
  // The server at the other end answers in the shapes of this protocol.
  const origin = (await send("POST", "/mcp-sites", options)) as string;
  const path = `/mcp-sites?url=${encodeURIComponent(origin)}`;
  let current = options;
  const log = async () => (await send("GET", path)) as McpSiteLog;
  return {
    origin,
    url: `${origin}/mcp`,
    change: async (more) => {
      current = { ...current, ...more };
      await send("PUT", path, current);
    },
    log,
    asked: async () => (await log()).requests.map(({ rpc }) => rpc).filter((rpc) => rpc !== ""),
  };
}
