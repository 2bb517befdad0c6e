import { type Context, Hono } from "hono";
import { streamSSE } from "hono/streaming";
import * as z from "zod";
import type { AccessScope } from "../access/access-scope.ts";
import { limitBursts } from "../access/burst-limit.ts";
import type { AppEnv, UserEnv } from "../access/env.ts";
import { queued } from "../access/overload.ts";
import { requireAccess } from "../access/require-access.ts";
import { written, writtenAs } from "../access/written.ts";
import { maxBody } from "../http/middleware/body-limit.ts";
import { headers, operation } from "../http/openapi.ts";
import { wholeNumber } from "../http/schemas.ts";
import { relay, unbuffered } from "../http/sse.ts";
import { validate } from "../http/validate.ts";
import type { GivenMessage } from "../messages/model.ts";
import type { BegunRun, RunnerCall, StreamedRun } from "../runs/runner-model.ts";
import { hashOf, IdempotencyHeader, idempotencyKey } from "../idempotency/key.ts";
import { TimeZoneHeader, timeZoneIn } from "../runs/time-zone-header.ts";
import { AppError, invalidInput, notFound } from "../shared/errors.ts";
import type { AgentId, ConversationId } from "../shared/id-types.ts";
import { rateLimitHeaders } from "../shared/rate-limit.ts";
import { utf8Length } from "../shared/text.ts";
import { isTransient } from "../shared/transient-ids.ts";
import { type ResponseRef, responseRefIn } from "../wires/response-id.ts";
import type { ResponseRequest } from "../wires/responses.ts";
import { agentOf, idsOf, isSamePerson, scopeOf, scopeOfResponse } from "./addressing.ts";
import { instructionsFrom } from "./completion-request.ts";
import type { RunPart } from "../runs/client-pauses.ts";
import type { CallDecision } from "../runs/decisions.ts";
import { formatOf, keepsHistory, NewResponse, offeredTools } from "./response-request.ts";
import {
  answeredResponse,
  currentResponse,
  findResponse,
  isLeftToClient,
  toInputItems,
  toResultItems,
} from "./response-reading.ts";
import { InputItemsView, ResponseReference, ResponseView } from "./response-view.ts";

/** Clients may send the whole history with each request. */
const BODY_LIMIT = 4 * 1024 * 1024;
/** What a response repeats of its request is stored in the item of its run, which holds 400 KB. */
const MAX_REPEATED_BYTES = 200_000;

const ResponseParam = z.object({ responseId: z.string() });
/** What OpenAI's client may ask for beside the response. Nothing of it exists here. */
const Include = z.union([z.string(), z.array(z.string())]).optional();
const RetrieveQuery = z.object({
  include: Include,
  "include[]": Include,
  include_obfuscation: z.string().optional(),
  stream: z.enum(["true", "false"]).optional(),
  starting_after: wholeNumber(0, 1_000_000_000).optional(),
});

const InputQuery = z.object({
  include: Include,
  "include[]": Include,
  limit: z.string().optional(),
  order: z.string().optional(),
  after: z.string().optional(),
});

type NewResponse = z.output<typeof NewResponse>;

