import { countBurst } from "../access/burst-limit.ts";
import { admitted } from "../access/overload.ts";
import type { RunnerCall } from "../runs/runner-model.ts";
import { AppError, type ErrorCode } from "../shared/errors.ts";
import { type ConversationId, conversationIdOf, type RunId } from "../shared/id-types.ts";
import { textAt } from "../shared/json.ts";
import { isPlausibleId, newId } from "../shared/ids.ts";
import { onOneLine, preview } from "../shared/text.ts";
import { NOBODYS_ID } from "../http/schemas.ts";
import { hashOf } from "../idempotency/key.ts";
import type { McpCall } from "./access.ts";
import type { McpCallKey, McpCallRun } from "./model.ts";
import { ProgressMessages } from "./progress.ts";
import { runNews } from "./run-events.ts";

/** The longest title of a conversation that a message begins, in characters. */
const TITLE_CHARS = 80;

export interface ChatInput {
  readonly message: string;
  readonly conversationId: string | undefined;
  /** A text of the client by which a repeat of the request is recognised. */
  readonly idempotencyKey: string | undefined;
}

/** How a client follows the request of a chat. */
export interface ChatRequest {
  /** Aborted when the client cancels, or is gone. */
  readonly signal: AbortSignal;
  /** Tells the client that something has happened. */
  progress(message: string): Promise<void>;
  /** By what a repeat of the request is recognised, or `undefined` if nothing identifies it. */
  readonly key: McpCallKey | undefined;
  /** Called when the run has begun, so that another request of the client can cancel it. Returns whether one has done so already. */
  begun(run: McpCallRun): Promise<boolean>;
}

/** The members are those of MCP's structured results. */
export interface ChatResult {
  readonly answer: string;
  readonly conversation_id: string;
  readonly run_id: string;
  /** Null if the run ended without an answer. */
  readonly message_id: string | null;
  /** `length` if the answer was cut off at a limit; `cancelled` if the run was stopped; `waiting` if it waits; otherwise null. */
  readonly stop_reason: string | null;
  readonly [member: string]: unknown;
}

/**
 * Sends a message to the agent, in a new conversation if none is named, and returns the answer when the run has ended. A client that
 * leaves stops the run only if its protocol says so; otherwise the answer is found in the conversation. A repeat of the request sends
 * nothing, and returns the answer of the same run. Throws `AppError`.
 */
export async function chat(mcp: McpCall, input: ChatInput, request: ChatRequest): Promise<ChatResult> {
  const { c, agent } = mcp;
  const { runnerClient } = c.var.deps;
  await countBurst(c, "costly");
  if (input.message.trim() === "") throw new AppError("malformed-request", "The message must not be blank.");

  const message = {
    agentId: agent.id,
    content: input.message,
    attachments: [],
    showsReasoning: false,
    key: request.key ? { key: request.key.hash, bodyHash: await hashOf(input) } : null,
  };
  const { call, runId } = await admitted(c, input.message, async () => {
    const { conversationId, isNew } = await conversationFor(mcp, input, request.key);
    const call = { scope: c.var.scope, conversationId, requestId: c.var.requestId };
    try {
      return { call, ...(await runnerClient.begin(call, message)) };
    } catch (thrown) {
      if (isNew) await discard(mcp, conversationId, request.key, thrown);
      throw thrown;
    }
  });
  const { conversationId } = call;
  if (await request.begun({ conversationId, runId })) await cancelRun(mcp, call, runId);

  const stop = (): void => {
    if (mcp.closesToCancel) c.executionCtx.waitUntil(cancelRun(mcp, call, runId));
  };
  if (request.signal.aborted) stop();
  request.signal.addEventListener("abort", stop, { once: true });
  try {
    return await follow(mcp, call, runId, request);
  } finally {
    request.signal.removeEventListener("abort", stop);
  }
}

