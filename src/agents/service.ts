import { sleep } from "../shared/async.ts";
import { type PlanRules } from "../plans/account-plan.ts";
import { requireBelowLimit } from "../plans/refusals.ts";
import type { DeletionGuard } from "../deletions/model.ts";
import type { Clock } from "../shared/clock.ts";
import { AppError, notFound } from "../shared/errors.ts";
import { type AccountEmail, type AgentId, type ConversationId, agentIdOf } from "../shared/id-types.ts";
import { newId } from "../shared/ids.ts";
import { ownScope, reaches, type AccessScope } from "../access/access-scope.ts";
import type { AgentSettings } from "./fields.ts";
import { type Agent, type AgentChanges, differingFields } from "./model.ts";
import { isSameName } from "./name.ts";
import { MODEL_MEMBERS, newModels, type WantedModel } from "./wanted-models.ts";
import type { AgentRepository, Roster } from "./repository.ts";

/** How often a creation is attempted while agents are created or deleted concurrently. */
const ATTEMPTS = 32;
/** The longest random pause between attempts, which spreads concurrent requests out. */
const MAX_PAUSE_MS = 50;

/** The operations on conversations that deleting an agent needs. */
export interface AgentConversations {
  idsOfAgent(scope: AccessScope, agentId: AgentId, limit: number): Promise<readonly ConversationId[]>;
  remove(
    scope: AccessScope,
    conversationId: ConversationId,
    guards: { readonly within: DeletionGuard },
  ): Promise<"absent" | "unfinished" | "done">;
}

/** The operations on archival memory that deleting an agent needs. */
export interface AgentMemories {
  /** Removes memories. Returns false if some are left; then call it again. */
  sweep(scope: AccessScope, agentId: AgentId, guard: DeletionGuard): Promise<boolean>;
}

/** The operations on end users that deleting an agent needs. */
export interface AgentEndUsers {
  /** Removes end users and everything of theirs. Returns false if something is left; then call it again. */
  removeAll(accountEmail: AccountEmail, agentId: AgentId, within: DeletionGuard): Promise<boolean>;
}

/** The operations on publishable keys that deleting an agent needs. */
interface AgentKeys {
  /** Removes keys. Returns false if some are left; then call it again. */
  removeAll(agentId: AgentId, guard: DeletionGuard): Promise<boolean>;
}

/** The operations on links to knowledge bases that deleting an agent needs. */
export interface AgentKnowledgeLinks {
  /** Removes what leads from knowledge bases to the agent. */
  forgetAgent(agentId: AgentId, guard: DeletionGuard): Promise<void>;
}

/** The operations on connected MCP clients that deleting an agent needs. */
export interface AgentConnections {
  /** Ends all connections to the agent. */
  endOfAgent(accountEmail: AccountEmail, agentId: AgentId, guard: DeletionGuard): Promise<void>;
}

/** How a refused model is explained. */
interface Explanation {
  /** Whether the error names similar models that the provider lists, which not every caller may know. */
  readonly suggestsModels: boolean;
}

/** Checks the models of agents. */
export interface AgentModels {
  /** Returns warnings about models that are accepted. Throws `validation-failed` if one can't be used. */
  check(
    accountEmail: AccountEmail,
    wanted: readonly WantedModel[],
    explanation: Explanation,
  ): Promise<readonly string[]>;
}

/**
 * Conversations removed per call. Each takes five requests, of which a Worker may make a limited number. Programs that keep their own
 * history have one for each message of a day.
 */
const CONVERSATIONS_AT_ONCE = 100;

interface AgentServiceDeps {
  readonly agents: AgentRepository;
  readonly conversations: AgentConversations;
  readonly memories: AgentMemories;
  readonly endUsers: AgentEndUsers;
  readonly publishableKeys: AgentKeys;
  readonly knowledgeLinks: AgentKnowledgeLinks;
  readonly connections: AgentConnections;
  readonly models: AgentModels;
  readonly rules: Pick<PlanRules, "upgradeUrl">;
  readonly clock: Clock;
}

