import type { Condition, CountingChanges, SortKeyRange } from "./expressions.ts";
import type { Item, Key } from "./marshal.ts";

/** One write of a transaction, with an optional condition. `check` is a condition without a write. */
export type WriteAction =
  | { readonly put: Item; readonly if?: Condition }
  | { readonly update: Key; readonly changes: CountingChanges; readonly if?: Condition }
  | { readonly remove: Key; readonly if?: Condition }
  | { readonly check: Key; readonly if: Condition };

/** One write of a batch. DynamoDB batches have no conditions: use them for removing deleted data and filling tables only. */
export type BatchAction = { readonly put: Item } | { readonly remove: Key };

export interface QueryOptions {
  readonly range?: SortKeyRange;
  /** Reads in descending order of sort keys. */
  readonly newestFirst?: boolean;
  /** Reads only these attributes; by default all. */
  readonly attributes?: readonly string[];
}

export interface PageOptions extends QueryOptions {
  /** How many items are read at most. A page may hold fewer, because expired items are omitted. */
  readonly limit: number;
  /** The sort key after which the page starts; by default it starts at the beginning. */
  readonly after?: string | undefined;
}

/** A page of a query. Pass `next` as `after` for the next page; it is `undefined` on the last one. */
export interface Page {
  readonly items: readonly Item[];
  readonly next: string | undefined;
}

/** The outcome of a conditional write: the item after the write, or the existing item that did not meet the condition. */
export type WriteOutcome =
  | { readonly applied: true; readonly item: Item }
  | { readonly applied: false; readonly item: Item | undefined };
