import { createMiddleware } from "hono/factory";
import { secureHeaders } from "hono/secure-headers";
import type { HttpEnv } from "../env.ts";

/** One year, in seconds. Subdomains must use HTTPS, too. */
const HSTS = "max-age=31536000; includeSubDomains";

/** What a route may decide otherwise: pages have a policy of their own, and what other sites embed or open may be shared with them. */
const OWN = [
  "content-security-policy",
  "cross-origin-resource-policy",
  "cross-origin-opener-policy",
] as const;

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
 * them. What a route sets itself is kept; see `OWN`. The same-origin resource policy does not affect CORS, by which pages of other
 * origins read answers.
 */
export const securityHeaders = createMiddleware<HttpEnv>(async (c, next) => {
  const own = new Map<string, string>();
  await headers(c, async () => {
    await next();
    for (const name of OWN) {
      const value = c.res.headers.get(name);
      if (value !== null) own.set(name, value);
    }
  });
  for (const [name, value] of own) c.res.headers.set(name, value);
});

/** Sets `Cache-Control: no-store`, unless the route has set its own. */
export const uncached = createMiddleware<HttpEnv>(async (c, next) => {
  await next();
  if (!c.res.headers.has("cache-control")) c.res.headers.set("cache-control", "no-store");
});
