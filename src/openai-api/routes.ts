import { type Context, Hono } from "hono";
import { streamSSE } from "hono/streaming";
import * as z from "zod";
import { limitBursts } from "../access/burst-limit.ts";
import type { AppEnv, UserEnv } from "../access/env.ts";
import { queued } from "../access/overload.ts";
import { requireAccess } from "../access/require-access.ts";
import type { Agent } from "../agents/model.ts";
import { maxBody } from "../http/middleware/body-limit.ts";
import { headers, operation } from "../http/openapi.ts";
import { relay, unbuffered } from "../http/sse.ts";
import { validate } from "../http/validate.ts";
import { hashOf, IdempotencyHeader, idempotencyKey } from "../idempotency/key.ts";
import type { WaitingCall } from "../architectures/turn-so-far.ts";
import type { BegunRun, RunnerCall, StreamedRun } from "../runs/runner-model.ts";
import type { RunAnswer } from "../runs/run-reader.ts";
import { TimeZoneHeader, timeZoneIn } from "../runs/time-zone-header.ts";
import { invalidInput, notFound } from "../shared/errors.ts";
import type { RunId } from "../shared/id-types.ts";
import { timeOf } from "../shared/ids.ts";
import { rateLimitHeaders } from "../shared/rate-limit.ts";
import { approvalNotice, completionIdOf, toCompletionUsage } from "../wires/chat-completions.ts";
import { agentOf, agentsOf, idsOf, isCalled, scopeOf } from "./addressing.ts";
import { CompletionRequest, offeredTools } from "./completion-request.ts";

/** Clients send the whole history with each message. */
const BODY_LIMIT = 4 * 1024 * 1024;

const ThreadHeader = z.object({
  "X-Conversation-Id": z.string().max(255).optional(),
});

const Usage = z
  .object({
    prompt_tokens: z.number(),
    completion_tokens: z.number(),
    total_tokens: z.number(),
    prompt_tokens_details: z.object({ cached_tokens: z.number() }),
    completion_tokens_details: z.object({ reasoning_tokens: z.number() }).exactOptional(),
  })
  .meta({ id: "CompletionUsage" });

const CompletionCall = z
  .object({
    id: z.string(),
    type: z.literal("function"),
    function: z.object({ name: z.string(), arguments: z.string() }),
  })
  .meta({ id: "CompletionCall" });

const Completion = z
  .object({
    id: z.string(),
    object: z.literal("chat.completion"),
    created: z.number(),
    model: z.string(),
    choices: z.array(
      z.object({
        index: z.literal(0),
        message: z.object({
          role: z.literal("assistant"),
          content: z.string(),
          refusal: z.null(),
          tool_calls: z.array(CompletionCall).exactOptional(),
        }),
        logprobs: z.null(),
        finish_reason: z.enum(["stop", "length", "tool_calls"]),
      }),
    ),
    usage: Usage.exactOptional(),
  })
  .meta({ id: "Completion" });

const Model = z
  .object({
    id: z.string(),
    object: z.literal("model"),
    created: z.number(),
    owned_by: z.string(),
    name: z.string(),
  })
  .meta({ id: "AgentAsModel" });

const ModelList = z
  .object({ object: z.literal("list"), data: z.array(Model) })
  .meta({ id: "AgentsAsModels" });

const ModelParam = z.object({ agentOrName: z.string().max(255) });

