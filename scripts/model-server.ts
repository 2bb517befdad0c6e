import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

import { field, parseJson } from "./json.ts";
import { sendJson, StreamedReply, WholeReply, type Reply } from "./model-reply.ts";

/** The text of a message: a string, or the parts that a client may send instead. */
export type ChatContent = string | readonly { readonly type: string; readonly text?: string }[];

/** A tool call as an assistant message carries it; `arguments` is JSON as text. */
export interface ChatToolCall {
  readonly id: string;
  readonly type: "function";
  readonly function: { readonly name: string; readonly arguments: string };
}

/** A tool that the client offers; `parameters` is a JSON schema. */
export interface ChatTool {
  readonly type: "function";
  readonly function: { readonly name: string; readonly description?: string; readonly parameters?: unknown };
}

/** One message of a chat.completions request. */
export type ChatMessage =
  | { readonly role: "system" | "developer" | "user"; readonly content: ChatContent }
  | {
      readonly role: "assistant";
      readonly content?: ChatContent | null;
      readonly tool_calls?: readonly ChatToolCall[];
    }
  | { readonly role: "tool"; readonly content: ChatContent; readonly tool_call_id: string };

/** The body of `POST /v1/chat/completions`. */
export interface ChatRequest {
  readonly model: string;
  readonly messages: readonly ChatMessage[];
  readonly tools?: readonly ChatTool[];
  readonly stream?: boolean;
  readonly stream_options?: { readonly include_usage?: boolean };
  readonly [other: string]: unknown;
}

/** Token counts as they go over the wire; `total_tokens` is the sum if absent. */
export interface TokenUsage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens?: number;
  readonly prompt_tokens_details?: { readonly cached_tokens: number };
}

/** Why a model stopped, as it goes over the wire. */
export type FinishReason = "stop" | "tool_calls" | "length" | "content_filter";

/**
 * One thing that the server does while it answers.
 *
 * - `text`: one chunk with this text.
 * - `call`: one whole tool call in two chunks, first id and name, then the arguments; the id is made up when
 * absent.
 * - `wait`: nothing for so many milliseconds.
 * - `finish`: the chunk with the finish reason.
 * - `usage`: the chunk without choices, sent only when the request's `stream_options.include_usage` asks for
 * it.
 * - `raw`: these bytes as they are, so many times; an empty string sends the headers only.
 * - `done`: `data: [DONE]`.
 * - `status`: an HTTP error answer instead of a stream, so it has to come before anything is sent.
 * - `cut`: destroys the connection.
 * - `end`: ends the response cleanly at once, without finish and `[DONE]`.
 */
export type ReplyStep =
  | { readonly text: string }
  | { readonly call: { readonly id?: string; readonly name: string; readonly arguments: string } }
  | { readonly wait: number }
  | { readonly finish: FinishReason }
  | { readonly usage: TokenUsage }
  | { readonly raw: string; readonly times?: number }
  | { readonly done: true }
  | { readonly status: number; readonly body: unknown; readonly headers?: Readonly<Record<string, string>> }
  | { readonly cut: true }
  | { readonly end: true };

/**
 * Decides what is answered to a request. The signal is aborted when the client goes away or the server stops.
 */
export type Responder = (
  request: ChatRequest,
  signal: AbortSignal,
  headers: IncomingHttpHeaders,
) => Iterable<ReplyStep> | AsyncIterable<ReplyStep>;

/** What `startModelServer` needs. */
export interface ModelServerOptions {
  readonly respond: Responder;
  /** A free port if absent. */
  readonly port?: number;
  /** What `GET /v1/models` lists; `demo` if absent. */
  readonly models?: readonly string[];
  /** Called once forevery well-formed request, before it is answered. */
  readonly onRequest?: (request: ChatRequest) => void;
  /** Called when a client leaves before its answer is complete. */
  readonly onDisconnect?: (request: ChatRequest) => void;
}

/** A running model server. */
export interface ModelServer {
  /** `http://127.0.0.1:PORT/v1`. */
  readonly url: string;
  /** Closes every connection and stops listening. */
  readonly stop: () => Promise<void>;
}

