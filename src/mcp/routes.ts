import { Hono, type MiddlewareHandler } from "hono";
import * as z from "zod";
import { validateAgentPath } from "../access/agent-path.ts";
import type { AppEnv } from "../access/env.ts";
import { refuseForeignOrigins } from "../access/known-origin.ts";
import { requireAccess } from "../access/require-access.ts";
import { maxBody } from "../http/middleware/body-limit.ts";
import { documenting, operation } from "../http/openapi.ts";
import { AgentIdText } from "../http/schemas.ts";
import { requireAudience } from "./audience.ts";
import { serveMcp } from "./serve.ts";

/** In bytes. As much as for a message or a memory block. */
const BODY_LIMIT = 1024 * 1024;

const AgentParam = z.object({ agentId: AgentIdText });

/** For the API description only: the protocol's SDK reads the body, and answers a malformed one as the protocol says. */
const Message = z
  .object({
    jsonrpc: z.literal("2.0"),
    id: z.union([z.string(), z.number()]).optional(),
    method: z.string(),
    params: z.record(z.string(), z.unknown()).optional(),
  })
  .meta({ id: "McpMessage" });

const describeBody: MiddlewareHandler = documenting({
  kind: "input",
  target: "json",
  schema: Message,
});

/** The Model Context Protocol over streamable HTTP, one address per agent. Other methods than POST are answered with 405. */
export const mcpRoutes = new Hono<AppEnv>().post(
  "/:agentId",
  operation("callMcp", { 200: "json" }),
  maxBody(BODY_LIMIT),
  requireAccess("user", "conversations:write", "memory:read", "memory:write", "end-user", "mcp-client"),
  requireAudience,
  refuseForeignOrigins,
  validateAgentPath(AgentParam),
  describeBody,
  async (c) => {
    const { deps, scope } = c.var;
    return serveMcp(c, await deps.agents.get(scope.accountEmail, c.req.valid("param").agentId));
  },
);
