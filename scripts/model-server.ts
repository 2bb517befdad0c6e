import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

import { field, parseJson } from "./json.ts";

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

/** Token counts as they go over the wire; `total_tokens` is the sum when absent. */
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
 * - `call`: one whole tool call in two chunks, first id and name, then the arguments; the id is made up when absent.
 * - `wait`: nothing for so many milliseconds.
 * - `finish`: the chunk with the finish reason.
 * - `usage`: the chunk without choices, sent only when the request's `stream_options.include_usage` asks for it.
 * - `raw`: these bytes as they are; an empty string sends the headers only.
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
  | { readonly raw: string }
  | { readonly done: true }
  | { readonly status: number; readonly body: unknown; readonly headers?: Readonly<Record<string, string>> }
  | { readonly cut: true }
  | { readonly end: true };

/** Decides what is answered to a request. The signal is aborted when the client goes away or the server stops. */
export type Responder = (request: ChatRequest, signal: AbortSignal) => Iterable<ReplyStep> | AsyncIterable<ReplyStep>;

/** What `startModelServer` needs. */
export interface ModelServerOptions {
  readonly respond: Responder;
  /** A free port when absent. */
  readonly port?: number;
  /** What `GET /v1/models` lists; `demo` when absent. */
  readonly models?: readonly string[];
  /** Called once for every well-formed request, before it is answered. */
  readonly onRequest?: (request: ChatRequest) => void;
  /** Called when a client leaves before its answer is complete. */
  readonly onDisconnect?: (request: ChatRequest) => void;
}

/** A running model server. */
export interface ModelServer {
  /** `http://127.0.0.1:PORT/v1`. */
  readonly url: string;
  /** Closes every connection and stops listening. */
  stop(): Promise<void>;
}

/**
 * Starts an OpenAI-compatible server on 127.0.0.1 whose answers the responder scripts.
 *
 * What an answer lacks at its end is added: the finish chunk (`tool_calls` after a call, else `stop`), the usage chunk
 * if it was asked for (a count of words, not of tokens) and `[DONE]`, unless a `done`, `end` or `cut` said otherwise.
 * Rejects when the port is taken.
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
    if (request.method === "GET" && path === "/v1/models") return sendModels(response, options.models ?? ["demo"]);
    if (request.method === "POST" && path === "/v1/chat/completions") {
      return await complete(await readBody(request), response, options, stopping);
    }
    sendError(response, 404, "not_found_error", `There is no ${request.method} ${path}.`);
  } catch (error) {
    if (response.headersSent) response.destroy();
    else sendError(response, 500, "server_error", error instanceof Error ? error.message : String(error));
  }
}

async function complete(
  body: string,
  response: ServerResponse,
  options: ModelServerOptions,
  stopping: AbortSignal,
): Promise<void> {
  const chat = parseJson(body);
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
  await follow(options.respond(chat, signal), reply, signal);
}

/** Plays the steps until they end, say so, or the client is gone, even while the responder is still thinking. */
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

/** How steps become bytes: a stream of chunks, or one JSON document. */
interface Reply {
  /** True once the reply itself has ended or destroyed the response. */
  readonly closed: boolean;
  play(step: PlayedStep): void;
  /** Adds what the steps left out. */
  complete(): void;
}

type PlayedStep = Exclude<ReplyStep, { readonly wait: number }>;

class StreamedReply implements Reply {
  closed = false;
  readonly #response: ServerResponse;
  readonly #request: ChatRequest;
  readonly #envelope: object;
  #calls = 0;
  #words = 0;
  #role: { role?: "assistant" } = { role: "assistant" };
  #sent = { finish: false, usage: false, done: false };

  constructor(response: ServerResponse, request: ChatRequest) {
    this.#response = response;
    this.#request = request;
    this.#envelope = envelope("chat.completion.chunk", request.model);
  }

  play(step: PlayedStep): void {
    if ("text" in step) {
      this.#words += countWords(step.text);
      this.#delta({ content: step.text });
    } else if ("call" in step) this.#call(step.call);
    else if ("finish" in step) this.#finish(step.finish);
    else if ("usage" in step) this.#usage(step.usage);
    else if ("raw" in step) this.#write(step.raw);
    else if ("done" in step) this.#done();
    else if ("status" in step) this.#refuse(step);
    else if ("cut" in step) this.#close(() => this.#response.destroy());
    else this.#close(() => this.#end());
  }

