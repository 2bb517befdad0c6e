import type { Context, Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { AppError } from "../shared/errors.ts";
import type { HttpEnv } from "./env.ts";
import { jsonRpcErrorResponse, speaksJsonRpc } from "./json-rpc-error.ts";
import { oauthErrorResponse, speaksOAuth } from "./oauth-error.ts";
import { openAiErrorResponse, speaksOpenAi } from "./openai-error.ts";
import { operationAmong } from "./openapi.ts";
import { logProblem, type ProblemContext, problemResponse } from "./problem-document.ts";

/** The parts of a request that a problem needs. */
type ProblemSource = Pick<Context<HttpEnv>, "req" | "var">;

/** Turns anything thrown into an answer, mostly a problem document, and logs it if it is a server error. */
export const onError = (thrown: unknown, c: ProblemSource): Response => {
  const error = toAppError(thrown);
  logProblem(error, contextOf(c));
  return errorResponse(error, c);
};

/** Returns an error in the form that the clients of the request's path read. */
const errorResponse = (error: AppError, c: ProblemSource): Response => {
  const context = contextOf(c);
  if (speaksOpenAi(c.req.path)) return openAiErrorResponse(error, context);
  if (speaksOAuth(c.req.path)) return oauthErrorResponse(error, context);
  return speaksJsonRpc(c.req.path) ? jsonRpcErrorResponse(error, context) : problemResponse(error, context);
};

/**
 * Answers a request without a route: 405 with the allowed methods if the path has any, or else 404. Callers need no token for that:
 * the paths are public in the OpenAPI document, and clients take a 401 for the end of their session.
 */
export const onNotFound =
  (app: Pick<Hono, "router" | "routes">) =>
  (c: ProblemSource): Response => {
    const methods = methodsOf(app, c.req.path);
    if (methods.length === 0)
      return errorResponse(new AppError("not-found", "Nothing was found at this path."), c);

    const allow = [...methods, ...(methods.includes("GET") ? ["HEAD"] : []), "OPTIONS"];
    const usable = allow.filter((method) => method !== "OPTIONS").join(", ");
    const message = `${c.req.method} is not allowed here. Allowed: ${usable}.`;
    return errorResponse(new AppError("method-not-allowed", message, { allow }), c);
  };

/** The methods that have a route at this path. */
function methodsOf({ router, routes }: Pick<Hono, "router" | "routes">, path: string): string[] {
  const known = new Set(routes.map(({ method }) => method).filter((method) => method !== "ALL"));
  return [...known].filter((method) =>
    operationAmong(router.match(method, path)[0].map(([[, route]]) => route)),
  );
}

/** Returns the context of a problem: the path and the id of its request. */
export const contextOf = (c: ProblemSource): ProblemContext => ({
  instance: c.req.path,
  requestId: c.var.requestId,
});

/** Hono throws `HTTPException` for requests it can't read, mostly malformed JSON. Those are the caller's mistakes. */
function toAppError(thrown: unknown): AppError {
  if (!(thrown instanceof HTTPException) || thrown.status >= 500) return AppError.from(thrown);
  return new AppError("malformed-request", thrown.message || "The request could not be read.", {
    cause: thrown,
  });
}
