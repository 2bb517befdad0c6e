import type { TableClient } from "./client.ts";
import type { Cursors } from "./cursor.ts";
import type { SortKeyRange } from "./expressions.ts";
import { keyOf } from "./fields.ts";
import type { Item } from "./marshal.ts";

/** A page of a list; `nextCursor` is null on the last one. */
export interface ListPage<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | null;
}

export interface ListRequest {
  readonly partition: string;
  readonly range: SortKeyRange;
  /** The list that the cursor is bound to. Cursors of other lists are refused. */
  readonly cursorScope: string;
  readonly limit: number;
  readonly cursor: string | undefined;
}

/** Returns a page of a range of sort keys, newest first. Throws `malformed-request` if the cursor is not from this list. */
export const listNewestFirst = <T>(
  table: TableClient,
  cursors: Cursors,
  request: ListRequest,
  from: (item: Item) => T,
): Promise<ListPage<T>> => listPage(table, cursors, { ...request, newestFirst: true }, from);

/** Like `listNewestFirst`, in ascending order of sort keys. */
export const listInOrder = <T>(
  table: TableClient,
  cursors: Cursors,
  request: ListRequest,
  from: (item: Item) => T,
): Promise<ListPage<T>> => listPage(table, cursors, { ...request, newestFirst: false }, from);

async function listPage<T>(
  table: TableClient,
  cursors: Cursors,
  {
    partition,
    range,
    cursorScope,
    limit,
    cursor,
    newestFirst,
  }: ListRequest & { readonly newestFirst: boolean },
  from: (item: Item) => T,
): Promise<ListPage<T>> {
  const after = await cursors.read(cursorScope, cursor);
  // One additional item shows whether there is a next page.
  const page = await table.queryPage(partition, { range, newestFirst, limit: limit + 1, after });

  const shown = page.items.slice(0, limit);
  const last = shown.at(-1);
  const next = page.items.length > limit && last ? keyOf(last).sk : page.next;
  const nextCursor = next === undefined ? null : await cursors.write(cursorScope, next);
  return { items: shown.map(from), nextCursor };
}
