import type { Context } from "hono";
import type * as z from "zod";
import type { Scope } from "../access/caller.ts";
import type { UserEnv } from "../access/env.ts";
import type { Message } from "../messages/model.ts";
import type { RunnerCall } from "../runs/conversation-runner.ts";
import type { Run } from "../runs/model.ts";
import { AppError, type ErrorCode, notFound } from "../shared/errors.ts";
import type { RunId } from "../shared/id-types.ts";
import { timeOf } from "../shared/ids.ts";
import { responseRefIn } from "../wires/response-id.ts";
import { itemIdOf, type ResponseRequest, type ResponseState, toResponse } from "../wires/responses.ts";
import { scopeOfResponse } from "./addressing.ts";
import type { InputItemsView } from "./response-view.ts";

/** A response that the caller may use. */
interface FoundResponse {
  readonly call: RunnerCall;
  readonly run: Run;
  readonly request: ResponseRequest;
}

/**
 * Returns the response with an id. `permission` is the scope that an API key needs for the responses of end users. Throws
 * `not-found` if the caller has no such response, or if the run was begun in another way.
 */
export async function findResponse(
  c: Context<UserEnv>,
  id: string,
  permission: Scope,
): Promise<FoundResponse> {
  const ref = responseRefIn(id);
  if (!ref) throw notFound("Response");
  try {
    const scope = await scopeOfResponse(c, ref, permission);
    const call = { scope, conversationId: ref.conversationId, requestId: c.var.requestId };
    const { run } = await c.var.deps.runnerClient.getRun(call, ref.runId);
    if (run.clientRequest === null) throw notFound("Response");
    // Written by `createResponse`.
    const request = JSON.parse(run.clientRequest) as ResponseRequest;
    return { call, run, request: c.var.caller.kind === "end-user" ? shownToEndUser(request) : request };
  } catch (error) {
    if (error instanceof AppError && error.code === "not-found") throw notFound("Response");
    throw error;
  }
}

/**
 * Security: end users know the ids of their runs. What the application has told its agent about them, also in the descriptions of a
 * schema, is not for their eyes.
 */
const shownToEndUser = (request: ResponseRequest): ResponseRequest =>
  request.isEndUsers
    ? request
    : {
        ...request,
        instructions: null,
        metadata: {},
        format: { type: request.format["type"] },
        safetyIdentifier: null,
      };

/**
 * Waits until a run has ended or waits, and returns its response, which is still in progress if the run waits. If the run failed, throws
 * its error.
 */
export async function answeredResponse(
  c: Context<UserEnv>,
  call: RunnerCall,
  runId: RunId,
  request: ResponseRequest,
) {
  const { runnerClient } = c.var.deps;
  const { message: answer, isWaiting } = await runnerClient.answer(call, runId);
  if (!answer || isWaiting || answer.status === "interrupted") {
    const { run } = await runnerClient.getRun(call, runId);
    return currentResponse(c, call, run, request);
  }
  return responseOf(call, runId, request, {
    ...ofAnswer(answer),
    status: answer.status === "truncated" ? "incomplete" : "completed",
    usage: answer.usage,
  });
}

/** Returns the response of a run as it is now. */
export async function currentResponse(
  c: Context<UserEnv>,
  call: RunnerCall,
  run: Run,
  request: ResponseRequest,
) {
  return responseOf(call, run.id, request, await stateOf(c, call, run));
}

const responseOf = (
  { scope: { endUser }, conversationId }: RunnerCall,
  runId: RunId,
  request: ResponseRequest,
  state: ResponseState,
) => toResponse({ runId, conversationId, endUser, startedAt: timeOf(runId) }, request, state);

async function stateOf(c: Context<UserEnv>, call: RunnerCall, run: Run): Promise<ResponseState> {
  const answer = await answerOf(c, run);
  const known = { ...ofAnswer(answer), usage: run.usage };
  switch (run.state) {
    case "running":
    case "waiting":
      return { status: "in_progress" };
    case "completed":
      return { ...known, status: answer?.status === "truncated" ? "incomplete" : "completed" };
    case "cancelled":
      return { ...known, status: "cancelled" };
    case "failed":
    case "interrupted":
      return { ...known, status: "failed", error: await failureOf(c, call, run) };
  }
}

/** Returns the stored answer of a run, which is the message after the user's. */
async function answerOf({ var: { deps } }: Context<UserEnv>, run: Run): Promise<Message | undefined> {
  if (run.messageId === null) return undefined;
  const messages = await deps.messages.since(run.conversationId, run.startedAt, 2);
  return messages.find(({ id }) => id === run.messageId);
}

const ofAnswer = (answer: Message | undefined): Pick<ResponseState, "answer"> =>
  answer && answer.content !== "" ? { answer: { id: answer.id, text: answer.content } } : {};

/** Returns why a run has failed: in the words of its last event, as long as that is kept. */
async function failureOf({ var: { deps } }: Context<UserEnv>, call: RunnerCall, { id, errorCode }: Run) {
  // Only our own error codes are stored.
  const code = (errorCode ?? "unavailable") as ErrorCode;
  const error = await deps.runnerClient.answer(call, id).then(
    () => undefined,
    (thrown: unknown) => AppError.from(thrown),
  );
  const message = error?.code === code ? error.message : "The answer could not be completed.";
  return { code, message };
}

/**
 * Returns the user's message of a response as its input, or nothing if a page behind that message is asked for. Throws `not-found` if
 * there is no message.
 */
export function toInputItems(
  message: Message | undefined,
  after: string | undefined,
): z.infer<typeof InputItemsView> {
  if (!message) throw notFound("Response");
  const id = itemIdOf(message.id);
  if (after === id) return { object: "list", data: [], first_id: null, last_id: null, has_more: false };
  const files = message.attachments.map(({ filename, content }) => ({
    type: "input_file" as const,
    filename,
    file_data: `data:text/plain;charset=utf-8,${encodeURIComponent(content.toWellFormed())}`,
  }));
  const text = message.content === "" ? [] : [{ type: "input_text" as const, text: message.content }];
  return {
    object: "list",
    data: [
      {
        id,
        type: "message",
        role: "user",
        status: "completed",
        content: [...text, ...files],
      },
    ],
    first_id: id,
    last_id: id,
    has_more: false,
  };
}
