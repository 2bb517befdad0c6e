import { createMiddleware } from "hono/factory";
import { secureHeaders } from "hono/secure-headers";
import type { AppEnv } from "../env.ts";

/** A year. Hosts below the API's own have to speak HTTPS as well. */
const HSTS = "max-age=31536000; includeSubDomains";

/**
 * What browsers are told of every answer. Nothing here is a page: nothing may be loaded, framed or run by one. Pages
 * of other origins read answers by CORS, which the same-origin resource policy leaves alone.
 */
export const securityHeaders = secureHeaders({
  strictTransportSecurity: HSTS,
  contentSecurityPolicy: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
  xFrameOptions: "DENY",
  referrerPolicy: "no-referrer",
  crossOriginResourcePolicy: "same-origin",
  crossOriginOpenerPolicy: "same-origin",
});

/** Keeps answers out of every cache, unless their route says otherwise. */
export const uncached = createMiddleware<AppEnv>(async (c, next) => {
  await next();
  if (!c.res.headers.has("cache-control")) c.res.headers.set("cache-control", "no-store");
});
