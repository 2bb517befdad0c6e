import { type AccountEmail, type AgentId, accountEmailOf, agentIdOf } from "../shared/id-types.ts";
import { idAfter, optionalText, text } from "../table/fields.ts";
import { AGENT_PREFIX, agentKey } from "../table/keys.ts";
import { isSameValue } from "../table/equal.ts";
import type { Item, Value } from "../table/marshal.ts";
import { agentFields, type AgentSettings } from "./fields.ts";
import { isSameName } from "./name.ts";

/** An agent. `AGENT_FIELDS` describes the members that its owner sets. */
export interface Agent extends AgentSettings {
  readonly id: AgentId;
  readonly accountEmail: AccountEmail;
  readonly createdAt: string;
  readonly updatedAt: string | null;
}

/** The members that an update may change. Absent ones keep their values. */
export type AgentChanges = Partial<AgentSettings>;

/** Converts an agent to its stored item. */
export const agentItem = (agent: Agent): Item => ({
  ...agentKey(agent.accountEmail, agent.id),
  entity_type: "Agent",
  agent_id: agent.id,
  ...settingAttributes(agent),
  created_by: agent.accountEmail,
  created_at: agent.createdAt,
  updated_at: agent.updatedAt,
});

function settingAttributes(agent: AgentSettings): Item {
  const stored = agentFields.filter(
    ([, { member, sparse, initial }]) => !sparse || !isSameValue(agent[member], initial ?? null),
  );
  return Object.fromEntries(stored.map(([name, { member }]) => [name, agent[member]]));
}

/** Converts changes to attributes of the stored item. */
export const agentAttributes = (changes: AgentChanges): Item =>
  Object.fromEntries(
    agentFields.flatMap(([name, { member }]): [string, Value][] => {
      const value = changes[member];
      return value === undefined ? [] : [[name, value]];
    }),
  );

/**
 * Returns the names of the fields in which an agent differs from what a body asks for. Names that count as the same do not
 * differ.
 */
export const differingFields = (agent: Agent, wanted: AgentChanges): string[] =>
  agentFields.flatMap(([name, { member }]) => {
    const value = wanted[member];
    const isWanted =
      value === undefined ||
      isSameValue(value, agent[member]) ||
      (member === "name" && typeof value === "string" && isSameName(value, agent.name));
    return isWanted ? [] : [name];
  });

/** Reads an agent from its stored item, filling in defaults for missing attributes. */
export const agentFrom = (item: Item): Agent => ({
  ...settingsIn(item),
  id: agentIdOf(text(item, "agent_id") || idAfter(item, AGENT_PREFIX)),
  accountEmail: accountEmailOf(text(item, "created_by")),
  createdAt: text(item, "created_at"),
  updatedAt: optionalText(item, "updated_at"),
});

/** The cast states what the loop does: every field's member gets a value of the type that its reader returns. */
const settingsIn = (item: Item): AgentSettings =>
  Object.fromEntries(
    agentFields.map(([name, { member, read }]) => [member, read(item, name)]),
  ) as unknown as AgentSettings;
