import type { TableClient } from "../table/client.ts";
import type { Cursors } from "../table/cursor.ts";
import { conversationPartition } from "../table/keys.ts";
import { type ListPage, listNewestFirst } from "../table/list.ts";
import { type Message, MESSAGE_PREFIX, messageFrom, messageKey } from "./model.ts";

/** Items removed per call of `sweep`: a Worker has a bounded number of requests, and a caller bounded patience. */
const SWEEP_ITEMS = 10_000;

export class MessageRepository {
  readonly #table: TableClient;
  readonly #cursors: Cursors;

  constructor(table: TableClient, cursors: Cursors) {
    this.#table = table;
    this.#cursors = cursors;
  }

  async find(conversationId: string, createdAt: string, id: string): Promise<Message | undefined> {
    const item = await this.#table.get(messageKey(conversationId, createdAt, id));
    return item && messageFrom(item);
  }

  /** A conversation's messages, newest first. Whose conversation it is, the caller has checked. */
  list(conversationId: string, limit: number, cursor: string | undefined): Promise<ListPage<Message>> {
    const partition = conversationPartition(conversationId);
    const scope = `messages of ${conversationId}`;
    const request = { partition, range: { beginsWith: MESSAGE_PREFIX }, scope, limit, cursor };
    return listNewestFirst(this.#table, this.#cursors, request, messageFrom);
  }

  /** Removes everything in a conversation's partition; false where so much is left that it takes another call. */
  sweep(conversationId: string): Promise<boolean> {
    return this.#table.removePartition(conversationPartition(conversationId), SWEEP_ITEMS);
  }
}