  complete(): void {
    if (this.closed) return;

    if (!this.#sent.done) {
      if (!this.#sent.finish) this.#finish(this.#calls > 0 ? "tool_calls" : "stop");
      if (!this.#sent.usage) this.#usage(wordUsage(this.#request, this.#words));
      this.#done();
    }
    this.#close(() => this.#end());
  }

  #call(call: { readonly id?: string; readonly name: string; readonly arguments: string }): void {
    const index = this.#calls++;
    const id = call.id ?? `call_${index + 1}`;
    this.#words += countWords(call.arguments);

    const opening = { index, id, type: "function", function: { name: call.name, arguments: "" } };
    this.#delta({ tool_calls: [opening] });
    this.#delta({ tool_calls: [{ index, function: { arguments: call.arguments } }] });
  }

  #finish(reason: FinishReason): void {
    this.#sent.finish = true;
    this.#data({ ...this.#envelope, choices: [{ index: 0, delta: {}, finish_reason: reason }] });
  }

  #usage(usage: TokenUsage): void {
    this.#sent.usage = true;
    if (this.#request.stream_options?.include_usage !== true) return;
    this.#data({ ...this.#envelope, choices: [], usage: withTotal(usage) });
  }

  #done(): void {
    this.#sent.done = true;
    this.#write("data: [DONE]\n\n");
  }

  #refuse(step: Extract<ReplyStep, { readonly status: number }>): void {
    if (this.#response.headersSent) throw new Error("A status step came after the stream had begun.");
    this.#close(() => sendJson(this.#response, step.status, step.body, step.headers));
  }

  /** The first delta of a stream names the role, as OpenAI's does. */
  #delta(delta: object): void {
    this.#data({ ...this.#envelope, choices: [{ index: 0, delta: { ...this.#role, ...delta }, finish_reason: null }] });
    this.#role = {};
  }

  #data(chunk: object): void {
    this.#write(`data: ${JSON.stringify(chunk)}\n\n`);
  }

  #write(bytes: string): void {
    if (!this.#response.headersSent) {
      this.#response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
      this.#response.flushHeaders();
    }
    if (bytes !== "") this.#response.write(bytes);
  }

  #end(): void {
    this.#write("");
    this.#response.end();
  }

  #close(how: () => void): void {
    this.closed = true;
    how();
  }
}

class WholeReply implements Reply {
  closed = false;
  readonly #response: ServerResponse;
  readonly #request: ChatRequest;
  readonly #calls: ChatToolCall[] = [];
  #text = "";
  #raw: string | undefined;
  #finish: FinishReason | undefined;
  #usage: TokenUsage | undefined;

  constructor(response: ServerResponse, request: ChatRequest) {
    this.#response = response;
    this.#request = request;
  }

  play(step: PlayedStep): void {
    if ("text" in step) this.#text += step.text;
    else if ("call" in step) {
      const { id = `call_${this.#calls.length + 1}`, ...called } = step.call;
      this.#calls.push({ id, type: "function", function: called });
    } else if ("finish" in step) this.#finish = step.finish;
    else if ("usage" in step) this.#usage = step.usage;
    else if ("raw" in step) this.#raw = (this.#raw ?? "") + step.raw;
    else if ("status" in step) {
      this.closed = true;
      sendJson(this.#response, step.status, step.body, step.headers);
    } else if ("cut" in step) {
      this.closed = true;
      this.#response.destroy();
    } else if ("end" in step) this.complete();
  }

  /** Raw bytes replace the whole document: a test that sends some wants a broken answer. */
  complete(): void {
    this.closed = true;
    if (this.#raw !== undefined) {
      this.#response.writeHead(200, { "content-type": "application/json" }).end(this.#raw);
      return;
    }

    const message = {
      role: "assistant",
      content: this.#text === "" ? null : this.#text,
      ...(this.#calls.length > 0 ? { tool_calls: this.#calls } : {}),
    };
    const finish = this.#finish ?? (this.#calls.length > 0 ? "tool_calls" : "stop");
    const usage = this.#usage ?? wordUsage(this.#request, countWords(this.#text));
    sendJson(this.#response, 200, {
      ...envelope("chat.completion", this.#request.model),
      choices: [{ index: 0, message, finish_reason: finish }],
      usage: withTotal(usage),
    });
  }
}

function envelope(object: string, model: string): object {
  return { id: `chatcmpl-${crypto.randomUUID()}`, object, created: Math.floor(Date.now() / 1000), model };
}

/** Counts words in place of tokens: good enough to see numbers move, useless for a bill. */
function wordUsage(request: ChatRequest, completionWords: number): TokenUsage {
  const promptWords = request.messages.reduce((sum, message) => sum + countWords(textOf(message.content)), 0);
  return { prompt_tokens: promptWords, completion_tokens: completionWords };
}

function withTotal(usage: TokenUsage): TokenUsage {
  return { total_tokens: usage.prompt_tokens + usage.completion_tokens, ...usage };
}

function countWords(text: string): number {
  return text.split(/\s+/).filter((word) => word !== "").length;
}

/** Gives a message's text, its parts joined. */
export function textOf(content: ChatContent | null | undefined): string {
  if (typeof content === "string") return content;
  return (content ?? []).map((part) => part.text ?? "").join("");
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

function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(typeof body === "string" ? body : JSON.stringify(body));
}
