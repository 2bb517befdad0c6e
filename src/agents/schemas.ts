import * as z from "zod";
import { agentFields, type AgentSettings, agentShape } from "./fields.ts";
import type { Agent, AgentChanges as Changes } from "./model.ts";

/** The body that creates an agent. */
export const NewAgent = z.strictObject(agentShape("create")).meta({ id: "NewAgent" });

/** The body that updates an agent. */
export const AgentChanges = z.strictObject(agentShape("change")).meta({ id: "AgentChanges" });

export const AgentView = z
  .object({
    agent_id: z.string(),
    ...agentShape("view"),
    created_by: z.string(),
    created_at: z.string(),
    updated_at: z.string().nullable(),
  })
  .meta({ id: "Agent" });

type Settings = Pick<z.infer<typeof AgentView>, keyof ReturnType<typeof agentShape<"view">>>;

/** Returns an agent as answers show it. */
export const toView = (agent: Agent): z.infer<typeof AgentView> => ({
  agent_id: agent.id,
  // The cast states what the loop does: the fields' names are the view's.
  ...(Object.fromEntries(agentFields.map(([name, { member }]) => [name, agent[member]])) as Settings),
  created_by: agent.accountEmail,
  created_at: agent.createdAt,
  updated_at: agent.updatedAt,
});

/** Returns the changes that a body contains. Removing the fallback provider also removes the fallback model. */
export function changesIn(body: z.infer<typeof AgentChanges>): Changes {
  const sent: Readonly<Record<string, unknown>> = body;
  const given = agentFields.filter(([name]) => sent[name] !== undefined);
  return {
    ...(Object.fromEntries(given.map(([name, { member }]) => [member, sent[name]])) as Changes),
    ...(body.fallback_provider === null && { fallbackModel: null }),
  };
}

/** Returns the settings of a new agent: those that the body contains, and initial values for all others. */
export const settingsOf = (body: z.infer<typeof NewAgent>): AgentSettings => ({
  ...initialSettings,
  ...changesIn(body),
  name: body.agent_name,
  architecture: body.agent_architecture,
  persona: body.agent_persona,
  provider: body.agent_provider,
});

type Initial = Omit<AgentSettings, "name" | "architecture" | "persona" | "provider">;

/** The values that a new agent has unless its body says otherwise. */
const initialSettings = Object.fromEntries(
  agentFields.map(([, { member, initial }]) => [member, initial]),
) as unknown as Initial;
