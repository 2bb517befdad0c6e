import type { TableClient } from "../table/client.ts";
import type { Cursors } from "../table/cursor.ts";
import { conversationPartition } from "../table/keys.ts";
import { type ListPage, listNewestFirst } from "../table/list.ts";
import { type Run, RUN_PREFIX, runFrom, runKey } from "./model.ts";

/** Runs as the table knows them. Whose conversation it is, the caller has checked. */
export class RunRepository {
  readonly #table: TableClient;
  readonly #cursors: Cursors;

  constructor(table: TableClient, cursors: Cursors) {
    this.#table = table;
    this.#cursors = cursors;
  }

  async find(conversationId: string, runId: string): Promise<Run | undefined> {
    const item = await this.#table.get(runKey(conversationId, runId));
    return item && runFrom(item);
  }

  /** A conversation's runs, newest first. */
  list(conversationId: string, limit: number, cursor: string | undefined): Promise<ListPage<Run>> {
    const partition = conversationPartition(conversationId);
    const request = {
      partition,
      range: { beginsWith: RUN_PREFIX },
      scope: `runs of ${conversationId}`,
      limit,
      cursor,
    };
    return listNewestFirst(this.#table, this.#cursors, request, runFrom);
  }
}
