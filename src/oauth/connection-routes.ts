import { Hono } from "hono";
import * as z from "zod";
import type { AppEnv } from "../access/env.ts";
import { requireAccess } from "../access/require-access.ts";
import { operation } from "../http/openapi.ts";
import { Id, pageOf, pageQuery, toPage } from "../http/schemas.ts";
import { validate } from "../http/validate.ts";
import { ConnectionView, toConnectionView } from "./view.ts";

/** Routes on which a person sees and ends what they have let MCP clients do. */
export const connectionRoutes = new Hono<AppEnv>()
  .get(
    "/me/mcp-connections",
    operation("listMcpConnections", { 200: pageOf(ConnectionView) }),
    requireAccess("user"),
    validate("query", pageQuery(20)),
    async (c) => {
      const { limit, cursor } = c.req.valid("query");
      const page = await c.var.deps.connectionService.list(c.var.scope.accountEmail, limit, cursor);
      return c.json(toPage(page.items.map(toConnectionView), page.nextCursor), 200);
    },
  )
  .delete(
    "/me/mcp-connections/:connectionId",
    operation("endMcpConnection", { 204: "empty" }),
    requireAccess("user"),
    validate("param", z.object({ connectionId: Id })),
    async (c) => {
      await c.var.deps.connectionService.end(c.var.scope.accountEmail, c.req.valid("param").connectionId);
      return c.body(null, 204);
    },
  );
