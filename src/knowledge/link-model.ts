import {
  type AccountEmail,
  type AgentId,
  agentIdOf,
  type KnowledgeBaseId,
  knowledgeBaseIdOf,
} from "../shared/id-types.ts";
import { idAfter, text, texts } from "../table/fields.ts";
import {
  AGENT_PREFIX,
  agentPartition,
  KNOWLEDGE_BASE_PREFIX,
  knowledgeBasePartition,
} from "../table/keys.ts";
import type { Item, Key } from "../table/marshal.ts";

/** How many knowledge bases an agent may search. */
export const MAX_LINKS = 20;

/** That an agent may search a knowledge base of the same account. */
export interface Link {
  readonly agentId: AgentId;
  readonly kbId: KnowledgeBaseId;
  readonly linkedAt: string;
  readonly linkedBy: AccountEmail;
}

type LinkEnds = Pick<Link, "agentId" | "kbId">;

/** The key of the item that lists the knowledge bases of an agent, so that a turn reads them with one `GetItem`. */
export const linkedKnowledgeBasesKey = (agentId: AgentId): Key => ({
  pk: agentPartition(agentId),
  sk: "LinkedKnowledgeBases",
});

/** Returns the ids in an item of `linkedKnowledgeBasesKey`, in the order in which they were linked. */
export const linkedKnowledgeBasesFrom = (item: Item | undefined): readonly KnowledgeBaseId[] =>
  texts(item ?? {}, "kb_ids")
    .slice(0, MAX_LINKS)
    .map(knowledgeBaseIdOf);

/** The key of a link at its agent, as the legacy Python service has it. */
export const linkKey = ({ agentId, kbId }: LinkEnds): Key => ({
  pk: agentPartition(agentId),
  sk: `${KNOWLEDGE_BASE_PREFIX}${kbId}`,
});

/** The key of the item that leads from a base to an agent. */
export const backlinkKey = ({ agentId, kbId }: LinkEnds): Key => ({
  pk: knowledgeBasePartition(kbId),
  sk: `${AGENT_PREFIX}${agentId}`,
});

export const linkItem = (link: Link): Item => ({
  ...linkKey(link),
  entity_type: "AgentKnowledgeBase",
  agent_id: link.agentId,
  kb_id: link.kbId,
  linked_at: link.linkedAt,
  linked_by: link.linkedBy,
});

export const backlinkItem = (link: LinkEnds): Item => ({
  ...backlinkKey(link),
  entity_type: "KnowledgeBaseAgent",
  agent_id: link.agentId,
  kb_id: link.kbId,
});

/** Returns the knowledge base of a stored link. */
export const kbIdIn = (item: Item): KnowledgeBaseId =>
  knowledgeBaseIdOf(text(item, "kb_id") || idAfter(item, KNOWLEDGE_BASE_PREFIX));

/** Returns the agent of an item of `backlinkKey`. */
export const agentIdIn = (item: Item): AgentId => agentIdOf(idAfter(item, AGENT_PREFIX));
