import { type Context, Hono } from "hono";
import * as z from "zod";
import { validateAgentPath } from "../access/agent-path.ts";
import { limitBursts } from "../access/burst-limit.ts";
import type { AppEnv, UserEnv } from "../access/env.ts";
import { requireAccess } from "../access/require-access.ts";
import { written, writtenAs } from "../access/written.ts";
import { EndUserId } from "../end-users/view.ts";
import { maxBody } from "../http/middleware/body-limit.ts";
import { operation } from "../http/openapi.ts";
import { AgentIdText, ConversationIdText, RunIdText } from "../http/schemas.ts";
import { validate } from "../http/validate.ts";
import type { RunnerCall } from "./runner-model.ts";
import { CallId, DECISION_LIMIT, decisionOf, NewDecision } from "./decision-schemas.ts";
import { RunDetails, RunReference, toRunDetails } from "./view.ts";

const EndUserRunParam = z.object({
  agentId: AgentIdText,
  endUserId: EndUserId,
  conversationId: ConversationIdText,
  runId: RunIdText,
});
const EndUserCallParam = EndUserRunParam.extend({ callId: CallId });

/** The runs of end users, for the owner of their agent. Visitors of web pages can't decide about calls; the owner does, here. */
export const endUserRunRoutes = new Hono<AppEnv>()
  .get(
    "/:agentId/end-users/:endUserId/conversations/:conversationId/runs/:runId",
    operation("getEndUserRun", { 200: RunDetails }),
    requireAccess("user", "end-users:read"),
    validateAgentPath(EndUserRunParam),
    async (c) => {
      const param = c.req.valid("param");
      const run = await c.var.deps.runnerClient.getRun(await callFor(c, param), param.runId);
      return c.json(toRunDetails(run), 200);
    },
  )
  .post(
    "/:agentId/end-users/:endUserId/conversations/:conversationId/runs/:runId/approvals/:callId",
    operation("decideEndUserCall", { 200: writtenAs(RunDetails, RunReference) }),
    maxBody(DECISION_LIMIT),
    requireAccess("user", "end-users:write"),
    limitBursts("costly"),
    validateAgentPath(EndUserCallParam),
    validate("json", NewDecision),
    async (c) => {
      const param = c.req.valid("param");
      const decisions = [{ callId: param.callId, decision: decisionOf(c.req.valid("json")) }];
      const run = await c.var.deps.runnerClient.decide(await callFor(c, param), param.runId, decisions);
      return c.json(written(c, toRunDetails(run), RunReference), 200);
    },
  );

/** Returns a call about an end user's conversation. Throws `not-found` if the agent is not the caller's, or has no such end user. */
async function callFor(
  { var: { deps, scope: own, requestId } }: Context<UserEnv>,
  { agentId, endUserId, conversationId }: z.output<typeof EndUserRunParam>,
): Promise<RunnerCall> {
  const scope = await deps.endUserService.scope(own.accountEmail, agentId, endUserId);
  return { scope, conversationId, requestId };
}
