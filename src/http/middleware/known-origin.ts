import { createMiddleware } from "hono/factory";
import { configFrom } from "../../config.ts";
import { AppError } from "../../shared/errors.ts";
import type { AppEnv } from "../env.ts";

/**
 * For routes that act on a cookie: lets only pages of the application and of this service pass. A browser names the
 * page's origin on every POST; a request without one passes where the browser says that it is a page of this service's.
 */
export const requireKnownOrigin = createMiddleware<AppEnv>(async (c, next) => {
  const origin = c.req.header("origin");
  const { frontendOrigins, publicOrigin } = configFrom(c.env);
  const isKnown =
    origin === undefined
      ? c.req.header("sec-fetch-site") === "same-origin"
      : [...frontendOrigins, publicOrigin].includes(origin);
  if (!isKnown) throw new AppError("forbidden", "This page may not do that.");
  await next();
});
