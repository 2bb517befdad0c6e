import { Hono } from "hono";
import { cors } from "hono/cors";
import { requestId } from "hono/request-id";
import openapi from "../docs/openapi.json" with { type: "json" };
import { agentRoutes } from "./agents/routes.ts";
import { localAuthRoutes, meRoutes } from "./auth/routes.ts";
import { conversationRoutes } from "./conversations/routes.ts";
import { createDeps, type Ports, portsFrom } from "./deps.ts";
import { configFrom } from "./config.ts";
import type { AppEnv } from "./http/env.ts";
import { authenticate } from "./http/middleware/authenticate.ts";
import { limitBody } from "./http/middleware/body-limit.ts";
import { onError, onNotFound } from "./http/problem.ts";
import { systemRoutes } from "./http/system-routes.ts";
import { archivalRoutes } from "./memory/archival-routes.ts";
import { memoryRoutes } from "./memory/routes.ts";
import { checkoutRoutes, paymentRoutes, publicPaymentRoutes } from "./payments/routes.ts";
import { runRoutes, sendRoutes } from "./runs/routes.ts";

/** The app: what every request passes, and one `.route()` per feature. */
export function createApp(ports: (env: Env) => Promise<Ports> = portsFrom) {
  // Both spellings of a path, with and without a slash at its end, are one route.
  const app = new Hono<AppEnv>({ strict: false });
  app.onError(onError);
  app.notFound(onNotFound);

  return app
    .use(requestId())
    .use(
      cors({
        origin: (origin, c) => (configFrom(c.env).frontendOrigins.includes(origin) ? origin : null),
        credentials: true,
        allowHeaders: ["Authorization", "Content-Type", "Idempotency-Key", "If-Match", "Last-Event-ID"],
        exposeHeaders: ["ETag", "Retry-After", "RateLimit", "RateLimit-Policy", "X-Request-Id"],
        maxAge: 600,
      }),
    )
    .use(limitBody)
    .use(async (c, next) => {
      c.set("deps", createDeps(await ports(c.env)));
      await next();
    })
    .use(authenticate)
    .route("/", systemRoutes(openapi))
    .route("/auth", meRoutes)
    .route("/auth/local", localAuthRoutes)
    .route("/agents", agentRoutes)
    .route("/agents", memoryRoutes)
    .route("/agents", archivalRoutes)
    .route("/agents", sendRoutes)
    .route("/conversations", conversationRoutes)
    .route("/conversations", runRoutes)
    .route("/payments/stripe", publicPaymentRoutes)
    .route("/payments/stripe", checkoutRoutes)
    .route("/payments/stripe", paymentRoutes);
}

/** The types of all routes, for Hono's client. */
export type AppType = ReturnType<typeof createApp>;
