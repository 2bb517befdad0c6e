import type { Context, ErrorHandler, NotFoundHandler } from "hono";
import { HTTPException } from "hono/http-exception";
import { AppError } from "../shared/errors.ts";
import type { AppEnv } from "./env.ts";

/** Answers whatever was thrown; what is our fault is logged with its cause and tells the caller nothing. */
export const onError: ErrorHandler<AppEnv> = (thrown, c) => {
  const error = toAppError(thrown);
  if (error.status >= 500) {
    console.error({
      message: error.message,
      requestId: c.var.requestId,
      code: error.code,
      cause: error.cause ?? error,
    });
  }
  return problemResponse(error, c);
};

export const onNotFound: NotFoundHandler<AppEnv> = (c) =>
  problemResponse(new AppError("not-found", "There is nothing at this path."), c);

/** An error as `application/problem+json` (RFC 9457), with its code and the request's id. */
function problemResponse(error: AppError, c: Context<AppEnv>): Response {
  const headers = new Headers({ "content-type": "application/problem+json", "cache-control": "no-store" });
  if (error.retryAfter !== undefined) headers.set("retry-after", String(error.retryAfter));
  if (error.code === "unauthenticated") headers.set("www-authenticate", "Bearer");

  const problem = {
    type: `urn:problem:${error.code}`,
    title: error.title,
    status: error.status,
    detail: error.message,
    instance: c.req.path,
    code: error.code,
    request_id: c.var.requestId,
    ...error.extensions,
  };
  return c.body(JSON.stringify(problem), error.status, Object.fromEntries(headers));
}

/** Hono's own refusals (a body that is not JSON, above all) are the caller's mistakes. */
function toAppError(thrown: unknown): AppError {
  if (!(thrown instanceof HTTPException) || thrown.status >= 500) return AppError.from(thrown);
  return new AppError("malformed-request", thrown.message || "The request can't be read.", { cause: thrown });
}
