import * as z from "zod";
import { idempotent } from "../http/middleware/idempotent.ts";
import { operation } from "../http/openapi.ts";
import { userRouter } from "../http/router.ts";
import { blankAsAbsent, Id, pageOf, pageQuery, toPage, Unfinished, UNFINISHED } from "../http/schemas.ts";
import { validate } from "../http/validate.ts";
import { MessageView, toMessageView } from "../messages/view.ts";
import { notFound } from "../shared/errors.ts";
import { ConversationView, toConversationView } from "./view.ts";

const Title = z.string().trim().min(1).max(200);
const Description = blankAsAbsent(z.string().max(1_000).optional());

const NewConversation = z
  .object({ title: Title, description: Description, agent_id: z.string().min(1).pipe(Id) })
  .meta({ id: "NewConversation" });

const ConversationChanges = z
  .object({
    title: blankAsAbsent(Title.optional()),
    description: Description,
    agent_id: blankAsAbsent(Id.optional()),
  })
  .meta({ id: "ConversationChanges" });

const ConversationParam = z.object({ conversationId: Id });

export const conversationRoutes = userRouter()
  .post(
    "/",
    operation(
      "createConversation",
      "Begin a conversation with an agent",
      { 201: ConversationView },
      { access: ["user", "conversations:write", "end-user"] },
    ),
    validate("json", NewConversation),
    idempotent,
    async (c) => {
      const { title, description, agent_id: agentId } = c.req.valid("json");
      const input = { title, description: description ?? null, agentId };
      return c.json(
        toConversationView(await c.var.deps.conversationService.create(c.var.space, input, c.var.entityId)),
        201,
      );
    },
  )
  .get(
    "/",
    operation(
      "listConversations",
      "The user's conversations, newest first",
      {
        200: pageOf(ConversationView),
      },
      { access: ["user", "conversations:read", "end-user"] },
    ),
    validate("query", pageQuery(10)),
    async (c) => {
      const { limit, cursor } = c.req.valid("query");
      const page = await c.var.deps.conversations.list(c.var.space, limit, cursor);
      return c.json(toPage(page.items.map(toConversationView), page.nextCursor), 200);
    },
  )
  .get(
    "/:conversationId",
    operation(
      "getConversation",
      "A conversation",
      { 200: ConversationView },
      { access: ["user", "conversations:read", "end-user"] },
    ),
    validate("param", ConversationParam),
    async (c) => {
      const { conversationId } = c.req.valid("param");
      return c.json(toConversationView(await c.var.deps.conversations.get(c.var.space, conversationId)), 200);
    },
  )
  .put(
    "/:conversationId",
    operation(
      "updateConversation",
      "Rename a conversation or give it another agent",
      {
        200: ConversationView,
      },
      { access: ["user", "conversations:write", "end-user"] },
    ),
    validate("param", ConversationParam),
    validate("json", ConversationChanges),
    async (c) => {
      const { title, description, agent_id: agentId } = c.req.valid("json");
      const conversation = await c.var.deps.conversationService.update(
        c.var.space,
        c.req.valid("param").conversationId,
        {
          ...(title !== undefined && { title }),
          ...(description !== undefined && { description }),
          ...(agentId !== undefined && { agentId }),
        },
      );
      return c.json(toConversationView(conversation), 200);
    },
  )
  .delete(
    "/:conversationId",
    operation(
      "deleteConversation",
      "Delete a conversation with its messages",
      {
        202: Unfinished,
        204: "empty",
      },
      { access: ["user", "conversations:write", "end-user"] },
    ),
    validate("param", ConversationParam),
    async (c) => {
      const removal = await c.var.deps.conversationService.remove(
        c.var.space,
        c.req.valid("param").conversationId,
      );
      if (removal === "absent") throw notFound("Conversation");
      return removal === "done" ? c.body(null, 204) : c.json(UNFINISHED, 202);
    },
  )
  .get(
    "/:conversationId/messages",
    operation(
      "listMessages",
      "A conversation's messages, newest first",
      { 200: pageOf(MessageView) },
      { access: ["user", "conversations:read", "end-user"] },
    ),
    validate("param", ConversationParam),
    validate("query", pageQuery(20)),
    async (c) => {
      const { conversationId } = c.req.valid("param");
      const { limit, cursor } = c.req.valid("query");
      const page = await c.var.deps.conversationService.messages(c.var.space, conversationId, limit, cursor);
      return c.json(toPage(page.items.map(toMessageView), page.nextCursor), 200);
    },
  );
