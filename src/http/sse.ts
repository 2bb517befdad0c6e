import type { Context } from "hono";
import { streamSSE } from "hono/streaming";
import { AppError } from "../shared/errors.ts";
import type { AppEnv } from "./env.ts";

/** Keeps proxies from closing a quiet stream. */
const PING_MS = 15_000;
/** A Worker lives 30 s at most after its client has left; what was said has to be saved within them. */
const GRACE_AFTER_CLIENT_LEFT_MS = 22_000;

export interface SseOptions {
  /** What is sent while nothing happens: a comment. */
  readonly ping: string;
  /** Ends the producer when the client has left and the time that remains is nearly over. */
  readonly abort: AbortController;
}

/**
 * Sends frames as server-sent events. A client that leaves does not stop the producer: it runs on, unheard, as long as
 * the platform lets it, and is then told to end and save what there is. `frames` must not throw.
 */
export function sendFrames<E extends AppEnv>(
  c: Context<E>,
  frames: AsyncIterable<string>,
  options: SseOptions,
): Response {
  const ended = Promise.withResolvers<void>();
  c.executionCtx.waitUntil(ended.promise);

  const response = streamSSE(c, async (stream) => {
    const left = Promise.withResolvers<void>();
    let hasLeft = false;
    let grace: ReturnType<typeof setTimeout> | undefined;
    // workerd reports a lost client here and nowhere else.
    c.req.raw.signal.addEventListener("abort", () => {
      const reason = new AppError("unavailable", "The client left before the answer was complete.");
      grace = setTimeout(() => options.abort.abort(reason), GRACE_AFTER_CLIENT_LEFT_MS);
      hasLeft = true;
      left.resolve();
    });
    const heartbeat = setInterval(() => void stream.write(options.ping), PING_MS);

    try {
      for await (const frame of frames) {
        // A write to a client that no longer reads never ends by itself.
        if (!hasLeft) await Promise.race([stream.write(frame), left.promise]);
      }
    } finally {
      clearInterval(heartbeat);
      clearTimeout(grace);
      ended.resolve();
    }
  });

  setHeaders(c, response);
  return response;
}

/** Nobody on the way may buffer, keep or change the stream; the connection is the platform's business. */
const HEADERS = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-store, no-transform",
  "x-accel-buffering": "no",
  "transfer-encoding": undefined,
  connection: undefined,
} as const;

/** `streamSSE` sets its own headers on the context, which win over the response's in the end: both are set. */
function setHeaders<E extends AppEnv>(c: Context<E>, response: Response): void {
  for (const [name, value] of Object.entries(HEADERS)) {
    c.header(name, value);
    if (value === undefined) response.headers.delete(name);
    else response.headers.set(name, value);
  }
}
