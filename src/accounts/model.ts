import {
  type AccountEmail,
  type AgentId,
  accountEmailOf,
  agentIdOf,
  type KnowledgeBaseId,
  knowledgeBaseIdOf,
} from "../shared/id-types.ts";
import { CRAWL_JOB_PREFIX } from "../knowledge/model.ts";
import { hashKey, memoryIdOf } from "../memory/archival-model.ts";
import type { MemoryOwner } from "../memory/model.ts";
import { CLAIM_PREFIX } from "../payments/claim-keys.ts";
import { keyOf, optionalText, text } from "../table/fields.ts";
import {
  API_KEY_PREFIX,
  END_USER_PREFIX,
  ARCHIVAL_PREFIX,
  CONVERSATION_PREFIX,
  KNOWLEDGE_BASE_PREFIX,
  PUBLISHABLE_KEY_PREFIX,
  publishableKeyLookUpKey,
  userKey,
  AGENT_PREFIX,
  agentPartition,
  memoryPartition,
  userConversationsPartition,
  userPartition,
} from "../table/keys.ts";
import type { Item, Key } from "../table/marshal.ts";

/** The partitions of an account from which all of its other items can be reached. */
export const rootsOf = (accountEmail: AccountEmail): readonly string[] => [
  userConversationsPartition(accountEmail),
  userPartition(accountEmail),
];

/** What else belongs to an account because of one of its items. */
export interface Dependents {
  /** Partitions that belong to the account entirely. */
  readonly partitions: readonly string[];
  /** Memories: partitions that also have a search index outside the table. */
  readonly memories: readonly MemoryOwner[];
  /** Knowledge bases: their partitions are among `partitions`, and they have crawls and a search index outside the table. */
  readonly knowledgeBases: readonly KnowledgeBaseId[];
  /** Single items in partitions that need no scan. */
  readonly keys: readonly Key[];
}

const NOTHING: Dependents = { partitions: [], memories: [], knowledgeBases: [], keys: [] };

/** Points from a lower-case address to an account stored in mixed case. */
const USER_ALIAS = "UserAlias";

/** The attributes that `dependentsOf` reads. */
export const LEADING_ATTRIBUTES = [
  "memory_id",
  "content_hash",
  "visitor_id",
  "key_hash",
  "public_key",
  "agent_id",
] as const;

/**
 * Returns what else belongs to the account because of this item. The only place that knows how the items of an account are
 * linked, including those of the legacy Python service.
 */
export async function dependentsOf(accountEmail: AccountEmail, item: Item): Promise<Dependents> {
  const { pk, sk } = keyOf(item);
  if (pk === userPartition(accountEmail)) return dependentsOfUserItem(accountEmail, item, sk);
  if (isConversationLead(accountEmail, { pk, sk }))
    return dependentsOfConversation(accountEmail, item, { pk, sk });
  if (pk.startsWith(KNOWLEDGE_BASE_PREFIX) && sk.startsWith(CRAWL_JOB_PREFIX))
    return { ...NOTHING, partitions: [sk] };

  const [, id, inAgent] = /^Agent#([^#]+)(#.+)?$/u.exec(pk) ?? [];
  if (id === undefined) return NOTHING;
  const agentId = agentIdOf(id);
  if (inAgent === undefined && sk.startsWith(END_USER_PREFIX))
    return dependentsOfEndUser(accountEmail, agentId, sk.slice(END_USER_PREFIX.length));
  if (inAgent === undefined && sk.startsWith(PUBLISHABLE_KEY_PREFIX))
    return { ...NOTHING, keys: [publishableKeyLookUpKey(text(item, "public_key"))] };
  if (inAgent === "#Widget") return dependentsOfVisitor(agentId, item, sk);
  if (inAgent?.startsWith("#User#") && sk.startsWith(ARCHIVAL_PREFIX))
    return { ...NOTHING, keys: await holdersOf({ agentId, userId: inAgent.slice("#User#".length) }, item) };
  return NOTHING;
}

