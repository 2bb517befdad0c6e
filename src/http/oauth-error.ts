import { errorHeaders } from "./error-headers.ts";
import type { AppError } from "../shared/errors.ts";
import type { ProblemContext } from "./problem-document.ts";

/** An error as OAuth 2.0 writes it (RFC 6749, section 5.2). */
interface OAuthError {
  readonly error: string;
  readonly error_description: string;
}

/** The paths that clients of OAuth call. What a person decides is on other paths, which the playground calls. */
const PATHS = /^\/oauth\/(?:register|token|revoke)\/?$/u;

/** Returns whether the errors of a path have the form of OAuth. */
export const speaksOAuth = (path: string): boolean => PATHS.test(path);

/** Returns the HTTP status of an error: OAuth has no 422. */
export const oauthStatus = ({ status }: Pick<AppError, "status">): number => (status === 422 ? 400 : status);

/** Returns an error in OAuth's form. A feature that means a certain code of OAuth puts it into `extensions.error`. */
export const oauthError = (error: AppError, path: string): OAuthError => ({
  error: codeOf(error, path),
  // RFC 6749 allows printable ASCII without quotation marks and backslashes.
  error_description: error.message.replaceAll(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/gu, "'"),
});

/** Like `problemResponse`, in OAuth's form. */
export function oauthErrorResponse(error: AppError, { requestId, instance }: ProblemContext): Response {
  const headers = errorHeaders(error, requestId, "application/json");
  return new Response(JSON.stringify(oauthError(error, instance)), { status: oauthStatus(error), headers });
}

/** What may succeed later is named so, because clients forget their tokens for most other codes. */
function codeOf({ code, status, extensions }: AppError, path: string): string {
  const { error } = extensions;
  if (typeof error === "string") return error;
  if (code === "validation-failed" && path.startsWith("/oauth/register")) return "invalid_client_metadata";
  if (status === 429 || status === 503) return "temporarily_unavailable";
  return status >= 500 ? "server_error" : "invalid_request";
}
