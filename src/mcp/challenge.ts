import type { HonoRequest } from "hono";
import { CONNECTION_SCOPES } from "../oauth/model.ts";

/** The address of an agent for MCP clients. */
const AGENT_PATH = /^\/mcp\/agents\/([\w-]{1,128})\/?$/u;

/**
 * Adds to a 401 of an agent's MCP address where its client can get a token (RFC 9728, section 5.1), so that the address is all that people have
 * to enter. Returns all other answers as they are. `originOf` returns the origin of this service; without one, there is no authorization
 * server to name.
 */
export function namingResource(
  response: Response,
  request: HonoRequest,
  originOf: () => string | undefined,
): Response {
  const agentId = response.status === 401 ? AGENT_PATH.exec(request.path)?.[1] : undefined;
  const origin = agentId === undefined ? undefined : originOf();
  if (agentId === undefined || origin === undefined) return response;

  const parameters = [
    // Without a token, a challenge says nothing about an error (RFC 6750, section 3.1).
    ...(request.header("authorization") === undefined ? [] : ['error="invalid_token"']),
    `resource_metadata="${origin}/.well-known/oauth-protected-resource/mcp/agents/${agentId}"`,
    `scope="${CONNECTION_SCOPES.join(" ")}"`,
  ];
  response.headers.set("www-authenticate", `Bearer ${parameters.join(", ")}`);
  return response;
}
