import { createMiddleware } from "hono/factory";
import * as z from "zod";
import { isEndUserId } from "../../end-users/model.ts";
import { notFound } from "../../shared/errors.ts";
import type { UserEnv } from "../env.ts";
import { documented } from "../openapi.ts";
import { requireAccess } from "./authenticate.ts";

const EndUserQuery = z.object({
  end_user: z
    .string()
    .optional()
    .describe(
      "An end user of the agent, whose memory is meant instead; API keys need a scope for end users, too.",
    ),
});

/**
 * Lets the agent's owner speak of an end user's memory instead of their own, by `?end_user=`; programs need a scope for
 * end users besides that of the route. To stand behind the validation of the path, and before whatever looks at the space.
 */
export const endUserSpace = documented(
  createMiddleware<UserEnv, string, { out: { param: { agentId: string } } }>(async (c, next) => {
    const id = c.req.query("end_user");
    if (id === undefined || id === "") return next();

    const isRead = c.req.method === "GET" || c.req.method === "HEAD";
    requireAccess(["user", isRead ? "end-users:read" : "end-users:write"], c.var.caller);
    const { deps, space } = c.var;
    const { agentId } = c.req.valid("param");
    if (!isEndUserId(id)) {
      // What can't be an end user is answered like one that is not there.
      await deps.agents.get(space.owner, agentId);
      throw notFound("End user");
    }
    c.set("space", await deps.endUserService.space(space.owner, agentId, id));
    return next();
  }),
  { kind: "input", target: "query", schema: EndUserQuery },
);
