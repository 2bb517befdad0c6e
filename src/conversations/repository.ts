import { type AgentId, type ConversationId, conversationIdOf } from "../shared/id-types.ts";
import { isTransient } from "../shared/transient-ids.ts";
import { text } from "../table/fields.ts";
import type { WriteAction } from "../table/requests.ts";
import { CONVERSATION_PREFIX, agentKey } from "../table/keys.ts";
import { notFound, AppError } from "../shared/errors.ts";
import {
  endUserKey,
  homeKey,
  conversationKey,
  conversationsPartition,
  reaches,
  type AccessScope,
  scopeName,
  type EndUserRef,
} from "../access/access-scope.ts";
import { conversationTally, MAX_END_USER_CONVERSATIONS } from "../plans/end-user-usage.ts";
import { changeTally, countsFrom, readTally } from "../plans/tally.ts";
import type { TableClient } from "../table/client.ts";
import type { Cursors } from "../table/cursor.ts";
import { type DeletionGuard, isBeingDeleted, isLive, markDeleted } from "../table/deletion.ts";
import { TransactionRefused } from "../table/errors.ts";
import { absent, all, any, type Condition, equals, present } from "../table/expressions.ts";
import type { ListPage } from "../table/list.ts";
import type { Item } from "../table/marshal.ts";
import {
  byNewest,
  type Conversation,
  conversationNameKey,
  LASTING_KEYS,
  TRANSIENT_KEYS,
  conversationAttributes,
  type ConversationChanges,
  conversationFrom,
  conversationItem,
  TIME_ORDERED_KEYS,
} from "./model.ts";

/**
 * Where a list continues: after a sort key of the time-ordered ids, or after a position among the older, unordered
 * ones.
 */
interface Position {
  readonly part: "ordered" | "older";
  readonly after: string | null;
}

/** The positions of the writes and checks in a transaction. */
const CONVERSATION_WRITE = 0;
const AGENT_CHECK = 1;
/** The name's, if there is one. The tally's comes behind it. */
const NAME = 2;

/** How often a creation is attempted if the conversations were not counted yet, or changed concurrently. */
const ATTEMPTS = 3;

/** The refusal of a creation: the end user already has `tooMany` conversations, the maximum. */
interface TooMany {
  readonly tooMany: number;
}

/** The refusal of a creation: the client's name already leads to another conversation. */
interface NameTaken {
  readonly nameTaken: true;
}

/** A name by which a client knows a conversation. */
interface ConversationName {
  /** The SHA-256 hash of the name, in hexadecimal. */
  readonly hash: string;
  /** The conversation that the name led to before and that no longer exists; `undefined` if there was none. */
  readonly replaced: ConversationId | undefined;
}

/** Page size for callers who may not reach all conversations, because an unknown share of each page is filtered out. */
const CONFINED_PAGE = 200;

/** The name of the count in the tally, and its ceiling. */
const COUNTS = ["conversations"] as const;
const CEILING = { conversations: MAX_END_USER_CONVERSATIONS } as const;

const BEGINNING: Position = { part: "ordered", after: null };

export class ConversationRepository {
  readonly #table: TableClient;
  readonly #cursors: Cursors;

  constructor({ table, cursors }: { readonly table: TableClient; readonly cursors: Cursors }) {
    this.#table = table;
    this.#cursors = cursors;
  }

  /**
   * Stores a new conversation, or returns the one that already has the id. With `name`, also stores by which name the client
   * knows it, or returns `NameTaken` if the name leads elsewhere. Returns `TooMany` if the end user has reached the maximum;
   * transient conversations do not count. Throws `not-found` if the agent does not exist, is being deleted or is out of reach.
   */
  async create(
    scope: AccessScope,
    conversation: Conversation,
    name?: ConversationName,
  ): Promise<Conversation | TooMany | NameTaken> {
    if (!reaches(scope, conversation.agentId)) throw notFound("Agent");
    const { createdAt } = conversation;
    const counted = isTransient(conversation.id) ? undefined : scope.endUser;
    const naming = name ? [nameWrite(scope, conversation, name)] : [];

    for (let left = ATTEMPTS; left > 0; left--) {
      const refusal = await this.#table.transactOrRefusal([
        { put: conversationItem(scope, conversation), if: absent("pk") },
        { check: homeKey(scope, conversation.agentId), if: isLive },
        ...naming,
        ...(counted
          ? [changeTally(conversationTally(counted), { conversations: 1 }, createdAt, CEILING)]
          : []),
      ]);
      if (!refusal) return conversation;
      if (refusal.has(AGENT_CHECK)) throw notFound("Agent");

