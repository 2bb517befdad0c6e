import { absent, all, type Condition, present } from "./expressions.ts";
import type { Item } from "./marshal.ts";

/**
 * Marks an item whose dependents are being removed. It is absent to everybody but the deletion itself, which a repeat
 * takes up where it stopped; nothing new can join it meanwhile, because every write that would asks for `isLive`.
 */
export const DELETING = "deleting_at";

export const isBeingDeleted = (item: Item): boolean =>
  item[DELETING] !== undefined && item[DELETING] !== null;

/** Holds for an item that stands and is not being deleted. */
export const isLive: Condition = all(present("pk"), absent(DELETING));
