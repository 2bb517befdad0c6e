import type { TableClient } from "./client.ts";
import { absent, all, type Condition, equals, present } from "./expressions.ts";
import type { Item, Key } from "./marshal.ts";
import type { WriteAction } from "./requests.ts";

/**
 * Marks an item whose dependents are being removed. Reads treat it as absent; only the deletion itself uses it, to continue where
 * it stopped. Nothing new can be attached to it, because such writes require `isLive`.
 */
export const DELETING = "deleting_at";

export const isBeingDeleted = (item: Item): boolean =>
  item[DELETING] !== undefined && item[DELETING] !== null;

/** Holds if the item exists and is not being deleted. */
export const isLive: Condition = all(present("pk"), absent(DELETING));

/**
 * Holds until the deletion that has marked an item has ended. Each write of the deletion requires it: a repeat that comes late would
 * otherwise remove parts of something new that has the same id by then.
 */
export type DeletionGuard = Extract<WriteAction, { readonly check: Key }>;

/** Returns the guard of the deletion that has marked this item, or `undefined` if it is not marked. */
export const guardOf = (key: Key, item: Item | undefined): DeletionGuard | undefined =>
  item && isBeingDeleted(item) ? { check: key, if: equals(DELETING, item[DELETING] ?? null) } : undefined;

interface MarkOptions {
  readonly conditions?: readonly Condition[];
  /** The deletion that this one is a part of. */
  readonly within?: DeletionGuard | undefined;
  /** Whether an item that is marked already is in the reach of the caller. */
  readonly isOwn?: (item: Item) => boolean;
}

/**
 * Marks an item as being deleted, if it meets the conditions, and returns the guard of its deletion. An earlier mark stays, whatever the
 * conditions, unless the item is not the caller's `isOwn`. Returns `undefined` if there is nothing to delete, or if the deletion of `within`
 * has ended.
 */
export async function markDeleted(
  table: TableClient,
  key: Key,
  deletingAt: string,
  { conditions = [], within, isOwn = () => true }: MarkOptions = {},
): Promise<DeletionGuard | undefined> {
  const mark = { [DELETING]: deletingAt };
  const refusal = await table.transactOrRefusal([
    { update: key, changes: { set: mark }, if: all(isLive, ...conditions) },
    ...(within ? [within] : []),
  ]);
  if (refusal?.has(1)) return undefined;
  const found = refusal ? refusal.get(0) : mark;
  return found && (!refusal || isOwn(found)) ? guardOf(key, found) : undefined;
}
