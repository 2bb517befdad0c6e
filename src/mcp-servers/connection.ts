import { redaction } from "../http-tools/redaction.ts";
import { readBounded, boundedBody } from "../knowledge/crawling/bounded-body.ts";
import { JsonEventDecoder } from "../llm/event-stream.ts";
import { withTimeout } from "../shared/async.ts";
import { AddressRefused, LookUpFailed } from "../shared/guarded-fetch.ts";
import { isObject, type Json, numberAt, objectAt, objectFrom, textAt } from "../shared/json.ts";
import { OUT_OF_BOUNDS } from "../shared/outbound.ts";
import { onOneLine, preview } from "../shared/text.ts";
import { parameterIn } from "./challenge.ts";
import { McpFailure } from "./failure.ts";
import type { Protocol } from "./model.ts";

/** The revision of the protocol that has no sessions, and the one that is proposed where there are sessions. */
const STATELESS_REVISION = "2026-07-28";
const SESSION_REVISION = "2025-11-25";
/** The revisions with sessions that differ in nothing that is used here. */
const SESSION_REVISIONS: readonly string[] = [SESSION_REVISION, "2025-06-18", "2025-03-26", "2024-11-05"];
const CLIENT_INFO = { name: "dynamic-agent-builder", version: "1" } as const;

/** Anti-DoS: how much of a stream is read, in bytes after decompression. The reader of events limits each of them to 1 MB. */
const MAX_STREAM_BYTES = 4_000_000;
/** How much of an error's body is read, in bytes. */
const MAX_ERROR_BYTES = 16_384;
const MAX_ERROR_CHARS = 500;
/** How many requests of the server are answered within one of ours. */
const MAX_REPLIES = 5;
/** Errors of JSON-RPC: the method is not known. */
export const METHOD_NOT_FOUND = -32_601;

interface ConnectionDeps {
  /** Guards against addresses that are not public, and follows no redirect. */
  readonly fetch: typeof fetch;
  readonly url: string;
  readonly protocol: Protocol;
  readonly token: string | undefined;
}

/**
 * A client of one MCP server by streamable HTTP. SSRF: it goes to the server's own address only, and `fetch` guards that. Nothing is
 * repeated but what the server has refused unread.
 */
export class McpConnection {
  readonly #fetch: typeof fetch;
  readonly #url: string;
  #protocol: Protocol;
  #session: { readonly id: string | null; readonly revision: string } | undefined;
  #lastId = 0;
  /** The access token; `undefined` for none. */
  token: string | undefined;

  constructor({ fetch, url, protocol, token }: ConnectionDeps) {
    this.#fetch = fetch;
    this.#url = url;
    this.#protocol = protocol;
    this.token = token;
  }

  get protocol(): Protocol {
    return this.#protocol;
  }

