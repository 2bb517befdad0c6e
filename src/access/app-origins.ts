import type { MiddlewareHandler } from "hono";
import { cors } from "hono/cors";
import { EXPOSED_HEADERS } from "./end-user-origins.ts";
import type { AppEnv } from "./env.ts";

/** The headers that OpenAI's and the AI SDK's clients add to requests from pages. They say what the client is. */
const CLIENT_HEADERS = [
  "User-Agent",
  "X-Stainless-Arch",
  "X-Stainless-Helper-Method",
  "X-Stainless-Lang",
  "X-Stainless-OS",
  "X-Stainless-Package-Version",
  "X-Stainless-Retry-Count",
  "X-Stainless-Runtime",
  "X-Stainless-Runtime-Version",
  "X-Stainless-Timeout",
];

/**
 * CORS for the app's own pages, whose origins `originsOf` returns. Requests without an `Origin` come from programs, which ignore these
 * headers, so they only get the `Vary` that caches need. Hono's middleware would create a second response for each of them.
 */
export function appOrigins(originsOf: (env: Env) => readonly string[]): MiddlewareHandler<AppEnv> {
  const withHeaders = cors({
    origin: (origin, c) => (originsOf(c.env).includes(origin) ? origin : null),
    credentials: true,
    allowHeaders: [
      "Authorization",
      "Content-Type",
      "Idempotency-Key",
      "If-Match",
      "If-None-Match",
      "Last-Event-ID",
      "MCP-Protocol-Version",
      "Mcp-Method",
      "Mcp-Name",
      "Mcp-Session-Id",
      "X-AI-SDK",
      "X-API-Key",
      "X-Conversation-Id",
      "X-Time-Zone",
      ...CLIENT_HEADERS,
    ],
    exposeHeaders: EXPOSED_HEADERS,
    maxAge: 600,
  });

  return async (c, next) => {
    if (c.req.header("origin") !== undefined || c.req.method === "OPTIONS") return withHeaders(c, next);

    await next();
    c.header("Vary", "Origin", { append: true });
  };
}
