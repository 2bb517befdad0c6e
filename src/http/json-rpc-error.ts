import { errorHeaders } from "./error-headers.ts";
import type { AppError } from "../shared/errors.ts";
import type { ProblemContext } from "./problem-document.ts";

/** Whether the clients of a path speak the Model Context Protocol, whose errors are those of JSON-RPC. */
export const speaksJsonRpc = (path: string): boolean => path.startsWith("/mcp/");

/** The codes of JSON-RPC 2.0, section 5.1. All other errors have one of the range that it leaves to servers. */
const CODES: Readonly<Partial<Record<AppError["code"], number>>> = {
  "malformed-request": -32600,
  "validation-failed": -32600,
  internal: -32603,
};
const PARSE_ERROR = -32700;
const SERVER_ERROR = -32000;

/**
 * Returns an error as JSON-RPC error response with the status of its code. The id is null, because the error is about the HTTP
 * request, whose message may not have been read. `data` has the service's own code and the id of the request.
 */
export function jsonRpcErrorResponse(
  error: AppError,
  { requestId }: Pick<ProblemContext, "requestId">,
): Response {
  const headers = errorHeaders(error, requestId, "application/json");
  if (error.code === "unauthenticated") headers.set("www-authenticate", "Bearer");

  const code = error.name === "ParseError" ? PARSE_ERROR : (CODES[error.code] ?? SERVER_ERROR);
  const data = { code: error.code, request_id: requestId };
  return Response.json(
    { jsonrpc: "2.0", id: null, error: { code, message: error.message, data } },
    { status: error.status, headers },
  );
}