function dependentsOfUserItem(accountEmail: AccountEmail, item: Item, sk: string): Dependents {
  if (sk === userKey(accountEmail).sk && accountEmail !== accountEmail.toLowerCase())
    return {
      ...NOTHING,
      keys: [{ pk: userPartition(accountEmailOf(accountEmail.toLowerCase())), sk: USER_ALIAS }],
    };
  if (sk.startsWith(AGENT_PREFIX)) {
    const agentId = agentIdOf(sk.slice(AGENT_PREFIX.length));
    const own = agentPartition(agentId);
    return { ...NOTHING, partitions: [own, `${own}#Widget`], memories: [{ agentId, userId: accountEmail }] };
  }
  if (sk.startsWith(KNOWLEDGE_BASE_PREFIX)) {
    const kbId = knowledgeBaseIdOf(sk.slice(KNOWLEDGE_BASE_PREFIX.length));
    return { ...NOTHING, partitions: [sk], knowledgeBases: [kbId] };
  }
  if (sk.startsWith(CLAIM_PREFIX)) return { ...NOTHING, keys: [{ pk: sk, sk }] };
  if (sk.startsWith(API_KEY_PREFIX)) {
    const lookUp = `${API_KEY_PREFIX}${optionalText(item, "key_hash") ?? sk.slice(API_KEY_PREFIX.length)}`;
    return { ...NOTHING, keys: [{ pk: lookUp, sk: lookUp }] };
  }
  return NOTHING;
}

/** The legacy Python service deletes agents but not their memories, which then only conversations point to. */
function dependentsOfConversation(accountEmail: AccountEmail, item: Item, { pk, sk }: Key): Dependents {
  const agentId = pk === userConversationsPartition(accountEmail) ? optionalText(item, "agent_id") : null;
  return {
    ...NOTHING,
    partitions: [sk],
    memories:
      agentId === null || agentId === "" ? [] : [{ agentId: agentIdOf(agentId), userId: accountEmail }],
  };
}

const dependentsOfEndUser = (accountEmail: AccountEmail, agentId: AgentId, userId: string): Dependents => ({
  ...NOTHING,
  partitions: [`${userConversationsPartition(accountEmail)}#EndUser#${agentId}#${userId}`],
  memories: [{ agentId, userId }],
});

/** Conversations of an agent's web widget. Only the legacy Python service wrote them. */
function dependentsOfVisitor(agentId: AgentId, item: Item, sk: string): Dependents {
  const visitor = optionalText(item, "visitor_id");
  return {
    ...NOTHING,
    partitions: [`${CONVERSATION_PREFIX}${sk.slice("Conversation#".length)}`],
    memories: visitor === null ? [] : [{ agentId, userId: visitor }],
  };
}

/** Returns the keys of a memory's hash items: under the id derived from the content or, in the legacy Python service, the memory's own. */
async function holdersOf(owner: MemoryOwner, item: Item): Promise<readonly Key[]> {
  const hash = text(item, "content_hash");
  if (hash === "") return [];
  const derived = await memoryIdOf(owner, hash);
  const own = text(item, "memory_id", derived);
  return [...new Set([derived, own])].map((id) => hashKey(owner, hash, id));
}

/** Returns whether an item assigns a conversation to the account or to one of its end users. */
export const isConversationLead = (accountEmail: AccountEmail, { pk, sk }: Key): boolean =>
  (pk === userConversationsPartition(accountEmail) ||
    pk.startsWith(`${userConversationsPartition(accountEmail)}#EndUser#`)) &&
  sk.startsWith(CONVERSATION_PREFIX);

/** Returns the owner of the conversations in a partition, in the form that runners' names use. */
export const conversationOwnerOf = ({ pk }: Key): string => pk.slice(userConversationsPartition("").length);

/** The lasting items in the partition of a user; see `isLasting`. */
const LASTING_PREFIXES = [AGENT_PREFIX, CLAIM_PREFIX, KNOWLEDGE_BASE_PREFIX];

/**
 * Returns whether an item must be kept until the final sweep, emptied of content. It leads to items that may still be written
 * by requests in progress when the deletion began, or to a customer who may still pay on an open checkout page.
 */
export const isLasting = (accountEmail: AccountEmail, key: Key): boolean =>
  isConversationLead(accountEmail, key) ||
  (key.pk === userPartition(accountEmail) && LASTING_PREFIXES.some((prefix) => key.sk.startsWith(prefix))) ||
  (/^Agent#[^#]+$/u.test(key.pk) && key.sk.startsWith(END_USER_PREFIX));

export const partitionOf = ({ agentId, userId }: MemoryOwner): string => memoryPartition(agentId, userId);
