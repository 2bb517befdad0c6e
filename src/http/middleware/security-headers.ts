import { createMiddleware } from "hono/factory";
import { secureHeaders } from "hono/secure-headers";
import type { HttpEnv } from "../env.ts";

/** One year, in seconds. Subdomains must use HTTPS, too. */
const HSTS = "max-age=31536000; includeSubDomains";

/**
 * Sets security headers on every answer. No answer is a web page, so browsers may not load, frame or run anything from it.
 * The same-origin resource policy does not affect CORS, by which pages of other origins read answers.
 */
export const securityHeaders = secureHeaders({
  strictTransportSecurity: HSTS,
  contentSecurityPolicy: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
  xFrameOptions: "DENY",
  referrerPolicy: "no-referrer",
  crossOriginResourcePolicy: "same-origin",
  crossOriginOpenerPolicy: "same-origin",
});

/** Sets `Cache-Control: no-store`, unless the route has set its own. */
export const uncached = createMiddleware<HttpEnv>(async (c, next) => {
  await next();
  if (!c.res.headers.has("cache-control")) c.res.headers.set("cache-control", "no-store");
});
