import { type AccountEmail, type AgentId, agentIdOf } from "../shared/id-types.ts";
import { type AccountPlan, accountPlanFrom, type PlanRules } from "../plans/account-plan.ts";
import { activeUsageKey, type AgentCount, countAgents, versionOf } from "../plans/model.ts";
import { SUBSCRIPTION_PREFIX } from "../plans/subscription.ts";
import { notFound } from "../shared/errors.ts";
import type { TableClient } from "../table/client.ts";
import {
  DELETING,
  type DeletionGuard,
  guardOf,
  isBeingDeleted,
  isLive,
  markDeleted,
} from "../table/deletion.ts";
import { absent, any, equals } from "../table/expressions.ts";
import { AGENT_PREFIX, agentKey, agentPartition, memoryPartition, userPartition } from "../table/keys.ts";
import { optionalText } from "../table/fields.ts";
import type { Item } from "../table/marshal.ts";
import { type Agent, agentAttributes, type AgentChanges, agentFrom, agentItem } from "./model.ts";
import { agentNameKey } from "./name.ts";

/**
 * Items removed per call of `sweep`. A Worker may make a limited number of requests, and callers wait a limited time.
 */
const SWEEP_ITEMS = 5_000;

/** The positions of the writes of the agent, its name and the count in a transaction. */
const AGENT = 0;
const NAME = 1;
const COUNT = 2;
/** How often a deletion recounts the agents after a concurrent creation or deletion. */
const COUNT_ATTEMPTS = 8;

/**
 * An account's agents at one time. A write that names their `version` is refused if an agent was created or deleted
 * since.
 */
export interface Roster {
  readonly agents: readonly Agent[];
  readonly version: number | undefined;
  readonly plan: AccountPlan;
}

/** The outcome of a creation. `undefined` means that the agents changed concurrently: read them again and retry. */
type Creation = { readonly agent: Agent; readonly created: boolean } | undefined;

interface AgentRepositoryDeps {
  readonly table: TableClient;
  readonly rules: Pick<PlanRules, "isSuperuser">;
}

export class AgentRepository {
  readonly #table: TableClient;
  readonly #rules: Pick<PlanRules, "isSuperuser">;

  constructor({ table, rules }: AgentRepositoryDeps) {
    this.#table = table;
    this.#rules = rules;
  }

