import type { Context } from "hono";
import type * as z from "zod";
import type { Scope } from "../access/caller.ts";
import type { UserEnv } from "../access/env.ts";
import type { Message } from "../messages/model.ts";
import type { BegunRun, RunnerCall } from "../runs/runner-model.ts";
import { differenceOfTokens } from "../plans/token-usage.ts";
import type { RunPart } from "../runs/client-pauses.ts";
import type { StoredResult } from "../runs/continuations.ts";
import type { Run } from "../runs/model.ts";
import type { RunWithCalls } from "../runs/view.ts";
import { AppError, type ErrorCode, notFound } from "../shared/errors.ts";
import { type ResponseRef, responseRefIn } from "../wires/response-id.ts";
import { timeOf } from "../shared/ids.ts";
import { FIRST_PART } from "../wires/wire.ts";
import { itemIdOf, type ResponseRequest, type ResponseState, toResponse } from "../wires/responses.ts";
import { scopeOfResponse } from "./addressing.ts";
import type { InputItemsView } from "./response-view.ts";

/** A response that the caller may use. */
interface FoundResponse extends RunOfResponse {
  readonly call: RunnerCall;
  readonly request: ResponseRequest;
  /** The results with which it began; empty if it began with a message. */
  readonly results: readonly StoredResult[];
}

/** The run of a response, as it is now. `part` is the part that the response is; see `ResponseRef`. */
interface RunOfResponse extends Omit<RunWithCalls, "calls"> {
  readonly part: number;
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
    const { run, answer } = await c.var.deps.runnerClient.getRun(call, ref.runId);
    const { clientRequest, results } = await requestOf(c, run, ref);
    if (clientRequest === null) throw notFound("Response");
    // Written by `createResponse`.
    const stored = JSON.parse(clientRequest) as ResponseRequest;
    const request = c.var.caller.kind === "end-user" ? shownToEndUser(stored) : stored;
    return { call, run, answer, part: ref.part ?? 0, request, results };
  } catch (error) {
    if (error instanceof AppError && error.code === "not-found") throw notFound("Response");
    throw error;
  }
}

/** Returns what is stored of the request that a response answers. Throws `not-found` if the run has no such part. */
async function requestOf({ var: { deps } }: Context<UserEnv>, run: Run, { part = 0 }: ResponseRef) {
  if (part === 0) return { clientRequest: run.clientRequest, results: [] };
  const continued =
    part <= run.clientPauses.length && (await deps.continuations.find(run.conversationId, run.id, part));
  if (!continued) throw notFound("Response");
  return continued;
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
        tools: [],
        toolChoice: "auto",
      };

/**
 * Waits until a run has ended or waits, and returns its response, or that of a part. The response is still in progress if the run waits
 * for an approval. If the run failed, throws its error.
 */
export async function answeredResponse(
  c: Context<UserEnv>,
  call: RunnerCall,
  { runId, part = 0 }: Pick<BegunRun, "runId" | "part">,
  request: ResponseRequest,
) {
  const { runnerClient } = c.var.deps;
  const { message: answer, calls, isWaiting } = await runnerClient.answer(call, runId, { part });
  if (!answer || isWaiting || part > 0 || calls.length > 0 || answer.status === "interrupted")
    return currentResponse(c, call, { ...(await runnerClient.getRun(call, runId)), part }, request);
  return responseOf(call, { runId, part }, request, {
    ...ofAnswer({ id: answer.id, text: answer.content }),
    status: answer.status === "truncated" ? "incomplete" : "completed",
    usage: answer.usage,
  });
}

/** Returns the response of a run, or of a part of it, as it is now. */
export async function currentResponse(
  c: Context<UserEnv>,
  call: RunnerCall,
  found: RunOfResponse,
  request: ResponseRequest,
) {
  const part = { runId: found.run.id, part: found.part };
  return responseOf(call, part, request, await stateOf(c, call, found));
}

const responseOf = (
  { scope: { endUser }, conversationId }: RunnerCall,
  { runId, part }: RunPart,
  request: ResponseRequest,
  state: ResponseState,
) => toResponse({ runId, part, conversationId, endUser, startedAt: timeOf(runId) }, request, state);

/** Whether a response has ended with calls that are left to the client. What the run does later is not a part of it. */
export const isLeftToClient = ({ run, part }: Pick<RunOfResponse, "run" | "part">): boolean =>
  run.clientPauses[part] !== undefined;

async function stateOf(
  c: Context<UserEnv>,
  call: RunnerCall,
  { run, part, answer: open }: RunOfResponse,
): Promise<ResponseState> {
  const stored = open ? undefined : await answerOf(c, run);
  const answer = open ?? (stored && { id: stored.id, text: stored.content });
  const before = run.clientPauses[part - 1] ?? FIRST_PART;
  const pause = run.clientPauses[part];
  const said = answer && { id: answer.id, text: answer.text.slice(before.chars, pause?.chars) };
  const known = {
    ...ofAnswer(said),
    usage: differenceOfTokens(pause ? pause.usage : run.usage, before.usage),
  };
  if (pause) return { ...known, status: "completed", calls: pause.calls };
  switch (run.state) {
    case "running":
    case "waiting":
      return { status: "in_progress" };
    case "completed":
      return { ...known, status: stored?.status === "truncated" ? "incomplete" : "completed" };
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

const ofAnswer = (answer: ResponseState["answer"]): Pick<ResponseState, "answer"> =>
  answer && answer.text !== "" ? { answer } : {};

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

/** Returns the user's message of a response as its input. Throws `not-found` if there is none. */
export function toInputItems(
  message: Message | undefined,
  after: string | undefined,
): z.infer<typeof InputItemsView> {
  if (!message) throw notFound("Response");
  const id = itemIdOf(message.id);
  const files = message.attachments.map(({ filename, content }) => ({
    type: "input_file" as const,
    filename,
    file_data: `data:text/plain;charset=utf-8,${encodeURIComponent(content.toWellFormed())}`,
  }));
  const text = message.content === "" ? [] : [{ type: "input_text" as const, text: message.content }];
  const content = [...text, ...files];
  return listOf([{ id, type: "message", role: "user", status: "completed", content }], after);
}

/** Returns the results with which a part of a run has begun as its input. */
export const toResultItems = (
  results: readonly StoredResult[],
  after: string | undefined,
): z.infer<typeof InputItemsView> =>
  listOf(
    results.map(({ callId, output }) => ({
      id: `fco_${callId}`,
      type: "function_call_output",
      call_id: callId,
      output,
      status: "completed",
    })),
    after,
  );

/** Returns the items behind the one with the id `after`; all of them if there is no such item. */
function listOf(
  items: z.infer<typeof InputItemsView>["data"],
  after: string | undefined,
): z.infer<typeof InputItemsView> {
  const data = items.slice(items.findIndex(({ id }) => id === after) + 1);
  return {
    object: "list",
    data,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
    has_more: false,
  };
}
