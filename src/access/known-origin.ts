import { createMiddleware } from "hono/factory";
import { configFrom } from "../config.ts";
import { AppError } from "../shared/errors.ts";
import type { AppEnv, UserEnv } from "./env.ts";

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

/**
 * Refuses web pages of origins that are neither the application's nor this service's, for protocols that require it of their servers
 * (DNS rebinding). Programs send no `Origin`, and the token of an end user names its origins itself. Mount it after the access check.
 * Throws `forbidden`.
 */
export const refuseForeignOrigins = createMiddleware<UserEnv>(async (c, next) => {
  const origin = c.req.header("origin");
  const { frontendOrigins, publicOrigin } = configFrom(c.env);
  if (
    origin !== undefined &&
    c.var.caller.kind !== "end-user" &&
    ![...frontendOrigins, publicOrigin].includes(origin)
  )
    throw new AppError("forbidden", "Requests from this origin are not allowed.");
  await next();
});
