import type { TableClient } from "../table/client.ts";
import { isTrusted, readChanges } from "./catch-up.ts";
import { SharedReading } from "./shared-reading.ts";
import type { Changes, Progress, TextIndex } from "./text-index.ts";

/** How far in memory progress may run ahead of the disk: saving it costs a write, reading a little more costs less. */
const SAVE_MS = 30_000;

/** Keeps an index up to date with one partition of the table. */
export class IndexKeeper {
  readonly #index: TextIndex;
  readonly #table: TableClient;
  readonly #partition: string;
  readonly #now: () => number;
  #progress: Progress | undefined;
  readonly #reading = new SharedReading(() => this.#read());

  constructor(index: TextIndex, table: TableClient, partition: string, now: () => number) {
    this.#index = index;
    this.#table = table;
    this.#partition = partition;
    this.#now = now;
    this.#progress = index.progress;
  }

  /** Whether a part of the memory has not been read yet. */
  get isBuilding(): boolean {
    return this.#progress?.gap !== null;
  }

  /** Brings the index up to what the table holds at this moment. */
  catchUp(): Promise<void> {
    return this.#reading.catchUp();
  }

  /** Waits until nothing is being read. */
  rest(): Promise<void> {
    return this.#reading.rest();
  }

  async #read(): Promise<void> {
    const now = this.#now();
    const known = this.#progress && isTrusted(this.#progress, now) ? this.#progress : undefined;
    const changes = await readChanges(this.#table, this.#partition, known, now);

    if (this.#progress && !known) this.#index.clear();
    this.#take(this.#unknown(changes));
    this.#progress = changes.progress;
  }

  #take(changes: Changes): void {
    const isIdle = [changes.newer, changes.older, changes.deletions].every(({ length }) => length === 0);
    const saved = this.#index.progress;
    const isSaved = saved && saved.gap === null && changes.progress.gap === null;
    if (isIdle && isSaved && changes.progress.readAt - saved.readAt < SAVE_MS) return;
    this.#index.apply(changes);
  }

  /** What is read twice is mostly known: without a change nothing needs to be written. */
  #unknown(changes: Changes): Changes {
    const newer = changes.newer.filter((memory) => !this.#index.has(memory));
    const older = changes.older.filter((memory) => !this.#index.has(memory));
    // A memory may come together with its deletion, when it was read just before.
    const coming = new Set([...newer, ...older].map(({ memoryId }) => memoryId));
    const deletions = changes.deletions.filter(
      (deletion) => coming.has(deletion.memoryId) || this.#index.isConcernedBy(deletion),
    );
    return { newer, older, deletions, progress: changes.progress };
  }
}
