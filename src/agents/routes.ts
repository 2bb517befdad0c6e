import { type AgentId, agentIdOf } from "../shared/id-types.ts";
import { type Context, Hono } from "hono";
import * as z from "zod";
import { idempotent } from "../idempotency/middleware.ts";
import { operation } from "../http/openapi.ts";
import type { AppEnv, UserEnv } from "../access/env.ts";
import { requireAccess } from "../access/require-access.ts";
import { validateAgentPath } from "../access/agent-path.ts";
import { AgentIdText, UNFINISHED, Unfinished } from "../http/schemas.ts";
import { validate } from "../http/validate.ts";
import { mayRead, written, writtenAs } from "../access/written.ts";
import { Form } from "../shared/forms.ts";
import { createAgentForm, updateAgentForm } from "./forms.ts";
import { AgentChanges, AgentView, changesIn, NewAgent, settingsOf, toView } from "./schemas.ts";
import { AppError } from "../shared/errors.ts";
import { reaches } from "../access/access-scope.ts";

const AgentReference = AgentView.pick({ agent_id: true, created_at: true, updated_at: true }).meta({
  id: "AgentReference",
});
const WrittenAgent = writtenAs(AgentView, AgentReference);

const AgentParam = z.object({ agentId: AgentIdText });

export const agentRoutes = new Hono<AppEnv>()
  .get(
    "/supported-models",
    operation("getCreateAgentForm", { 200: Form }),
    requireAccess("user", "agents:read"),
    async (c) =>
      c.json(createAgentForm(await c.var.deps.providerService.offers(c.var.scope.accountEmail)), 200),
  )
  .get(
    "/update-schema/:agentId",
    operation("getUpdateAgentForm", { 200: Form }),
    requireAccess("user", "agents:read"),
    validateAgentPath(z.object({ agentId: z.string().transform(agentIdOf) })),
    async (c) => {
      const offers = await c.var.deps.providerService.offers(c.var.scope.accountEmail);
      return c.json(updateAgentForm(c.req.valid("param").agentId, offers), 200);
    },
  )
  .post(
    "/",
    operation("createAgent", {
      200: WrittenAgent,
      201: WrittenAgent,
    }),
    requireAccess("user", "agents:write"),
    validate("json", NewAgent),
    idempotent,
    async (c) => {
      const body = c.req.valid("json");
      if (c.var.scope.agentIds)
        throw new AppError(
          "forbidden",
          "This API key is limited to certain agents and cannot create others.",
        );
      const { agent, created, warnings } = await c.var.deps.agentService.create(
        c.var.scope.accountEmail,
        settingsOf(body),
        changesIn(body),
        { wantedId: c.var.entityId, suggestsModels: mayRead(c) },
      );
      warn(c, warnings);
      return c.json(written(c, toView(agent), AgentReference), created ? 201 : 200);
    },
  )
  .get(
    "/",
    operation("listAgents", { 200: z.array(AgentView) }),
    requireAccess("user", "agents:read"),
    async (c) => {
      const { deps, scope } = c.var;
      const agents = (await deps.agents.list(scope.accountEmail)).filter(({ id }) => reaches(scope, id));
      return c.json(agents.map(toView), 200);
    },
  )
  .get(
    "/:agentId",
    operation("getAgent", { 200: AgentView }),
    requireAccess("user", "agents:read"),
    validateAgentPath(AgentParam),
    async (c) =>
      c.json(
        toView(await c.var.deps.agents.get(c.var.scope.accountEmail, c.req.valid("param").agentId)),
        200,
      ),
  )
  .put(
    "/:agentId",
    operation("updateAgent", {
      200: WrittenAgent,
    }),
    requireAccess("user", "agents:write"),
    validateAgentPath(AgentParam),
    validate("json", AgentChanges),
    async (c) => c.json(await updated(c, c.req.valid("param").agentId, c.req.valid("json")), 200),
  )
  .patch(
    "/:agentId",
    operation("patchAgent", { 200: WrittenAgent }),
    requireAccess("user", "agents:write"),
    validateAgentPath(AgentParam),
    validate("json", AgentChanges),
    async (c) => c.json(await updated(c, c.req.valid("param").agentId, c.req.valid("json")), 200),
  )
  .delete(
    "/:agentId",
    operation("deleteAgent", {
      202: Unfinished,
      204: "empty",
    }),
    requireAccess("user", "agents:write"),
    validateAgentPath(AgentParam),
    async (c) => {
      const { deps, scope } = c.var;
      const { agentId } = c.req.valid("param");
      const isDone = await deps.partialDeletionService.begin(
        scope.accountEmail,
        { kind: "agent", agentId },
        () => deps.agentService.remove(scope.accountEmail, agentId),
      );
      return isDone ? c.body(null, 204) : c.json(UNFINISHED, 202);
    },
  );

async function updated(c: Context<UserEnv>, id: AgentId, body: z.infer<typeof AgentChanges>) {
  const { agent, warnings } = await c.var.deps.agentService.update(c.var.scope, id, changesIn(body), {
    suggestsModels: mayRead(c),
  });
  warn(c, warnings);
  return written(c, toView(agent), AgentReference);
}

/** Adds what the caller should know about a request that was accepted. */
function warn(c: Context, warnings: readonly string[]): void {
  if (warnings.length > 0) c.header("X-Warning", warnings.join(" "));
}
