import type { Context, MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import { createMiddleware } from "hono/factory";
import { matchedRoutes } from "hono/route";
import { AppError } from "../../shared/errors.ts";
import type { HttpEnv } from "../env.ts";
import { docOf, documented, operationOf } from "../openapi.ts";

/** In bytes: 64 KB, ample for anything but messages and uploads. */
const DEFAULT_MAX_BYTES = 64 * 1024;

/** Sets the size limit of a route's body, in bytes; `limitBody` enforces it. */
export const maxBody = (maxBytes: number): MiddlewareHandler =>
  documented<MiddlewareHandler>((_c, next) => next(), { kind: "body", maxBytes });

/**
 * Refuses a body that exceeds its route's limit with a 413. Runs before all routes and before authentication, so that a
 * stranger can't make the service read a huge body. Does nothing if there is no body, or if no route matches.
 */
export const limitBody = createMiddleware<HttpEnv>((c, next) => {
  if (!c.req.raw.body || !operationOf(c)) return next();

  const maxSize = maxBytesOf(c);
  const limit = bodyLimit({
    maxSize,
    onError() {
      throw new AppError("payload-too-large", `The body must not exceed ${Math.floor(maxSize / 1024)} KB.`);
    },
  });
  return limit(c, next);
});

function maxBytesOf(c: Context): number {
  for (const { handler } of matchedRoutes(c)) {
    const doc = docOf(handler);
    if (doc?.kind === "body") return doc.maxBytes;
  }
  return DEFAULT_MAX_BYTES;
}
