import { type PlanRules, requireAgent } from "../plans/account-plan.ts";
import type { Clock } from "../shared/clock.ts";
import { AppError } from "../shared/errors.ts";
import { newId } from "../shared/ids.ts";
import { ownSpace, type Space } from "../users/space.ts";
import { type Agent, type AgentChanges, isSameName } from "./model.ts";
import type { AgentRepository } from "./repository.ts";

/** How often a creation is tried again because other agents have come or gone meanwhile. */
const TRIES = 32;
/** The longest rest before such a repetition, so that many who create at once get out of each other's way. */
const REST_MS = 50;

/** What of conversations an agent's deletion needs. */
export interface AgentConversations {
  idsOfAgent(space: Space, agentId: string): Promise<readonly string[]>;
  remove(space: Space, conversationId: string): Promise<"absent" | "unfinished" | "done">;
}

/** What of archival memory an agent's deletion needs. */
export interface AgentMemories {
  /** Removes all memories; false where so many are left that it takes another call. */
  sweep(space: Space, agentId: string): Promise<boolean>;
}

/** What of end users an agent's deletion needs. */
export interface AgentEndUsers {
  /** Removes all of them with what is theirs; false where so much is left that it takes another call. */
  removeAll(owner: string, agentId: string): Promise<boolean>;
}

export type NewAgent = Omit<Agent, "id" | "owner" | "createdAt" | "updatedAt">;

export class AgentService {
  readonly #agents: AgentRepository;
  readonly #conversations: AgentConversations;
  readonly #memories: AgentMemories;
  readonly #endUsers: AgentEndUsers;
  readonly #rules: Pick<PlanRules, "upgradeUrl">;
  readonly #clock: Clock;

  constructor(
    agents: AgentRepository,
    conversations: AgentConversations,
    memories: AgentMemories,
    endUsers: AgentEndUsers,
    rules: Pick<PlanRules, "upgradeUrl">,
    clock: Clock,
  ) {
    this.#agents = agents;
    this.#conversations = conversations;
    this.#memories = memories;
    this.#endUsers = endUsers;
    this.#rules = rules;
    this.#clock = clock;
  }

  /**
   * Creates an agent, or gives the owner's agent that already has the name. Who repeats a request names its id. Throws a
   * 429 where the plan allows no more.
   */
  async create(
    owner: string,
    input: NewAgent,
    wantedId?: string,
  ): Promise<{ agent: Agent; created: boolean }> {
    const id = wantedId ?? newId(this.#clock.now());
    const agent: Agent = { ...input, id, owner, createdAt: this.#clock.timestamp(), updatedAt: null };

    for (let tries = 0; tries < TRIES; tries++) {
      const roster = await this.#agents.roster(owner, this.#clock.now());
      // One of the service before may have the name without a guard.
      const namesake = roster.agents.find(({ name }) => isSameName(name, agent.name));
      // A namesake with the very id is the work of the same request, whose answer was lost.
      if (namesake) return { agent: namesake, created: namesake.id === id };

      requireAgent(roster.plan, roster.agents.length, this.#rules);
      const creation = await this.#agents.create(agent, roster);
      if (creation) return creation;
      await new Promise((resolve) => setTimeout(resolve, Math.random() * REST_MS));
    }
    throw new AppError("unavailable", "Other agents come and go all the time. Please try again.", {
      retryAfter: 1,
    });
  }

  /** Changes what is given and gives the agent as it then is. */
  update(owner: string, id: string, changes: AgentChanges): Promise<Agent> {
    if (Object.keys(changes).length === 0) return this.#agents.get(owner, id);
    return this.#agents.update(owner, id, changes, this.#clock.timestamp());
  }

  /**
   * Deletes an agent with its conversations and memories, its end users' included. It is gone for everybody at once; false where so much of it
   * is left that it takes another call, which goes on where this one stopped.
   */
  async remove(owner: string, id: string): Promise<boolean> {
    const exists = await this.#agents.beginDeletion(owner, id, this.#clock.timestamp());
    if (!exists) return true;

    const space = ownSpace(owner);
    for (const conversationId of await this.#conversations.idsOfAgent(space, id))
      if ((await this.#conversations.remove(space, conversationId)) === "unfinished") return false;
    if (!(await this.#endUsers.removeAll(owner, id))) return false;
    if (!(await this.#memories.sweep(space, id))) return false;
    if (!(await this.#agents.sweep(owner, id))) return false;

    await this.#agents.endDeletion(owner, id);
    return true;
  }
}