  /** Returns all agents of the account, without those that are being deleted. */
  async list(accountEmail: AccountEmail): Promise<readonly Agent[]> {
    const items = await this.#table.query(userPartition(accountEmail), {
      range: { beginsWith: AGENT_PREFIX },
    });
    return items.filter((item) => !isBeingDeleted(item)).map(agentFrom);
  }

  /** Returns the account's agents and its plan at `nowMs`. */
  async roster(accountEmail: AccountEmail, nowMs: number): Promise<Roster> {
    const active = activeUsageKey(accountEmail);
    // Read before the agents, so that a later creation or deletion changes the version.
    const account = await this.#table.query(userPartition(accountEmail), {
      range: { between: [SUBSCRIPTION_PREFIX, active.sk] },
    });
    return {
      version: versionOf(account.find(({ sk }) => sk === active.sk)),
      plan: accountPlanFrom(account, nowMs, this.#rules.isSuperuser(accountEmail)),
      agents: await this.list(accountEmail),
    };
  }

  /** Returns the agent. Throws `not-found` if there is none, or if it is being deleted. */
  async get(accountEmail: AccountEmail, id: AgentId): Promise<Agent> {
    const item = await this.#table.get(agentKey(accountEmail, id));
    if (!item || isBeingDeleted(item)) throw notFound("Agent");
    return agentFrom(item);
  }

  /**
   * Creates the agent and reserves its name, or returns the account's agent that has the name already. Returns
   * `undefined` if the agents changed since `roster` was read. Throws `not-found` if an earlier attempt of the same
   * request created the agent and it is being deleted.
   */
  async create(agent: Agent, roster: Roster): Promise<Creation> {
    const guard = agentNameKey(agent.accountEmail, agent.name);
    const count = {
      accountEmail: agent.accountEmail,
      agents: roster.agents.length + 1,
      version: roster.version,
      timestamp: agent.createdAt,
    };
    const taken = await this.#takeName(agent, guard, undefined, count);
    if (!taken) return { agent, created: true };
    if (!taken.holder) return undefined;

    const item = await this.#table.get(agentKey(agent.accountEmail, taken.holder));
    if (item && !isBeingDeleted(item)) return { agent: agentFrom(item), created: false };
    // Created by an earlier attempt of this request, and deleted since.
    if (item && taken.holder === agent.id) throw notFound("Agent");

    // The guard outlived its agent. Replace it, unless a concurrent request just did.
    return (await this.#takeName(agent, guard, taken.holder, count)) ? undefined : { agent, created: true };
  }

  /** Applies the changes and returns the updated agent. Throws `not-found` if there is none. */
  async update(
    accountEmail: AccountEmail,
    id: AgentId,
    changes: AgentChanges,
    updatedAt: string,
  ): Promise<Agent> {
    const set = { ...agentAttributes(changes), updated_at: updatedAt };
    const { applied, item } = await this.#table.updateOrRefusal(agentKey(accountEmail, id), { set }, isLive);
    if (!applied) throw notFound("Agent");
    return agentFrom(item);
  }

  /**
   * Applies the changes, with a new name among them, and moves the guard of the name. Returns the updated agent, or
   * `undefined` if agents were created, renamed or deleted since `roster` was read: it proves that the name is free. Throws
   * `not-found` if there is no such agent.
   */
  async rename(
    agent: Agent,
    changes: AgentChanges & Pick<Agent, "name">,
    roster: Roster,
    updatedAt: string,
  ): Promise<Agent | undefined> {
    const { id, accountEmail } = agent;
    const [from, to] = [agentNameKey(accountEmail, agent.name), agentNameKey(accountEmail, changes.name)];
    // Agents of the legacy Python service may share a name.
    const isShared = roster.agents.some(
      (other) => other.id !== id && agentNameKey(accountEmail, other.name).sk === from.sk,
    );
    const refusal = await this.#table.transactOrRefusal([
      {
        update: agentKey(accountEmail, id),
        changes: { set: { ...agentAttributes(changes), updated_at: updatedAt } },
        if: isLive,
      },
      { put: { ...to, agent_id: id } },
      countAgents({
        accountEmail,
        agents: roster.agents.length,
        version: roster.version,
        timestamp: updatedAt,
      }),
      ...(from.sk === to.sk || isShared ? [] : [{ remove: from }]),
    ]);
    if (!refusal) return this.get(accountEmail, id);
    if (refusal.has(AGENT)) throw notFound("Agent");
    return undefined;
  }

  /**
   * Hides the agent from all readers and frees its name. Returns `undefined` if there is no such agent. An agent whose
   * deletion was interrupted still counts as existing.
   */
  async beginDeletion(
    accountEmail: AccountEmail,
    id: AgentId,
    deletingAt: string,
  ): Promise<DeletionGuard | undefined> {
    const key = agentKey(accountEmail, id);
    const item = await this.#table.get(key);
    if (!item || isBeingDeleted(item)) return guardOf(key, item);

    const mark = { [DELETING]: deletingAt };
    const { name } = agentFrom(item);
    for (let left = COUNT_ATTEMPTS; left > 0; left--) {
      const { version, agents } = await this.#counted(accountEmail);
      const others = agents.filter((agent) => agent.id !== id).length;
      const refusal = await this.#table.transactOrRefusal([
        { update: key, changes: { set: mark }, if: isLive },
        { remove: agentNameKey(accountEmail, name), if: any(absent("pk"), equals("agent_id", id)) },
        countAgents({ accountEmail, agents: others, version, timestamp: deletingAt }),
      ]);
      if (!refusal) return guardOf(key, mark);
      if (refusal.size > 1 || !refusal.has(COUNT)) break;
    }
    // A concurrent request deletes it, another agent guards its name, or the count keeps changing. Only the mark
    // matters: the next creation or deletion counts again.
    return markDeleted(this.#table, key, deletingAt);
  }

  /** Removes items of the agent's own partitions. Returns false if some are left; then call it again. */
  async sweep(accountEmail: AccountEmail, id: AgentId, guard: DeletionGuard): Promise<boolean> {
    return (
      (await this.#table.removePartition(memoryPartition(id, accountEmail), SWEEP_ITEMS, guard)) &&
      (await this.#table.removePartition(agentPartition(id), SWEEP_ITEMS, guard))
    );
  }

  /** Removes the agent's item. Call it after everything else of the agent is gone. */
  async endDeletion({ check: key, if: isOngoing }: DeletionGuard): Promise<void> {
    await this.#table.tryRemove(key, isOngoing);
  }

  /** Returns the agents, and the version of their count, which is read first. */
  async #counted(accountEmail: AccountEmail): Promise<Pick<Roster, "agents" | "version">> {
    const version = versionOf(await this.#table.get(activeUsageKey(accountEmail)));
    return { version, agents: await this.list(accountEmail) };
  }

  /**
   * Stores the agent, the guard of its name and the count in one transaction. Returns `undefined` on success. Otherwise
   * `holder` is the id of the agent that holds the name, or `undefined` if the count has changed.
   */
  async #takeName(
    agent: Agent,
    guard: ReturnType<typeof agentNameKey>,
    replaced: string | undefined,
    count: AgentCount,
  ): Promise<{ readonly holder: AgentId | undefined } | undefined> {
    const free = replaced === undefined ? absent("pk") : any(absent("pk"), equals("agent_id", replaced));
    const refusal = await this.#table.transactOrRefusal([
      { put: agentItem(agent), if: absent("pk") },
      { put: { ...guard, agent_id: agent.id }, if: free },
      countAgents(count),
    ]);
    if (!refusal) return undefined;
    if (refusal.has(AGENT)) return { holder: agent.id };
    const guarding = refusal.get(NAME);
    return { holder: refusal.has(NAME) ? (holderOf(guarding) ?? agent.id) : undefined };
  }
}

function holderOf(guard: Item | undefined): AgentId | null {
  const id = guard ? optionalText(guard, "agent_id") : null;
  return id === null ? null : agentIdOf(id);
}
