import type { ConversationId } from "../shared/id-types.ts";
import { type Context, Hono } from "hono";
import { streamSSE } from "hono/streaming";
import * as z from "zod";
import type { UserEnv } from "../access/env.ts";
import { hashOf, IdempotencyHeader, idempotencyKey } from "../idempotency/key.ts";
import { headers, operation } from "../http/openapi.ts";
import { queued } from "../access/overload.ts";
import { limitBursts } from "../access/burst-limit.ts";
import type { AppEnv } from "../access/env.ts";
import { requireAccess } from "../access/require-access.ts";
import { TimeZoneHeader, timeZoneIn } from "./time-zone-header.ts";
import { validateAgentPath } from "../access/agent-path.ts";
import { maxBody } from "../http/middleware/body-limit.ts";
import {
  AgentIdText,
  ConversationIdText,
  Id,
  RunIdText,
  blankAsAbsent,
  pageOf,
  pageQuery,
  toPage,
} from "../http/schemas.ts";
import { relay, unbuffered } from "../http/sse.ts";
import { validate } from "../http/validate.ts";
import { written, writtenAs } from "../access/written.ts";
import { Attachments } from "../messages/attachments.ts";
import type { RunId } from "../shared/id-types.ts";
import { MessageView, toMessageView } from "../messages/view.ts";
import { type RateLimit, rateLimitHeaders } from "../shared/rate-limit.ts";
import { CallId, DECISION_LIMIT, decisionOf, NewDecision } from "./decision-schemas.ts";
import type { RegenerateInput, RunnerCall, SendInput } from "./runner-model.ts";
import { EventsQuery, LastEventHeader, resumePoint } from "./resume-point.ts";
import type { RunAnswer } from "./run-reader.ts";
import {
  PendingCall,
  RunDetails,
  RunReference,
  RunView,
  toPendingCall,
  toRunDetails,
  toRunView,
} from "./view.ts";

/** Enough for a long text and 250 KB of attachments, escaped as JSON. */
const BODY_LIMIT = 1024 * 1024;

const NewMessage = z
  .strictObject({ content: z.string(), attachments: Attachments.nullish().transform((files) => files ?? []) })
  .refine(({ content, attachments }) => content.trim() !== "" || attachments.length > 0, {
    error: "content must not be blank unless files are attached.",
    path: ["content"],
  })
  .meta({ id: "NewMessage" });

const WholeAnswer = z
  .object({
    message: MessageView.nullable(),
    tool_calls: MessageView.shape.tool_calls,
    usage: MessageView.shape.usage,
    run_id: z.string(),
    stop_reason: z.enum(["length", "waiting"]).nullable(),
    pending_calls: z.array(PendingCall).exactOptional(),
  })
  .meta({ id: "WholeAnswer" });

const ConversationParam = z.object({ conversationId: ConversationIdText });
const AgentPlace = ConversationParam.extend({ agentId: AgentIdText });
const MessageParam = ConversationParam.extend({ messageId: Id });
const RunParam = ConversationParam.extend({ runId: RunIdText });
const CallParam = RunParam.extend({ callId: CallId });

const SendQuery = z.object({
  reasoning: blankAsAbsent(z.enum(["0", "1"]).optional()),
});

export const sendRoutes = new Hono<AppEnv>().post(
  "/:agentId/:conversationId/send-message",
  operation("sendMessage", { 200: ["event-stream", WholeAnswer] }),
  maxBody(BODY_LIMIT),
  requireAccess("user", "conversations:write", "end-user", { account: "itself" }),
  limitBursts("costly"),
  headers(IdempotencyHeader.extend(TimeZoneHeader.shape)),
  validateAgentPath(AgentPlace),
  validate("query", SendQuery),
  validate("json", NewMessage),
  queued,
  async (c) => {
    const { agentId, conversationId } = c.req.valid("param");
    const { content, attachments } = c.req.valid("json");
    const key = idempotencyKey(c.req.header("idempotency-key"));
    const input = {
      agentId,
      content,
      attachments,
      showsReasoning: c.req.valid("query").reasoning === "1",
      timeZone: timeZoneIn(c),
      key: key === undefined ? null : { key, bodyHash: await hashOf([agentId, content, attachments]) },
    };
    return answered(c, conversationId, input);
  },
);

