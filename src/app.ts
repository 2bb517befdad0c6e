import { Hono } from "hono";
import { cors } from "hono/cors";
import { requestId } from "hono/request-id";
import openapi from "../docs/openapi.json" with { type: "json" };
import { accountRoutes } from "./accounts/routes.ts";
import { agentRoutes } from "./agents/routes.ts";
import { apiKeyRoutes } from "./api-keys/routes.ts";
import { localAuthRoutes, meRoutes } from "./auth/routes.ts";
import { cookieRoutes, sessionRoutes } from "./auth/session-routes.ts";
import { signInRoutes } from "./auth/sign-in-routes.ts";
import { contextRoutes } from "./conversations/context-routes.ts";
import { conversationRoutes } from "./conversations/routes.ts";
import { createDeps, type Ports, portsFrom } from "./deps.ts";
import { configFrom } from "./config.ts";
import { endUserRoutes } from "./end-users/routes.ts";
import type { AppEnv } from "./http/env.ts";
import { accessLog } from "./http/middleware/access-log.ts";
import { authenticate } from "./http/middleware/authenticate.ts";
import { limitBody } from "./http/middleware/body-limit.ts";
import { limitBursts } from "./http/middleware/burst-limit.ts";
import { endUserOrigins, EXPOSED_HEADERS } from "./http/middleware/end-user-origins.ts";
import { securityHeaders, uncached } from "./http/middleware/security-headers.ts";
import { onError, onNotFound } from "./http/problem.ts";
import { systemRoutes } from "./http/system-routes.ts";
import { archivalRoutes } from "./memory/archival-routes.ts";
import { memoryRoutes } from "./memory/routes.ts";
import { checkoutRoutes, paymentRoutes, publicPaymentRoutes } from "./payments/routes.ts";
import { recallRoutes } from "./messages/recall-routes.ts";
import { runRoutes, sendRoutes } from "./runs/routes.ts";
import { modelListRoutes } from "./settings/model-list-routes.ts";
import { usageRoutes } from "./plans/routes.ts";
import { providerRoutes } from "./settings/routes.ts";

/** The app: what every request passes, and one `.route()` per feature. */
export function createApp(ports: (env: Env) => Promise<Ports> = portsFrom) {
  // Both spellings of a path, with and without a slash at its end, are one route.
  const app = new Hono<AppEnv>({ strict: false });
  app.onError(onError);
  app.notFound(onNotFound(app));

  return app
    .use(requestId())
    .use(accessLog)
    .use(securityHeaders)
    .use(uncached)
    .use(
      endUserOrigins((method, path) => app.router.match(method, path)[0].map(([[, route]]) => route.handler)),
    )
    .use(
      cors({
        origin: (origin, c) => (configFrom(c.env).frontendOrigins.includes(origin) ? origin : null),
        credentials: true,
        allowHeaders: ["Authorization", "Content-Type", "Idempotency-Key", "If-Match", "Last-Event-ID"],
        exposeHeaders: EXPOSED_HEADERS,
        maxAge: 600,
      }),
    )
    .use(limitBody)
    .use(async (c, next) => {
      c.set("deps", createDeps(await ports(c.env)));
      await next();
    })
    .use(authenticate)
    .use(limitBursts)
    .route("/", systemRoutes(openapi))
    .route("/auth", meRoutes)
    .route("/auth", signInRoutes)
    .route("/auth", cookieRoutes)
    .route("/auth", sessionRoutes)
    .route("/auth/local", localAuthRoutes)
    .route("/api-keys", apiKeyRoutes)
    .route("/users", accountRoutes)
    .route("/agents", agentRoutes)
    .route("/agents", memoryRoutes)
    .route("/agents", archivalRoutes)
    .route("/agents", endUserRoutes)
    .route("/agents", recallRoutes)
    .route("/agents", sendRoutes)
    .route("/conversations", conversationRoutes)
    .route("/conversations", runRoutes)
    .route("/usage", usageRoutes)
    .route("/payments/stripe", publicPaymentRoutes)
    .route("/payments/stripe", checkoutRoutes)
    .route("/conversations", contextRoutes)
    .route("/settings/providers", providerRoutes)
    .route("/llm", modelListRoutes)
    .route("/payments/stripe", paymentRoutes);
}

/** The types of all routes, for Hono's client. */
export type AppType = ReturnType<typeof createApp>;
