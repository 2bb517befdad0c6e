import type { Context, ErrorHandler, NotFoundHandler } from "hono";
import { HTTPException } from "hono/http-exception";
import { AppError } from "../shared/errors.ts";
import type { AppEnv } from "./env.ts";
import { logProblem, type ProblemContext, problemResponse } from "./problem-document.ts";

/** Answers whatever was thrown. */
export const onError: ErrorHandler<AppEnv> = (thrown, c) => {
  const error = toAppError(thrown);
  logProblem(error, contextOf(c));
  return problemResponse(error, contextOf(c));
};

export const onNotFound: NotFoundHandler<AppEnv> = (c) =>
  problemResponse(new AppError("not-found", "There is nothing at this path."), contextOf(c));

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
