import { Hono } from "hono";
import * as z from "zod";
import { headers, operation } from "../http/openapi.ts";
import type { AppEnv } from "../access/env.ts";
import { requireAccess } from "../access/require-access.ts";
import { ConversationIdText } from "../http/schemas.ts";
import { validate } from "../http/validate.ts";
import { TimeZoneHeader, timeZoneIn } from "./time-zone-header.ts";
import { ContextView, SummaryView, toContextView, toSummaryView } from "./context-view.ts";

const ConversationParam = z.object({ conversationId: ConversationIdText });

/** Routes that show what an agent reads of a conversation: its context and its summary. */
export const contextRoutes = new Hono<AppEnv>()
  .get(
    "/:conversationId/context",
    operation("getContext", {
      200: ContextView,
    }),
    requireAccess("user", "conversations:read"),
    headers(TimeZoneHeader),
    validate("param", ConversationParam),
    async (c) => {
      const { conversationId } = c.req.valid("param");
      const context = await c.var.deps.contextService.next(c.var.scope, conversationId, timeZoneIn(c));
      return c.json(toContextView(conversationId, context), 200);
    },
  )
  .get(
    "/:conversationId/summary",
    operation("getSummary", {
      200: SummaryView,
    }),
    requireAccess("user", "conversations:read"),
    validate("param", ConversationParam),
    async (c) => {
      const { conversationId } = c.req.valid("param");
      return c.json(toSummaryView(await c.var.deps.contextService.summary(c.var.scope, conversationId)), 200);
    },
  )
  .delete(
    "/:conversationId/summary",
    operation("deleteSummary", { 204: "empty" }),
    requireAccess("user", "conversations:write"),
    validate("param", ConversationParam),
    async (c) => {
      await c.var.deps.contextService.clearSummary(c.var.scope, c.req.valid("param").conversationId);
      return c.body(null, 204);
    },
  );
