/** A result of a search: what identifies it, and its score. */
export interface Ranked {
  readonly id: string;
  readonly score: number;
}

/** A part of a kept order, and the number of all results. */
export interface RankedPage {
  readonly ranked: readonly Ranked[];
  readonly total: number;
}

/** The order of the results of a search when its first page was read. */
interface Snapshot extends RankedPage {
  /** Random, because slots are used again. */
  readonly name: string;
}

/** How many results a snapshot holds: those that are ranked with their neighbours, so that no second query is needed. */
export const SNAPSHOT_RESULTS = 50;
/** How many results a snapshot holds once a page behind the first ones has been read. Nobody reads more of them. */
const EXTENDED_RESULTS = 500;
/** How many snapshots are kept. A new one replaces another at random, so that they need no sweeping. */
const SLOTS = 64;

/**
 * Keeps the order of search results, so that later pages neither skip nor repeat a result when memories are stored or
 * removed in the meantime.
 */
export class SearchPages {
  readonly #storage: Pick<DurableObjectStorage, "get" | "put">;

  #isClosed = false;

  constructor({ storage }: { readonly storage: Pick<DurableObjectStorage, "get" | "put"> }) {
    this.#storage = storage;
  }

  /** Makes the pages store nothing from now on, because the memory is being deleted while searches may still wait. */
  close(): void {
    this.#isClosed = true;
  }

  /** Keeps an order, and returns the name by which later pages refer to it. */
  keep(ranked: readonly Ranked[], total: number): string {
    const name = `${Math.floor(Math.random() * SLOTS)}-${crypto.randomUUID()}`;
    this.#put({ name, ranked, total });
    return name;
  }

  /** Returns the part of a kept order from `offset` on, or `undefined` if it is gone or does not reach that far. */
  async page(name: string | undefined, offset: number, limit: number): Promise<RankedPage | undefined> {
    const snapshot = await this.#find(name);
    return snapshot && partOf(snapshot, offset, limit);
  }

  /**
   * Appends what `rank` returns, the results as they are ranked now, to a kept order that does not reach `offset`, without
   * those that it has already. Returns the part from `offset` on, or `undefined` if the order is gone or would be too long.
   */
  async extended(
    name: string | undefined,
    offset: number,
    limit: number,
    rank: (end: number) => RankedPage,
  ): Promise<RankedPage | undefined> {
    const snapshot = await this.#find(name);
    if (!snapshot || offset + limit > EXTENDED_RESULTS) return undefined;

    const now = rank(EXTENDED_RESULTS);
    const known = new Set(snapshot.ranked.map(({ id }) => id));
    const ranked = [...snapshot.ranked, ...now.ranked.filter(({ id }) => !known.has(id))];
    const whole = { ...snapshot, ranked, total: ranked.length + now.total - now.ranked.length };
    this.#put(whole);
    return partOf(whole, offset, limit);
  }

  async #find(name: string | undefined): Promise<Snapshot | undefined> {
    const slot = name === undefined ? Number.NaN : slotOf(name);
    if (!Number.isInteger(slot) || slot < 0 || slot >= SLOTS) return undefined;

    const snapshot = await this.#storage.get<Snapshot>(keyOf(slot));
    return snapshot?.name === name ? snapshot : undefined;
  }

  #put(snapshot: Snapshot): void {
    if (this.#isClosed) return;
    // Not awaited, and no answer waits for it: without the snapshot, a later page is ranked anew.
    void this.#storage.put(keyOf(slotOf(snapshot.name)), snapshot, { allowUnconfirmed: true });
  }
}

/** Returns a part of an order, or `undefined` if it does not reach that far. */
function partOf({ ranked, total }: RankedPage, offset: number, limit: number): RankedPage | undefined {
  const isCovered = Math.min(offset + limit, total) <= ranked.length;
  return isCovered ? { ranked: ranked.slice(offset, offset + limit), total } : undefined;
}

const slotOf = (name: string): number => Number(name.split("-", 1)[0]);
const keyOf = (slot: number): string => `search-pages/${slot}`;
