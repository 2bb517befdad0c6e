import { errorHeaders } from "./error-headers.ts";
import type { AppError } from "../shared/errors.ts";

/** The request that a problem belongs to. */
export interface ProblemContext {
  /** The path of the request. */
  readonly instance: string;
  readonly requestId: string;
}

/** Returns an error as `application/problem+json` (RFC 9457), with its code and the request's id. */
export function problemResponse(error: AppError, { instance, requestId }: ProblemContext): Response {
  const headers = errorHeaders(error, requestId, "application/problem+json");
  if (error.code === "unauthenticated") headers.set("www-authenticate", "Bearer");

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
