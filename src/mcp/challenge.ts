import type { Context } from "hono";
import type { AppEnv } from "../access/env.ts";
import { configFrom } from "../config.ts";
import { CONNECTION_SCOPES } from "../oauth/model.ts";

/** The address of an agent for MCP clients. */
const AGENT_PATH = /^\/mcp\/agents\/([\w-]{1,128})\/?$/u;

/**
 * Adds to a 401 of an agent's MCP address where its client can get a token (RFC 9728, section 5.1), so that the address is all that people have
 * to enter. Returns all other answers as they are. Without a configured origin, there is no authorization server to name.
 */
export function namingResource(response: Response, c: Pick<Context<AppEnv>, "req" | "env">): Response {
  const agentId = response.status === 401 ? AGENT_PATH.exec(c.req.path)?.[1] : undefined;
  const origin = agentId === undefined ? undefined : configFrom(c.env).publicOrigin;
  if (agentId === undefined || origin === undefined) return response;

  const parameters = [
    // Without a token, a challenge says nothing about an error (RFC 6750, section 3.1).
    ...(c.req.header("authorization") === undefined ? [] : ['error="invalid_token"']),
    `resource_metadata="${origin}/.well-known/oauth-protected-resource/mcp/agents/${agentId}"`,
    `scope="${CONNECTION_SCOPES.join(" ")}"`,
  ];
  response.headers.set("www-authenticate", `Bearer ${parameters.join(", ")}`);
  return response;
}
