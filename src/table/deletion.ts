import { absent, all, type Condition, present } from "./expressions.ts";
import type { Item } from "./marshal.ts";

/**
 * Marks an item whose dependents are being removed. Reads treat it as absent; only the deletion itself uses it, to continue where
 * it stopped. Nothing new can be attached to it, because such writes require `isLive`.
 */
export const DELETING = "deleting_at";

export const isBeingDeleted = (item: Item): boolean =>
  item[DELETING] !== undefined && item[DELETING] !== null;

/** Holds if the item exists and is not being deleted. */
export const isLive: Condition = all(present("pk"), absent(DELETING));
