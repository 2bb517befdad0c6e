import { createMiddleware } from "hono/factory";
import { docOf } from "../http/openapi.ts";
import type { UserEnv } from "./env.ts";
import { accessOf, type Who } from "./require-access.ts";

/** The response headers that pages of other origins may read. */
export const EXPOSED_HEADERS = [
  "ETag",
  "Mcp-Session-Id",
  "Next-Cursor",
  "Retry-After",
  "RateLimit",
  "RateLimit-Policy",
  "X-Conversation-Id",
  "X-Request-Id",
  "X-Run-Id",
  "X-Warning",
];

/** Returns the handlers that match a method and a path. */
export type HandlersAt = (method: string, path: string) => readonly object[];

/**
 * CORS for the web pages of agents' owners: the pages that an end user's token names may read the answers to its requests,
 * without credentials. A preflight carries no token, so every origin passes the preflight of a route for end users. The
 * request itself is refused if its token does not name the origin, and the page can't read the answer. Routes with `anyOrigin` are open to
 * pages of all origins. Mount it before the CORS middleware for the app's own pages, whose headers take precedence.
 *
 * The routes of publishable keys refuse pages of other origins themselves, so every page may read their answers: it finds nothing in
 * them but the reason.
 */
export const endUserOrigins = (handlersAt: HandlersAt) =>
  createMiddleware<UserEnv>(async (c, next) => {
    await next();

    const origin = c.req.header("origin");
    if (!origin || origin === "null" || c.res.headers.has("access-control-allow-origin")) return;
    const preflighted =
      c.req.method === "OPTIONS" ? c.req.header("access-control-request-method") : undefined;
    const handlers = handlersAt(preflighted ?? c.req.method, c.req.path);
    const isOpen =
      handlers.some((handler) => docOf(handler)?.kind === "any-origin") ||
      isFor(["page", "visitor"], handlers) ||
      (preflighted === undefined ? knows(c.var.caller?.origins, origin) : isFor(["end-user"], handlers));
    if (!isOpen) return;

    c.header("access-control-allow-origin", origin);
    c.header("access-control-allow-credentials", undefined);
    if (preflighted === undefined) c.header("access-control-expose-headers", EXPOSED_HEADERS.join(","));
  });

/** There is no caller before authentication, so `origins` may be missing. */
const knows = (origins: readonly string[] | undefined, origin: string): boolean =>
  origins?.includes(origin) ?? false;

const isFor = (callers: readonly Who[], handlers: readonly object[]): boolean =>
  handlers.some((handler) => {
    const access = accessOf(handler);
    return access !== undefined && access !== "public" && callers.some((who) => access.includes(who));
  });
