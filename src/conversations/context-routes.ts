import * as z from "zod";
import { operation } from "../http/openapi.ts";
import { userRouter } from "../http/router.ts";
import { Id } from "../http/schemas.ts";
import { validate } from "../http/validate.ts";
import { ContextView, SummaryView, toContextView, toSummaryView } from "./context-view.ts";

const ConversationParam = z.object({ conversationId: Id });

/** What a conversation's agent reads of it. */
export const contextRoutes = userRouter()
  .get(
    "/:conversationId/context",
    operation(
      "getContext",
      "What the next turn would send to the model, and what it would leave out",
      {
        200: ContextView,
      },
      { access: ["user", "conversations:read"] },
    ),
    validate("param", ConversationParam),
    async (c) => {
      const { conversationId } = c.req.valid("param");
      const context = await c.var.deps.contextService.next(c.var.space, conversationId);
      return c.json(toContextView(conversationId, context), 200);
    },
  )
  .get(
    "/:conversationId/summary",
    operation(
      "getSummary",
      "The summary of what the agent no longer reads word for word",
      {
        200: SummaryView,
      },
      { access: ["user", "conversations:read"] },
    ),
    validate("param", ConversationParam),
    async (c) => {
      const { conversationId } = c.req.valid("param");
      return c.json(toSummaryView(await c.var.deps.contextService.summary(c.var.space, conversationId)), 200);
    },
  )
  .delete(
    "/:conversationId/summary",
    operation(
      "deleteSummary",
      "Delete the summary; it begins anew with messages that leave the window from then on",
      { 204: "empty" },
      { access: ["user", "conversations:write"] },
    ),
    validate("param", ConversationParam),
    async (c) => {
      await c.var.deps.contextService.clearSummary(c.var.space, c.req.valid("param").conversationId);
      return c.body(null, 204);
    },
  );
