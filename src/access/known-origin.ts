import { createMiddleware } from "hono/factory";
import { configFrom } from "../config.ts";
import { AppError } from "../shared/errors.ts";
import type { AppEnv } from "./env.ts";

/**
 * Protects routes that act on a cookie against cross-site request forgery: only pages of the application and of this service
 * may call them. Browsers send `Origin` with every POST; without one, `Sec-Fetch-Site` must be `same-origin`. Throws
 * `forbidden` for all other requests.
 */
export const requireKnownOrigin = createMiddleware<AppEnv>(async (c, next) => {
  const origin = c.req.header("origin");
  const { frontendOrigins, publicOrigin } = configFrom(c.env);
  const isKnown =
    origin === undefined
      ? c.req.header("sec-fetch-site") === "same-origin"
      : [...frontendOrigins, publicOrigin].includes(origin);
  if (!isKnown) throw new AppError("forbidden", "Requests from this origin are not allowed.");
  await next();
});
