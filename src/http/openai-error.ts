import { errorHeaders } from "./error-headers.ts";
import type { AppError } from "../shared/errors.ts";
import type { ProblemContext } from "./problem-document.ts";

/** An error as OpenAI's API writes it. `param` names the member of the request that is wrong. */
interface OpenAiError {
  readonly error: {
    readonly message: string;
    readonly type: string;
    readonly param: string | null;
    readonly code: string;
  };
}

/** The paths whose clients are written for OpenAI's API. */
const PREFIX = "/v1";

/** Returns whether the errors of a path have OpenAI's form. */
export const speaksOpenAi = (path: string): boolean => path === PREFIX || path.startsWith(`${PREFIX}/`);

/** Returns an error in OpenAI's form. Codes and sentences are those of problem documents. */
export const openAiError = (error: AppError): OpenAiError => ({
  error: { message: error.message, type: typeOf(error), param: paramOf(error), code: error.code },
});

/** Like `problemResponse`, in OpenAI's form. */
export function openAiErrorResponse(error: AppError, { requestId }: ProblemContext): Response {
  const headers = errorHeaders(error, requestId, "application/json");
  // OpenAI's clients retry 409, 429 and 5xx by themselves. Not all of these can succeed later.
  headers.set("x-should-retry", String(error.retryable));
  if (error.code === "unauthenticated") headers.set("www-authenticate", "Bearer");
  return new Response(JSON.stringify(openAiError(error)), { status: error.status, headers });
}

function typeOf({ status }: AppError): string {
  if (status === 401) return "authentication_error";
  if (status === 403) return "permission_error";
  if (status === 429) return "rate_limit_error";
  return status >= 500 ? "server_error" : "invalid_request_error";
}

/** The path of the first member that is not valid. `invalidInput` writes it. */
function paramOf({ extensions }: AppError): string | null {
  const { errors } = extensions;
  const first: unknown = Array.isArray(errors) ? errors[0] : undefined;
  const path = typeof first === "object" && first !== null && "path" in first ? first.path : undefined;
  return Array.isArray(path) && path.length > 0 ? path.join(".") : null;
}
