import type { TableClient } from "../table/client.ts";
import type { WriteAction } from "../table/requests.ts";
import { absent, all, below, type Condition, equals, present } from "../table/expressions.ts";
import { count, optionalCount, optionalText } from "../table/fields.ts";
import type { Item, Key } from "../table/marshal.ts";

/**
 * A count of items in the table, changed in every transaction that creates or deletes one. Items from before the tally
 * existed are counted once, when the count is first needed. Until then the stored number is meaningless, and may be
 * negative.
 */
export interface Tally {
  readonly key: Key;
  readonly entityType: string;
  /** Attributes that say whose tally it is. */
  readonly owner: Item;
}

/** Counts by attribute name. */
export type Counts = Readonly<Record<string, number>>;

/** The maximum of each count; null means no limit. */
export type Ceilings = Readonly<Record<string, number | null>>;

/** How often a count is repeated after concurrent changes. */
const COUNT_ATTEMPTS = 8;

/**
 * Returns the write that changes a tally. With ceilings, it is refused if the tally has not been counted yet, or if a
 * count that grows would exceed its ceiling.
 */
export const changeTally = (
  { key, entityType, owner }: Tally,
  by: Counts,
  timestamp: string,
  ceilings: Ceilings = {},
): WriteAction => {
  const conditions = Object.entries(by).flatMap(([name, more]) => {
    const ceiling = ceilings[name] ?? null;
    return ceiling !== null && more > 0 ? [below(name, ceiling - more + 1)] : [];
  });
  return {
    update: key,
    changes: {
      add: { ...by, version: 1 },
      set: { updated_at: timestamp },
      setIfAbsent: { entity_type: entityType, ...owner },
    },
    ...(conditions.length > 0 && { if: all(present("counted_at"), ...conditions) }),
  };
};

/** Returns the counts of a tally's item, or `undefined` if it has not been counted yet. */
export function countsFrom(item: Item | undefined, names: readonly string[]): Counts | undefined {
  if (!item || optionalText(item, "counted_at") === null) return undefined;
  return Object.fromEntries(names.map((name) => [name, count(item, name)]));
}

/**
 * Returns the counts of a tally. If it has not been counted yet, calls `recount` and stores the result, and repeats
 * that if the tally changed meanwhile. Returns `undefined` if it keeps changing.
 */
export async function readTally(
  table: TableClient,
  tally: Tally,
  names: readonly string[],
  timestamp: string,
  recount: () => Promise<Counts>,
): Promise<Counts | undefined> {
  for (let left = COUNT_ATTEMPTS; left > 0; left--) {
    // Read before the items, so that a later creation or deletion changes the version.
    const item = await table.get(tally.key);
    const known = countsFrom(item, names);
    if (known) return known;

    const counted = await recount();
    const stored = await table.tryTransact([
      {
        update: tally.key,
        changes: {
          add: { version: 1 },
          set: { ...counted, counted_at: timestamp, updated_at: timestamp },
          setIfAbsent: { entity_type: tally.entityType, ...tally.owner },
        },
        if: unchangedSince(item && optionalCount(item, "version")),
      },
    ]);
    if (stored) return counted;
  }
  return undefined;
}

const unchangedSince = (version: number | undefined): Condition =>
  version === undefined ? absent("version") : equals("version", version);
