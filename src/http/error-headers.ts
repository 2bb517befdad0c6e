import type { AppError } from "../shared/errors.ts";
import { rateLimitHeaders } from "../shared/rate-limit.ts";

/** Returns the headers that an error has in every form: `type` is that of its body. */
export function errorHeaders(error: AppError, requestId: string, type: string): Headers {
  const headers = new Headers({
    "content-type": type,
    "cache-control": "no-store",
    "x-request-id": requestId,
    ...(error.rateLimit && rateLimitHeaders(error.rateLimit)),
  });
  if (error.retryAfter !== undefined) headers.set("retry-after", String(error.retryAfter));
  if (error.allow !== undefined) headers.set("allow", error.allow.join(", "));
  return headers;
}
