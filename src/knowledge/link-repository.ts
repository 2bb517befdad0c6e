import type { AgentId, KnowledgeBaseId } from "../shared/id-types.ts";
import type { TableClient } from "../table/client.ts";
import { type DeletionGuard, isBeingDeleted, isLive } from "../table/deletion.ts";
import { absent, any, type Condition, equals } from "../table/expressions.ts";
import { optionalText } from "../table/fields.ts";
import {
  AGENT_PREFIX,
  agentKey,
  agentPartition,
  KNOWLEDGE_BASE_PREFIX,
  knowledgeBasePartition,
} from "../table/keys.ts";
import {
  agentIdIn,
  backlinkItem,
  backlinkKey,
  kbIdIn,
  type Link,
  linkedKnowledgeBasesFrom,
  linkedKnowledgeBasesKey,
  linkItem,
  linkKey,
} from "./link-model.ts";
import { isActive, isActiveBase, keyOfBase, type KnowledgeBaseRef } from "./model.ts";

/** A link and the items that decide about it, at one time. Writes are refused if the agent's list has changed since. */
export interface LinkState {
  readonly hasAgent: boolean;
  readonly hasBase: boolean;
  /** When the link was made, or `undefined` if there is none. */
  readonly linkedAt: string | undefined;
  /** Whether the link is stored in all of its places. The legacy Python service wrote only the one at the agent. */
  readonly isComplete: boolean;
  /** The bases that the agent may search. */
  readonly linked: readonly KnowledgeBaseId[];
}

/** Stores which knowledge bases agents may search. */
export class LinkRepository {
  readonly #table: TableClient;

  constructor({ table }: { readonly table: TableClient }) {
    this.#table = table;
  }

  /** Returns the state of the link between an agent and a base. */
  async state(base: KnowledgeBaseRef, agentId: AgentId): Promise<LinkState> {
    const ends = { agentId, kbId: base.kbId };
    const [agent, stored, link, backlink, list] = await this.#table.batchGet([
      agentKey(base.accountEmail, agentId),
      keyOfBase(base),
      linkKey(ends),
      backlinkKey(ends),
      linkedKnowledgeBasesKey(agentId),
    ]);
    const linked = linkedKnowledgeBasesFrom(list);
    return {
      hasAgent: agent !== undefined && !isBeingDeleted(agent),
      hasBase: stored !== undefined && isActive(stored),
      linkedAt: link && (optionalText(link, "linked_at") ?? ""),
      isComplete: link !== undefined && backlink !== undefined && linked.includes(base.kbId),
      linked,
    };
  }

  /** Stores a link. Returns false if the agent, the base or the agent's list has changed since the state was read. */
  add(base: KnowledgeBaseRef, link: Link, { linked }: LinkState): Promise<boolean> {
    const others = linked.filter((id) => id !== link.kbId);
    return this.#table.tryTransact([
      { check: agentKey(base.accountEmail, link.agentId), if: isLive },
      { check: keyOfBase(base), if: isActiveBase },
      { put: linkItem(link) },
      { put: backlinkItem(link) },
      listWrite(link.agentId, linked, [...others, link.kbId]),
    ]);
  }

  /** Removes a link. Returns false if the agent's list has changed since the state was read. */
  remove(agentId: AgentId, kbId: KnowledgeBaseId, { linked }: Pick<LinkState, "linked">): Promise<boolean> {
    const others = linked.filter((id) => id !== kbId);
    return this.#table.tryTransact([
      { remove: linkKey({ agentId, kbId }) },
      { remove: backlinkKey({ agentId, kbId }) },
      ...(linked.includes(kbId) ? [listWrite(agentId, linked, others)] : []),
    ]);
  }

  /** Returns the bases that an agent may search. */
  async linked(agentId: AgentId): Promise<readonly KnowledgeBaseId[]> {
    return linkedKnowledgeBasesFrom(await this.#table.get(linkedKnowledgeBasesKey(agentId)));
  }

  /** Returns the bases that an agent is linked to, including by the legacy Python service. */
  async basesOf(agentId: AgentId): Promise<readonly KnowledgeBaseId[]> {
    const items = await this.#table.query(agentPartition(agentId), {
      range: { beginsWith: KNOWLEDGE_BASE_PREFIX },
    });
    return items.map(kbIdIn);
  }

  /** Returns the agents that a base is linked to. */
  async agentsOf({ kbId }: KnowledgeBaseRef): Promise<readonly AgentId[]> {
    const items = await this.#table.query(knowledgeBasePartition(kbId), {
      range: { beginsWith: AGENT_PREFIX },
    });
    return items.map(agentIdIn);
  }

  /** Removes what leads from bases to an agent that is being deleted. */
  async forgetAgent(
    agentId: AgentId,
    kbIds: readonly KnowledgeBaseId[],
    guard: DeletionGuard,
  ): Promise<void> {
    const keys = kbIds.map((kbId) => backlinkKey({ agentId, kbId }));
    await this.#table.removeGuarded(keys, guard);
  }
}

const listWrite = (
  agentId: AgentId,
  before: readonly KnowledgeBaseId[],
  after: readonly KnowledgeBaseId[],
) => ({
  update: linkedKnowledgeBasesKey(agentId),
  changes: { set: { kb_ids: after, entity_type: "LinkedKnowledgeBases" } },
  if: isListed(before),
});

/** Holds if exactly these bases are in the agent's list. */
const isListed = (kbIds: readonly KnowledgeBaseId[]): Condition =>
  kbIds.length > 0 ? equals("kb_ids", kbIds) : any(absent("kb_ids"), equals("kb_ids", []));
