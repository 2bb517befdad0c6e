import { bodyLimit } from "hono/body-limit";
import { createMiddleware } from "hono/factory";
import { AppError } from "../../shared/errors.ts";
import type { AppEnv } from "../env.ts";
import { operationOf } from "../openapi.ts";

/** Refuses bodies that are longer than their route allows, before they are read whole. */
export const limitBody = createMiddleware<AppEnv>((c, next) => {
  const maxSize = operationOf(c)?.bodyLimit;
  if (maxSize === undefined) return next();

  const limit = bodyLimit({
    maxSize,
    onError() {
      throw new AppError("payload-too-large", `The body may have at most ${Math.floor(maxSize / 1024)} KB.`);
    },
  });
  return limit(c, next);
});
