import type { Context, ErrorHandler, Hono, NotFoundHandler } from "hono";
import { HTTPException } from "hono/http-exception";
import { AppError } from "../shared/errors.ts";
import type { AppEnv } from "./env.ts";
import { operationAmong } from "./openapi.ts";
import { logProblem, type ProblemContext, problemResponse } from "./problem-document.ts";

/** Answers whatever was thrown. */
export const onError: ErrorHandler<AppEnv> = (thrown, c) => {
  const error = toAppError(thrown);
  logProblem(error, contextOf(c));
  return problemResponse(error, contextOf(c));
};

/**
 * Answers where no route is: 404, or 405 with the methods that the path has. Only callers with a token come here; to all
 * others every path but the open ones is closed.
 */
export const onNotFound =
  (app: Pick<Hono<AppEnv>, "router" | "routes">): NotFoundHandler<AppEnv> =>
  (c) => {
    const methods = methodsOf(app, c.req.path);
    if (methods.length === 0)
      return problemResponse(new AppError("not-found", "There is nothing at this path."), contextOf(c));

    const allow = [...methods, ...(methods.includes("GET") ? ["HEAD"] : []), "OPTIONS"];
    const message = `There is no ${c.req.method} at this path, but ${allow.join(", ")}.`;
    return problemResponse(new AppError("method-not-allowed", message, { allow }), contextOf(c));
  };

/** The methods that routes have at a path. */
function methodsOf({ router, routes }: Pick<Hono<AppEnv>, "router" | "routes">, path: string): string[] {
  const known = new Set(routes.map(({ method }) => method).filter((method) => method !== "ALL"));
  return [...known].filter((method) =>
    operationAmong(router.match(method, path)[0].map(([[, route]]) => route)),
  );
}

/** The request that a handler serves, for its problems. */
export const contextOf = (c: Pick<Context<AppEnv>, "req" | "var">): ProblemContext => ({
  instance: c.req.path,
  requestId: c.var.requestId,
});

/** Hono's own refusals (a body that is not JSON, above all) are the caller's mistakes. */
function toAppError(thrown: unknown): AppError {
  if (!(thrown instanceof HTTPException) || thrown.status >= 500) return AppError.from(thrown);
  return new AppError("malformed-request", thrown.message || "The request can't be read.", { cause: thrown });
}
