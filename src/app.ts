import { Hono } from "hono";
import { requestId } from "hono/request-id";
import { endUserExportRoutes } from "./accounts/end-user-export-routes.ts";
import { chatRoutes } from "./ai-sdk/routes.ts";
import { responseRoutes } from "./openai-api/response-routes.ts";
import { openAiRoutes } from "./openai-api/routes.ts";
import { accountRoutes } from "./accounts/routes.ts";
import { agentRoutes } from "./agents/routes.ts";
import { apiKeyRoutes } from "./api-keys/routes.ts";
import { localAuthRoutes, meRoutes } from "./auth/routes.ts";
import { cookieRoutes, sessionRoutes } from "./auth/session-routes.ts";
import { signInRoutes } from "./auth/sign-in-routes.ts";
import { contextRoutes } from "./runs/context-routes.ts";
import { contactRoutes } from "./contact/routes.ts";
import { conversationRoutes } from "./conversations/routes.ts";
import { configFrom } from "./config.ts";
import { createDeps } from "./deps/request.ts";
import { type Ports, portsFrom } from "./deps/ports.ts";
import { endUserRoutes } from "./end-users/routes.ts";
import type { AppEnv } from "./access/env.ts";
import { httpToolRoutes } from "./http-tools/routes.ts";
import { mcpCallbackRoutes } from "./mcp-servers/callback-routes.ts";
import { mcpServerRoutes } from "./mcp-servers/routes.ts";
import { namingResource } from "./mcp/challenge.ts";
import { mcpRoutes } from "./mcp/routes.ts";
import { connectionRoutes } from "./oauth/connection-routes.ts";
import { metadataRoutes, oauthRoutes } from "./oauth/routes.ts";
import { publishableKeyRoutes } from "./publishable-keys/routes.ts";
import { refuseOverload } from "./access/overload.ts";
import { accessLog } from "./access/access-log.ts";
import { GuardedRouter } from "./http/guarded-router.ts";
import { limitBody } from "./http/middleware/body-limit.ts";
import { appOrigins } from "./access/app-origins.ts";
import { endUserOrigins } from "./access/end-user-origins.ts";
import { requireAccessChecks } from "./access/route-checks.ts";
import { securityHeaders, uncached } from "./http/middleware/security-headers.ts";
import { onError, onNotFound } from "./http/problem.ts";
import type { AdmissionQueue } from "./shared/admission-queue.ts";
import { pageRoutes as webPageRoutes } from "./system/page-routes.ts";
import { referenceRoutes } from "./system/reference-routes.ts";
import { systemRoutes } from "./system/routes.ts";
import { crawlRoutes } from "./knowledge/crawling/crawl-routes.ts";
import { linkRoutes } from "./knowledge/link-routes.ts";
import { pageRoutes } from "./knowledge/page-routes.ts";
import { agentKnowledgeRoutes, knowledgeSearchRoutes } from "./knowledge/search-routes.ts";
import { knowledgeBaseRoutes } from "./knowledge/routes.ts";
import { uploadRoutes } from "./knowledge/upload-routes.ts";
import { archivalRoutes } from "./memory/archival-routes.ts";
import { memoryRoutes } from "./memory/routes.ts";
import { runChangeRoutes } from "./memory/run-change-routes.ts";
import { checkoutRoutes, paymentRoutes, publicPaymentRoutes } from "./payments/routes.ts";
import { recallRoutes } from "./messages/recall-routes.ts";
import { endUserRunRoutes } from "./runs/end-user-run-routes.ts";
import { runRoutes, sendRoutes } from "./runs/routes.ts";
import { modelListRoutes } from "./settings/model-list-routes.ts";
import { usageRoutes } from "./plans/routes.ts";
import { providerRoutes } from "./settings/routes.ts";
import { webhookRoutes } from "./webhooks/routes.ts";
import { widgetRoutes } from "./widget/routes.ts";
import { visitorPageRoutes, visitorSignInRoutes } from "./widget/sign-in-routes.ts";

