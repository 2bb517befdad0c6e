import { agentKey } from "../agents/model.ts";
import { homeKey } from "../end-users/model.ts";
import { notFound } from "../shared/errors.ts";
import type { TableClient } from "../table/client.ts";
import type { Cursors } from "../table/cursor.ts";
import { DELETING, isBeingDeleted, isLive } from "../table/deletion.ts";
import { ConditionFailed, TransactionRefused } from "../table/errors.ts";
import { absent, all, any, type Condition, equals, present } from "../table/expressions.ts";
import type { ListPage } from "../table/list.ts";
import type { Item } from "../table/marshal.ts";
import { conversationsPartition, reaches, type Space, spaceName } from "../users/space.ts";
import {
  byNewest,
  type Conversation,
  conversationAttributes,
  type ConversationChanges,
  conversationFrom,
  conversationItem,
  conversationKey,
  CONVERSATION_PREFIX,
  TIME_ORDERED_KEYS,
} from "./model.ts";

/** Where a list goes on: behind a sort key of the time-ordered ids, or behind one of the older, unordered ones. */
interface Position {
  readonly part: "ordered" | "older";
  readonly after: string | null;
}

/** Where the conversation and the check of its agent stand among the actions of a transaction. */
const CONVERSATION_WRITE = 0;
const AGENT_CHECK = 1;

/** Conversations read at once by a caller who does not reach all of them. */
const CONFINED_PAGE = 200;

const BEGINNING: Position = { part: "ordered", after: null };

export class ConversationRepository {
  readonly #table: TableClient;
  readonly #cursors: Cursors;

  constructor(table: TableClient, cursors: Cursors) {
    this.#table = table;
    this.#cursors = cursors;
  }

