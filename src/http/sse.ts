import type { Context, TypedResponse } from "hono";
import type { SSEStreamingApi } from "hono/streaming";

/** Keep proxies from buffering, caching or changing the stream. */
const HEADERS = {
  "Content-Type": "text/event-stream; charset=utf-8",
  "Cache-Control": "no-store, no-transform",
  "X-Accel-Buffering": "no",
} as const;

/** `streamSSE` sets these, but they belong to the connection, which is the server's, and are invalid in HTTP/2. */
const CONNECTION_HEADERS = ["Connection", "Transfer-Encoding"] as const;

/** An event stream, as Hono's typed client sees it: text. */
type EventStream = TypedResponse<string, 200, "text">;

/** Replaces the headers of `streamSSE` with ones that keep proxies from buffering, caching or changing the stream. */
export function unbuffered(
  c: Context,
  { body }: Response,
  more: Readonly<Record<string, string>> = {},
): Response & EventStream {
  for (const name of CONNECTION_HEADERS) c.header(name, undefined);
  for (const [name, value] of Object.entries({ ...HEADERS, ...more })) c.header(name, value);
  // The cast only adds the type that Hono's typed client reads.
  return c.newResponse(body) as Response & EventStream;
}

/**
 * Returns a callback for `streamSSE` that forwards encoded frames at the pace at which the client reads. If the frames fail,
 * the response is aborted, so that no client mistakes it for a complete one.
 */
export const relay = (frames: ReadableStream<Uint8Array>) => async (stream: SSEStreamingApi) => {
  try {
    await stream.pipe(breakable(frames));
  } catch (error) {
    // Not rethrown: `streamSSE` would log every client disconnect as an error.
    if (!stream.aborted) console.warn({ message: "An event stream was aborted.", error: String(error) });
  }
};

/** `stream.pipe` sets `preventAbort`, which would end a failed response as if it were complete. */
function breakable(frames: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
  const pipeTo = frames.pipeTo.bind(frames);
  return Object.assign(frames, {
    pipeTo: (target: WritableStream<Uint8Array>, options: StreamPipeOptions) =>
      pipeTo(target, { ...options, preventAbort: false }),
  });
}
