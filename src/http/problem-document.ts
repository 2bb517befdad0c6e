import type { AppError } from "../shared/errors.ts";
import { rateLimitHeaders } from "../shared/rate-limit.ts";

/** The request that a problem belongs to. */
export interface ProblemContext {
  /** The path of the request. */
  readonly instance: string;
  readonly requestId: string;
}

/** Returns an error as `application/problem+json` (RFC 9457), with its code and the request's id. */
export function problemResponse(error: AppError, { instance, requestId }: ProblemContext): Response {
  const headers = new Headers({
    "content-type": "application/problem+json",
    "cache-control": "no-store",
    "x-request-id": requestId,
    ...(error.rateLimit && rateLimitHeaders(error.rateLimit)),
  });
  if (error.retryAfter !== undefined) headers.set("retry-after", String(error.retryAfter));
  if (error.code === "unauthenticated") headers.set("www-authenticate", "Bearer");
  if (error.allow !== undefined) headers.set("allow", error.allow.join(", "));

  const problem = {
    type: `urn:problem:${error.code}`,
    title: error.title,
    status: error.status,
    detail: error.message,
    instance,
    code: error.code,
    request_id: requestId,
    ...error.extensions,
  };
  return new Response(JSON.stringify(problem), { status: error.status, headers });
}

/** Logs server errors (5xx) with their cause, which the caller must not see. */
export function logProblem(error: AppError, { requestId }: Pick<ProblemContext, "requestId">): void {
  if (error.status < 500) return;
  console.error({ message: error.message, requestId, code: error.code, cause: error.cause ?? error });
}
