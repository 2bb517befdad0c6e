import { type Context, Hono } from "hono";
import { streamSSE } from "hono/streaming";
import * as z from "zod";
import { validateAgentPath } from "../access/agent-path.ts";
import { limitBursts } from "../access/burst-limit.ts";
import type { AppEnv } from "../access/env.ts";
import { queued } from "../access/overload.ts";
import { requireAccess } from "../access/require-access.ts";
import { maxBody } from "../http/middleware/body-limit.ts";
import { headers, operation } from "../http/openapi.ts";
import { AgentIdText } from "../http/schemas.ts";
import { relay, unbuffered } from "../http/sse.ts";
import { validate } from "../http/validate.ts";
import { hashOf } from "../idempotency/key.ts";
import type { RegenerateInput, SendInput } from "../runs/runner-model.ts";
import { TimeZoneHeader, timeZoneIn } from "../runs/time-zone-header.ts";
import { notFound } from "../shared/errors.ts";
import { rateLimitHeaders } from "../shared/rate-limit.ts";
import type { Wire } from "../wires/wire.ts";
import {
  AiSdkHeader,
  ChatQuery,
  ChatRequest,
  ClientId,
  type UserMessage,
  versionIn,
} from "./chat-request.ts";

/** The AI SDK sends the whole chat with each message, files included. */
const BODY_LIMIT = 4 * 1024 * 1024;

const AgentParam = z.object({ agentId: AgentIdText });
const ChatParam = AgentParam.extend({ chatId: ClientId });
const StreamQuery = ChatQuery.pick({ ai_sdk: true });

/** The version of the stream protocol. The AI SDK's own server sends it, and some proxies look for it. */
const PROTOCOL = { "x-vercel-ai-ui-message-stream": "v1" } as const;

/** The routes of the AI SDK: an agent as the `api` of `useChat`. */
export const chatRoutes = new Hono<AppEnv>()
  .post(
    "/:agentId/chat",
    operation("chat", { 200: "event-stream" }),
    maxBody(BODY_LIMIT),
    requireAccess("user", "conversations:write", "end-user"),
    limitBursts("costly"),
    headers(AiSdkHeader.extend(TimeZoneHeader.shape)),
    validateAgentPath(AgentParam),
    validate("query", ChatQuery),
    validate("json", ChatRequest),
    queued,
    async (c) => {
      const { agentId } = c.req.valid("param");
      const query = c.req.valid("query");
      const request = c.req.valid("json");
      const { deps, scope, requestId } = c.var;
      const wire = wireIn(c, query);
      if (request.messages.kind === "decisions") {
        const conversationId = await deps.threadService.find({ scope, agentId, name: request.id });
        if (conversationId === undefined) throw notFound("Conversation");
        const call = { scope, conversationId, requestId };
        const { id: answerId, decisions } = request.messages;
        const { runId, frames } = await deps.runnerClient.sendDecisions(call, decisions, wire, {
          answerId,
        });
        return stream(c, frames, { "X-Conversation-Id": conversationId, "X-Run-Id": runId });
      }

      const run = {
        agentId,
        showsReasoning: query.reasoning === "1",
        timeZone: timeZoneIn(c),
        wire,
        clientTools: request.tools ?? undefined,
      };
      const { name, text, input } = await wantedRun(run, request, request.messages);
      const thread = { scope, agentId, name };
      const conversationId =
        text === undefined
          ? await deps.threadService.find(thread)
          : await deps.threadService.open(thread, text);
      if (conversationId === undefined) throw notFound("Conversation");

      const call = { scope, conversationId, requestId };
      const { runId, frames, messagesLeft } = await deps.runnerClient.send(call, input);
      return stream(c, frames, {
        "X-Conversation-Id": conversationId,
        "X-Run-Id": runId,
        ...(messagesLeft && rateLimitHeaders(messagesLeft)),
      });
    },
  )
  .get(
    "/:agentId/chat/:chatId/stream",
    operation("resumeChat", { 200: "event-stream", 204: "empty" }),
    requireAccess("user", "conversations:read", "end-user"),
    headers(AiSdkHeader),
    validateAgentPath(ChatParam),
    validate("query", StreamQuery),
    async (c) => {
      const { agentId, chatId: name } = c.req.valid("param");
      const { deps, scope, requestId } = c.var;
      const conversationId = await deps.threadService.find({ scope, agentId, name });
      // A chat without a conversation is one without messages yet: clients resume those, too.
      if (conversationId === undefined) return c.body(null, 204);
      const call = { scope, conversationId, requestId };
      const frames = await deps.runnerClient.events(call, "active", 0, wireIn(c, c.req.valid("query")));
      return frames ? stream(c, frames, { "X-Conversation-Id": conversationId }) : c.body(null, 204);
    },
  );

/**
 * Returns the run that a request wants, the name of its conversation, and if the conversation is created in case there is none, the
 * text to call it after.
 */
async function wantedRun(
  run: Omit<SendInput, "content" | "attachments" | "key">,
  { id: name, trigger, messageId }: Omit<z.output<typeof ChatRequest>, "messages">,
  { id, content, attachments }: UserMessage,
): Promise<{ name: string; text: string | undefined; input: SendInput | RegenerateInput }> {
  const { agentId } = run;
  const message = {
    ...run,
    content,
    attachments,
    // Keys of the header `Idempotency-Key` have no spaces, so none of them is the same.
    key: { key: `message ${id}`, bodyHash: await hashOf([agentId, content, attachments]) },
  };
  if (trigger !== "regenerate-message") return { name, text: content, input: message };
  if (messageId === undefined || messageId === null || messageId === id)
    // Clients also ask for this after a message was refused.
    return {
      name,
      text: content,
      input: { ...run, regenerates: {}, message: { clientId: id, input: message }, key: null },
    };

  const key = {
    key: `regenerate ${messageId}`,
    bodyHash: await hashOf([agentId, content]),
    untilCompleted: true,
  };
  return { name, text: undefined, input: { ...run, regenerates: { messageId }, key } };
}

const wireIn = (c: Context, { ai_sdk: version }: z.infer<typeof StreamQuery>): Wire => ({
  kind: "ai-sdk",
  version: versionIn(version, c.req.header("x-ai-sdk")),
});

const stream = (c: Context, frames: ReadableStream<Uint8Array>, more: Readonly<Record<string, string>>) =>
  unbuffered(c, streamSSE(c, relay(frames)), { ...PROTOCOL, ...more });
