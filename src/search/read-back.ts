import type { TableClient } from "../table/client.ts";
import type { Item } from "../table/marshal.ts";

/** Behind every time. */
export const END = "~";

const PAGE_ITEMS = 1_000;

/** Sort keys, without their prefix, from `from` up to `before`, which is excluded. */
export interface Gap {
  readonly from: string;
  readonly before: string;
}

export interface ReadSource {
  readonly partition: string;
  readonly prefix: string;
  /** Only these attributes; all where nothing is said. */
  readonly attributes?: readonly string[];
}

/** Reads a range from its end, as far as the pages go. Gives the items oldest first, and the range that is left. */
export async function readBack(
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