      const existing = refusal.get(CONVERSATION_WRITE);
      if (existing) return conversationFrom(existing);
      if (name && refusal.has(NAME)) return { nameTaken: true };
      const tally = NAME + naming.length;
      if (!counted || !refusal.has(tally)) throw new TransactionRefused(refusal);
      const count =
        countsFrom(refusal.get(tally), COUNTS)?.["conversations"] ??
        (await this.#count(scope, counted, createdAt));
      if (count >= MAX_END_USER_CONVERSATIONS) return { tooMany: count };
    }
    throw contended();
  }

  /** Returns how many conversations an end user has, counting them if that has not been done yet. */
  async #count(scope: AccessScope, endUser: EndUserRef, timestamp: string): Promise<number> {
    const recount = async () => {
      const options = { range: LASTING_KEYS, attributes: ["sk"] };
      return { conversations: (await this.#table.query(conversationsPartition(scope), options)).length };
    };
    const tally = conversationTally(endUser);
    const counts = await readTally(this.#table, tally, COUNTS, timestamp, recount);
    if (!counts) throw contended();
    return counts["conversations"] ?? 0;
  }

  /**
   * Returns the conversation. Throws `not-found` if there is none, it is being deleted, or its agent is out of reach.
   */
  async get(scope: AccessScope, id: ConversationId): Promise<Conversation> {
    const conversation = await this.find(scope, id);
    if (!conversation) throw notFound("Conversation");
    return conversation;
  }

  /** Returns the conversation, or `undefined` where `get` throws. */
  async find(scope: AccessScope, id: ConversationId): Promise<Conversation | undefined> {
    const item = await this.#table.get(conversationKey(scope, id));
    const conversation = item && !isBeingDeleted(item) ? conversationFrom(item) : undefined;
    return conversation && reaches(scope, conversation.agentId) ? conversation : undefined;
  }

  /** Returns the id that a client's name leads to, or `undefined` if there is none. The conversation may have been deleted. */
  async findByName(
    scope: AccessScope,
    agentId: AgentId,
    nameHash: string,
  ): Promise<ConversationId | undefined> {
    const item = await this.#table.get(conversationNameKey(scope, agentId, nameHash));
    return item && conversationIdOf(text(item, "conversation_id"));
  }

  /** Returns at most `limit` conversations of the scope from the cursor on, newest first. */
  async list(scope: AccessScope, limit: number, cursor: string | undefined): Promise<ListPage<Conversation>> {
    const cursorScope = `conversations of ${scopeName(scope)}`;
    const encoded = await this.#cursors.read(cursorScope, cursor);
    // Cursors are written below and authenticated, so the shape can be trusted.
    const start = encoded === undefined ? BEGINNING : (JSON.parse(encoded) as Position);

    const { items, next } = await this.#collect(scope, limit, start);
    return { items, nextCursor: next && (await this.#cursors.write(cursorScope, JSON.stringify(next))) };
  }

  /** Yields the transient conversations of the scope, in any order. No list contains them. */
  async *transient(scope: AccessScope): AsyncGenerator<Conversation, void, void> {
    const options = { range: TRANSIENT_KEYS };
    for await (const items of this.#table.pages(conversationsPartition(scope), options))
      yield* reachable(scope, items);
  }

  /**
   * Returns the ids of at most `limit` conversations of the scope with one agent, transient ones and those whose deletion was
   * interrupted included.
   */
  async idsOfAgent(scope: AccessScope, agentId: AgentId, limit: number): Promise<readonly ConversationId[]> {
    const options = { range: { beginsWith: CONVERSATION_PREFIX } };
    const ids: ConversationId[] = [];
    // There may be thousands of transient conversations. What is not asked for is not read.
    for await (const items of this.#table.pages(conversationsPartition(scope), options)) {
      const found = items.map(conversationFrom).filter((conversation) => conversation.agentId === agentId);
      ids.push(...found.map(({ id }) => id));
      if (ids.length >= limit) break;
    }
    return ids.slice(0, limit);
  }

  /**
   * Applies the changes and returns the updated conversation. Throws `not-found` if the conversation or the new agent
   * does not exist.
   */
  async update(
    scope: AccessScope,
    id: ConversationId,
    changes: ConversationChanges,
    updatedAt: string,
  ): Promise<Conversation> {
    const set = { ...conversationAttributes(changes), updated_at: updatedAt };
    if (changes.agentId !== undefined) return this.#moveToAgent(scope, id, changes.agentId, set);

    const condition = all(isLive, isInScope(scope));
    const { applied, item } = await this.#table.updateOrRefusal(
      conversationKey(scope, id),
      { set },
      condition,
    );
    if (!applied) throw notFound("Conversation");
    return conversationFrom(item);
  }

  async #moveToAgent(
    scope: AccessScope,
    id: ConversationId,
    agentId: AgentId,
    set: Item,
  ): Promise<Conversation> {
    if (!reaches(scope, agentId)) throw notFound("Agent");
    const refusal = await this.#table.transactOrRefusal([
      { update: conversationKey(scope, id), changes: { set }, if: all(isLive, isInScope(scope)) },
      { check: agentKey(scope.accountEmail, agentId), if: isLive },
    ]);
    if (refusal) throw notFound(refusal.has(CONVERSATION_WRITE) ? "Conversation" : "Agent");
    return this.get(scope, id);
  }

  /**
   * Hides the conversation from all readers. Returns `undefined` if there is none, or if only an unused one is `wanted` and something has
   * been said or changed in it, or if the deletion of `within` has ended. One whose deletion was interrupted still counts as existing.
   */
  async beginDeletion(
    scope: AccessScope,
    id: ConversationId,
    deletingAt: string,
    wanted: "any" | "unused",
    within?: DeletionGuard,
  ): Promise<DeletionGuard | undefined> {
    // Every turn and every change of the settings sets the time.
    const isWanted = wanted === "any" ? [] : [equals("updated_at", null)];
    const conditions = [isInScope(scope), ...isWanted];
    return markDeleted(this.#table, conversationKey(scope, id), deletingAt, {
      conditions,
      within,
      isOwn: (item) => reaches(scope, conversationFrom(item).agentId),
    });
  }

  /** Removes the conversation's item and, for an end user, lowers the count. Call it after the messages are gone. */
  async endDeletion(
    scope: AccessScope,
    id: ConversationId,
    { check: key, if: isOngoing }: DeletionGuard,
    endedAt: string,
  ): Promise<void> {
    const isCounted =
      scope.endUser &&
      !isTransient(id) &&
      (await this.#table.tryTransact([
        { remove: key, if: isOngoing },
        changeTally(conversationTally(scope.endUser), { conversations: -1 }, endedAt),
        // An end user's data is deleted before the end user. Afterwards the tally must not be created again.
        { check: endUserKey(scope.endUser), if: present("pk") },
      ]));
    if (!isCounted) await this.#table.tryRemove(key, isOngoing);
  }

  /** Reads one item more than `limit`, which shows whether there is a next page. */
  async #collect(scope: AccessScope, limit: number, start: Position) {
    const found: Found[] = [];
    // Most lists have a single page. Reading both parts at once saves a round trip.
    const older = start === BEGINNING ? this.#readOlder(scope) : undefined;
    // If the first part fails, this promise is never awaited. Its rejection must not count as unhandled.
    older?.catch(() => undefined);

    if (start.part === "ordered") await this.#collectOrdered(scope, limit + 1, start.after, found);
    if (found.length <= limit || older) {
      const after = start.part === "older" ? start.after : null;
      found.push(...olderPage(await (older ?? this.#readOlder(scope)), after, limit + 1 - found.length));
    }

    const items = found.slice(0, limit).map(({ conversation }) => conversation);
    return { items, next: found.length > limit ? (found[limit - 1]?.position ?? null) : null };
  }

  async #collectOrdered(
    scope: AccessScope,
    wanted: number,
    after: string | null,
    into: Found[],
  ): Promise<void> {
    const range = { between: [TIME_ORDERED_KEYS.from, TIME_ORDERED_KEYS.to] as const };
    let from = after ?? undefined;

    do {
      // If some are out of reach, it is unknown how many have to be read.
      const limit = scope.agentIds ? CONFINED_PAGE : wanted - into.length;
      const options = { range, newestFirst: true, limit, after: from };
      const page = await this.#table.queryPage(conversationsPartition(scope), options);
      for (const conversation of reachable(scope, page.items)) {
        const sk = conversationKey(scope, conversation.id).sk;
        into.push({ conversation, position: { part: "ordered", after: sk } });
      }
      from = page.next;
    } while (from !== undefined && into.length < wanted);
  }

  /**
   * Reads and sorts all conversations with ids of the legacy Python service, which do not encode time. Their number is
   * fixed.
   */
  async #readOlder(scope: AccessScope): Promise<readonly Conversation[]> {
    const partition = conversationsPartition(scope);
    const parts = await Promise.all([
      this.#table.query(partition, {
        range: { between: [CONVERSATION_PREFIX, below(TIME_ORDERED_KEYS.from)] },
      }),
      this.#table.query(partition, {
        range: { between: [`${TIME_ORDERED_KEYS.to}!`, LASTING_KEYS.between[1]] },
      }),
    ]);
    return reachable(scope, parts.flat()).toSorted(byNewest);
  }
}

