import type { ConversationId } from "../shared/id-types.ts";
import { type Context, Hono } from "hono";
import * as z from "zod";
import { idempotent } from "../idempotency/middleware.ts";
import { operation } from "../http/openapi.ts";
import type { AppEnv, UserEnv } from "../access/env.ts";
import { requireAccess } from "../access/require-access.ts";
import {
  AgentIdText,
  ConversationIdText,
  UNFINISHED,
  Unfinished,
  blankAsAbsent,
  pageOf,
  pageQuery,
  toPage,
} from "../http/schemas.ts";
import { validate } from "../http/validate.ts";
import { written, writtenAs } from "../access/written.ts";
import { MessageView, toMessageView } from "../messages/view.ts";
import { notFound } from "../shared/errors.ts";
import { withoutUndefined } from "../shared/without-undefined.ts";
import { ConversationReference, ConversationView, toConversationView } from "./view.ts";

const Title = z.string().trim().min(1).max(200);
const Description = blankAsAbsent(z.string().max(1_000).optional());

const NewConversation = z
  .strictObject({ title: Title, description: Description, agent_id: z.string().min(1).pipe(AgentIdText) })
  .meta({ id: "NewConversation" });

const ConversationChanges = z
  .strictObject({
    title: blankAsAbsent(Title.optional()),
    description: Description,
    agent_id: blankAsAbsent(AgentIdText.optional()),
  })
  .meta({ id: "ConversationChanges" });

const WrittenConversation = writtenAs(ConversationView, ConversationReference);

const ConversationParam = z.object({ conversationId: ConversationIdText });

export const conversationRoutes = new Hono<AppEnv>()
  .post(
    "/",
    operation("createConversation", { 201: WrittenConversation }),
    requireAccess("user", "conversations:write", "end-user"),
    validate("json", NewConversation),
    idempotent,
    async (c) => {
      const { agent_id: agentId, description = null, ...settings } = c.req.valid("json");
      const input = { ...settings, description, agentId };
      const { deps, scope, entityId } = c.var;
      const conversation = await deps.conversationService.create(scope, input, entityId);
      return c.json(written(c, toConversationView(conversation), ConversationReference), 201);
    },
  )
  .get(
    "/",
    operation("listConversations", {
      200: pageOf(ConversationView),
    }),
    requireAccess("user", "conversations:read", "end-user"),
    validate("query", pageQuery(10)),
    async (c) => {
      const { limit, cursor } = c.req.valid("query");
      const page = await c.var.deps.conversations.list(c.var.scope, limit, cursor);
      return c.json(toPage(page.items.map(toConversationView), page.nextCursor), 200);
    },
  )
  .get(
    "/:conversationId",
    operation("getConversation", { 200: ConversationView }),
    requireAccess("user", "conversations:read", "end-user"),
    validate("param", ConversationParam),
    async (c) => {
      const { conversationId } = c.req.valid("param");
      return c.json(toConversationView(await c.var.deps.conversations.get(c.var.scope, conversationId)), 200);
    },
  )
  .put(
    "/:conversationId",
    operation("updateConversation", {
      200: WrittenConversation,
    }),
    requireAccess("user", "conversations:write", "end-user"),
    validate("param", ConversationParam),
    validate("json", ConversationChanges),
    async (c) => c.json(await updated(c, c.req.valid("param").conversationId, c.req.valid("json")), 200),
  )
  .patch(
    "/:conversationId",
    operation("patchConversation", { 200: WrittenConversation }),
    requireAccess("user", "conversations:write", "end-user"),
    validate("param", ConversationParam),
    validate("json", ConversationChanges),
    async (c) => c.json(await updated(c, c.req.valid("param").conversationId, c.req.valid("json")), 200),
  )
  .delete(
    "/:conversationId",
    operation("deleteConversation", {
      202: Unfinished,
      204: "empty",
    }),
    requireAccess("user", "conversations:write", "end-user"),
    validate("param", ConversationParam),
    async (c) => {
      const { deps, scope } = c.var;
      const { conversationId } = c.req.valid("param");
      const deletion = { kind: "conversation", endUser: scope.endUser ?? null, conversationId } as const;
      const isDone = await deps.partialDeletionService.begin(scope.accountEmail, deletion, async () => {
        const removal = await deps.conversationService.remove(scope, conversationId);
        if (removal === "absent") throw notFound("Conversation");
        return removal === "done";
      });
      return isDone ? c.body(null, 204) : c.json(UNFINISHED, 202);
    },
  )
  .get(
    "/:conversationId/messages",
    operation("listMessages", {
      200: pageOf(MessageView),
    }),
    requireAccess("user", "conversations:read", "end-user"),
    validate("param", ConversationParam),
    validate("query", pageQuery(20)),
    async (c) => {
      const { conversationId } = c.req.valid("param");
      const { limit, cursor } = c.req.valid("query");
      const page = await c.var.deps.conversationService.messages(c.var.scope, conversationId, limit, cursor);
      return c.json(toPage(page.items.map(toMessageView), page.nextCursor), 200);
    },
  );

async function updated(
  c: Context<UserEnv>,
  id: ConversationId,
  { agent_id: agentId, ...settings }: z.infer<typeof ConversationChanges>,
) {
  const changes = withoutUndefined({ ...settings, agentId });
  const conversation = await c.var.deps.conversationService.update(c.var.scope, id, changes);
  return written(c, toConversationView(conversation), ConversationReference);
}
