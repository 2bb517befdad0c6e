import { createMiddleware } from "hono/factory";
import { reaches } from "../access/access-scope.ts";
import type { UserEnv } from "../access/env.ts";
import { AppError } from "../shared/errors.ts";
import { agentIdOf } from "../shared/id-types.ts";

/**
 * Refuses the token of an MCP client for another agent, so that the client asks its person for one of this agent (RFC 8707). Mount it after the
 * access check. Throws `unauthenticated`.
 */
export const requireAudience = createMiddleware<UserEnv>(async (c, next) => {
  const { caller, scope } = c.var;
  if (caller.kind === "mcp-client" && !reaches(scope, agentIdOf(c.req.param("agentId") ?? "")))
    throw new AppError("unauthenticated", "The access token is for another agent.");
  await next();
});
