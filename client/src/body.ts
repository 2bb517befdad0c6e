import { ConnectionError } from "./errors.ts";

/** The largest answer that is not a stream, in bytes. The largest of the API, a page of long messages, stays far below. */
const LARGEST_ANSWER = 64 * 1024 * 1024;

/** The longest line of a stream, in characters. An event has at most the text of one answer. */
const LONGEST_LINE = 16 * 1024 * 1024;

/**
 * Reads the body of an answer as text. Throws a `ConnectionError` if it is larger than 64 MB or breaks off, and the
 * signal's reason if that is aborted.
 */
export async function readText(response: Response, signal: AbortSignal): Promise<string> {
  const decoder = new TextDecoder();
  const parts: string[] = [];
  let size = 0;
  for await (const chunk of chunksOf(response, signal)) {
    size += chunk.byteLength;
    if (size > LARGEST_ANSWER) throw new ConnectionError("unreadable", "The answer is too large.");
    parts.push(decoder.decode(chunk, { stream: true }));
  }
  parts.push(decoder.decode());
  return parts.join("");
}

/**
 * Yields the lines of a body without their ends. What follows the last line end is no line: the connection broke off there.
 * Throws like `readText`. Takes time proportional to the body, however it is cut into pieces.
 */
export async function* linesOf(
  response: Response,
  signal: AbortSignal,
  onData: () => void = () => undefined,
): AsyncGenerator<string, void, void> {
  const decoder = new TextDecoder();
  let parts: string[] = [];
  let length = 0;
  for await (const chunk of chunksOf(response, signal)) {
    onData();
    const text = decoder.decode(chunk, { stream: true });
    let start = 0;
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", start)) {
      parts.push(text.slice(start, end));
      yield withoutReturn(parts.join(""));
      parts = [];
      length = 0;
      start = end + 1;
    }

    parts.push(text.slice(start));
    length += text.length - start;
    if (length > LONGEST_LINE) throw new ConnectionError("unreadable", "A line of the stream is too long.");
  }
}

const withoutReturn = (line: string): string => (line.endsWith("\r") ? line.slice(0, -1) : line);

/** Yields the data of server-sent events. Throws a `ConnectionError` if an event is too long. Other fields and comments are left out, because the API sends none that matter. */
export async function* dataOf(lines: AsyncIterable<string>): AsyncGenerator<string, void, void> {
  let data: string[] = [];
  let length = 0;
  for await (const line of lines) {
    if (line.startsWith("data:")) {
      data.push(line.slice(line[5] === " " ? 6 : 5));
      length += line.length;
      if (length > LONGEST_LINE)
        throw new ConnectionError("unreadable", "An event of the stream is too long.");
    }
    if (line !== "" || data.length === 0) continue;
    yield data.join("\n");
    data = [];
    length = 0;
  }
}

/** Parses what the API sends as JSON. Throws a `ConnectionError` if it is none. */
export function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ConnectionError("unreadable", "The answer is not JSON. Is the base URL that of the API?", {
      cause,
    });
  }
}

/** Yields the pieces of a body as they arrive, and closes the connection if the caller stops reading. */
async function* chunksOf(response: Response, signal: AbortSignal): AsyncGenerator<Uint8Array, void, void> {
  if (!response.body) return;

  const reader = response.body.getReader();
  // Some platforms do not end a pending read when the request's signal is aborted.
  const { promise: aborted, reject } = withReject();
  const abort = (): void => reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  let isOver = false;
  try {
    signal.throwIfAborted();
    for (;;) {
      const { done, value } = await Promise.race([reader.read(), aborted]);
      if (done) {
        isOver = true;
        return;
      }
      yield value;
    }
  } catch (cause) {
    if (signal.aborted) throw signal.reason;
    throw cause instanceof ConnectionError ? cause : connectionLost(cause);
  } finally {
    signal.removeEventListener("abort", abort);
    // A stream that has failed can't be cancelled, and nobody needs to know.
    if (!isOver) reader.cancel().catch(() => undefined);
  }
}

export const connectionLost = (cause: unknown): ConnectionError =>
  new ConnectionError("network", "The connection to the service was lost.", { cause });

/** A promise that only rejects. Nobody has to wait for it. */
function withReject(): { promise: Promise<never>; reject: (reason: unknown) => void } {
  let reject: (reason: unknown) => void = () => undefined;
  const promise = new Promise<never>((_, no) => {
    reject = no;
  });
  promise.catch(() => undefined);
  return { promise, reject };
}
