import type { Context, MiddlewareHandler } from "hono";
import { createMiddleware } from "hono/factory";
import { matchedRoutes } from "hono/route";
import { AppError } from "../../shared/errors.ts";
import type { HttpEnv } from "../env.ts";
import { docOf, documenting, operationOf } from "../openapi.ts";

/** In bytes: 64 KB, ample for anything but messages and uploads. */
const DEFAULT_MAX_BYTES = 64 * 1024;

/** Sets the size limit of a route's body, in bytes; `limitBody` enforces it. */
export const maxBody = (maxBytes: number): MiddlewareHandler => documenting({ kind: "body", maxBytes });

/**
 * Refuses a body that exceeds its route's limit with a 413. Runs before all routes and before authentication, so that a
 * stranger can't make the service read a huge body: a stated length is compared, and a body without one is counted while the route
 * reads it. Does nothing if there is no body, or if no route matches.
 */
export const limitBody = createMiddleware<HttpEnv>(async (c, next) => {
  const { body, headers } = c.req.raw;
  if (!body || !operationOf(c)) return next();

  const maxBytes = maxBytesOf(c);
  const length = headers.has("transfer-encoding") ? null : headers.get("content-length");
  if (length !== null && /^\d+$/u.test(length)) {
    if (Number(length) > maxBytes) throw tooLarge(maxBytes);
    return next();
  }

  const counter = { isExceeded: false };
  const { method } = c.req.raw;
  c.req.raw = new Request(c.req.raw, { method, body: body.pipeThrough(counted(maxBytes, counter)) });
  await next();
  // The route may have taken the failed read for a malformed body.
  if (counter.isExceeded) throw tooLarge(maxBytes);
});

/** Returns a stream that fails as soon as more than `maxBytes` have passed, and notes that in `counter`. */
function counted(
  maxBytes: number,
  counter: { isExceeded: boolean },
): TransformStream<Uint8Array, Uint8Array> {
  let bytes = 0;
  return new TransformStream({
    transform(chunk, controller) {
      bytes += chunk.byteLength;
      counter.isExceeded = bytes > maxBytes;
      if (counter.isExceeded) controller.error(tooLarge(maxBytes));
      else controller.enqueue(chunk);
    },
  });
}

const tooLarge = (maxBytes: number): AppError =>
  new AppError("payload-too-large", `The body must not exceed ${Math.floor(maxBytes / 1024)} KB.`);

function maxBytesOf(c: Context): number {
  for (const { handler } of matchedRoutes(c)) {
    const doc = docOf(handler);
    if (doc?.kind === "body") return doc.maxBytes;
  }
  return DEFAULT_MAX_BYTES;
}
