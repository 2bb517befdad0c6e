import type { DeletionGuard } from "../table/deletion.ts";
import type { ConversationId } from "../shared/id-types.ts";
import type { TableClient } from "../table/client.ts";
import type { Cursors } from "../table/cursor.ts";
import { text } from "../table/fields.ts";
import { MESSAGE_PREFIX, conversationPartition } from "../table/keys.ts";
import { type ListPage, listNewestFirst } from "../table/list.ts";
import { type Message, messageFrom, messageKey } from "./model.ts";

/** The most items removed per call of `sweep`, because a Worker can make a limited number of requests. */
const SWEEP_ITEMS = 10_000;

/** The messages of conversations in the table. */
export class MessageRepository {
  readonly #table: TableClient;
  readonly #cursors: Cursors;

  constructor({ table, cursors }: { readonly table: TableClient; readonly cursors: Cursors }) {
    this.#table = table;
    this.#cursors = cursors;
  }

  /** Returns a message, or `undefined` if there is none. The caller must have checked access to its conversation. */
  async find(conversationId: ConversationId, createdAt: string, id: string): Promise<Message | undefined> {
    const item = await this.#table.get(messageKey(conversationId, createdAt, id));
    return item && messageFrom(item);
  }

  /**
   * Returns at most `limit` messages that are as old as `createdAt` or newer, oldest first. The caller must have checked access to
   * their conversation.
   */
  async since(conversationId: ConversationId, createdAt: string, limit: number): Promise<readonly Message[]> {
    // `~` sorts behind the digits that the time of every message begins with.
    const range = { between: [`${MESSAGE_PREFIX}${createdAt}`, `${MESSAGE_PREFIX}~`] as const };
    const { items } = await this.#table.queryPage(conversationPartition(conversationId), { range, limit });
    return items.map(messageFrom);
  }

  /** Returns a page of a conversation's messages, newest first. The caller must have checked access to it. */
  list(
    conversationId: ConversationId,
    limit: number,
    cursor: string | undefined,
  ): Promise<ListPage<Message>> {
    const partition = conversationPartition(conversationId);
    const cursorScope = `messages of ${conversationId}`;
    const request = { partition, range: { beginsWith: MESSAGE_PREFIX }, cursorScope, limit, cursor };
    return listNewestFirst(this.#table, this.#cursors, request, messageFrom);
  }

  /** Returns the sort keys of a conversation's messages, newest first. */
  async sortKeys(conversationId: ConversationId): Promise<readonly string[]> {
    const items = await this.#table.query(conversationPartition(conversationId), {
      range: { beginsWith: MESSAGE_PREFIX },
      newestFirst: true,
      attributes: ["sk"],
    });
    return items.map((item) => text(item, "sk"));
  }

  /** Returns the messages with these sort keys, in the same order. Missing ones are left out. */
  async at(conversationId: ConversationId, sortKeys: readonly string[]): Promise<readonly Message[]> {
    const pk = conversationPartition(conversationId);
    const items = await this.#table.batchGet(sortKeys.map((sk) => ({ pk, sk })));
    return items.filter((item) => item !== undefined).map(messageFrom);
  }

  /** Removes the items of a conversation's partition. Returns false if some are left and another call is needed. */
  sweep(conversationId: ConversationId, guard: DeletionGuard): Promise<boolean> {
    return this.#table.removePartition(conversationPartition(conversationId), SWEEP_ITEMS, guard);
  }
}