/** The routes of OpenAI's responses: each is a run. All their errors have OpenAI's form; see `speaksOpenAi`. */
export const responseRoutes = new Hono<AppEnv>()
  .post(
    "/responses",
    operation("createResponse", { 200: ["event-stream", ResponseView] }),
    maxBody(BODY_LIMIT),
    requireAccess("user", "conversations:write", "end-user"),
    limitBursts("costly"),
    headers(IdempotencyHeader.extend(TimeZoneHeader.shape)),
    validate("json", NewResponse),
    queued,
    async (c) => {
      const body = c.req.valid("json");
      const { content, attachments } = body.input;
      const { runnerClient } = c.var.deps;
      const key = idempotencyKey(c.req.header("idempotency-key"));
      const request = requestOf(body, c.var.caller.kind === "end-user");
      const clientRequest = JSON.stringify(request);
      if (utf8Length(clientRequest) > MAX_REPEATED_BYTES)
        throw invalid(
          "instructions",
          "must have at most 200 KB together with `text`, `tools` and `metadata`.",
        );
      requireStorable(body);

      const agentId = await agentOf(c, body.model);
      const previous = previousOf(body);
      const scope = await scopeFor(c, agentId, body, previous);
      const results = body.input.results.map(({ callId, output }): CallDecision => ({
        callId,
        decision: { kind: "answered", output },
      }));
      if (results.length > 0 && content.trim() === "" && attachments.length === 0)
        return continued(c, { scope, agentId, body, previous, request, clientRequest, results });

      const place = await openConversation(c, { scope, agentId, body, previous, key });
      const { conversationId } = place;
      const call = { scope, conversationId, requestId: c.var.requestId };
      const given = givenBy(body, conversationId);
      // Hashes of requests without results are those of earlier versions.
      const { responses } = body.input;
      const answered = results.length > 0 || responses.length > 0 ? [results, responses] : [];
      const input = {
        ...given,
        ...offeredTools(body),
        agentId,
        content,
        attachments,
        results,
        givenResponses: body.input.responses,
        format: formatOf(body),
        follows: previous && partOf(previous),
        clientRequest,
        showsReasoning: false,
        timeZone: timeZoneIn(c),
        key:
          key === undefined
            ? null
            : {
                key,
                bodyHash: await hashOf([agentId, content, attachments, given, clientRequest, ...answered]),
              },
      };

      if (body.stream === true) {
        const wire = { kind: "responses", request, endUser: scope.endUser, startingAfter: -1 } as const;
        return streamed(c, call, await place.keptIfBegun(runnerClient.send(call, { ...input, wire })));
      }
      return whole(c, call, await place.keptIfBegun(runnerClient.begin(call, input)), request);
    },
  )
  .get(
    "/responses/:responseId",
    operation("getResponse", { 200: ["event-stream", ResponseView] }),
    requireAccess("user", "conversations:read", "end-user"),
    validate("param", ResponseParam),
    validate("query", RetrieveQuery),
    async (c) => {
      const { stream, starting_after: startingAfter = -1 } = c.req.valid("query");
      const found = await findResponse(c, c.req.valid("param").responseId, "end-users:read");
      const { call, run, part, request } = found;
      const ids = idsOf(run.conversationId, run.id);
      if (stream !== "true") return c.json(await currentResponse(c, call, found, request), 200, ids);

      const wire = { kind: "responses", request, endUser: call.scope.endUser, startingAfter } as const;
      const frames = await c.var.deps.runnerClient.events(call, run.id, { part }, wire);
      if (!frames) throw notFound("Response");
      return unbuffered(c, streamSSE(c, relay(frames)), ids);
    },
  )
  .get(
    "/responses/:responseId/input_items",
    operation("listResponseInput", { 200: InputItemsView }),
    requireAccess("user", "conversations:read", "end-user"),
    validate("param", ResponseParam),
    validate("query", InputQuery),
    async (c) => {
      const { run, part, results } = await findResponse(c, c.req.valid("param").responseId, "end-users:read");
      if (part > 0) return c.json(toResultItems(results, c.req.valid("query").after), 200);
      const messages = await c.var.deps.messages.since(run.conversationId, run.startedAt, 1);
      const message = messages.find(({ id }) => id === run.userMessageId);
      return c.json(toInputItems(message, c.req.valid("query").after), 200);
    },
  )
  .post(
    "/responses/:responseId/cancel",
    operation("cancelResponse", { 200: writtenAs(ResponseView, ResponseReference) }),
    requireAccess("user", "conversations:write", "end-user"),
    validate("param", ResponseParam),
    async (c) => {
      const found = await findResponse(c, c.req.valid("param").responseId, "end-users:write");
      const { call, run, part, request } = found;
      const { runnerClient } = c.var.deps;
      const stopped = isLeftToClient(found)
        ? found
        : { run: await runnerClient.cancel(call, run.id), part, answer: null };
      // Whether the caller may read the answer depends on whose it is.
      c.set("scope", call.scope);
      const response = await currentResponse(c, call, stopped, request);
      return c.json(written(c, response, ResponseReference), 200, idsOf(run.conversationId, run.id));
    },
  );

