import { isEndUserId } from "../access/access-scope.ts";
import { rule } from "../shared/violations.ts";
import { EndUserId, EndUserView, toEndUserView } from "./view.ts";
import { Hono } from "hono";
import * as z from "zod";
import { ConversationView, toConversationView } from "../conversations/view.ts";
import { operation } from "../http/openapi.ts";
import { limitBursts } from "../access/burst-limit.ts";
import type { AppEnv } from "../access/env.ts";
import { requireAccess } from "../access/require-access.ts";
import { validateAgentPath } from "../access/agent-path.ts";
import {
  AgentIdText,
  ConversationIdText,
  Origins,
  UNFINISHED,
  Unfinished,
  blankAsAbsent,
  pageOf,
  pageQuery,
  toPage,
  wholeNumber,
} from "../http/schemas.ts";
import { validate } from "../http/validate.ts";
import { written, writtenAs } from "../access/written.ts";
import { MessageView, toMessageView } from "../messages/view.ts";
import { formatTimestamp } from "../shared/clock.ts";

const HOUR = 60 * 60;

const NewClientToken = z
  .strictObject({
    end_user_id: z.string().refine(isEndUserId, {
      error: rule("must consist of 1 to 128 letters, digits and the characters ._@:-"),
    }),
    expires_in: blankAsAbsent(wholeNumber(60, 24 * HOUR).default(HOUR)),
    origins: Origins.optional(),
  })
  .meta({ id: "NewClientToken" });

const ClientToken = z
  .object({
    token: z.string(),
    expires_at: z.string(),
    agent_id: z.string(),
    end_user_id: z.string(),
    origins: z.array(z.string()),
  })
  .meta({ id: "ClientToken" });

/** Omits the origins, which may come from the agent's settings. The token itself is the purpose of the route. */
const ClientTokenReference = ClientToken.omit({ origins: true }).meta({ id: "ClientTokenReference" });

const AgentParam = z.object({ agentId: AgentIdText });
const EndUserParam = AgentParam.extend({ endUserId: EndUserId });
const ConversationParam = EndUserParam.extend({ conversationId: ConversationIdText });

export const endUserRoutes = new Hono<AppEnv>()
  .post(
    "/:agentId/client-tokens",
    operation("createClientToken", { 201: writtenAs(ClientToken, ClientTokenReference) }),
    requireAccess("user", "end-users:write"),
    limitBursts("costly"),
    validateAgentPath(AgentParam),
    validate("json", NewClientToken),
    async (c) => {
      const { end_user_id: endUserId, expires_in: expiresInSeconds, origins } = c.req.valid("json");
      const { agentId } = c.req.valid("param");
      const request = { endUserId, expiresInSeconds, origins };
      const minted = await c.var.deps.endUserService.mint(c.var.scope.accountEmail, agentId, request);
      const view = {
        token: minted.token,
        expires_at: formatTimestamp(minted.expiresAt),
        agent_id: agentId,
        end_user_id: endUserId,
        origins: [...minted.origins],
      };
      return c.json(written(c, view, ClientTokenReference), 201, { "cache-control": "no-store" });
    },
  )
  .get(
    "/:agentId/end-users",
    operation("listEndUsers", {
      200: pageOf(EndUserView),
    }),
    requireAccess("user", "end-users:read"),
    validateAgentPath(AgentParam),
    validate("query", pageQuery(20)),
    async (c) => {
      const { agentId } = c.req.valid("param");
      const { limit, cursor } = c.req.valid("query");
      const page = await c.var.deps.endUserService.list(c.var.scope.accountEmail, agentId, limit, cursor);
      return c.json(toPage(page.items.map(toEndUserView), page.nextCursor), 200);
    },
  )
  .get(
    "/:agentId/end-users/:endUserId",
    operation("getEndUser", { 200: EndUserView }),
    requireAccess("user", "end-users:read"),
    validateAgentPath(EndUserParam),
    async (c) => {
      const { agentId, endUserId } = c.req.valid("param");
      return c.json(
        toEndUserView(await c.var.deps.endUserService.get(c.var.scope.accountEmail, agentId, endUserId)),
        200,
      );
    },
  )
  .delete(
    "/:agentId/end-users/:endUserId",
    operation("deleteEndUser", { 202: Unfinished, 204: "empty" }),
    requireAccess("user", "end-users:write"),
    validateAgentPath(EndUserParam),
    async (c) => {
      const { agentId, endUserId } = c.req.valid("param");
      const { deps, scope } = c.var;
      const isDone = await deps.partialDeletionService.begin(
        scope.accountEmail,
        { kind: "end-user", endUser: { agentId, id: endUserId } },
        () => deps.endUserService.remove(scope.accountEmail, agentId, endUserId),
      );
      return isDone ? c.body(null, 204) : c.json(UNFINISHED, 202);
    },
  )
  .get(
    "/:agentId/end-users/:endUserId/conversations",
    operation("listEndUserConversations", {
      200: pageOf(ConversationView),
    }),
    requireAccess("user", "end-users:read"),
    validateAgentPath(EndUserParam),
    validate("query", pageQuery(10)),
    async (c) => {
      const { agentId, endUserId } = c.req.valid("param");
      const { limit, cursor } = c.req.valid("query");
      const { deps, scope: own } = c.var;
      const scope = await deps.endUserService.scope(own.accountEmail, agentId, endUserId);
      const page = await deps.conversations.list(scope, limit, cursor);
      return c.json(toPage(page.items.map(toConversationView), page.nextCursor), 200);
    },
  )
  .get(
    "/:agentId/end-users/:endUserId/conversations/:conversationId/messages",
    operation("listEndUserMessages", {
      200: pageOf(MessageView),
    }),
    requireAccess("user", "end-users:read"),
    validateAgentPath(ConversationParam),
    validate("query", pageQuery(20)),
    async (c) => {
      const { agentId, endUserId, conversationId } = c.req.valid("param");
      const { limit, cursor } = c.req.valid("query");
      const { deps, scope: own } = c.var;
      const scope = await deps.endUserService.scope(own.accountEmail, agentId, endUserId);
      const page = await deps.conversationService.messages(scope, conversationId, limit, cursor);
      return c.json(toPage(page.items.map(toMessageView), page.nextCursor), 200);
    },
  );