/** A stored agent, and warnings about its models. */
interface Saved {
  readonly agent: Agent;
  readonly warnings: readonly string[];
}

export class AgentService {
  readonly #agents: AgentRepository;
  readonly #conversations: AgentConversations;
  readonly #memories: AgentMemories;
  readonly #endUsers: AgentEndUsers;
  readonly #publishableKeys: AgentKeys;
  readonly #knowledgeLinks: AgentKnowledgeLinks;
  readonly #connections: AgentConnections;
  readonly #models: AgentModels;
  readonly #rules: Pick<PlanRules, "upgradeUrl">;
  readonly #clock: Clock;

  constructor({
    agents,
    conversations,
    memories,
    endUsers,
    publishableKeys,
    knowledgeLinks,
    connections,
    models,
    rules,
    clock,
  }: AgentServiceDeps) {
    this.#agents = agents;
    this.#conversations = conversations;
    this.#memories = memories;
    this.#endUsers = endUsers;
    this.#publishableKeys = publishableKeys;
    this.#knowledgeLinks = knowledgeLinks;
    this.#connections = connections;
    this.#models = models;
    this.#rules = rules;
    this.#clock = clock;
  }

  /**
   * Creates an agent. If the account has an agent of that name which agrees with `sent`, the fields that the body contains,
   * returns that agent. `wantedId` is the id that an earlier attempt of the same request used. Throws `conflict` if the
   * existing agent differs, `limit-exceeded` if the plan allows no more agents, `validation-failed` if its provider does
   * not offer a model, and `unavailable` if the agents keep changing. The warnings are about models that could not be checked.
   */
  create(
    accountEmail: AccountEmail,
    settings: AgentSettings,
    sent: AgentChanges,
    { wantedId, ...explanation }: Explanation & { readonly wantedId: string | undefined },
  ): Promise<Saved & { created: boolean }> {
    const id = agentIdOf(wantedId ?? newId(this.#clock.now()));
    const createdAt = this.#clock.timestamp();
    const agent: Agent = { ...settings, id, accountEmail, createdAt, updatedAt: null };

    return this.#withRoster(accountEmail, async (roster) => {
      // Agents of the legacy Python service have names without guards.
      const namesake = roster.agents.find(({ name }) => isSameName(name, agent.name));
      // A namesake with the same id was created by an earlier attempt of this request, whose answer was lost.
      if (namesake?.id === id) return { agent: namesake, created: true, warnings: [] };
      if (namesake) return { agent: requireAgreement(namesake, sent), created: false, warnings: [] };

      requireBelowLimit(roster.plan, "agents", roster.agents.length, this.#rules);
      const warnings = await this.#models.check(accountEmail, newModels(agent), explanation);
      const creation = await this.#agents.create(agent, roster);
      if (creation && !creation.created) requireAgreement(creation.agent, sent);
      return creation && { ...creation, warnings };
    });
  }

  /**
   * Applies the changes and returns the updated agent. Throws `not-found` if there is none, `conflict` if another agent of the
   * account has the new name, `validation-failed` if its provider does not offer a new model, and `unavailable` if the agents
   * keep changing.
   */
  async update(
    scope: AccessScope,
    id: AgentId,
    changes: AgentChanges,
    explanation: Explanation,
  ): Promise<Saved> {
    const { accountEmail } = scope;
    const warnings = await this.#checkModels(accountEmail, id, changes, explanation);
    return { agent: await this.#save(scope, id, changes), warnings };
  }

  async #checkModels(
    accountEmail: AccountEmail,
    id: AgentId,
    changes: AgentChanges,
    explanation: Explanation,
  ): Promise<readonly string[]> {
    if (!MODEL_MEMBERS.some((member) => changes[member] !== undefined)) return [];
    const agent = await this.#agents.get(accountEmail, id);
    return this.#models.check(accountEmail, newModels({ ...agent, ...changes }, agent), explanation);
  }

  async #save(scope: AccessScope, id: AgentId, { name, ...others }: AgentChanges): Promise<Agent> {
    const { accountEmail } = scope;
    if (name === undefined) return this.#change(accountEmail, id, others);

    return this.#withRoster(accountEmail, async (roster) => {
      const agent = roster.agents.find((candidate) => candidate.id === id);
      if (!agent) throw notFound("Agent");
      if (agent.name === name) return this.#change(accountEmail, id, others);

      const namesake = roster.agents.find((other) => other.id !== id && isSameName(other.name, name));
      if (namesake) throw nameTaken(scope, namesake);
      return this.#agents.rename(agent, { ...others, name }, roster, this.#clock.timestamp());
    });
  }

  /**
   * Deletes an agent with its conversations, memories and end users. All readers see it as absent at once. Returns
   * false if something is left to remove; the next call continues there. With `begun`, only continues that deletion, which may have ended.
   */
  async remove(accountEmail: AccountEmail, id: AgentId, begun?: DeletionGuard): Promise<boolean> {
    const guard = begun ?? (await this.#agents.beginDeletion(accountEmail, id, this.#clock.timestamp()));
    if (!guard) return true;

    // First, so that no visitor comes any more.
    if (!(await this.#publishableKeys.removeAll(id, guard))) return false;
    const scope = ownScope(accountEmail);
    const conversationIds = await this.#conversations.idsOfAgent(scope, id, CONVERSATIONS_AT_ONCE + 1);
    for (const conversationId of conversationIds.slice(0, CONVERSATIONS_AT_ONCE))
      if ((await this.#conversations.remove(scope, conversationId, { within: guard })) === "unfinished")
        return false;
    if (conversationIds.length > CONVERSATIONS_AT_ONCE) return false;
    if (!(await this.#endUsers.removeAll(accountEmail, id, guard))) return false;
    if (!(await this.#memories.sweep(scope, id, guard))) return false;
    await this.#knowledgeLinks.forgetAgent(id, guard);
    await this.#connections.endOfAgent(accountEmail, id, guard);
    if (!(await this.#agents.sweep(accountEmail, id, guard))) return false;

    await this.#agents.endDeletion(guard);
    return true;
  }

  #change(accountEmail: AccountEmail, id: AgentId, changes: AgentChanges): Promise<Agent> {
    if (Object.keys(changes).length === 0) return this.#agents.get(accountEmail, id);
    return this.#agents.update(accountEmail, id, changes, this.#clock.timestamp());
  }

  /** Attempts a write with a fresh roster until it returns a result: `undefined` says that the agents have changed. */
  async #withRoster<T>(
    accountEmail: AccountEmail,
    write: (roster: Roster) => Promise<T | undefined>,
  ): Promise<T> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const written = await write(await this.#agents.roster(accountEmail, this.#clock.now()));
      if (written !== undefined) return written;
      await sleep(Math.random() * MAX_PAUSE_MS);
    }
    throw new AppError("unavailable", "Your agents are being changed concurrently. Please try again.", {
      retryAfter: 1,
    });
  }
}

/** Returns the existing agent. Throws `conflict` if it differs from what a creation asks for. */
function requireAgreement(existing: Agent, sent: AgentChanges): Agent {
  const fields = differingFields(existing, sent);
  if (fields.length === 0) return existing;
  throw new AppError(
    "conflict",
    `You already have an agent of this name, and it differs in ${fields.join(", ")}. Update that agent, or choose another name.`,
    { extensions: { existing_agent_id: existing.id, fields } },
  );
}

/** The id is for callers who may use that agent. */
const nameTaken = (scope: AccessScope, { id }: Agent): AppError =>
  new AppError("conflict", "Another agent has this name. Choose another one.", {
    ...(reaches(scope, id) && { extensions: { existing_agent_id: id, fields: ["agent_name"] } }),
  });
