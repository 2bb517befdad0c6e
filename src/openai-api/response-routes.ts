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
import { formatOf, NewResponse } from "./response-request.ts";
import { answeredResponse, currentResponse, findResponse, toInputItems } from "./response-reading.ts";
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
        throw invalid("instructions", "must have at most 200 KB together with `text` and `metadata`.");

      const agentId = await agentOf(c, body.model);
      const previous = previousOf(body);
      const scope = await scopeFor(c, agentId, body, previous);
      const place = await openConversation(c, { scope, agentId, body, previous, key });
      const { conversationId } = place;
      const call = { scope, conversationId, requestId: c.var.requestId };
      const given = givenBy(body, conversationId);
      const input = {
        ...given,
        agentId,
        content,
        attachments,
        format: formatOf(body),
        follows: previous?.runId,
        clientRequest,
        showsReasoning: false,
        timeZone: timeZoneIn(c),
        key:
          key === undefined
            ? null
            : { key, bodyHash: await hashOf([agentId, content, attachments, given, clientRequest]) },
      };

      if (body.stream === true) {
        const wire = { kind: "responses", request, endUser: scope.endUser, startingAfter: -1 } as const;
        const begun = runnerClient.send(call, { ...input, wire });
        const { runId, frames, messagesLeft } = await place.keptIfBegun(begun);
        const limits = messagesLeft ? rateLimitHeaders(messagesLeft) : {};
        return unbuffered(c, streamSSE(c, relay(frames)), { ...idsOf(conversationId, runId), ...limits });
      }

      const { runId, messagesLeft } = await place.keptIfBegun(runnerClient.begin(call, input));
      // The answer takes as long as the model does. Others may begin meanwhile.
      c.var.leaveQueue?.();
      const response =
        body.background === true
          ? await currentResponse(c, call, (await runnerClient.getRun(call, runId)).run, request)
          : await answeredResponse(c, call, runId, request);
      const limits = messagesLeft ? rateLimitHeaders(messagesLeft) : {};
      return c.json(response, 200, { ...idsOf(conversationId, runId), ...limits });
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
      const { call, run, request } = await findResponse(c, c.req.valid("param").responseId, "end-users:read");
      const ids = idsOf(run.conversationId, run.id);
      if (stream !== "true") return c.json(await currentResponse(c, call, run, request), 200, ids);

      const wire = { kind: "responses", request, endUser: call.scope.endUser, startingAfter } as const;
      const frames = await c.var.deps.runnerClient.events(call, run.id, 0, wire);
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
      const { run } = await findResponse(c, c.req.valid("param").responseId, "end-users:read");
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
      const { call, run, request } = await findResponse(
        c,
        c.req.valid("param").responseId,
        "end-users:write",
      );
      const stopped = await c.var.deps.runnerClient.cancel(call, run.id);
      // Whether the caller may read the answer depends on whose it is.
      c.set("scope", call.scope);
      const response = await currentResponse(c, call, stopped, request);
      return c.json(written(c, response, ResponseReference), 200, idsOf(run.conversationId, run.id));
    },
  );

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
  isEndUsers,
});

/** Returns whether the conversation is kept for a day only: because the request says so, or because it brings a history along. */
const isForgotten = ({ store, input }: NewResponse): boolean => store === false || input.history.length > 0;

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
function givenBy({ instructions, input }: NewResponse, conversationId: ConversationId) {
  const content = instructionsFrom(instructions ?? "");
  const preceding = [{ role: "user" as const, content, attachments: [] }, ...input.preceding].filter(
    (message) => message.content !== "" || message.attachments.length > 0,
  );
  return isTransient(conversationId) ? { givenHistory: [...input.history, ...preceding] } : { preceding };
}

const invalid = (member: string, sentence: string): AppError =>
  invalidInput("json", [{ path: [member], message: `${member} ${sentence}`, code: "custom" }]);
