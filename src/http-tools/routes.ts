import { Hono } from "hono";
import * as z from "zod";
import { validateAgentPath } from "../access/agent-path.ts";
import { limitBursts } from "../access/burst-limit.ts";
import type { AppEnv } from "../access/env.ts";
import { requireAccess } from "../access/require-access.ts";
import { requireReadAccess, written, writtenAs } from "../access/written.ts";
import { maxBody } from "../http/middleware/body-limit.ts";
import { operation } from "../http/openapi.ts";
import { AgentIdText, Id } from "../http/schemas.ts";
import { validate } from "../http/validate.ts";
import { idempotent } from "../idempotency/middleware.ts";
import { changesIn, HttpToolChanges, NewHttpTool, newToolIn, TrialInput } from "./schemas.ts";
import { HttpToolReference, HttpToolView, toHttpToolView, toTrialView, TrialView } from "./view.ts";

/** In bytes: a definition, and ten secrets of 4 KB as JSON. */
const BODY_LIMIT = 128 * 1024;

const AgentParam = z.object({ agentId: AgentIdText });
const ToolParam = AgentParam.extend({ toolId: Id });

const WrittenTool = writtenAs(HttpToolView, HttpToolReference);

export const httpToolRoutes = new Hono<AppEnv>()
  .get(
    "/:agentId/http-tools",
    operation("listHttpTools", { 200: z.array(HttpToolView) }),
    requireAccess("user", "agents:read"),
    validateAgentPath(AgentParam),
    async (c) => {
      const { deps, scope } = c.var;
      const { agentId } = c.req.valid("param");
      const tools = await deps.httpToolService.list({ accountEmail: scope.accountEmail, agentId });
      return c.json(tools.map(toHttpToolView), 200);
    },
  )
  .post(
    "/:agentId/http-tools",
    operation("createHttpTool", { 201: WrittenTool }),
    maxBody(BODY_LIMIT),
    requireAccess("user", "agents:write"),
    validateAgentPath(AgentParam),
    validate("json", NewHttpTool),
    idempotent,
    async (c) => {
      const { deps, scope, entityId } = c.var;
      const { agentId } = c.req.valid("param");
      const place = { accountEmail: scope.accountEmail, agentId };
      const tool = await deps.httpToolService.create(place, newToolIn(c.req.valid("json")), entityId);
      return c.json(written(c, toHttpToolView(tool), HttpToolReference), 201);
    },
  )
  .get(
    "/:agentId/http-tools/:toolId",
    operation("getHttpTool", { 200: HttpToolView }),
    requireAccess("user", "agents:read"),
    validateAgentPath(ToolParam),
    async (c) => {
      const { deps, scope } = c.var;
      const { agentId, toolId } = c.req.valid("param");
      const tool = await deps.httpToolService.get({ accountEmail: scope.accountEmail, agentId }, toolId);
      return c.json(toHttpToolView(tool), 200);
    },
  )
  .patch(
    "/:agentId/http-tools/:toolId",
    operation("updateHttpTool", { 200: WrittenTool }),
    maxBody(BODY_LIMIT),
    requireAccess("user", "agents:write"),
    validateAgentPath(ToolParam),
    validate("json", HttpToolChanges),
    async (c) => {
      const { deps, scope } = c.var;
      const { agentId, toolId } = c.req.valid("param");
      const place = { accountEmail: scope.accountEmail, agentId };
      const tool = await deps.httpToolService.update(place, toolId, changesIn(c.req.valid("json")));
      return c.json(written(c, toHttpToolView(tool), HttpToolReference), 200);
    },
  )
  .delete(
    "/:agentId/http-tools/:toolId",
    operation("deleteHttpTool", { 204: "empty" }),
    requireAccess("user", "agents:write"),
    validateAgentPath(ToolParam),
    async (c) => {
      const { deps, scope } = c.var;
      const { agentId, toolId } = c.req.valid("param");
      await deps.httpToolService.remove({ accountEmail: scope.accountEmail, agentId }, toolId);
      return c.body(null, 204);
    },
  )
  .post(
    "/:agentId/http-tools/:toolId/test",
    operation("testHttpTool", { 200: TrialView }),
    requireAccess("user", "agents:write"),
    limitBursts("costly"),
    validateAgentPath(ToolParam),
    validate("json", TrialInput),
    async (c) => {
      requireReadAccess(c);
      const { deps, scope } = c.var;
      const { agentId, toolId } = c.req.valid("param");
      const place = { accountEmail: scope.accountEmail, agentId };
      const trial = await deps.httpToolService.try(place, toolId, c.req.valid("json").arguments);
      return c.json(toTrialView(trial), 200);
    },
  );