/** Answers with the frames of a run. */
function streamed(c: Context, { conversationId }: RunnerCall, { runId, frames, messagesLeft }: StreamedRun) {
  const limits = messagesLeft ? rateLimitHeaders(messagesLeft) : {};
  return unbuffered(c, streamSSE(c, relay(frames)), { ...idsOf(conversationId, runId), ...limits });
}

/** Answers with the response of a run when it has ended, or at once if it is one in the background. */
async function whole(c: Context<UserEnv>, call: RunnerCall, begun: BegunRun, request: ResponseRequest) {
  const { runId, part = 0, messagesLeft } = begun;
  // The answer takes as long as the model does. Others may begin meanwhile.
  c.var.leaveQueue?.();
  const response = request.isBackground
    ? await currentResponse(
        c,
        call,
        { ...(await c.var.deps.runnerClient.getRun(call, runId)), part },
        request,
      )
    : await answeredResponse(c, call, begun, request);
  const limits = messagesLeft ? rateLimitHeaders(messagesLeft) : {};
  return c.json(response, 200, { ...idsOf(call.conversationId, runId), ...limits });
}

const partOf = ({ runId, part = 0 }: ResponseRef): RunPart => ({ runId, part });

interface Continuing extends Omit<Opening, "key"> {
  readonly request: ResponseRequest;
  readonly clientRequest: string;
  readonly results: readonly CallDecision[];
}

/** Has a run go on with the results of the client's tools, and answers with the response of the part that follows. */
async function continued(
  c: Context<UserEnv>,
  { scope, agentId, body, previous, request, clientRequest, results }: Continuing,
) {
  const { runnerClient, threadService } = c.var.deps;
  const name = body.conversation ?? "";
  const conversationId = previous?.conversationId ?? (await threadService.find({ scope, agentId, name }));
  if (conversationId === undefined) throw notFound("Conversation");
  const call = { scope, conversationId, requestId: c.var.requestId };
  const continuation = {
    agentId,
    follows: previous && partOf(previous),
    clientRequest,
    options: { ...offeredTools(body), format: formatOf(body), preceding: precedingIn(body) },
  };
  if (body.stream !== true)
    return whole(c, call, await runnerClient.beginDecisions(call, results, { continuation }), request);
  const wire = { kind: "responses", request, endUser: scope.endUser, startingAfter: -1 } as const;
  return streamed(c, call, await runnerClient.sendDecisions(call, results, wire, { continuation }));
}

/** Returns what a response repeats of its request. */
const requestOf = (body: NewResponse, isEndUsers: boolean): ResponseRequest => ({
  model: body.model,
  instructions: body.instructions ?? null,
  previousResponseId: body.previous_response_id ?? null,
  metadata: body.metadata ?? {},
  format: body.text?.format ?? { type: "text" },
  isBackground: body.background === true,
  isStored: !isForgotten(body),
  user: body.user ?? null,
  safetyIdentifier: body.safety_identifier ?? null,
  ...(body.tools.length > 0 && { tools: body.tools.map(toTool) }),
  ...(body.tool_choice && { toolChoice: body.tool_choice }),
  ...(body.parallel_tool_calls === false && { isParallel: false }),
  isEndUsers,
});

const toTool = ({
  type,
  name,
  description = null,
  parameters = null,
  strict = null,
}: NewResponse["tools"][number]) => ({ type, name, description, parameters, strict });

/** Returns whether the conversation is kept for a day only: because the request says so, or because it brings a history along. */
const isForgotten = ({ store, input }: NewResponse): boolean => store === false || keepsHistory(input);

