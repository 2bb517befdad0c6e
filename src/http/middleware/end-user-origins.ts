import { createMiddleware } from "hono/factory";
import type { UserEnv } from "../env.ts";
import { docOf } from "../openapi.ts";

/** What pages may read of an answer, besides its body. */
export const EXPOSED_HEADERS = ["ETag", "Retry-After", "RateLimit", "RateLimit-Policy", "X-Request-Id"];

/** The handlers of the routes that a request of this method and path would meet. */
export type HandlersAt = (method: string, path: string) => readonly object[];

/**
 * CORS for pages of the people who build agents: answers of an end user's request may be read by the pages that the
 * token is for, without credentials. A preflight carries no token, so that of a route for end users says yes to every
 * page; a request from a page that the token does not name is refused all the same, and its answer not shown.
 * To stand before the CORS of the app's own pages, which goes first.
 */
export const endUserOrigins = (handlersAt: HandlersAt) =>
  createMiddleware<UserEnv>(async (c, next) => {
    await next();

    const origin = c.req.header("origin");
    if (!origin || origin === "null" || c.res.headers.has("access-control-allow-origin")) return;
    const asked = c.req.method === "OPTIONS" ? c.req.header("access-control-request-method") : undefined;
    const isOpen =
      asked === undefined
        ? knows(c.var.caller?.origins, origin)
        : isForEndUsers(handlersAt(asked, c.req.path));
    if (!isOpen) return;

    c.header("access-control-allow-origin", origin);
    c.header("access-control-allow-credentials", undefined);
    if (asked === undefined) c.header("access-control-expose-headers", EXPOSED_HEADERS.join(","));
  });

/** Callers are known only once they have shown who they are. */
const knows = (origins: readonly string[] | undefined, origin: string): boolean =>
  origins?.includes(origin) ?? false;

const isForEndUsers = (handlers: readonly object[]): boolean =>
  handlers.some((handler) => {
    const doc = docOf(handler);
    return doc?.kind === "operation" && doc.access.includes("end-user");
  });
