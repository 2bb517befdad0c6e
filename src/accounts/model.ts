import { AGENT_PREFIX } from "../agents/model.ts";
import { CONVERSATION_PREFIX } from "../conversations/model.ts";
import { ARCHIVAL_PREFIX, hashKey, memoryIdOf } from "../memory/archival-model.ts";
import type { MemoryOwner } from "../memory/model.ts";
import { keyOf, optionalText, text } from "../table/fields.ts";
import { agentPartition, memoryPartition, userConversationsPartition, userPartition } from "../table/keys.ts";
import type { Item, Key } from "../table/marshal.ts";
import { userKey } from "../users/model.ts";

/** Where everything of an account begins: what stands here leads to all the rest. */
export const rootsOf = (email: string): readonly string[] => [
  userConversationsPartition(email),
  userPartition(email),
];

/** What belongs to an account because of one of its items. */
export interface Behind {
  /** Partitions that are the account's whole. */
  readonly partitions: readonly string[];
  /** Memories: partitions too, each with a search index beside the table. */
  readonly memories: readonly MemoryOwner[];
  /** Single items in partitions that nobody needs to look through. */
  readonly keys: readonly Key[];
}

const NOTHING: Behind = { partitions: [], memories: [], keys: [] };

/** Leads from an address in lower case to an account that is written in mixed case. */
const USER_ALIAS = "UserAlias";
const END_USER_PREFIX = "EndUser#";
const API_KEY_PREFIX = "ApiKey#";

/** The attributes that tell what is behind an item. */
export const LEADING_ATTRIBUTES = [
  "memory_id",
  "content_hash",
  "visitor_id",
  "key_hash",
  "agent_id",
] as const;

/**
 * What is behind an item of this account: the one place that knows how an account hangs together. It knows the items of
 * the service before as well.
 */
export async function behind(email: string, item: Item): Promise<Behind> {
  const { pk, sk } = keyOf(item);
  if (pk === userPartition(email)) return behindUserItem(email, item, sk);
  if (isConversationLead(email, { pk, sk })) return behindConversation(email, item, { pk, sk });
  if (pk.startsWith("KnowledgeBase#") && sk.startsWith("CrawlJob#")) return { ...NOTHING, partitions: [sk] };

  const [, agentId, inAgent] = /^Agent#([^#]+)(#.+)?$/u.exec(pk) ?? [];
  if (agentId === undefined) return NOTHING;
  if (inAgent === undefined && sk.startsWith(END_USER_PREFIX))
    return behindEndUser(email, agentId, sk.slice(END_USER_PREFIX.length));
  if (inAgent === "#Widget") return behindVisitor(agentId, item, sk);
  if (inAgent?.startsWith("#User#") && sk.startsWith(ARCHIVAL_PREFIX))
    return { ...NOTHING, keys: await holdersOf({ agentId, userId: inAgent.slice("#User#".length) }, item) };
  return NOTHING;
}

function behindUserItem(email: string, item: Item, sk: string): Behind {
  if (sk === userKey(email).sk && email !== email.toLowerCase())
    return { ...NOTHING, keys: [{ pk: userPartition(email.toLowerCase()), sk: USER_ALIAS }] };
  if (sk.startsWith(AGENT_PREFIX)) {
    const agentId = sk.slice(AGENT_PREFIX.length);
    const own = agentPartition(agentId);
    return { ...NOTHING, partitions: [own, `${own}#Widget`], memories: [{ agentId, userId: email }] };
  }
  if (sk.startsWith("KnowledgeBase#")) return { ...NOTHING, partitions: [sk] };
  if (sk.startsWith(API_KEY_PREFIX)) {
    const lookUp = `${API_KEY_PREFIX}${optionalText(item, "key_hash") ?? sk.slice(API_KEY_PREFIX.length)}`;
    return { ...NOTHING, keys: [{ pk: lookUp, sk: lookUp }] };
  }
  return NOTHING;
}

/** The service before deletes agents without what they remember: then only conversations lead there. */
function behindConversation(email: string, item: Item, { pk, sk }: Key): Behind {
  const agentId = pk === userConversationsPartition(email) ? optionalText(item, "agent_id") : null;
  return {
    ...NOTHING,
    partitions: [sk],
    memories: agentId === null || agentId === "" ? [] : [{ agentId, userId: email }],
  };
}

const behindEndUser = (email: string, agentId: string, userId: string): Behind => ({
  ...NOTHING,
  partitions: [`${userConversationsPartition(email)}#EndUser#${agentId}#${userId}`],
  memories: [{ agentId, userId }],
});

/** Conversations of an agent's web widget, which the service before had; nothing here writes them. */
function behindVisitor(agentId: string, item: Item, sk: string): Behind {
  const visitor = optionalText(item, "visitor_id");
  return {
    ...NOTHING,
    partitions: [`${CONVERSATION_PREFIX}${sk.slice("Conversation#".length)}`],
    memories: visitor === null ? [] : [{ agentId, userId: visitor }],
  };
}

/** What holds a memory's content: under the id derived from it or, by the service before, under the memory's own. */
async function holdersOf(owner: MemoryOwner, item: Item): Promise<readonly Key[]> {
  const hash = text(item, "content_hash");
  if (hash === "") return [];
  const derived = await memoryIdOf(owner, hash);
  const own = text(item, "memory_id", derived);
  return [...new Set([derived, own])].map((id) => hashKey(owner, hash, id));
}

/** Whether an item says that a conversation is the account's, or one of its end users'. */
export const isConversationLead = (email: string, { pk, sk }: Key): boolean =>
  (pk === userConversationsPartition(email) ||
    pk.startsWith(`${userConversationsPartition(email)}#EndUser#`)) &&
  sk.startsWith(CONVERSATION_PREFIX);

/** Whose conversations a partition holds, as their runners' names have it. */
export const conversationOwnerOf = ({ pk }: Key): string => pk.slice(userConversationsPartition("").length);

/**
 * Whether an item leads to others that may be written late, by what was on its way when a deletion began. It is kept,
 * emptied, until the second sweep has gone behind it.
 */
export const isLasting = (email: string, key: Key): boolean =>
  isConversationLead(email, key) ||
  (key.pk === userPartition(email) && key.sk.startsWith(AGENT_PREFIX)) ||
  (/^Agent#[^#]+$/u.test(key.pk) && key.sk.startsWith(END_USER_PREFIX));

export const partitionOf = ({ agentId, userId }: MemoryOwner): string => memoryPartition(agentId, userId);