/** Stops a run. Never throws: nobody waits for the answer. */
export async function cancelRun({ c }: Pick<McpCall, "c">, call: RunnerCall, runId: RunId): Promise<void> {
  try {
    await c.var.deps.runnerClient.cancel(call, runId);
  } catch (error) {
    console.warn({
      message: "A run could not be cancelled.",
      requestId: call.requestId,
      error: String(error),
    });
  }
}

/**
 * Returns the conversation that a message belongs to, and whether this request is the first one to use it. A malformed id is answered
 * like an unknown one.
 */
async function conversationFor(
  { c, agent }: McpCall,
  input: ChatInput,
  key: McpCallKey | undefined,
): Promise<{ readonly conversationId: ConversationId; readonly isNew: boolean }> {
  const { conversationId: id, message } = input;
  if (id !== undefined)
    return { conversationId: conversationIdOf(isPlausibleId(id) ? id : NOBODYS_ID), isNew: false };

  const { clock, conversationService, mcpCalls } = c.var.deps;
  const now = clock.now();
  const ownId = conversationIdOf(newId(now));
  const conversationId = key ? await mcpCalls.claim(key, agent.id, ownId, now) : ownId;
  const title = preview(onOneLine(message), TITLE_CHARS);
  const settings = { title, description: null, agentId: agent.id };
  await conversationService.create(c.var.scope, settings, conversationId);
  return { conversationId, isNew: conversationId === ownId };
}

/**
 * Deletes the conversation that was made for a message which was then refused: otherwise a client that repeats it at a limit would fill
 * the list with empty ones. Other failures may hide a run that has begun, so the conversation stays. Never throws.
 */
async function discard(
  { c }: McpCall,
  id: ConversationId,
  key: McpCallKey | undefined,
  reason: unknown,
): Promise<void> {
  if (AppError.from(reason).status >= 500) return;
  const { conversationService, mcpCalls } = c.var.deps;
  try {
    // First, so that no repeat finds a conversation that is being deleted.
    if (key) await mcpCalls.release(key, id);
    await conversationService.remove(c.var.scope, id);
  } catch (error) {
    console.warn({
      message: "The empty conversation of a refused message could not be deleted.",
      requestId: c.var.requestId,
      error: String(error),
    });
  }
}

async function follow(
  { c }: McpCall,
  call: RunnerCall,
  runId: RunId,
  request: ChatRequest,
): Promise<ChatResult> {
  const frames = await c.var.deps.runnerClient.events(call, runId, 0);
  const messages = new ProgressMessages();
  const result = { conversation_id: call.conversationId, run_id: runId };
  let answer = "";

  for await (const news of frames ? runNews(frames) : []) {
    request.signal.throwIfAborted();
    if (news.type === "ping") {
      await request.progress("Still working");
      continue;
    }

    const { event } = news;
    const type = textAt(event, "event_type");
    const id = event["message_id"];
    if (type === "AGENT_RESPONSE_TO_USER") answer += textAt(event, "content");
    if (type === "ASSISTANT_MESSAGE_SAVED") answer = textAt(event, "content");
    if (type === "ERROR") throw failureIn(event);
    if (type === "STREAM_COMPLETE")
      return {
        answer,
        ...result,
        message_id: typeof id === "string" ? id : null,
        stop_reason:
          textAt(event, "content") === "Cancelled" ? "cancelled" : textAt(event, "stop_reason") || null,
      };

    if (type === "RUN_WAITING")
      return {
        answer: `${answer}\n\n${WAITING}`.trim(),
        ...result,
        message_id: null,
        stop_reason: "waiting",
      };

    const message = messages.after(event);
    if (message !== undefined) await request.progress(message);
  }
  throw new AppError(
    "unavailable",
    `The run could not be followed to its end. Its answer will be in conversation ${call.conversationId}.`,
  );
}

/** What a client is told that knows no way to approve a call. */
const WAITING =
  "(The agent waits until somebody approves what it wants to do, in the application that shows the conversation.)";

/** The codes of events are those of errors; see `docs/stream-protocol.md`. */
const failureIn = (event: Parameters<typeof textAt>[0]): AppError =>
  new AppError(textAt(event, "code") as ErrorCode, textAt(event, "content"));