/** The routes of OpenAI's API, on which agents are models. All their errors have OpenAI's form; see `speaksOpenAi`. */
export const openAiRoutes = new Hono<AppEnv>()
  .post(
    "/chat/completions",
    operation("createChatCompletion", { 200: ["event-stream", Completion] }),
    maxBody(BODY_LIMIT),
    requireAccess("user", "conversations:write", "end-user"),
    limitBursts("costly"),
    headers(IdempotencyHeader.extend({ ...TimeZoneHeader.shape, ...ThreadHeader.shape })),
    validate("json", CompletionRequest),
    queued,
    async (c) => {
      const body = c.req.valid("json");
      const { model, messages: said, stream, user, metadata } = body;
      const { deps, requestId } = c.var;
      const agentId = await agentOf(c, model);
      const scope = await scopeOf(c, agentId, user ?? undefined);
      const named = c.req.header("x-conversation-id") ?? metadata?.conversation_id ?? undefined;
      const thread = named === undefined ? undefined : { scope, agentId, name: threadName(named) };
      const includesUsage = body.stream_options?.include_usage === true;
      const wire = { kind: "chat-completions", model, includesUsage } as const;

      const results = thread ? said.responses.at(-1)?.calls : undefined;
      if (thread && results) {
        const conversationId = await deps.threadService.find(thread);
        if (conversationId === undefined) throw notFound("Conversation");
        const call = { scope, conversationId, requestId };
        const decisions = results.map(({ id, output }) => ({
          callId: id,
          decision: { kind: "answered", output } as const,
        }));
        return stream === true
          ? streamed(c, call, await deps.runnerClient.sendDecisions(call, decisions, wire))
          : whole(c, call, model, await deps.runnerClient.beginDecisions(call, decisions));
      }

      const key = idempotencyKey(c.req.header("idempotency-key"));
      const { content, attachments } = said;
      const conversationId = thread
        ? await deps.threadService.open(thread, content)
        : await deps.threadService.openTransient(scope, agentId, content, key);
      const call = { scope, conversationId, requestId };
      const asked = {
        agentId,
        content,
        attachments,
        givenHistory: thread ? undefined : said.history,
        givenResponses: thread ? undefined : said.responses,
        format: body.response_format,
        ...offeredTools(body),
      };
      const bodyHash = key === undefined ? "" : await hashOf(Object.values(asked));
      const input = {
        ...asked,
        showsReasoning: false,
        timeZone: timeZoneIn(c),
        key: key === undefined ? null : { key, bodyHash },
      };
      return stream === true
        ? streamed(c, call, await deps.runnerClient.send(call, { ...input, wire }))
        : whole(c, call, model, await deps.runnerClient.begin(call, input));
    },
  )
  .get(
    "/models",
    operation("listAgentsAsModels", { 200: ModelList }),
    requireAccess("user", "agents:read"),
    async (c) => c.json({ object: "list" as const, data: (await agentsOf(c)).map(toModel) }, 200),
  )
  .get(
    "/models/:agentOrName",
    operation("getAgentAsModel", { 200: Model }),
    requireAccess("user", "agents:read"),
    validate("param", ModelParam),
    async (c) => {
      const { agentOrName } = c.req.valid("param");
      const agent = (await agentsOf(c)).find(isCalled(agentOrName));
      if (!agent) throw notFound("Agent");
      return c.json(toModel(agent), 200);
    },
  );

/** Answers with the frames of a run. */
const streamed = (c: Context, { conversationId }: RunnerCall, { runId, frames, messagesLeft }: StreamedRun) =>
  unbuffered(c, streamSSE(c, relay(frames)), {
    ...idsOf(conversationId, runId),
    ...(messagesLeft && rateLimitHeaders(messagesLeft)),
  });

/** Answers when a run has ended or waits. */
async function whole(
  c: Context<UserEnv>,
  call: RunnerCall,
  model: string,
  { runId, messagesLeft, after }: BegunRun,
) {
  // The answer takes as long as the model does. Others may begin meanwhile.
  c.var.leaveQueue?.();
  const answer = await c.var.deps.runnerClient.answer(call, runId, after);
  return c.json(toCompletion(runId, model, answer), 200, {
    ...idsOf(call.conversationId, runId),
    ...(messagesLeft && rateLimitHeaders(messagesLeft)),
  });
}

/** Returns the name of a thread. Throws `validation-failed` if it is empty. */
function threadName(name: string): string {
  if (name !== "" && name.length <= 255) return name;
  const message = "X-Conversation-Id must have 1 to 255 characters.";
  throw invalidInput("header", [{ path: ["X-Conversation-Id"], message, code: "custom" }]);
}

const toModel = ({ id, name, createdAt }: Agent): z.infer<typeof Model> => ({
  id,
  object: "model",
  created: Math.floor(Date.parse(createdAt) / 1000) || 0,
  owned_by: "account",
  name,
});

function toCompletion(
  runId: RunId,
  model: string,
  { message: answer, calls, isWaiting }: RunAnswer,
): z.infer<typeof Completion> {
  const left = calls.filter(({ waitsFor, decision }) => waitsFor === "result" && !decision);
  const isAsking = isWaiting && left.length === 0;
  const asking = calls.filter(({ decision }) => !decision).map(({ name }) => name);
  const content = [answer?.content ?? "", ...(isAsking ? [approvalNotice(asking)] : [])]
    .filter((text) => text !== "")
    .join("\n\n");
  return {
    id: completionIdOf({ runId }),
    object: "chat.completion",
    created: Math.floor(timeOf(runId) / 1000),
    model,
    choices: [
      {
        index: 0,
        message: {
          role: "assistant",
          content,
          refusal: null,
          ...(left.length > 0 && { tool_calls: left.map(toCompletionCall) }),
        },
        logprobs: null,
        finish_reason: left.length > 0 ? "tool_calls" : answer?.status === "truncated" ? "length" : "stop",
      },
    ],
    ...(answer?.usage && { usage: toCompletionUsage(answer.usage) }),
  };
}

const toCompletionCall = ({ id, name, arguments: text }: WaitingCall) => ({
  id,
  type: "function" as const,
  function: { name, arguments: text },
});
