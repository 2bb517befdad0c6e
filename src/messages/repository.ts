import type { TableClient } from "../table/client.ts";
import type { Cursors } from "../table/cursor.ts";
import { keyOf } from "../table/fields.ts";
import { conversationPartition } from "../table/keys.ts";
import { type Message, MESSAGE_PREFIX, messageFrom } from "./model.ts";

/** A page of a list; `nextCursor` is null at the end. */
export interface MessagePage {
  readonly items: readonly Message[];
  readonly nextCursor: string | null;
}

/** Items removed per call of `sweep`: a Worker has a bounded number of requests, and a caller bounded patience. */
const SWEEP_ITEMS = 10_000;

export class MessageRepository {
  readonly #table: TableClient;
  readonly #cursors: Cursors;

  constructor(table: TableClient, cursors: Cursors) {
    this.#table = table;
    this.#cursors = cursors;
  }

  /** A conversation's messages, newest first. Whose conversation it is, the caller has checked. */
  async list(conversationId: string, limit: number, cursor: string | undefined): Promise<MessagePage> {
    const scope = `messages of ${conversationId}`;
    const after = await this.#cursors.read(scope, cursor);

    const page = await this.#table.queryPage(conversationPartition(conversationId), {
      range: { beginsWith: MESSAGE_PREFIX },
      newestFirst: true,
      // One more than asked for tells whether there is a next page.
      limit: limit + 1,
      after,
    });

    const shown = page.items.slice(0, limit);
    const last = shown.at(-1);
    const next = page.items.length > limit && last ? keyOf(last).sk : page.next;
    return {
      items: shown.map(messageFrom),
      nextCursor: next === undefined ? null : await this.#cursors.write(scope, next),
    };
  }

  /** Removes everything in a conversation's partition; false where so much is left that it takes another call. */
  sweep(conversationId: string): Promise<boolean> {
    return this.#table.removePartition(conversationPartition(conversationId), SWEEP_ITEMS);
  }
}
