import { agentKey } from "../agents/model.ts";
import { notFound } from "../shared/errors.ts";
import type { TableClient } from "../table/client.ts";
import type { Cursors } from "../table/cursor.ts";
import { DELETING, isBeingDeleted, isLive } from "../table/deletion.ts";
import { ConditionFailed, TransactionRefused } from "../table/errors.ts";
import { absent, any, present } from "../table/expressions.ts";
import { userConversationsPartition } from "../table/keys.ts";
import type { ListPage } from "../table/list.ts";
import type { Item } from "../table/marshal.ts";
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
   * or is being deleted.
   */
  async create(conversation: Conversation): Promise<Conversation> {
    try {
      await this.#table.transact([
        { put: conversationItem(conversation), if: absent("pk") },
        { check: agentKey(conversation.owner, conversation.agentId), if: isLive },
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

  async get(owner: string, id: string): Promise<Conversation> {
    const item = await this.#table.get(conversationKey(owner, id));
    if (!item || isBeingDeleted(item)) throw notFound("Conversation");
    return conversationFrom(item);
  }

  /** The owner's conversations, newest first, at most `limit` of them from the cursor on. */
  async list(owner: string, limit: number, cursor: string | undefined): Promise<ListPage<Conversation>> {
    const scope = `conversations of ${owner}`;
    const encoded = await this.#cursors.read(scope, cursor);
    // The cursor was written below and is authenticated, so its shape is known.
    const start = encoded === undefined ? BEGINNING : (JSON.parse(encoded) as Position);

    const { items, next } = await this.#collect(owner, limit, start);
    return { items, nextCursor: next && (await this.#cursors.write(scope, JSON.stringify(next))) };
  }

  /** All conversations of an owner with one agent, those whose deletion stopped half-way included. */
  async idsOfAgent(owner: string, agentId: string): Promise<readonly string[]> {
    const range = { beginsWith: CONVERSATION_PREFIX };
    const items = await this.#table.query(userConversationsPartition(owner), { range });
    return items
      .map(conversationFrom)
      .flatMap((conversation) => (conversation.agentId === agentId ? [conversation.id] : []));
  }

  /** Changes what is given and gives the conversation as it then is. Throws a 404 for an agent that does not stand. */
  async update(
    owner: string,
    id: string,
    changes: ConversationChanges,
    updatedAt: string,
  ): Promise<Conversation> {
    const set = { ...conversationAttributes(changes), updated_at: updatedAt };
    if (changes.agentId !== undefined) return this.#giveTo(owner, id, changes.agentId, set);

    try {
      return conversationFrom(await this.#table.update(conversationKey(owner, id), { set }, isLive));
    } catch (error) {
      if (error instanceof ConditionFailed) throw notFound("Conversation");
      throw error;
    }
  }

  async #giveTo(owner: string, id: string, agentId: string, set: Item): Promise<Conversation> {
    try {
      await this.#table.transact([
        { update: conversationKey(owner, id), changes: { set }, if: isLive },
        { check: agentKey(owner, agentId), if: isLive },
      ]);
      return await this.get(owner, id);
    } catch (error) {
      if (!(error instanceof TransactionRefused)) throw error;
      throw notFound(error.failed.has(CONVERSATION_WRITE) ? "Conversation" : "Agent");
    }
  }

  /** Makes the conversation absent to everybody; false where there is none. One deleted half-way counts as there. */
  async beginDeletion(owner: string, id: string, deletingAt: string): Promise<boolean> {
    try {
      await this.#table.update(
        conversationKey(owner, id),
        { set: { [DELETING]: deletingAt } },
        present("pk"),
      );
      return true;
    } catch (error) {
      if (error instanceof ConditionFailed) return false;
      throw error;
    }
  }

  /** Removes the conversation itself, once its messages are gone. */
  async endDeletion(owner: string, id: string): Promise<void> {
    await this.#table.remove(conversationKey(owner, id), any(absent("pk"), present(DELETING)));
  }

  /** One item more than asked for tells whether there is a next page. */
  async #collect(owner: string, limit: number, start: Position) {
    const found: Found[] = [];
    // The first page of most lists is also the last: asking for both parts at once saves it a wait.
    const older = start === BEGINNING ? this.#readOlder(owner) : undefined;
    // Where the first part fails, nobody waits for this one, and its failure must not count as unhandled.
    older?.catch(() => undefined);

    if (start.part === "ordered") await this.#collectOrdered(owner, limit + 1, start.after, found);
    if (found.length <= limit || older) {
      const after = start.part === "older" ? start.after : null;
      found.push(...olderFrom(await (older ?? this.#readOlder(owner)), after, limit + 1 - found.length));
    }

    const items = found.slice(0, limit).map(({ conversation }) => conversation);
    return { items, next: found.length > limit ? (found[limit - 1]?.position ?? null) : null };
  }

  async #collectOrdered(owner: string, wanted: number, after: string | null, into: Found[]): Promise<void> {
    const range = { between: [TIME_ORDERED_KEYS.from, TIME_ORDERED_KEYS.to] as const };
    let from = after ?? undefined;

    do {
      const options = { range, newestFirst: true, limit: wanted - into.length, after: from };
      const page = await this.#table.queryPage(userConversationsPartition(owner), options);
      for (const conversation of living(page.items)) {
        const sk = conversationKey(owner, conversation.id).sk;
        into.push({ conversation, position: { part: "ordered", after: sk } });
      }
      from = page.next;
    } while (from !== undefined && into.length < wanted);
  }

  /** Ids of the service before say nothing about time, so these are all read and sorted; there come no new ones. */
  async #readOlder(owner: string): Promise<readonly Conversation[]> {
    const partition = userConversationsPartition(owner);
    const parts = await Promise.all([
      this.#table.query(partition, {
        range: { between: [CONVERSATION_PREFIX, below(TIME_ORDERED_KEYS.from)] },
      }),
      this.#table.query(partition, {
        range: { between: [`${TIME_ORDERED_KEYS.to}!`, `${CONVERSATION_PREFIX}~`] },
      }),
    ]);
    return living(parts.flat()).toSorted(byNewest);
  }
}

interface Found {
  readonly conversation: Conversation;
  readonly position: Position;
}

const living = (items: readonly Item[]): Conversation[] =>
  items.filter((item) => !isBeingDeleted(item)).map(conversationFrom);

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
