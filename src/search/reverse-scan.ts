import type { TableClient } from "../table/client.ts";
import type { Item } from "../table/marshal.ts";

/** Sorts after every time. */
export const END = "~";

const PAGE_ITEMS = 1_000;

/** A range of sort keys without their prefix, from `from` (inclusive) to `before` (exclusive). */
export interface Gap {
  readonly from: string;
  readonly before: string;
}

export interface ReadSource {
  readonly partition: string;
  readonly prefix: string;
  /** The attributes to read. All by default. */
  readonly attributes?: readonly string[];
}

/**
 * Reads a range backwards, up to `maxPages` pages. Returns the items oldest first, the range that is left (null if
 * none), and the number of pages read.
 */
export async function reverseScan(
  table: TableClient,
  { partition, prefix, attributes }: ReadSource,
  { from, before }: Gap,
  maxPages: number,
): Promise<{ readonly items: readonly Item[]; readonly left: Gap | null; readonly pages: number }> {
  const range = { between: [prefix + from, prefix + END] } as const;
  const options = { range, newestFirst: true, limit: PAGE_ITEMS, ...(attributes && { attributes }) };
  const items: Item[] = [];
  let after = before === END ? undefined : prefix + before;
  let pages = 0;

  do {
    if (pages === maxPages && after !== undefined)
      return { items: items.toReversed(), left: { from, before: after.slice(prefix.length) }, pages };
    const page = await table.queryPage(partition, { ...options, after });
    items.push(...page.items);
    after = page.next;
    pages++;
  } while (after !== undefined);
  return { items: items.toReversed(), left: null, pages };
}
