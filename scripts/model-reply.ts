import type { ServerResponse } from "node:http";

import type {
  ChatContent,
  ChatRequest,
  ChatToolCall,
  FinishReason,
  ReplyStep,
  TokenUsage,
} from "./model-server.ts";

/** How steps become bytes: a stream of chunks, or one JSON document. */
export interface Reply {
  /** True once the reply itself has ended or destroyed the response. */
  readonly closed: boolean;
  play(step: PlayedStep): void;
  /** Adds what the steps left out. */
  complete(): void;
}

/** Waiting is the server's business: it has to notice that the client has gone. */
export type PlayedStep = Exclude<ReplyStep, { readonly wait: number }>;

/** Writes every step as a chunk of a stream of server-sent events, at once. */
export class StreamedReply implements Reply {
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
    else if ("raw" in step) this.#write(step.raw.repeat(step.times ?? 1));
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
    this.#data({
      ...this.#envelope,
      choices: [{ index: 0, delta: { ...this.#role, ...delta }, finish_reason: null }],
    });
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

/** Gathers the steps into one chat.completion. */
export class WholeReply implements Reply {
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

/** Returns a message's text, its parts joined. */
export function textOf(content: ChatContent | null | undefined): string {
  if (typeof content === "string") return content;
  return (content ?? []).map((part) => part.text ?? "").join("");
}

/** Answers with JSON; a string is sent as it is. */
export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(typeof body === "string" ? body : JSON.stringify(body));
}
