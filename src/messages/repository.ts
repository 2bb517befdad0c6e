import type { TableClient } from "../table/client.ts";
import type { Cursors } from "../table/cursor.ts";
import { text } from "../table/fields.ts";
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

  /** Where a conversation's messages stand, newest first. */
  async sortKeys(conversationId: string): Promise<readonly string[]> {
    const items = await this.#table.query(conversationPartition(conversationId), {
      range: { beginsWith: MESSAGE_PREFIX },
      newestFirst: true,
      attributes: ["sk"],
    });
    return items.map((item) => text(item, "sk"));
  }

  /** The messages that stand there, in this order. */
  async at(conversationId: string, sortKeys: readonly string[]): Promise<readonly Message[]> {
    const pk = conversationPartition(conversationId);
    const items = await this.#table.batchGet(sortKeys.map((sk) => ({ pk, sk })));
    return items.filter((item) => item !== undefined).map(messageFrom);
  }

  /** Removes everything in a conversation's partition; false where so much is left that it takes another call. */
  sweep(conversationId: string): Promise<boolean> {
    return this.#table.removePartition(conversationPartition(conversationId), SWEEP_ITEMS);
  }
}
