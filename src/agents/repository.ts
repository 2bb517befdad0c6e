import { type AccountPlan, accountPlanFrom, type PlanRules } from "../plans/account-plan.ts";
import { activeUsageKey, type AgentCount, countAgents, versionOf } from "../plans/model.ts";
import { SUBSCRIPTION_PREFIX } from "../plans/subscription.ts";
import { notFound } from "../shared/errors.ts";
import type { TableClient } from "../table/client.ts";
import { ConditionFailed, TransactionRefused } from "../table/errors.ts";
import { DELETING, isBeingDeleted, isLive } from "../table/deletion.ts";
import { absent, any, equals, present } from "../table/expressions.ts";
import { agentPartition, memoryPartition, userPartition } from "../table/keys.ts";
import { optionalText } from "../table/fields.ts";
import type { Item } from "../table/marshal.ts";
import {
  AGENT_PREFIX,
  type Agent,
  agentAttributes,
  type AgentChanges,
  agentFrom,
  agentItem,
  agentKey,
  agentNameKey,
} from "./model.ts";

/** Items removed per call of `sweep`: a Worker has a bounded number of requests, and a caller bounded patience. */
const SWEEP_ITEMS = 5_000;

/** Where an agent's own write, that of its name and that of the count stand in a transaction. */
const AGENT = 0;
const NAME = 1;
const COUNT = 2;
/** How often a deletion counts again because others have come or gone meanwhile. */
const COUNTINGS = 8;

/** An account's agents as they stood at one time. What is written by their version is refused when one has come or gone since. */
export interface Roster {
  readonly agents: readonly Agent[];
  readonly version: number | undefined;
  readonly plan: AccountPlan;
}

/** What became of a new agent; nothing where another one has come or gone meanwhile, and it has to be tried again. */
type Creation = { readonly agent: Agent; readonly created: boolean } | undefined;

export class AgentRepository {
  readonly #table: TableClient;
  readonly #rules: Pick<PlanRules, "isSuperuser">;

  constructor(table: TableClient, rules: Pick<PlanRules, "isSuperuser">) {
    this.#table = table;
    this.#rules = rules;
  }

  async list(owner: string): Promise<readonly Agent[]> {
    const items = await this.#table.query(userPartition(owner), { range: { beginsWith: AGENT_PREFIX } });
    return items.filter((item) => !isBeingDeleted(item)).map(agentFrom);
  }

