import {
  count,
  idAfter,
  optionalCount,
  optionalNumber,
  optionalText,
  renamed,
  text,
  texts,
} from "../table/fields.ts";
import { userPartition } from "../table/keys.ts";
import type { Item, Key } from "../table/marshal.ts";

/** An agent as its owner made it. Names of architecture, provider and model may be older than what is offered today. */
export interface Agent {
  readonly id: string;
  readonly owner: string;
  readonly name: string;
  readonly architecture: string;
  readonly provider: string;
  readonly model: string | null;
  readonly persona: string;
  /** A conversation idle for longer starts with no history; 0 never does. */
  readonly sessionTimeoutMinutes: number;
  /** Null leaves it to the provider. */
  readonly temperature: number | null;
  readonly maxOutputTokens: number | null;
  /** Asked when the provider fails before it has said anything. A model alone is one of the same provider. */
  readonly fallbackProvider: string | null;
  readonly fallbackModel: string | null;
  /** The pages that end users may talk to it from. */
  readonly allowedOrigins: readonly string[];
  readonly createdAt: string;
  readonly updatedAt: string | null;
}

/** What an update may change; absent members stay as they are. */
export type AgentChanges = Partial<
  Pick<
    Agent,
    | "architecture"
    | "provider"
    | "model"
    | "persona"
    | "sessionTimeoutMinutes"
    | "temperature"
    | "maxOutputTokens"
    | "fallbackProvider"
    | "fallbackModel"
    | "allowedOrigins"
  >
>;

export const DEFAULT_SESSION_TIMEOUT_MINUTES = 60;
/** What agents without the attribute were made with. */
const DEFAULT_ARCHITECTURE = "krishna-mini";

export const AGENT_PREFIX = "Agent#";

export const agentKey = (owner: string, id: string): Key => ({
  pk: userPartition(owner),
  sk: `${AGENT_PREFIX}${id}`,
});

/** DynamoDB's sort keys hold 1,024 bytes, and a character of a name takes up to nine of them. */
const MAX_SPELLED_NAME = 1_000;

/** A name as the sort key of its guard spells it. */
const spelled = (name: string): string => encodeURIComponent(name.toWellFormed().trim().toLowerCase());

/** Whether a name is short enough to be guarded. */
export const isGuardable = (name: string): boolean => spelled(name).length <= MAX_SPELLED_NAME;

/** Holds the name of an agent, so that two agents of one owner can't share it, whatever races. */
export const agentNameKey = (owner: string, name: string): Key => ({
  pk: userPartition(owner),
  // Names that are longer are older than the guards: nothing stands under their key, but it has to be one.
  sk: `AgentName#${spelled(name).slice(0, MAX_SPELLED_NAME)}`,
});

/** Whether two agents' names are one name. */
export const isSameName = (a: string, b: string): boolean =>
  a.trim().toLowerCase() === b.trim().toLowerCase();

/** Attribute names of what an update may change, by member. */
const CHANGEABLE = {
  architecture: "agent_architecture",
  provider: "agent_provider",
  model: "agent_model",
  persona: "agent_persona",
  sessionTimeoutMinutes: "session_timeout_minutes",
  temperature: "temperature",
  maxOutputTokens: "max_output_tokens",
  fallbackProvider: "fallback_provider",
  fallbackModel: "fallback_model",
  allowedOrigins: "allowed_origins",
} as const satisfies Record<keyof AgentChanges, string>;

export const agentItem = (agent: Agent): Item => ({
  ...agentKey(agent.owner, agent.id),
  entity_type: "Agent",
  agent_id: agent.id,
  agent_name: agent.name,
  agent_architecture: agent.architecture,
  agent_provider: agent.provider,
  agent_model: agent.model,
  agent_persona: agent.persona,
  session_timeout_minutes: agent.sessionTimeoutMinutes,
  ...(agent.temperature !== null && { temperature: agent.temperature }),
  ...(agent.maxOutputTokens !== null && { max_output_tokens: agent.maxOutputTokens }),
  ...(agent.fallbackProvider !== null && { fallback_provider: agent.fallbackProvider }),
  ...(agent.fallbackModel !== null && { fallback_model: agent.fallbackModel }),
  ...(agent.allowedOrigins.length > 0 && { allowed_origins: agent.allowedOrigins }),
  created_by: agent.owner,
  created_at: agent.createdAt,
  updated_at: agent.updatedAt,
});

/** Changes as attributes of the stored item. */
export const agentAttributes = (changes: AgentChanges): Item => renamed(changes, CHANGEABLE);

export const agentFrom = (item: Item): Agent => ({
  id: text(item, "agent_id") || idAfter(item, AGENT_PREFIX),
  owner: text(item, "created_by"),
  name: text(item, "agent_name"),
  architecture: text(item, "agent_architecture", DEFAULT_ARCHITECTURE),
  provider: text(item, "agent_provider"),
  model: optionalText(item, "agent_model") || null,
  persona: text(item, "agent_persona"),
  sessionTimeoutMinutes: count(item, "session_timeout_minutes", DEFAULT_SESSION_TIMEOUT_MINUTES),
  temperature: optionalNumber(item, "temperature") ?? null,
  maxOutputTokens: optionalCount(item, "max_output_tokens") ?? null,
  fallbackProvider: optionalText(item, "fallback_provider") || null,
  fallbackModel: optionalText(item, "fallback_model") || null,
  allowedOrigins: texts(item, "allowed_origins"),
  createdAt: text(item, "created_at"),
  updatedAt: optionalText(item, "updated_at"),
});
