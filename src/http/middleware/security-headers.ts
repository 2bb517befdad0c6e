import { createMiddleware } from "hono/factory";
import { secureHeaders } from "hono/secure-headers";
import type { HttpEnv } from "../env.ts";

/** One year, in seconds. Subdomains must use HTTPS, too. */
const HSTS = "max-age=31536000; includeSubDomains";

const CSP = "content-security-policy";

const headers = secureHeaders({
  strictTransportSecurity: HSTS,
  contentSecurityPolicy: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
  xFrameOptions: "DENY",
  referrerPolicy: "no-referrer",
  crossOriginResourcePolicy: "same-origin",
  crossOriginOpenerPolicy: "same-origin",
});

/**
 * Sets security headers on every answer. Answers of the API are no web pages, so browsers may not load, frame or run anything from
 * them. A page brings a content security policy of its own, which is kept. The same-origin resource policy does not affect CORS, by
 * which pages of other origins read answers.
 */
export const securityHeaders = createMiddleware<HttpEnv>(async (c, next) => {
  let own: string | null = null;
  await headers(c, async () => {
    await next();
    own = c.res.headers.get(CSP);
  });
  if (own !== null) c.res.headers.set(CSP, own);
});

/** Sets `Cache-Control: no-store`, unless the route has set its own. */
export const uncached = createMiddleware<HttpEnv>(async (c, next) => {
  await next();
  if (!c.res.headers.has("cache-control")) c.res.headers.set("cache-control", "no-store");
});