/**
 * Starts an OpenAI-compatible server on 127.0.0.1 whose answers the responder scripts.
 *
 * What an answer lacks at its end is added: the finish chunk (`tool_calls` after a call, else `stop`), the
 * usage chunk if it was asked for (a count of words, not of tokens) and `[DONE]`, unless a `done`, `end` or
 * `cut` said otherwise. Rejects when the port is taken.
 */
export async function startModelServer(options: ModelServerOptions): Promise<ModelServer> {
  const stopping = new AbortController();
  const server = createServer((request, response) => {
    void handle(request, response, options, stopping.signal);
  });
  server.on("connection", (socket) => socket.setNoDelay(true));

  const port = await new Promise<number>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port ?? 0, "127.0.0.1", () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  });

  const stop = () =>
    new Promise<void>((resolve) => {
      stopping.abort();
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { url: `http://127.0.0.1:${port}/v1`, stop };
}

async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  options: ModelServerOptions,
  stopping: AbortSignal,
): Promise<void> {
  try {
    const path = new URL(request.url ?? "/", "http://localhost").pathname;
    if (request.method === "GET" && path === "/v1/models")
      return sendModels(response, options.models ?? ["demo"]);
    if (request.method === "POST" && path === "/v1/chat/completions") {
      return await complete(request, response, options, stopping);
    }
    sendError(response, 404, "not_found_error", `There is no ${request.method} ${path}.`);
  } catch (error) {
    if (response.headersSent) response.destroy();
    else sendError(response, 500, "server_error", error instanceof Error ? error.message : String(error));
  }
}

async function complete(
  request: IncomingMessage,
  response: ServerResponse,
  options: ModelServerOptions,
  stopping: AbortSignal,
): Promise<void> {
  const chat = parseJson(await readBody(request));
  if (!isChatRequest(chat)) {
    const message = "The body has to be JSON with a model and a list of messages.";
    return sendError(response, 400, "invalid_request_error", message);
  }
  options.onRequest?.(chat);

  const reply = chat.stream === true ? new StreamedReply(response, chat) : new WholeReply(response, chat);
  const gone = new AbortController();
  response.on("close", () => {
    if (response.writableFinished || reply.closed) return;
    gone.abort();
    if (!stopping.aborted) options.onDisconnect?.(chat);
  });

  const signal = AbortSignal.any([gone.signal, stopping]);
  await follow(options.respond(chat, signal, request.headers), reply, signal);
}

/**
 * Plays the steps until they end, say so, or the client is gone, even while the responder is still thinking.
 */
async function follow(
  steps: Iterable<ReplyStep> | AsyncIterable<ReplyStep>,
  reply: Reply,
  signal: AbortSignal,
): Promise<void> {
  const iterator = Symbol.asyncIterator in steps ? steps[Symbol.asyncIterator]() : steps[Symbol.iterator]();
  const aborted = new Promise<undefined>((resolve) => {
    signal.addEventListener("abort", () => resolve(undefined), { once: true });
  });

  while (!signal.aborted && !reply.closed) {
    const result = await Promise.race([Promise.resolve(iterator.next()), aborted]);
    if (result === undefined) break;
    if (result.done === true) return reply.complete();

    if ("wait" in result.value) await sleep(result.value.wait, undefined, { signal }).catch(() => undefined);
    else reply.play(result.value);
  }

  // Not awaited: a responder that hangs would keep this from ending.
  void Promise.resolve(iterator.return?.()).catch(() => undefined);
}

/** Checks what the server itself relies on; a responder that needs more looks for itself. */
function isChatRequest(body: unknown): body is ChatRequest {
  const messages = field(body, "messages");
  return (
    typeof field(body, "model") === "string" &&
    Array.isArray(messages) &&
    messages.every((message: unknown) => typeof field(message, "role") === "string")
  );
}

async function readBody(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces).toString("utf8");
}

function sendModels(response: ServerResponse, models: readonly string[]): void {
  const data = models.map((id) => ({ id, object: "model", created: 0, owned_by: "local" }));
  sendJson(response, 200, { object: "list", data });
}

function sendError(response: ServerResponse, status: number, type: string, message: string): void {
  sendJson(response, status, { error: { message, type } });
}
