import { notFound } from "../shared/errors.ts";
import type { TableClient } from "../table/client.ts";
import { ConditionFailed, TransactionRefused } from "../table/errors.ts";
import { DELETING, isBeingDeleted, isLive } from "../table/deletion.ts";
import { absent, any, equals, present } from "../table/expressions.ts";
import { agentPartition, memoryPartition, userPartition } from "../table/keys.ts";
import { optionalText } from "../table/fields.ts";
import {
  AGENT_PREFIX,
  type Agent,
  agentAttributes,
  type AgentChanges,
  agentFrom,
  agentItem,
  agentKey,
  agentNameKey,
  isSameName,
} from "./model.ts";

/** Items removed per call of `sweep`: a Worker has a bounded number of requests, and a caller bounded patience. */
const SWEEP_ITEMS = 5_000;

export class AgentRepository {
  readonly #table: TableClient;

  constructor(table: TableClient) {
    this.#table = table;
  }

  async list(owner: string): Promise<readonly Agent[]> {
    const items = await this.#table.query(userPartition(owner), { range: { beginsWith: AGENT_PREFIX } });
    return items.filter((item) => !isBeingDeleted(item)).map(agentFrom);
  }

  async get(owner: string, id: string): Promise<Agent> {
    const item = await this.#table.get(agentKey(owner, id));
    if (!item || isBeingDeleted(item)) throw notFound("Agent");
    return agentFrom(item);
  }

  /**
   * Creates the agent and takes its name, or returns the owner's agent that already has the name. `existing` are the
   * owner's agents as just read: one of the service before may have the name without a guard, and is adopted.
   */
  async create(agent: Agent, existing: readonly Agent[]): Promise<{ agent: Agent; created: boolean }> {
    const namesake = existing.find(({ name }) => isSameName(name, agent.name));
    // A namesake with the very id is the work of the same request, whose answer was lost.
    if (namesake) return { agent: namesake, created: namesake.id === agent.id };

    const guard = agentNameKey(agent.owner, agent.name);
    const holder = await this.#takeName(agent, guard, undefined);
    if (!holder) return { agent, created: true };

    const item = await this.#table.get(agentKey(agent.owner, holder));
    if (item && !isBeingDeleted(item)) return { agent: agentFrom(item), created: false };

    // The guard outlived its agent: it is replaced, unless somebody else has just done so.
    const other = await this.#takeName(agent, guard, holder);
    if (!other) return { agent, created: true };
    return { agent: await this.get(agent.owner, other), created: false };
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
    try {
      await this.#table.transact([
        { update: agentKey(owner, id), changes: { set: { [DELETING]: deletingAt } }, if: isLive },
        { remove: agentNameKey(owner, name), if: any(absent("pk"), equals("agent_id", id)) },
      ]);
    } catch (error) {
      if (!(error instanceof TransactionRefused)) throw error;
      // Somebody else is deleting it, or its name is guarded by another agent: the mark alone is what counts.
      await this.#markDeleted(owner, id, deletingAt);
    }
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

  /** Gives the id of the agent that holds the name, or nothing where the new agent has got it. */
  async #takeName(agent: Agent, guard: ReturnType<typeof agentNameKey>, replaced: string | undefined) {
    const free = replaced === undefined ? absent("pk") : any(absent("pk"), equals("agent_id", replaced));
    try {
      await this.#table.transact([
        { put: agentItem(agent), if: absent("pk") },
        { put: { ...guard, agent_id: agent.id }, if: free },
      ]);
      return undefined;
    } catch (error) {
      if (!(error instanceof TransactionRefused)) throw error;
      const holder = [...error.failed.values()].find((item) => item?.sk === guard.sk);
      return (holder && optionalText(holder, "agent_id")) ?? agent.id;
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