export const runRoutes = new Hono<AppEnv>()
  .get(
    "/:conversationId/runs",
    operation("listRuns", { 200: pageOf(RunView) }),
    requireAccess("user", "conversations:read", "end-user"),
    validate("param", ConversationParam),
    validate("query", pageQuery(20)),
    async (c) => {
      const { conversationId } = c.req.valid("param");
      const { limit, cursor } = c.req.valid("query");
      const { conversations, runs } = c.var.deps;
      const [, page] = await Promise.all([
        conversations.get(c.var.scope, conversationId),
        runs.list(conversationId, limit, cursor),
      ]);
      return c.json(toPage(page.items.map(toRunView), page.nextCursor), 200);
    },
  )
  .get(
    "/:conversationId/runs/:runId",
    operation("getRun", { 200: RunDetails }),
    requireAccess("user", "conversations:read", "end-user"),
    validate("param", RunParam),
    async (c) => {
      const { conversationId, runId } = c.req.valid("param");
      const run = await c.var.deps.runnerClient.getRun(callFor(c, conversationId), runId);
      return c.json(toRunDetails(run), 200);
    },
  )
  .get(
    "/:conversationId/runs/:runId/events",
    operation("followRun", {
      200: "event-stream",
      204: "empty",
    }),
    requireAccess("user", "conversations:read", "end-user"),
    validate("param", RunParam),
    headers(LastEventHeader),
    validate("query", EventsQuery),
    async (c) => {
      const { conversationId, runId } = c.req.valid("param");
      const after = resumePoint(c.req.valid("query").after, c.req.header("last-event-id"));
      const frames = await c.var.deps.runnerClient.events(callFor(c, conversationId), runId, after);
      return frames ? unbuffered(c, streamSSE(c, relay(frames))) : c.body(null, 204);
    },
  )
  .post(
    "/:conversationId/runs/:runId/cancel",
    operation("cancelRun", { 200: writtenAs(RunView, RunReference) }),
    requireAccess("user", "conversations:write", "end-user"),
    validate("param", RunParam),
    async (c) => {
      const { conversationId, runId } = c.req.valid("param");
      const run = await c.var.deps.runnerClient.cancel(callFor(c, conversationId), runId);
      return c.json(written(c, toRunView(run), RunReference), 200);
    },
  )
  .post(
    "/:conversationId/messages/:messageId/regenerate",
    operation("regenerateAnswer", { 200: ["event-stream", WholeAnswer] }),
    requireAccess("user", "conversations:write", "end-user"),
    limitBursts("costly"),
    validate("param", MessageParam),
    headers(IdempotencyHeader.extend(TimeZoneHeader.shape)),
    validate("query", SendQuery),
    queued,
    async (c) => {
      const { conversationId, messageId } = c.req.valid("param");
      const key = idempotencyKey(c.req.header("idempotency-key"));
      return answered(c, conversationId, {
        regenerates: { messageId },
        showsReasoning: c.req.valid("query").reasoning === "1",
        timeZone: timeZoneIn(c),
        key: key === undefined ? null : { key, bodyHash: await hashOf(["regenerate", messageId]) },
      });
    },
  )
  .post(
    "/:conversationId/runs/:runId/approvals/:callId",
    operation("decideCall", { 200: writtenAs(RunDetails, RunReference) }),
    maxBody(DECISION_LIMIT),
    requireAccess("user", "conversations:write", "end-user"),
    limitBursts("costly"),
    validate("param", CallParam),
    validate("json", NewDecision),
    async (c) => {
      const { conversationId, runId, callId } = c.req.valid("param");
      const decision = decisionOf(c.req.valid("json"));
      const call = callFor(c, conversationId);
      const run = await c.var.deps.runnerClient.decide(call, runId, [{ callId, decision }]);
      return c.json(written(c, toRunDetails(run), RunReference), 200);
    },
  );

/** Runs what the caller wants, and returns the run's stream, or if the caller wants JSON, its whole answer at the end. */
async function answered(
  c: Context<UserEnv>,
  conversationId: ConversationId,
  input: SendInput | RegenerateInput,
) {
  const { runnerClient } = c.var.deps;
  const call = callFor(c, conversationId);
  if (wantsJson(c.req.header("accept"))) {
    const { runId, messagesLeft } = await runnerClient.begin(call, input);
    // The answer takes as long as the model does. Others may begin meanwhile.
    c.var.leaveQueue?.();
    const answer = await runnerClient.answer(call, runId);
    return c.json(toWholeAnswer(runId, answer), 200, limitHeaders(messagesLeft));
  }

  const { frames, messagesLeft } = await runnerClient.send(call, input);
  return unbuffered(c, streamSSE(c, relay(frames)), limitHeaders(messagesLeft));
}

const callFor = (
  { var: { scope, requestId } }: Context<UserEnv>,
  conversationId: ConversationId,
): RunnerCall => ({
  scope,
  conversationId,
  requestId,
});

function toWholeAnswer(runId: RunId, { message, calls, isWaiting }: RunAnswer): z.infer<typeof WholeAnswer> {
  const view = message && toMessageView(message);
  return {
    message: view,
    tool_calls: view?.tool_calls ?? [],
    usage: view?.usage ?? null,
    run_id: runId,
    stop_reason: isWaiting ? "waiting" : view?.status === "truncated" ? "length" : null,
    ...(isWaiting && { pending_calls: calls.map(toPendingCall) }),
  };
}

const limitHeaders = (left: RateLimit | null): Record<string, string> => (left ? rateLimitHeaders(left) : {});

/** Whether the caller accepts JSON and no stream. Browsers accept anything and get the stream. */
const wantsJson = (accept: string | undefined): boolean =>
  accept !== undefined &&
  accept.includes("application/json") &&
  !accept.includes("text/event-stream") &&
  !accept.includes("*/*");
