import type { Context } from "hono";
import * as z from "zod";
import type { UserEnv } from "../http/env.ts";
import { hashOf, IdempotencyHeader, idempotencyKey } from "../http/idempotency-key.ts";
import { headers, operation } from "../http/openapi.ts";
import { contextOf } from "../http/problem.ts";
import { userRouter } from "../http/router.ts";
import { blankAsAbsent, Id, pageOf, pageQuery, toPage } from "../http/schemas.ts";
import { validate } from "../http/validate.ts";
import { Attachments } from "../messages/attachments.ts";
import { MessageView } from "../messages/view.ts";
import type { RunnerRequest } from "./runner-protocol.ts";
import { RunView, toRunView } from "./view.ts";

/** A message with its files: 250 KB of them, escaped as JSON, and a long text. */
const BODY_LIMIT = 1024 * 1024;

const NewMessage = z
  .object({ content: z.string(), attachments: Attachments.nullish().transform((files) => files ?? []) })
  .meta({ id: "NewMessage" });

const WholeAnswer = z
  .object({
    message: MessageView.nullable(),
    tool_calls: MessageView.shape.tool_calls,
    usage: MessageView.shape.usage,
    run_id: z.string(),
  })
  .meta({ id: "WholeAnswer" });

const ConversationParam = z.object({ conversationId: Id });
const AgentPlace = ConversationParam.extend({ agentId: Id });
const RunParam = ConversationParam.extend({ runId: Id });
const LastEventHeader = z.object({
  "Last-Event-ID": z.string().optional().describe("The same as `after`, which wins."),
});
const EventsQuery = z.object({ after: blankAsAbsent(z.string().max(100).optional()) });

export const sendRoutes = userRouter().post(
  "/:agentId/:conversationId/send-message",
  operation(
    "sendMessage",
    "Say something to an agent; the answer streams, or comes whole with `accept: application/json`",
    { 200: ["event-stream", WholeAnswer] },
    {
      access: ["user", "conversations:write", "end-user"],
      bodyLimit: BODY_LIMIT,
      account: "itself",
      burst: "costly",
    },
  ),
  headers(IdempotencyHeader),
  validate("param", AgentPlace),
  validate("json", NewMessage),
  async (c) => {
    const { agentId, conversationId } = c.req.valid("param");
    const { content, attachments } = c.req.valid("json");
    const key = idempotencyKey(c.req.header("idempotency-key"));
    return ask(c, conversationId, {
      kind: "send",
      agentId,
      content,
      attachments,
      key: key === undefined ? null : { key, bodyHash: await hashOf([agentId, content, attachments]) },
      wantsJson: wantsJson(c.req.header("accept")),
    });
  },
);

export const runRoutes = userRouter()
  .get(
    "/:conversationId/runs",
    operation(
      "listRuns",
      "A conversation's runs, newest first",
      { 200: pageOf(RunView) },
      { access: ["user", "conversations:read", "end-user"] },
    ),
    validate("param", ConversationParam),
    validate("query", pageQuery(20)),
    async (c) => {
      const { conversationId } = c.req.valid("param");
      const { limit, cursor } = c.req.valid("query");
      const { conversations, runs } = c.var.deps;
      const [, page] = await Promise.all([
        conversations.get(c.var.space, conversationId),
        runs.list(conversationId, limit, cursor),
      ]);
      return c.json(toPage(page.items.map(toRunView), page.nextCursor), 200);
    },
  )
  .get(
    "/:conversationId/runs/:runId",
    operation("getRun", "A run", { 200: RunView }, { access: ["user", "conversations:read", "end-user"] }),
    validate("param", RunParam),
    async (c) => {
      const { conversationId, runId } = c.req.valid("param");
      return ask(c, conversationId, { kind: "get", runId });
    },
  )
  .get(
    "/:conversationId/runs/:runId/events",
    operation(
      "followRun",
      "The events of a run (or of the `active` one) behind a number, and those to come",
      {
        200: "event-stream",
        204: "empty",
      },
      { access: ["user", "conversations:read", "end-user"] },
    ),
    validate("param", RunParam),
    headers(LastEventHeader),
    validate("query", EventsQuery),
    async (c) => {
      const { conversationId, runId } = c.req.valid("param");
      const after = c.req.valid("query").after ?? c.req.header("last-event-id") ?? "0";
      return ask(c, conversationId, { kind: "events", runId, after });
    },
  )
  .post(
    "/:conversationId/runs/:runId/cancel",
    operation(
      "cancelRun",
      "Stop a run; what was said is kept",
      { 200: RunView },
      { access: ["user", "conversations:write", "end-user"] },
    ),
    validate("param", RunParam),
    async (c) => {
      const { conversationId, runId } = c.req.valid("param");
      return ask(c, conversationId, { kind: "cancel", runId });
    },
  );

/** Hands a request over to the conversation's runner, whose answer is the caller's, byte by byte. */
function ask(c: Context<UserEnv>, conversationId: string, request: RunnerRequest): Promise<Response> {
  return c.var.deps.runners.call({ space: c.var.space, conversationId, request, ...contextOf(c) });
}

/** Only callers that name JSON and would not take a stream: a browser's `accept` of anything means the stream. */
const wantsJson = (accept: string | undefined): boolean =>
  accept !== undefined &&
  accept.includes("application/json") &&
  !accept.includes("text/event-stream") &&
  !accept.includes("*/*");
