import type { AgentId } from "../shared/id-types.ts";
import { isEndUserId } from "./access-scope.ts";
import { createMiddleware } from "hono/factory";
import * as z from "zod";
import { notFound } from "../shared/errors.ts";
import type { UserEnv } from "./env.ts";
import { endUserIn, endUserQuery } from "./end-user-query.ts";
import { documented } from "../http/openapi.ts";
import { requirePermission } from "./require-access.ts";

const EndUserQuery = z.object(endUserQuery);

/** The input that the middleware reads: the validated agent id, and the query, which is part of the routes' types. */
interface EndUserInput {
  in: { query?: z.input<typeof EndUserQuery> };
  out: { param: { agentId: AgentId } };
}

/**
 * Switches the scope to an end user's memory if the owner sends `?end_user_id=`. API keys need a scope for end users in addition
 * to that of the route. Throws `not-found` if the agent has no such end user. Mount it after the validation of the path and
 * before anything that reads the scope.
 */
export const endUserScope = documented(
  createMiddleware<UserEnv, string, EndUserInput>(async (c, next) => {
    const { end_user_id, end_user } = c.req.query();
    const id = endUserIn({ end_user_id, end_user });
    if (id === undefined) return next();

    const isRead = c.req.method === "GET" || c.req.method === "HEAD";
    requirePermission(["user", isRead ? "end-users:read" : "end-users:write"], c.var.caller);
    const { deps, scope } = c.var;
    const { agentId } = c.req.valid("param");
    if (!isEndUserId(id)) {
      // A malformed id gets the same answer as an unknown one.
      await deps.agents.get(scope.accountEmail, agentId);
      throw notFound("End user");
    }
    c.set("scope", await deps.endUserService.scope(scope.accountEmail, agentId, id));
    return next();
  }),
  { kind: "input", target: "query", schema: EndUserQuery },
);