  /** The agents, and what the plan says of them at `nowMs`. */
  async roster(owner: string, nowMs: number): Promise<Roster> {
    const active = activeUsageKey(owner);
    // Before the agents: who comes or goes behind this read changes the version.
    const account = await this.#table.query(userPartition(owner), {
      range: { between: [SUBSCRIPTION_PREFIX, active.sk] },
    });
    return {
      version: versionOf(account.find(({ sk }) => sk === active.sk)),
      plan: accountPlanFrom(account, nowMs, this.#rules.isSuperuser(owner)),
      agents: await this.list(owner),
    };
  }

  async get(owner: string, id: string): Promise<Agent> {
    const item = await this.#table.get(agentKey(owner, id));
    if (!item || isBeingDeleted(item)) throw notFound("Agent");
    return agentFrom(item);
  }

  /**
   * Creates the agent beside those of the roster and takes its name, or gives the owner's agent that has got the name
   * meanwhile.
   */
  async create(agent: Agent, roster: Roster): Promise<Creation> {
    const guard = agentNameKey(agent.owner, agent.name);
    const count = {
      email: agent.owner,
      agents: roster.agents.length + 1,
      version: roster.version,
      timestamp: agent.createdAt,
    };
    const taken = await this.#takeName(agent, guard, undefined, count);
    if (!taken) return { agent, created: true };
    if (!taken.holder) return undefined;

    const item = await this.#table.get(agentKey(agent.owner, taken.holder));
    if (item && !isBeingDeleted(item)) return { agent: agentFrom(item), created: false };
    // Made by an earlier request of this one's, and deleted since.
    if (item && taken.holder === agent.id) throw notFound("Agent");

    // The guard outlived its agent: it is replaced, unless somebody else has just done so.
    return (await this.#takeName(agent, guard, taken.holder, count)) ? undefined : { agent, created: true };
  }

  /** Changes what is given and gives the agent as it then is. */
  async update(owner: string, id: string, changes: AgentChanges, updatedAt: string): Promise<Agent> {
    try {
      const set = { ...agentAttributes(changes), updated_at: updatedAt };
      return agentFrom(await this.#table.update(agentKey(owner, id), { set }, isLive));
    } catch (error) {
      if (error instanceof ConditionFailed) throw notFound("Agent");
      throw error;
    }
  }

  /**
   * Makes the agent absent to everybody and frees its name. Gives false where there is no such agent; an agent whose
   * deletion stopped half-way counts as there.
   */
  async beginDeletion(owner: string, id: string, deletingAt: string): Promise<boolean> {
    const item = await this.#table.get(agentKey(owner, id));
    if (!item) return false;
    if (isBeingDeleted(item)) return true;

    const { name } = agentFrom(item);
    for (let left = COUNTINGS; left > 0; left--) {
      const { version, agents } = await this.#counted(owner);
      const others = agents.filter((agent) => agent.id !== id).length;
      try {
        await this.#table.transact([
          { update: agentKey(owner, id), changes: { set: { [DELETING]: deletingAt } }, if: isLive },
          { remove: agentNameKey(owner, name), if: any(absent("pk"), equals("agent_id", id)) },
          countAgents({ email: owner, agents: others, version, timestamp: deletingAt }),
        ]);
        return true;
      } catch (error) {
        if (!(error instanceof TransactionRefused)) throw error;
        if (error.failed.size > 1 || !error.failed.has(COUNT)) break;
      }
    }
    // Somebody else is deleting it, its name is guarded by another agent, or the count never stands still: the mark alone
    // is what matters, and the next agent that comes or goes counts again.
    await this.#markDeleted(owner, id, deletingAt);
    return true;
  }

  /** Removes what stands in the agent's own partitions; false where so much is left that it takes another call. */
  async sweep(owner: string, id: string): Promise<boolean> {
    return (
      (await this.#table.removePartition(memoryPartition(id, owner), SWEEP_ITEMS)) &&
      (await this.#table.removePartition(agentPartition(id), SWEEP_ITEMS))
    );
  }

  /** Removes the agent itself, once nothing of it is left. */
  async endDeletion(owner: string, id: string): Promise<void> {
    await this.#table.remove(agentKey(owner, id), any(absent("pk"), present(DELETING)));
  }

  /** The agents, and the version of their count from before they were read. */
  async #counted(owner: string): Promise<Pick<Roster, "agents" | "version">> {
    const version = versionOf(await this.#table.get(activeUsageKey(owner)));
    return { version, agents: await this.list(owner) };
  }

  /**
   * Nothing where the new agent has got the name, else what stands in its way: the agent that holds the name, or, without
   * one, a count that has changed.
   */
  async #takeName(
    agent: Agent,
    guard: ReturnType<typeof agentNameKey>,
    replaced: string | undefined,
    count: AgentCount,
  ): Promise<{ readonly holder: string | undefined } | undefined> {
    const free = replaced === undefined ? absent("pk") : any(absent("pk"), equals("agent_id", replaced));
    try {
      await this.#table.transact([
        { put: agentItem(agent), if: absent("pk") },
        { put: { ...guard, agent_id: agent.id }, if: free },
        countAgents(count),
      ]);
      return undefined;
    } catch (error) {
      if (!(error instanceof TransactionRefused)) throw error;
      if (error.failed.has(AGENT)) return { holder: agent.id };
      const guarding = error.failed.get(NAME);
      return { holder: error.failed.has(NAME) ? (holderOf(guarding) ?? agent.id) : undefined };
    }
  }

  async #markDeleted(owner: string, id: string, deletingAt: string): Promise<void> {
    try {
      await this.#table.update(agentKey(owner, id), { set: { [DELETING]: deletingAt } }, present("pk"));
    } catch (error) {
      // Gone altogether in the meantime, which is what was wanted.
      if (!(error instanceof ConditionFailed)) throw error;
    }
  }
}

const holderOf = (guard: Item | undefined): string | null => (guard ? optionalText(guard, "agent_id") : null);