/** Returns the write that stores a client's name of a conversation, if it is free or leads to what no longer exists. */
const nameWrite = (
  scope: AccessScope,
  { id, agentId, createdAt }: Conversation,
  { hash, replaced }: ConversationName,
): WriteAction => ({
  put: {
    ...conversationNameKey(scope, agentId, hash),
    entity_type: "ThreadName",
    conversation_id: id,
    created_at: createdAt,
  },
  if: replaced === undefined ? absent("pk") : any(absent("pk"), equals("conversation_id", replaced)),
});

const contended = (): AppError =>
  new AppError("conflict", "Your conversations are being changed concurrently. Please try again.", {
    retryAfter: 1,
    retryable: true,
  });

interface Found {
  readonly conversation: Conversation;
  readonly position: Position;
}

/** Reads the conversations among the items that are not being deleted and are in reach. */
const reachable = (scope: AccessScope, items: readonly Item[]): Conversation[] =>
  items
    .filter((item) => !isBeingDeleted(item))
    .map(conversationFrom)
    .filter(({ agentId }) => reaches(scope, agentId));

/** A condition that holds if the conversation exists and its agent is in reach. */
const isInScope = ({ agentIds }: AccessScope): Condition =>
  agentIds
    ? all(present("pk"), any(...agentIds.map((agentId) => equals("agent_id", agentId))))
    : present("pk");

function olderPage(sorted: readonly Conversation[], after: string | null, wanted: number): Found[] {
  const rest = after === null ? sorted : sorted.filter((conversation) => positionOf(conversation) < after);
  return rest
    .slice(0, Math.max(0, wanted))
    .map((conversation) => ({ conversation, position: { part: "older", after: positionOf(conversation) } }));
}

/** A string that decreases along the list of older conversations, so that a page can continue after a deleted one. */
const positionOf = ({ createdAt, id }: Conversation): string => `${createdAt} ${id}`;

/** Returns a key that sorts before every key that begins with `prefix`, and after all others before it. */
const below = (prefix: string): string =>
  `${prefix.slice(0, -1)}${String.fromCharCode(prefix.charCodeAt(prefix.length - 1) - 1)}~`;
