import type { RunId } from "../shared/id-types.ts";
import type { TableClient } from "../table/client.ts";
import type { Cursors } from "../table/cursor.ts";
import { memoryPartition } from "../table/keys.ts";
import { type ListPage, listInOrder } from "../table/list.ts";
import type { MemoryOwner } from "./model.ts";
import { type RunChange, runChangeFrom, runChangePrefix } from "./run-change-model.ts";

/** The changes that runs have made to memories. They are written together with the changes. */
export class RunChangeRepository {
  readonly #table: TableClient;
  readonly #cursors: Cursors;

  constructor({ table, cursors }: { readonly table: TableClient; readonly cursors: Cursors }) {
    this.#table = table;
    this.#cursors = cursors;
  }

  /** Returns a page of the changes of a run, in the order in which they were made. */
  list(
    owner: MemoryOwner,
    runId: RunId,
    limit: number,
    cursor: string | undefined,
  ): Promise<ListPage<RunChange>> {
    const partition = memoryPartition(owner.agentId, owner.userId);
    const prefix = runChangePrefix(runId);
    const request = {
      partition,
      range: { beginsWith: prefix },
      cursorScope: `changes in ${partition} of ${prefix}`,
      limit,
      cursor,
    };
    return listInOrder(this.#table, this.#cursors, request, runChangeFrom);
  }

  /** Returns all changes of a run, in order. A turn makes few: its responses and their tool calls are limited. */
  async all(owner: MemoryOwner, runId: RunId): Promise<readonly RunChange[]> {
    const range = { beginsWith: runChangePrefix(runId) };
    const items = await this.#table.query(memoryPartition(owner.agentId, owner.userId), { range });
    return items.map(runChangeFrom);
  }
}
