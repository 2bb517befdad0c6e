import { table } from "../support/app.ts";
import { keyOf } from "../../src/table/fields.ts";
import type { Item } from "../../src/table/marshal.ts";

/** An agent as the legacy Python service wrote it: a random id, no name guard, and more attributes than are known here. */
export async function plantOldAgent(email: string, attributes: Item = {}): Promise<string> {
  const id = crypto.randomUUID();
  await table.put({
    pk: `User#${email}`,
    sk: `Agent#${id}`,
    entity_type: "Agent",
    agent_id: id,
    agent_name: "Old Ada",
    agent_architecture: "krishna-memgpt",
    agent_provider: "Bedrock",
    agent_model: null,
    agent_persona: "You are Ada.",
    agent_provider_api_key: "sk-legacy",
    session_timeout_minutes: 60,
    created_by: email,
    created_at: "2025-06-01T10:00:00.000123+00:00",
    updated_at: null,
    ...attributes,
  });
  return id;
}

/** The agents and name guards of a user as they are stored. */
export async function storedAgents(email: string) {
  const items = await table.query(`User#${email}`);
  const under = (prefix: string) => items.filter((item) => keyOf(item).sk.startsWith(prefix));
  return { agents: under("Agent#"), guards: under("AgentName#") };
}