/** Returns the response that a request continues from. Throws `not-found` for an id that is none. */
function previousOf({ previous_response_id: id }: NewResponse): ResponseRef | undefined {
  if (id === undefined || id === null) return undefined;
  const previous = responseRefIn(id);
  if (!previous) throw notFound("Previous response");
  if (isTransient(previous.conversationId))
    throw invalid("previous_response_id", "names a response that was not stored, so nothing can follow it.");
  return previous;
}

/**
 * Returns whose conversations and memory a request uses: those of the end user that it names, or else those of the response that
 * it continues from. Throws `not-found` if these differ.
 */
async function scopeFor(
  c: Context<UserEnv>,
  agentId: AgentId,
  { user, safety_identifier: identifier }: NewResponse,
  previous: ResponseRef | undefined,
): Promise<AccessScope> {
  const member = typeof user === "string" ? "user" : "safety_identifier";
  const named = user ?? identifier ?? undefined;
  if (previous && named === undefined) return scopeOfResponse(c, previous, "end-users:write");
  const scope = await scopeOf(c, agentId, named, member);
  if (previous && !isSamePerson(scope.endUser, previous.endUser)) throw notFound("Previous response");
  return scope;
}

interface Opening {
  readonly scope: AccessScope;
  readonly agentId: AgentId;
  readonly body: NewResponse;
  readonly previous: ResponseRef | undefined;
  readonly key: string | undefined;
}

/**
 * Returns the conversation of a new response. `keptIfBegun` returns what its argument resolves to; if that is a refusal, it removes a
 * conversation that was created for this request only.
 */
async function openConversation(c: Context<UserEnv>, { scope, agentId, body, previous, key }: Opening) {
  const { conversationService, threadService } = c.var.deps;
  const { content } = body.input;
  const name = body.conversation ?? undefined;
  const isNew = !previous && name === undefined && !isForgotten(body);
  const conversationId = previous
    ? previous.conversationId
    : name !== undefined
      ? await threadService.open({ scope, agentId, name }, content)
      : isNew
        ? await threadService.begin(scope, agentId, content, key)
        : await threadService.openTransient(scope, agentId, content, key);
  return { conversationId, keptIfBegun };

  async function keptIfBegun<T>(begun: Promise<T>): Promise<T> {
    try {
      return await begun;
    } catch (error) {
      const { status, code } = AppError.from(error);
      // After a server error, the run may have begun. With the same key, another request may be beginning one.
      if (isNew && status < 500 && code !== "idempotency-mismatch") await remove();
      throw error;
    }
  }

  async function remove(): Promise<void> {
    try {
      await conversationService.removeUnused(scope, conversationId);
    } catch (error) {
      console.warn({ message: "A conversation without messages was not removed.", error: String(error) });
    }
  }
}

/** Returns what a request says besides the user's message: as the history, if the client keeps it. */
function givenBy(body: NewResponse, conversationId: ConversationId) {
  const preceding = precedingIn(body);
  return isTransient(conversationId)
    ? { givenHistory: [...body.input.history, ...preceding] }
    : { preceding };
}

/**
 * Throws `validation-failed` if the instructions are too long for a run that waits, for its client or for an approval: its log has them in
 * one row of at most 2 MB, with those of its other requests.
 */
function requireStorable(body: NewResponse): void {
  if (!isForgotten(body) && utf8Length(JSON.stringify(precedingIn(body))) > MAX_REPEATED_BYTES)
    throw invalid("input", "must have at most 200 KB of instructions, unless `store` is false.");
}

/** Returns the instructions of a request. */
function precedingIn({ instructions, input }: NewResponse): readonly GivenMessage[] {
  const content = instructionsFrom(instructions ?? "");
  return [{ role: "user" as const, content, attachments: [] }, ...input.preceding].filter(
    (message) => message.content !== "" || message.attachments.length > 0,
  );
}

const invalid = (member: string, sentence: string): AppError =>
  invalidInput("json", [{ path: [member], message: `${member} ${sentence}`, code: "custom" }]);
