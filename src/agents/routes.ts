import * as z from "zod";
import { idempotent } from "../http/middleware/idempotent.ts";
import { operation } from "../http/openapi.ts";
import { userRouter } from "../http/router.ts";
import { Id, Unfinished, UNFINISHED } from "../http/schemas.ts";
import { validate } from "../http/validate.ts";
import { Form } from "../shared/forms.ts";
import { createAgentForm, updateAgentForm } from "./forms.ts";
import { type Agent, DEFAULT_SESSION_TIMEOUT_MINUTES } from "./model.ts";
import { AgentChanges, modelSettings, NewAgent, NO_MODEL_SETTINGS } from "./schemas.ts";
import { AppError } from "../shared/errors.ts";
import { reaches } from "../users/space.ts";

const AgentView = z
  .object({
    agent_id: z.string(),
    agent_name: z.string(),
    agent_architecture: z.string(),
    agent_provider: z.string(),
    agent_model: z.string().nullable(),
    agent_persona: z.string(),
    session_timeout_minutes: z.number(),
    temperature: z.number().nullable(),
    max_output_tokens: z.number().nullable(),
    fallback_provider: z.string().nullable(),
    fallback_model: z.string().nullable(),
    allowed_origins: z.array(z.string()),
    created_by: z.string(),
    created_at: z.string(),
    updated_at: z.string().nullable(),
  })
  .meta({ id: "Agent" });

const AgentParam = z.object({ agentId: Id });

const toView = (agent: Agent): z.infer<typeof AgentView> => ({
  agent_id: agent.id,
  agent_name: agent.name,
  agent_architecture: agent.architecture,
  agent_provider: agent.provider,
  agent_model: agent.model,
  agent_persona: agent.persona,
  session_timeout_minutes: agent.sessionTimeoutMinutes,
  temperature: agent.temperature,
  max_output_tokens: agent.maxOutputTokens,
  fallback_provider: agent.fallbackProvider,
  fallback_model: agent.fallbackModel,
  allowed_origins: [...agent.allowedOrigins],
  created_by: agent.owner,
  created_at: agent.createdAt,
  updated_at: agent.updatedAt,
});

export const agentRoutes = userRouter()
  .get(
    "/supported-models",
    operation(
      "getCreateAgentForm",
      "The form that creates an agent",
      { 200: Form },
      { access: ["user", "agents:read"] },
    ),
    async (c) => c.json(createAgentForm(await c.var.deps.providers.offers(c.var.space.owner)), 200),
  )
  .get(
    "/update-schema/:agentId",
    operation(
      "getUpdateAgentForm",
      "The form that changes an agent",
      { 200: Form },
      { access: ["user", "agents:read"] },
    ),
    validate("param", z.object({ agentId: z.string() })),
    async (c) => {
      const offers = await c.var.deps.providers.offers(c.var.space.owner);
      return c.json(updateAgentForm(c.req.valid("param").agentId, offers), 200);
    },
  )
  .post(
    "/",
    operation(
      "createAgent",
      "Create an agent, or get the one that has the name",
      {
        200: AgentView,
        201: AgentView,
      },
      { access: ["user", "agents:write"] },
    ),
    validate("json", NewAgent),
    idempotent,
    async (c) => {
      const body = c.req.valid("json");
      if (c.var.space.agentIds) throw new AppError("forbidden", "This API key is for certain agents only");
      const { agent, created } = await c.var.deps.agentService.create(
        c.var.space.owner,
        {
          name: body.agent_name,
          architecture: body.agent_architecture,
          provider: body.agent_provider,
          model: body.agent_model || null,
          persona: body.agent_persona,
          sessionTimeoutMinutes: body.session_timeout_minutes ?? DEFAULT_SESSION_TIMEOUT_MINUTES,
          ...NO_MODEL_SETTINGS,
          ...modelSettings(body),
          allowedOrigins: body.allowed_origins ?? [],
        },
        c.var.entityId,
      );
      return c.json(toView(agent), created ? 201 : 200);
    },
  )
  .get(
    "/",
    operation(
      "listAgents",
      "All agents of the user",
      { 200: z.array(AgentView) },
      { access: ["user", "agents:read"] },
    ),
    async (c) => {
      const { deps, space } = c.var;
      const agents = (await deps.agents.list(space.owner)).filter(({ id }) => reaches(space, id));
      return c.json(agents.map(toView), 200);
    },
  )
  .get(
    "/:agentId",
    operation("getAgent", "An agent", { 200: AgentView }, { access: ["user", "agents:read"] }),
    validate("param", AgentParam),
    async (c) =>
      c.json(toView(await c.var.deps.agents.get(c.var.space.owner, c.req.valid("param").agentId)), 200),
  )
  .put(
    "/:agentId",
    operation(
      "updateAgent",
      "Change an agent; what is absent stays as it is",
      { 200: AgentView },
      { access: ["user", "agents:write"] },
    ),
    validate("param", AgentParam),
    validate("json", AgentChanges),
    async (c) => {
      const body = c.req.valid("json");
      const agent = await c.var.deps.agentService.update(c.var.space.owner, c.req.valid("param").agentId, {
        ...(body.agent_architecture !== undefined && { architecture: body.agent_architecture }),
        ...(body.agent_provider !== undefined && { provider: body.agent_provider }),
        ...(body.agent_model && { model: body.agent_model }),
        ...(body.agent_persona !== undefined && { persona: body.agent_persona }),
        ...(body.session_timeout_minutes !== undefined && {
          sessionTimeoutMinutes: body.session_timeout_minutes,
        }),
        ...modelSettings(body),
        ...(body.allowed_origins !== undefined && { allowedOrigins: body.allowed_origins }),
      });
      return c.json(toView(agent), 200);
    },
  )
  .delete(
    "/:agentId",
    operation(
      "deleteAgent",
      "Delete an agent with its conversations and memories",
      {
        202: Unfinished,
        204: "empty",
      },
      { access: ["user", "agents:write"] },
    ),
    validate("param", AgentParam),
    async (c) => {
      const done = await c.var.deps.agentService.remove(c.var.space.owner, c.req.valid("param").agentId);
      return done ? c.body(null, 204) : c.json(UNFINISHED, 202);
    },
  );
