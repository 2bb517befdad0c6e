import { Hono } from "hono";
import * as z from "zod";
import { validateAgentPath } from "../access/agent-path.ts";
import { limitBursts } from "../access/burst-limit.ts";
import type { AppEnv } from "../access/env.ts";
import { requireAccess } from "../access/require-access.ts";
import { requireReadAccess, written, writtenAs } from "../access/written.ts";
import { operation } from "../http/openapi.ts";
import { AgentIdText, Id } from "../http/schemas.ts";
import { validate } from "../http/validate.ts";
import { idempotent } from "../idempotency/middleware.ts";
import { formatTimestamp } from "../shared/clock.ts";
import { McpServerChanges, NewMcpServer, newServerIn, serverChangesIn } from "./schemas.ts";
import { AuthorizationView, McpServerReference, McpServerView, toMcpServerView } from "./view.ts";

const AgentParam = z.object({ agentId: AgentIdText });
const ServerParam = AgentParam.extend({ serverId: Id });

const WrittenServer = writtenAs(McpServerView, McpServerReference);

export const mcpServerRoutes = new Hono<AppEnv>()
  .get(
    "/:agentId/mcp-servers",
    operation("listMcpServers", { 200: z.array(McpServerView) }),
    requireAccess("user", "agents:read"),
    validateAgentPath(AgentParam),
    async (c) => {
      const { deps, scope } = c.var;
      const { agentId } = c.req.valid("param");
      const servers = await deps.mcpServerService.list({ accountEmail: scope.accountEmail, agentId });
      return c.json(servers.map(toMcpServerView), 200);
    },
  )
  .post(
    "/:agentId/mcp-servers",
    operation("createMcpServer", { 201: WrittenServer }),
    requireAccess("user", "agents:write"),
    limitBursts("costly"),
    validateAgentPath(AgentParam),
    validate("json", NewMcpServer),
    idempotent,
    async (c) => {
      const { deps, scope, entityId } = c.var;
      const { agentId } = c.req.valid("param");
      const place = { accountEmail: scope.accountEmail, agentId };
      const server = await deps.mcpServerService.create(place, newServerIn(c.req.valid("json")), entityId);
      return c.json(written(c, toMcpServerView(server), McpServerReference), 201);
    },
  )
  .get(
    "/:agentId/mcp-servers/:serverId",
    operation("getMcpServer", { 200: McpServerView }),
    requireAccess("user", "agents:read"),
    validateAgentPath(ServerParam),
    async (c) => {
      const { deps, scope } = c.var;
      const { agentId, serverId } = c.req.valid("param");
      const place = { accountEmail: scope.accountEmail, agentId };
      return c.json(toMcpServerView(await deps.mcpServerService.get(place, serverId)), 200);
    },
  )
  .patch(
    "/:agentId/mcp-servers/:serverId",
    operation("updateMcpServer", { 200: WrittenServer }),
    requireAccess("user", "agents:write"),
    limitBursts("costly"),
    validateAgentPath(ServerParam),
    validate("json", McpServerChanges),
    async (c) => {
      const { deps, scope } = c.var;
      const { agentId, serverId } = c.req.valid("param");
      const place = { accountEmail: scope.accountEmail, agentId };
      const changes = serverChangesIn(c.req.valid("json"));
      const server = await deps.mcpServerService.update(place, serverId, changes);
      return c.json(written(c, toMcpServerView(server), McpServerReference), 200);
    },
  )
  .delete(
    "/:agentId/mcp-servers/:serverId",
    operation("deleteMcpServer", { 204: "empty" }),
    requireAccess("user", "agents:write"),
    validateAgentPath(ServerParam),
    async (c) => {
      const { deps, scope } = c.var;
      const { agentId, serverId } = c.req.valid("param");
      await deps.mcpServerService.remove({ accountEmail: scope.accountEmail, agentId }, serverId);
      return c.body(null, 204);
    },
  )
  .post(
    "/:agentId/mcp-servers/:serverId/refresh",
    operation("refreshMcpServer", { 200: WrittenServer }),
    requireAccess("user", "agents:write"),
    limitBursts("costly"),
    validateAgentPath(ServerParam),
    async (c) => {
      const { deps, scope } = c.var;
      const { agentId, serverId } = c.req.valid("param");
      const place = { accountEmail: scope.accountEmail, agentId };
      const server = await deps.mcpServerService.refresh(place, serverId);
      return c.json(written(c, toMcpServerView(server), McpServerReference), 200);
    },
  )
  .post(
    "/:agentId/mcp-servers/:serverId/authorization",
    operation("authorizeMcpServer", { 200: AuthorizationView }),
    requireAccess("user", "agents:write"),
    limitBursts("costly"),
    validateAgentPath(ServerParam),
    async (c) => {
      requireReadAccess(c);
      const { deps, scope } = c.var;
      const { agentId, serverId } = c.req.valid("param");
      const place = { accountEmail: scope.accountEmail, agentId };
      const { url, expiresAt } = await deps.mcpAuthorizationService.begin(place, serverId);
      return c.json({ authorization_url: url, expires_at: formatTimestamp(expiresAt) }, 200);
    },
  );
