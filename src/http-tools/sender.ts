import { readBounded } from "../knowledge/crawling/bounded-body.ts";
import { decodeText } from "../knowledge/reading/charset.ts";
import { withTimeout } from "../shared/async.ts";
import {
  AddressRefused,
  guardedFetch,
  type GuardedFetchDeps,
  LookUpFailed,
} from "../shared/guarded-fetch.ts";
import { OUT_OF_BOUNDS } from "../shared/outbound.ts";
import type { FilledRequest } from "./request.ts";

/** How much of an answer is read, in bytes after decompression. The connection is closed then. */
const MAX_ANSWER_BYTES = 256 * 1024;

/** What a server answered. `text` is null if it is not text. */
export interface ServerAnswer {
  readonly kind: "answer";
  readonly status: number;
  /** Such as `application/json`; empty if the server names none. */
  readonly mediaType: string;
  readonly text: string | null;
  /** How many bytes were read. */
  readonly bytes: number;
  /** Whether the answer was longer than what is read. */
  readonly isCut: boolean;
}

/** Why there is no answer. `message` is a sentence for the owner and the model, without anything that the request contains. */
export interface SendFailure {
  readonly kind: "failure";
  readonly reason: "address" | "timeout" | "unreachable";
  readonly message: string;
}

interface SendOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

interface HttpToolSenderDeps extends GuardedFetchDeps {}

/**
 * Sends the requests of tools. SSRF: to public addresses only, and it follows no redirect. A request is sent once: whether it may be
 * repeated is for the model to judge, which is told of every failure.
 */
export class HttpToolSender {
  readonly #fetch: typeof fetch;

  constructor(deps: HttpToolSenderDeps) {
    this.#fetch = guardedFetch(deps);
  }

  /** Returns the answer, or why there is none. Throws the signal's reason if it is aborted. */
  async send(
    request: FilledRequest,
    { timeoutMs, signal }: SendOptions,
  ): Promise<ServerAnswer | SendFailure> {
    try {
      return await withTimeout(timeoutMs, (either) => this.#ask(request, either), {
        signal,
        reason: () => new Late(),
      });
    } catch (error) {
      signal?.throwIfAborted();
      return failureOf(error, timeoutMs);
    }
  }

  async #ask({ method, url, headers, body }: FilledRequest, signal: AbortSignal): Promise<ServerAnswer> {
    const send = this.#fetch;
    const response = await send(url, { method, headers, signal, ...(body !== null && { body }) });
    const contentType = response.headers.get("content-type");
    const { bytes, isCut } = await readBounded(response.body, MAX_ANSWER_BYTES);
    const mediaType = mediaTypeOf(contentType);
    return {
      kind: "answer",
      status: response.status,
      mediaType,
      text: isText(mediaType, bytes) ? decodeText(bytes, contentType).toWellFormed() : null,
      bytes: bytes.byteLength,
      isCut,
    };
  }
}

/** The request took too long. */
class Late extends Error {
  override readonly name = "Late";
}

function failureOf(error: unknown, timeoutMs: number): SendFailure {
  if (error instanceof AddressRefused)
    return {
      kind: "failure",
      reason: "address",
      message: `The address may not be requested. ${OUT_OF_BOUNDS[error.reason]}`,
    };
  if (error instanceof Late)
    return {
      kind: "failure",
      reason: "timeout",
      message: `The server did not answer within ${timeoutMs / 1000} seconds.`,
    };
  const message =
    error instanceof LookUpFailed
      ? "The name of the server could not be looked up."
      : "The server could not be reached.";
  return { kind: "failure", reason: "unreachable", message };
}

/** The header comes from outside and is shown, so only what looks like a media type is kept. */
const mediaTypeOf = (contentType: string | null): string =>
  /^\s{0,9}([\w.+-]{1,60}\/[\w.+-]{1,80})/u.exec(contentType ?? "")?.[1]?.toLowerCase() ?? "";

const TEXT_TYPES =
  /^text\/|[/+](?:json|xml|yaml|javascript|ecmascript|x-www-form-urlencoded|x-ndjson|graphql|csv|toml)$/u;

/** Whether an answer is text. One without a media type is, if it has no zero byte. */
const isText = (mediaType: string, bytes: Uint8Array): boolean =>
  mediaType === "" ? !bytes.includes(0) : TEXT_TYPES.test(mediaType);
