import type { Context } from "hono";
import { scopeName } from "../access/access-scope.ts";
import type { UserEnv } from "../access/env.ts";
import type { Agent } from "../agents/model.ts";
import { hashOf } from "../idempotency/key.ts";
import { AppError } from "../shared/errors.ts";
import { isObject, type Json, objectAt, valueFrom } from "../shared/json.ts";
import { findIllFormed } from "../shared/text.ts";
import { cancelRun } from "./chat.ts";
import type { McpCallKey, McpCallRun } from "./model.ts";

/** The most messages in one request. Only the first revision of the protocol allows several. */
const MAX_BATCH = 20;
const SESSION_HEADER = "mcp-session-id";
/** Keeps proxies from buffering, caching or changing a stream. */
const STREAM_HEADERS = { "cache-control": "no-store, no-transform", "x-accel-buffering": "no" } as const;

/**
 * Answers the body of a request about an agent. Clients of 2025 revisions get the id of a session with their first answer. It has no
 * state: with it, `notifications/cancelled` finds the run that another request of the client began. Throws `malformed-request` for
 * what is no message of JSON-RPC at all; the protocol's own errors are part of the answer.
 */
export async function serveMcp(c: Context<UserEnv>, agent: Agent): Promise<Response> {
  const message = valueFrom(await c.req.text());
  if (message === undefined) throw new ParseError();
  if (Array.isArray(message) && message.length > MAX_BATCH)
    throw new AppError("malformed-request", `A batch can have at most ${MAX_BATCH} messages.`);
  if (findIllFormed(message))
    throw new AppError("malformed-request", "The message is not well-formed Unicode.");

  await Promise.all(messagesIn(message).map((each) => cancelIfAsked(c, agent, each)));
  const { answerMcp } = await import("./server.ts");
  const response = await answerMcp(c.req.raw, message, {
    c,
    agent,
    keyOf: (requestId, idempotencyKey) =>
      idempotencyKey === undefined ? keyOf(c, requestId) : keyFrom(c, ["key", idempotencyKey]),
    begun: (run, requestId) => remember(c, agent, requestId, run),
  });
  return withHeaders(response, isObject(message) && message["method"] === "initialize");
}

/** The body is not JSON. JSON-RPC has a code of its own for that. */
class ParseError extends AppError {
  override readonly name = "ParseError";

  constructor() {
    super("malformed-request", "Parse error: the body is not JSON.");
  }
}

const messagesIn = (message: unknown): readonly Json[] =>
  (Array.isArray(message) ? message : [message]).filter(isObject);

/**
 * Cancels the run that a notification names by the id of the request that began it. If that request has not begun a run yet, it cancels
 * its run itself.
 */
async function cancelIfAsked(c: Context<UserEnv>, agent: Agent, message: Json): Promise<void> {
  if (message["method"] !== "notifications/cancelled") return;
  const key = await keyOf(c, objectAt(message, "params")["requestId"]);
  if (!key) return;
  const { clock, mcpCalls } = c.var.deps;
  const { run } = await mcpCalls.cancel(key, agent.id, clock.now());
  if (!run) return;
  const call = { scope: c.var.scope, conversationId: run.conversationId, requestId: c.var.requestId };
  await cancelRun({ c }, call, run.runId);
}

/**
 * Stores which run a request began, for clients that have a session, and returns whether the client has cancelled the request. Never
 * throws: the run has begun, and its client shall get the answer even if nobody can cancel it.
 */
async function remember(
  c: Context<UserEnv>,
  agent: Agent,
  requestId: unknown,
  run: McpCallRun,
): Promise<boolean> {
  const key = await keyOf(c, requestId);
  if (!key) return false;
  try {
    return (await c.var.deps.mcpCalls.save(key, agent.id, run, c.var.deps.clock.now())).isCancelled;
  } catch (error) {
    console.warn({
      message: "The run of an MCP request was not stored, so its client can't cancel it.",
      requestId: c.var.requestId,
      error: String(error),
    });
    return false;
  }
}

/** Returns what identifies a request of a client that has a session. Within one, a client uses an id once. */
async function keyOf(c: Context<UserEnv>, requestId: unknown): Promise<McpCallKey | undefined> {
  const session = c.req.header(SESSION_HEADER);
  if (session === undefined || (typeof requestId !== "string" && typeof requestId !== "number"))
    return undefined;
  return keyFrom(c, [session, requestId]);
}

/** Security: the key contains the caller, so nobody can cancel or follow what another one began. */
async function keyFrom(c: Context<UserEnv>, id: readonly unknown[]): Promise<McpCallKey> {
  const { caller, scope } = c.var;
  const parts = [c.req.path, caller.kind, caller.id, scopeName(scope), scope.generation ?? "", ...id];
  return { accountEmail: scope.accountEmail, hash: await hashOf(parts) };
}

function withHeaders(response: Response, isFirst: boolean): Response {
  const isStream = response.headers.get("content-type")?.startsWith("text/event-stream") ?? false;
  const headers = new Headers(response.headers);
  if (isStream) for (const [name, value] of Object.entries(STREAM_HEADERS)) headers.set(name, value);
  // They belong to the connection, which is the server's, and are invalid in HTTP/2.
  headers.delete("connection");
  if (isFirst && response.ok) headers.set(SESSION_HEADER, crypto.randomUUID());
  return new Response(response.body, { status: response.status, headers });
}