  /**
   * Stores a new conversation, or gives the one that already has the id. Throws a 404 where its agent does not stand,
   * is being deleted or is out of reach.
   */
  async create(space: Space, conversation: Conversation): Promise<Conversation> {
    if (!reaches(space, conversation.agentId)) throw notFound("Agent");
    try {
      await this.#table.transact([
        { put: conversationItem(space, conversation), if: absent("pk") },
        { check: homeKey(space, conversation.agentId), if: isLive },
      ]);
      return conversation;
    } catch (error) {
      if (!(error instanceof TransactionRefused)) throw error;
      if (error.failed.has(AGENT_CHECK)) throw notFound("Agent");

      const existing = error.failed.get(CONVERSATION_WRITE);
      if (existing) return conversationFrom(existing);
      throw error;
    }
  }

  async get(space: Space, id: string): Promise<Conversation> {
    const item = await this.#table.get(conversationKey(space, id));
    const conversation = item && !isBeingDeleted(item) ? conversationFrom(item) : undefined;
    if (!conversation || !reaches(space, conversation.agentId)) throw notFound("Conversation");
    return conversation;
  }

  /** The owner's conversations, newest first, at most `limit` of them from the cursor on. */
  async list(space: Space, limit: number, cursor: string | undefined): Promise<ListPage<Conversation>> {
    const scope = `conversations of ${spaceName(space)}`;
    const encoded = await this.#cursors.read(scope, cursor);
    // The cursor was written below and is authenticated, so its shape is known.
    const start = encoded === undefined ? BEGINNING : (JSON.parse(encoded) as Position);

    const { items, next } = await this.#collect(space, limit, start);
    return { items, nextCursor: next && (await this.#cursors.write(scope, JSON.stringify(next))) };
  }

  /** All conversations of an owner with one agent, those whose deletion stopped half-way included. */
  async idsOfAgent(space: Space, agentId: string): Promise<readonly string[]> {
    const range = { beginsWith: CONVERSATION_PREFIX };
    const items = await this.#table.query(conversationsPartition(space), { range });
    return items
      .map(conversationFrom)
      .flatMap((conversation) => (conversation.agentId === agentId ? [conversation.id] : []));
  }

  /** Changes what is given and gives the conversation as it then is. Throws a 404 for an agent that does not stand. */
  async update(
    space: Space,
    id: string,
    changes: ConversationChanges,
    updatedAt: string,
  ): Promise<Conversation> {
    const set = { ...conversationAttributes(changes), updated_at: updatedAt };
    if (changes.agentId !== undefined) return this.#giveTo(space, id, changes.agentId, set);

    try {
      return conversationFrom(
        await this.#table.update(conversationKey(space, id), { set }, all(isLive, inReach(space))),
      );
    } catch (error) {
      if (error instanceof ConditionFailed) throw notFound("Conversation");
      throw error;
    }
  }

  async #giveTo(space: Space, id: string, agentId: string, set: Item): Promise<Conversation> {
    if (!reaches(space, agentId)) throw notFound("Agent");
    try {
      await this.#table.transact([
        { update: conversationKey(space, id), changes: { set }, if: all(isLive, inReach(space)) },
        { check: agentKey(space.owner, agentId), if: isLive },
      ]);
      return await this.get(space, id);
    } catch (error) {
      if (!(error instanceof TransactionRefused)) throw error;
      throw notFound(error.failed.has(CONVERSATION_WRITE) ? "Conversation" : "Agent");
    }
  }

  /** Makes the conversation absent to everybody; false where there is none. One deleted half-way counts as there. */
  async beginDeletion(space: Space, id: string, deletingAt: string): Promise<boolean> {
    try {
      await this.#table.update(
        conversationKey(space, id),
        { set: { [DELETING]: deletingAt } },
        inReach(space),
      );
      return true;
    } catch (error) {
      if (error instanceof ConditionFailed) return false;
      throw error;
    }
  }

  /** Removes the conversation itself, once its messages are gone. */
  async endDeletion(space: Space, id: string): Promise<void> {
    await this.#table.remove(conversationKey(space, id), any(absent("pk"), present(DELETING)));
  }

  /** One item more than asked for tells whether there is a next page. */
  async #collect(space: Space, limit: number, start: Position) {
    const found: Found[] = [];
    // The first page of most lists is also the last: asking for both parts at once saves it a wait.
    const older = start === BEGINNING ? this.#readOlder(space) : undefined;
    // Where the first part fails, nobody waits for this one, and its failure must not count as unhandled.
    older?.catch(() => undefined);

    if (start.part === "ordered") await this.#collectOrdered(space, limit + 1, start.after, found);
    if (found.length <= limit || older) {
      const after = start.part === "older" ? start.after : null;
      found.push(...olderFrom(await (older ?? this.#readOlder(space)), after, limit + 1 - found.length));
    }

    const items = found.slice(0, limit).map(({ conversation }) => conversation);
    return { items, next: found.length > limit ? (found[limit - 1]?.position ?? null) : null };
  }

  async #collectOrdered(space: Space, wanted: number, after: string | null, into: Found[]): Promise<void> {
    const range = { between: [TIME_ORDERED_KEYS.from, TIME_ORDERED_KEYS.to] as const };
    let from = after ?? undefined;

    do {
      // Where some are out of reach, nobody knows how many it takes.
      const limit = space.agentIds ? CONFINED_PAGE : wanted - into.length;
      const options = { range, newestFirst: true, limit, after: from };
      const page = await this.#table.queryPage(conversationsPartition(space), options);
      for (const conversation of living(space, page.items)) {
        const sk = conversationKey(space, conversation.id).sk;
        into.push({ conversation, position: { part: "ordered", after: sk } });
      }
      from = page.next;
    } while (from !== undefined && into.length < wanted);
  }

  /** Ids of the service before say nothing about time, so these are all read and sorted; there come no new ones. */
  async #readOlder(space: Space): Promise<readonly Conversation[]> {
    const partition = conversationsPartition(space);
    const parts = await Promise.all([
      this.#table.query(partition, {
        range: { between: [CONVERSATION_PREFIX, below(TIME_ORDERED_KEYS.from)] },
      }),
      this.#table.query(partition, {
        range: { between: [`${TIME_ORDERED_KEYS.to}!`, `${CONVERSATION_PREFIX}~`] },
      }),
    ]);
    return living(space, parts.flat()).toSorted(byNewest);
  }
}

interface Found {
  readonly conversation: Conversation;
  readonly position: Position;
}

/** The conversations among these items that stand and are in reach. */
const living = (space: Space, items: readonly Item[]): Conversation[] =>
  items
    .filter((item) => !isBeingDeleted(item))
    .map(conversationFrom)
    .filter(({ agentId }) => reaches(space, agentId));

/** Holds for a conversation that is there, with an agent that is in reach. */
const inReach = ({ agentIds }: Space): Condition =>
  agentIds
    ? all(present("pk"), any(...agentIds.map((agentId) => equals("agent_id", agentId))))
    : present("pk");

function olderFrom(sorted: readonly Conversation[], after: string | null, wanted: number): Found[] {
  const rest = after === null ? sorted : sorted.filter((conversation) => placeOf(conversation) < after);
  return rest
    .slice(0, Math.max(0, wanted))
    .map((conversation) => ({ conversation, position: { part: "older", after: placeOf(conversation) } }));
}

/** A text that falls along the list of older conversations, so that a page can go on even if its last one is gone. */
const placeOf = ({ createdAt, id }: Conversation): string => `${createdAt} ${id}`;

/** The greatest key below every key that begins with `prefix`. */
const below = (prefix: string): string =>
  `${prefix.slice(0, -1)}${String.fromCharCode(prefix.charCodeAt(prefix.length - 1) - 1)}~`;
