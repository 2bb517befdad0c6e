/** What `FairQueue` needs of an entry. */
export interface QueueEntry {
  /** The name of the line that it waits in. */
  readonly line: string;
  /** When it began to wait, in milliseconds since the epoch. */
  readonly since: number;
  /** The memory that it holds while it waits, in bytes. */
  readonly bytes: number;
  /** Its number among the arrivals of its line; `add` sets it. */
  number: number;
}

interface Line<Entry> {
  readonly entries: Entry[];
  readonly since: number;
  arrivals: number;
  bytes: number;
}

/** A queue of several lines that are served in turn (round robin), so that a long line does not delay the others. */
export class FairQueue<Entry extends QueueEntry> {
  /** In the order in which the lines are served. */
  readonly #lines = new Map<string, Line<Entry>>();
  #size = 0;
  #bytes = 0;

  /** The number of entries in all lines. */
  get size(): number {
    return this.#size;
  }

  /** The number of lines that are not empty. */
  get lines(): number {
    return this.#lines.size;
  }

  /** The memory that all entries hold, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The memory that the entries of one line hold, in bytes. */
  bytesOf(line: string): number {
    return this.#lines.get(line)?.bytes ?? 0;
  }

  /** Returns since when a line has not been empty, or `undefined` if it is. */
  sinceOf(line: string): number | undefined {
    return this.#lines.get(line)?.since;
  }

  add(entry: Entry): void {
    const line = this.#lines.get(entry.line) ?? { entries: [], since: entry.since, arrivals: 0, bytes: 0 };
    entry.number = line.arrivals++;
    line.entries.push(entry);
    this.#lines.set(entry.line, line);
    this.#grow(line, 1, entry.bytes);
  }

  /**
   * Removes and returns the first entry that is present, of the next line that may be served. Returns `undefined` if there is none.
   */
  take(isServed: (line: string) => boolean, isPresent: (entry: Entry) => boolean): Entry | undefined {
    for (const [name, line] of this.#lines) {
      if (!isServed(name)) continue;
      const first = line.entries.find(isPresent);
      if (!first) continue;
      this.remove(first);
      // To the end, so that all other lines are served before this one is served again.
      if (this.#lines.delete(name)) this.#lines.set(name, line);
      return first;
    }
    return undefined;
  }

  remove(entry: Entry): void {
    const line = this.#lines.get(entry.line);
    const index = line?.entries.indexOf(entry) ?? -1;
    if (!line || index === -1) return;
    line.entries.splice(index, 1);
    this.#grow(line, -1, -entry.bytes);
    if (line.entries.length === 0) this.#lines.delete(entry.line);
  }

  /** Returns an entry at the head of a line that matches, or `undefined`. */
  findFirst(matches: (entry: Entry) => boolean): Entry | undefined {
    for (const { entries } of this.#lines.values()) if (entries[0] && matches(entries[0])) return entries[0];
    return undefined;
  }

  /** Returns the last entry of each line. */
  lastOfEach(): readonly Entry[] {
    return [...this.#lines.values()].flatMap(({ entries }) => entries.at(-1) ?? []);
  }

  /**
   * Returns the entry's position in its own line (`own`), and in the order in which all lines are served (`all`), both counted
   * from one. Without an entry: the same for the next one that joins this line.
   */
  positionOf(name: string, entry?: Entry): { readonly own: number; readonly all: number } {
    const entries = this.#lines.get(name)?.entries ?? [];
    const first = entries[0]?.number ?? 0;
    const own = entry ? Math.min(entry.number - first + 1, entries.length) : entries.length + 1;
    const lines = this.#lines.size + (entries.length === 0 ? 1 : 0);
    return { own, all: Math.min(own * lines, this.#size + (entry ? 0 : 1)) };
  }

  #grow(line: Line<Entry>, entries: number, bytes: number): void {
    line.bytes += bytes;
    this.#size += entries;
    this.#bytes += bytes;
  }
}