  /** Finds out which form of the protocol the server speaks. Throws `McpFailure`, and the signal's reason if it is aborted. */
  async negotiate(signal: AbortSignal): Promise<void> {
    this.#protocol = "stateless";
    if (!(await this.#isStateless(signal, true))) this.#protocol = "sessions";
  }

  /** Whether the server speaks the stateless revision. If `mayAsk`, a server that refuses that revision but names it as supported is asked again. */
  async #isStateless(signal: AbortSignal, mayAsk: boolean): Promise<boolean> {
    try {
      const { supportedVersions: versions } = await this.#request("server/discover", {}, signal);
      return Array.isArray(versions) && versions.includes(STATELESS_REVISION);
    } catch (error) {
      // What does not know the method answers with an error of some kind.
      if (!(error instanceof McpFailure) || !["rpc", "http", "unreadable"].includes(error.reason))
        throw error;
      return mayAsk && error.revisions.includes(STATELESS_REVISION) && this.#isStateless(signal, false);
    }
  }

  /**
   * Sends a request and returns its result. Throws `McpFailure` if there is none, and the signal's reason if it is aborted. A session that has
   * expired is begun again, because the server refuses its requests unread. `headers` are sent besides those of the protocol.
   */
  async request(
    method: string,
    params: Json,
    signal: AbortSignal,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Json> {
    if (this.#protocol === "sessions") await this.#beginSession(signal);
    try {
      return await this.#request(method, params, signal, headers);
    } catch (error) {
      if (!(error instanceof McpFailure) || error.reason !== "expired-session") throw error;
    }
    this.#session = undefined;
    await this.#beginSession(signal);
    return this.#request(method, params, signal, headers);
  }

  /** Returns a text of the server without the token, which a server may repeat. */
  redacted(text: string): string {
    return redaction(this.token === undefined ? [] : [this.token])(text);
  }

  /** Ends the session, if there is one. Never throws: a server also forgets a session by itself. */
  async end(): Promise<void> {
    const id = this.#session?.id ?? null;
    if (id === null) return;
    try {
      await withTimeout(END_MS, async (signal) => {
        const send = this.#fetch;
        const response = await send(this.#url, { method: "DELETE", headers: this.#headers({}), signal });
        await discard(response);
      });
    } catch (error) {
      console.info({ message: "A session with an MCP server was not ended.", error: String(error) });
    }
  }

  async #beginSession(signal: AbortSignal): Promise<void> {
    if (this.#session) return;
    const params = { protocolVersion: SESSION_REVISION, capabilities: {}, clientInfo: CLIENT_INFO };
    const response = await this.#send({ id: ++this.#lastId, method: "initialize", params }, signal);
    const id = response.headers.get("mcp-session-id");
    const revision = textAt(await this.#resultIn(response, this.#lastId, signal), "protocolVersion");
    if (!SESSION_REVISIONS.includes(revision))
      throw new McpFailure("unreadable", "The server speaks another revision of the protocol.");
    this.#session = { id: id !== null && /^[\x21-\x7e]{1,1024}$/u.test(id) ? id : null, revision };
    await discard(await this.#send({ method: "notifications/initialized" }, signal));
  }

  async #request(
    method: string,
    params: Json,
    signal: AbortSignal,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Json> {
    const id = ++this.#lastId;
    return this.#resultIn(await this.#send({ id, method, params }, signal, headers), id, signal);
  }

  /** Sends a message. Throws `McpFailure` for everything but a status of 2xx. */
  async #send(
    message: Json,
    signal: AbortSignal,
    more: Readonly<Record<string, string>> = {},
  ): Promise<Response> {
    const isStateless = this.#protocol === "stateless";
    const params = isStateless ? { ...objectAt(message, "params"), _meta: ENVELOPE } : message["params"];
    const body = JSON.stringify({ jsonrpc: "2.0", ...message, ...(params !== undefined && { params }) });
    const send = this.#fetch;
    const headers = { ...more, ...this.#headers(message) };
    let response: Response;
    try {
      response = await send(this.#url, { method: "POST", headers, body, signal });
    } catch (error) {
      signal.throwIfAborted();
      throw unreachable(error);
    }
    if (!response.ok) throw await this.#refusal(response, signal);
    return response;
  }

  #headers(message: Json): Record<string, string> {
    const method = textAt(message, "method");
    const revision = this.#protocol === "stateless" ? STATELESS_REVISION : this.#session?.revision;
    const name = textAt(objectAt(message, "params"), "name");
    return {
      accept: "application/json, text/event-stream",
      "content-type": "application/json",
      ...(this.token !== undefined && { authorization: `Bearer ${this.token}` }),
      ...(revision !== undefined && { "mcp-protocol-version": revision }),
      ...(this.#session?.id && { "mcp-session-id": this.#session.id }),
      ...(this.#protocol === "stateless" && {
        "mcp-method": method,
        ...(name !== "" && { "mcp-name": name }),
      }),
    };
  }

  async #refusal(response: Response, signal: AbortSignal): Promise<McpFailure> {
    const { status, headers } = response;
    const text = await errorText(response, signal);
    const challenge = (headers.get("www-authenticate") ?? "").slice(0, MAX_ERROR_BYTES);
    if (status === 401)
      return new McpFailure("unauthorized", "The server wants another authorization.", { challenge });
    if (status === 403 && parameterIn(challenge, "scope") !== undefined)
      return new McpFailure("insufficient-scope", MORE_RIGHTS, { challenge });
    if (status === 404 && this.#session)
      return new McpFailure("expired-session", "The server has ended the session.");
    if (status >= 300 && status < 400)
      return new McpFailure(
        "redirect",
        "The server redirects to another address, which is not followed. Enter the address that it leads to.",
      );
    const error = objectFrom(text)?.["error"];
    return isObject(error)
      ? this.#rpcFailure(error)
      : new McpFailure("http", `The server answered HTTP ${status}.`);
  }

  /** Reads the answer to a request: JSON, or a stream of events that ends in it. */
  async #resultIn(response: Response, id: number, signal: AbortSignal): Promise<Json> {
    let answer: Json | undefined;
    let replies = 0;
    let replying = Promise.resolve();
    const answered = new AbortController();
    const either = AbortSignal.any([signal, answered.signal]);
    const decoder = new JsonEventDecoder({
      take: (event) => {
        if (event["id"] === id && ("result" in event || "error" in event)) answer ??= event;
        else if (
          this.#session &&
          typeof event["method"] === "string" &&
          isId(event["id"]) &&
          replies++ < MAX_REPLIES
        )
          replying = this.#reply(event["id"], event["method"], { after: replying, signal: either });
      },
      end: () => undefined,
    });
    try {
      if (response.body) await readInto(decoder, response.body, () => answer !== undefined, signal);
    } finally {
      answered.abort();
    }
    if (!answer) throw new McpFailure("unreadable", "The server ended its answer before the result.");
    if (isObject(answer["error"])) throw this.#rpcFailure(answer["error"]);
    if (!isObject(answer["result"])) throw new McpFailure("unreadable", UNREADABLE);
    return answer["result"];
  }

  /**
   * Answers a request of the server: this client offers it nothing but a sign of life. Never throws, because the result does not depend on
   * whether the server gets the answer. Anti-DoS: one at a time, because the platform limits how many requests of a turn wait for an answer.
   */
  async #reply(
    id: string | number,
    method: string,
    { after, signal }: { readonly after: Promise<void>; readonly signal: AbortSignal },
  ): Promise<void> {
    const error = { code: METHOD_NOT_FOUND, message: "This client does not offer that." };
    const reply = method === "ping" ? { id, result: {} } : { id, error };
    await after;
    try {
      signal.throwIfAborted();
      await discard(await this.#send(reply, signal));
    } catch (thrown) {
      console.info({ message: "An MCP server was not answered.", error: String(thrown) });
    }
  }

  #rpcFailure(error: Json): McpFailure {
    const text = onOneLine(this.redacted(textAt(error, "message")).slice(0, 4 * MAX_ERROR_CHARS));
    const said = preview(text, MAX_ERROR_CHARS).toWellFormed();
    return new McpFailure("rpc", `The server says: ${said === "" ? "error" : said}`, {
      code: numberAt(error, "code"),
      revisions: objectAt(error, "data")["supported"],
    });
  }
}

/** Closes the connection of an answer that is not read. */
async function discard({ body }: Response): Promise<void> {
  // Fails on a broken body, where nothing is left to cancel.
  await body?.cancel().catch(() => undefined);
}

/** Reads the beginning of an error's body. Throws `McpFailure` if the connection breaks, and the signal's reason if it is aborted. */
async function errorText({ body }: Response, signal: AbortSignal): Promise<string> {
  try {
    return new TextDecoder().decode((await readBounded(body, MAX_ERROR_BYTES)).bytes);
  } catch (error) {
    signal.throwIfAborted();
    throw unreachable(error);
  }
}

/** In milliseconds. */
const END_MS = 5_000;
const UNREADABLE = "The server's answer is no message of the protocol, or longer than 1 MB.";

/** What the owner and the model are told of a server that wants a token for more. */
export const MORE_RIGHTS =
  "The server wants more rights for this. The agent's owner has to authorize the use of this server again.";

/** What a message of the stateless revision says about its sender. */
const ENVELOPE = {
  "io.modelcontextprotocol/protocolVersion": STATELESS_REVISION,
  "io.modelcontextprotocol/clientInfo": CLIENT_INFO,
  "io.modelcontextprotocol/clientCapabilities": {},
} as const;

const isId = (id: unknown): id is string | number =>
  typeof id === "number" || (typeof id === "string" && id.length <= 200);

/** Reads a body until the answer is there. Closes the connection then. */
async function readInto(
  decoder: JsonEventDecoder,
  body: ReadableStream<Uint8Array>,
  isDone: () => boolean,
  signal: AbortSignal,
): Promise<void> {
  let length = 0;
  try {
    for await (const bytes of boundedBody(body, MAX_STREAM_BYTES)) {
      decoder.push(bytes);
      if (isDone()) return;
      length += bytes.length;
    }
    if (length >= MAX_STREAM_BYTES) throw new McpFailure("unreadable", UNREADABLE);
    decoder.end();
  } catch (error) {
    signal.throwIfAborted();
    throw new McpFailure("unreadable", UNREADABLE, { cause: error });
  }
}

function unreachable(cause: unknown): McpFailure {
  if (cause instanceof AddressRefused)
    return new McpFailure("address", `The address may not be requested. ${OUT_OF_BOUNDS[cause.reason]}`);
  const message =
    cause instanceof LookUpFailed
      ? "The name of the server could not be looked up."
      : "The server could not be reached.";
  return new McpFailure("unreachable", message, { cause });
}

/** Runs work with a server for at most `ms` milliseconds. Throws `McpFailure` if it takes longer, and the signal's reason if it is aborted. */
export const withinTime = <T>(
  ms: number,
  work: (signal: AbortSignal) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> =>
  withTimeout(ms, work, {
    signal,
    reason: () =>
      new McpFailure("timeout", `The server did not answer within ${Math.ceil(ms / 1000)} seconds.`),
  });
