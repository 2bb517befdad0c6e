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

  response.headers.set("content-type", "text/event-stream; charset=utf-8");
  response.headers.set("cache-control", "no-store, no-transform");
  response.headers.set("x-accel-buffering", "no");
  response.headers.delete("transfer-encoding");
  response.headers.delete("connection");
  return response;
}
