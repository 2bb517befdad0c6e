import type { ConversationId, RunId } from "../shared/id-types.ts";
import type { TableClient } from "../table/client.ts";
import type { Cursors } from "../table/cursor.ts";
import { conversationPartition } from "../table/keys.ts";
import { type ListPage, listNewestFirst } from "../table/list.ts";
import { type Run, RUN_PREFIX, runFrom, runKey } from "./model.ts";

/** Reads runs from the table. Security: callers must check access to the conversation first. */
export class RunRepository {
  readonly #table: TableClient;
  readonly #cursors: Cursors;

  constructor({ table, cursors }: { readonly table: TableClient; readonly cursors: Cursors }) {
    this.#table = table;
    this.#cursors = cursors;
  }

  /** Returns a run, or `undefined` if there is none. */
  async find(conversationId: ConversationId, runId: RunId): Promise<Run | undefined> {
    const item = await this.#table.get(runKey(conversationId, runId));
    return item && runFrom(item);
  }

  /** Returns a page of a conversation's runs, newest first. */
  list(conversationId: ConversationId, limit: number, cursor: string | undefined): Promise<ListPage<Run>> {
    const partition = conversationPartition(conversationId);
    const request = {
      partition,
      range: { beginsWith: RUN_PREFIX },
      cursorScope: `runs of ${conversationId}`,
      limit,
      cursor,
    };
    return listNewestFirst(this.#table, this.#cursors, request, runFrom);
  }
}