/**
 * Creates the app: the middleware that every request passes, and one `.route()` per feature. Throws if a route has no access
 * check (see `requireAccessChecks`). Tests pass their own `ports`, and their own `queue` of messages that begin to run.
 */
export function createApp(ports: (env: Env) => Promise<Ports> = portsFrom, queue?: AdmissionQueue) {
  // `strict: false`: a path with and without a trailing slash is the same route.
  const app = new Hono<AppEnv>({ strict: false, router: new GuardedRouter() });
  app.onError((thrown, c) => namingResource(onError(thrown, c), c.req, () => configFrom(c.env).publicOrigin));
  app.notFound(onNotFound(app));

  const routes = app
    .use(requestId())
    .use(accessLog)
    .use(securityHeaders)
    .use(uncached)
    .use(
      endUserOrigins((method, path) => app.router.match(method, path)[0].map(([[, route]]) => route.handler)),
    )
    .use(appOrigins((env) => configFrom(env).frontendOrigins))
    .use(refuseOverload(queue))
    .use(limitBody)
    .use(async (c, next) => {
      c.set(
        "deps",
        createDeps(await ports(c.env), (work) => c.executionCtx.waitUntil(work)),
      );
      await next();
    })
    .route("/", systemRoutes)
    .route("/auth", meRoutes)
    .route("/auth", signInRoutes)
    .route("/auth", cookieRoutes)
    .route("/auth", sessionRoutes)
    .route("/auth/local", localAuthRoutes)
    .route("/api-keys", apiKeyRoutes)
    .route("/users", accountRoutes)
    .route("/users", connectionRoutes)
    .route("/oauth", oauthRoutes)
    .route("/.well-known", metadataRoutes)
    .route("/webhooks", webhookRoutes)
    .route("/agents", agentRoutes)
    .route("/agents", memoryRoutes)
    .route("/agents", archivalRoutes)
    .route("/agents", runChangeRoutes)
    .route("/agents", httpToolRoutes)
    .route("/agents", publishableKeyRoutes)
    .route("/agents", mcpServerRoutes)
    .route("/agents", endUserRoutes)
    .route("/agents", endUserExportRoutes)
    .route("/agents", endUserRunRoutes)
    .route("/agents", recallRoutes)
    .route("/agents", sendRoutes)
    .route("/agents", chatRoutes)
    .route("/v1", openAiRoutes)
    .route("/v1", responseRoutes)
    .route("/agents", linkRoutes)
    .route("/agents", agentKnowledgeRoutes)
    .route("/mcp/agents", mcpRoutes)
    .route("/widget", widgetRoutes)
    .route("/widget/auth", visitorSignInRoutes)
    .route("/knowledge-bases", knowledgeBaseRoutes)
    .route("/knowledge-bases", pageRoutes)
    .route("/knowledge-bases", knowledgeSearchRoutes)
    .route("/knowledge-bases", uploadRoutes)
    .route("/knowledge-bases", crawlRoutes)
    .route("/conversations", conversationRoutes)
    .route("/conversations", runRoutes)
    .route("/contact", contactRoutes)
    .route("/usage", usageRoutes)
    .route("/payments/stripe", publicPaymentRoutes)
    .route("/payments/stripe", checkoutRoutes)
    .route("/conversations", contextRoutes)
    .route("/settings/providers", providerRoutes)
    .route("/llm", modelListRoutes)
    .route("/payments/stripe", paymentRoutes);

  // Apart from the others: pages are no part of what a typed client calls.
  routes.route("/", webPageRoutes);
  routes.route("/", referenceRoutes);
  routes.route("/widget/auth", visitorPageRoutes);
  routes.route("/mcp-servers", mcpCallbackRoutes);
  requireAccessChecks(app.routes);
  return routes;
}

/** The types of all routes, for Hono's typed client: `hc<AppType>(url)`. */
export type AppType = ReturnType<typeof createApp>;
