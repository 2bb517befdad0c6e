import { AppError } from "../shared/errors.ts";

/** The errors of OAuth that this service returns (RFC 6749, 7591 and 8707). */
export type OAuthErrorCode =
  | "access_denied"
  | "invalid_client"
  | "invalid_client_metadata"
  | "invalid_grant"
  | "invalid_redirect_uri"
  | "invalid_request"
  | "invalid_scope"
  | "invalid_target"
  | "unsupported_grant_type"
  | "unsupported_response_type";

/** Returns a refusal with a code of OAuth, which `oauthErrorResponse` writes. */
export const refusal = (error: OAuthErrorCode, sentence: string, cause?: unknown): AppError =>
  new AppError("malformed-request", sentence, { cause, extensions: { error } });
