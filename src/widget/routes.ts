import { type Context, Hono } from "hono";
import { streamSSE } from "hono/streaming";
import * as z from "zod";
import { limitVisitorBursts } from "../access/burst-limit.ts";
import type { AppEnv, VisitorEnv } from "../access/env.ts";
import { queued } from "../access/overload.ts";
import { mustSignIn, requirePublishableKey, requireVisitor, visitorOf } from "../access/widget-access.ts";
import { headers, operation } from "../http/openapi.ts";
import { blankAsAbsent, ConversationIdText, pageQuery, RunIdText } from "../http/schemas.ts";
import { relay, unbuffered } from "../http/sse.ts";
import { validate } from "../http/validate.ts";
import { hashOf, IdempotencyHeader, idempotencyKey } from "../idempotency/key.ts";
import { idempotent } from "../idempotency/middleware.ts";
import type { RunnerCall } from "../runs/runner-model.ts";
import { EventsQuery, LastEventHeader, resumePoint } from "../runs/resume-point.ts";
import { TimeZoneHeader, timeZoneIn } from "../runs/time-zone-header.ts";
import { RunReference, toRunView } from "../runs/view.ts";
import { AppError, notFound } from "../shared/errors.ts";
import type { ConversationId } from "../shared/id-types.ts";
import { throwForVisitors } from "../wires/visitor-errors.ts";
import type { Wire } from "../wires/wire.ts";
import {
  toVisitorTokenView,
  toWidgetConversationView,
  toWidgetMessageView,
  VisitorTokenView,
  WidgetConfig,
  WidgetConversationView,
  WidgetMessageView,
} from "./view.ts";

/** As long as the legacy Python service allowed, in characters. */
const MAX_MESSAGE_CHARS = 10_000;
/** What the legacy widget shows before the first message. */
const WELCOME = "Hello! How can I help you today?";

const WIDGET: Wire = { kind: "widget" };

const NewWidgetConversation = z
  .strictObject({ title: blankAsAbsent(z.string().trim().min(1).max(200).optional()) })
  .meta({ id: "NewWidgetConversation" });

const NewWidgetMessage = z
  .strictObject({
    content: z
      .string()
      .max(MAX_MESSAGE_CHARS)
      .refine((content) => content.trim() !== "", { error: "content must not be blank." }),
  })
  .meta({ id: "NewWidgetMessage" });

const ConversationParam = z.object({ conversationId: ConversationIdText });
const RunParam = ConversationParam.extend({ runId: RunIdText });

/**
 * The chat that is embedded in web pages: paths, bodies and answers are those of the legacy Python service. Conversations and runs are
 * those of the visitor as an end user of the agent.
 */
export const widgetRoutes = new Hono<AppEnv>()
  .get("/config", operation("getWidgetConfig", { 200: WidgetConfig }), requirePublishableKey, (c) => {
    const { name, agentId, allowedOrigins, requiresSignIn } = c.var.keyGrant;
    const { visitorAuthUrl } = c.var.deps;
    const canSignIn = visitorAuthUrl !== undefined && allowedOrigins.length > 0;
    const config = {
      agent_name: name,
      agent_id: agentId,
      welcome_message: WELCOME,
      theme: {},
      requires_sign_in: requiresSignIn,
      sign_in_url: canSignIn ? `${visitorAuthUrl}/google` : null,
    };
    return c.json(config, 200);
  })
  .post(
    "/visitors",
    operation("createVisitor", { 201: VisitorTokenView }),
    requirePublishableKey,
    limitVisitorBursts,
    async (c) => {
      const { deps, keyGrant } = c.var;
      if (c.req.header("authorization") === undefined) {
        if (keyGrant.requiresSignIn) throw mustSignIn();
        return c.json(toVisitorTokenView(await deps.visitorService.create(keyGrant)), 201);
      }
      const { caller, visitor } = await visitorOf(c, keyGrant);
      await deps.callerService.requireActiveScope(caller.scope);
      return c.json(toVisitorTokenView(await deps.visitorService.renew(caller.scope, visitor)), 201);
    },
  )
  .post(
    "/conversations",
    operation("createWidgetConversation", { 201: WidgetConversationView }),
    requireVisitor(),
    limitVisitorBursts,
    validate("json", NewWidgetConversation),
    idempotent,
    async (c) => {
      const { deps, scope, keyGrant, visitor, entityId } = c.var;
      const { title = `Chat with ${visitor.name ?? "Visitor"}` } = c.req.valid("json");
      const input = { title, description: null, agentId: keyGrant.agentId };
      await deps.endUserService.settle(scope);
      const conversation = await deps.conversationService
        .create(scope, input, entityId)
        .catch(throwForVisitors);
      return c.json(toWidgetConversationView(conversation, visitor), 201);
    },
  )
  .get(
    "/conversations",
    operation("listWidgetConversations", { 200: z.array(WidgetConversationView) }),
    requireVisitor(),
    validate("query", pageQuery(20)),
    async (c) => {
      const { deps, scope, visitor } = c.var;
      const { limit, cursor } = c.req.valid("query");
      const { items, nextCursor } = await deps.conversations.list(scope, limit, cursor);
      if (nextCursor !== null) c.header("Next-Cursor", nextCursor);
      return c.json(
        items.map((conversation) => toWidgetConversationView(conversation, visitor)),
        200,
      );
    },
  )
  .get(
    "/conversations/:conversationId",
    operation("getWidgetConversation", { 200: WidgetConversationView }),
    requireVisitor(),
    validate("param", ConversationParam),
    async (c) => {
      const { deps, scope, visitor } = c.var;
      const conversation = await deps.conversations.get(scope, c.req.valid("param").conversationId);
      return c.json(toWidgetConversationView(conversation, visitor), 200);
    },
  )
  .post(
    "/conversations/:conversationId/messages",
    operation("sendWidgetMessage", { 200: "event-stream" }),
    requireVisitor({ account: "itself" }),
    limitVisitorBursts,
    headers(IdempotencyHeader.extend(TimeZoneHeader.shape)),
    validate("param", ConversationParam),
    validate("json", NewWidgetMessage),
    queued,
    async (c) => {
      const { agentId } = c.var.keyGrant;
      const { content } = c.req.valid("json");
      const key = idempotencyKey(c.req.header("idempotency-key"));
      const input = {
        agentId,
        content,
        attachments: [],
        showsReasoning: false,
        timeZone: timeZoneIn(c),
        wire: WIDGET,
        key: key === undefined ? null : { key, bodyHash: await hashOf([agentId, content]) },
      };
      const { runId, frames } = await c.var.deps.runnerClient
        .send(callFor(c, c.req.valid("param").conversationId), input)
        .catch((error: unknown) => throwIfUnstored(c, error))
        .catch(throwForVisitors);
      return unbuffered(c, streamSSE(c, relay(frames)), { "X-Run-Id": runId });
    },
  )
  .get(
    "/conversations/:conversationId/messages",
    operation("listWidgetMessages", { 200: z.array(WidgetMessageView) }),
    requireVisitor(),
    validate("param", ConversationParam),
    validate("query", pageQuery(100)),
    async (c) => {
      const { conversationId } = c.req.valid("param");
      const { limit, cursor } = c.req.valid("query");
      const { conversationService } = c.var.deps;
      const page = await conversationService.messages(c.var.scope, conversationId, limit, cursor);
      if (page.nextCursor !== null) c.header("Next-Cursor", page.nextCursor);
      const said = page.items.filter(({ role }) => role === "user" || role === "assistant");
      return c.json(said.toReversed().map(toWidgetMessageView), 200);
    },
  )
  .get(
    "/conversations/:conversationId/runs/:runId/events",
    operation("followWidgetRun", { 200: "event-stream", 204: "empty" }),
    requireVisitor(),
    validate("param", RunParam),
    headers(LastEventHeader),
    validate("query", EventsQuery),
    async (c) => {
      const { conversationId, runId } = c.req.valid("param");
      const after = resumePoint(c.req.valid("query").after, c.req.header("last-event-id"));
      const call = callFor(c, conversationId);
      const frames = await c.var.deps.runnerClient.events(call, runId, after, WIDGET);
      return frames ? unbuffered(c, streamSSE(c, relay(frames))) : c.body(null, 204);
    },
  )
  .post(
    "/conversations/:conversationId/runs/:runId/cancel",
    operation("cancelWidgetRun", { 200: RunReference }),
    requireVisitor(),
    validate("param", RunParam),
    async (c) => {
      const { conversationId, runId } = c.req.valid("param");
      const run = await c.var.deps.runnerClient.cancel(callFor(c, conversationId), runId);
      return c.json(RunReference.parse(toRunView(run)), 200);
    },
  );

const callFor = (
  { var: { scope, requestId } }: Context<VisitorEnv>,
  conversationId: ConversationId,
): RunnerCall => ({ scope, conversationId, requestId });

/** Throws `not-found` in place of the error of a turn if the visitor is not stored yet, and therefore has no conversation. */
async function throwIfUnstored(
  { var: { deps, scope } }: Context<VisitorEnv>,
  error: unknown,
): Promise<never> {
  if (!(error instanceof AppError) || error.code !== "unauthenticated") throw error;
  await deps.callerService.requireActiveScope(scope);
  throw notFound("Conversation");
}
