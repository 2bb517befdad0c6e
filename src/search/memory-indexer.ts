import type { TableClient } from "../table/client.ts";
import { isFresh, readChanges } from "./incremental-sync.ts";
import { SingleFlight } from "./single-flight.ts";
import type { Changes, Progress, FullTextIndex } from "./full-text-index.ts";

/** How often progress without changes is saved. A write costs more than reading a little more after a restart. */
const SAVE_MS = 30_000;

interface MemoryIndexerDeps {
  readonly index: FullTextIndex;
  readonly table: TableClient;
  readonly partition: string;
  /** Whether the index also has the earlier texts of memories. */
  readonly withSuperseded?: boolean;
  readonly now: () => number;
}

/** Keeps a full-text index in sync with one partition of the table. */
export class MemoryIndexer {
  readonly #index: FullTextIndex;
  readonly #table: TableClient;
  readonly #partition: string;
  readonly #withSuperseded: boolean;
  readonly #now: () => number;
  #progress: Progress | undefined;
  readonly #reading = new SingleFlight(() => this.#read());

  constructor({ index, table, partition, withSuperseded = false, now }: MemoryIndexerDeps) {
    this.#index = index;
    this.#table = table;
    this.#partition = partition;
    this.#withSuperseded = withSuperseded;
    this.#now = now;
    this.#progress = index.progress;
  }

  /** Whether a part of the memory has not been indexed yet. */
  get isBuilding(): boolean {
    return !this.#progress || !isComplete(this.#progress);
  }

  /** Synchronises the index with the current content of the table. */
  sync(): Promise<void> {
    return this.#reading.run();
  }

  /** Waits until no read is in progress. */
  rest(): Promise<void> {
    return this.#reading.rest();
  }

  async #read(): Promise<void> {
    const now = this.#now();
    const known = this.#progress && isFresh(this.#progress, now) ? this.#progress : undefined;
    const changes = await readChanges(this.#table, this.#partition, known, {
      withSuperseded: this.#withSuperseded,
      now,
    });

    if (this.#progress && !known) this.#index.clear();
    this.#apply(this.#withoutKnown(changes));
    this.#progress = changes.progress;
  }

  /** Applies changes, unless there are none and the saved progress is recent enough. */
  #apply(changes: Changes): void {
    const { newer, older, superseded, deletions } = changes;
    const isIdle = [newer, older, superseded, deletions].every(({ length }) => length === 0);
    const saved = this.#index.progress;
    const isSaved = saved && isComplete(saved) && isComplete(changes.progress);
    if (isIdle && isSaved && changes.progress.readAt - saved.readAt < SAVE_MS) return;
    this.#index.apply(changes);
  }

  /** Removes what the index has already. Most of what the overlap reads twice is known and needs no write. */
  #withoutKnown(changes: Changes): Changes {
    const newer = changes.newer.filter((memory) => !this.#index.has(memory));
    const older = changes.older.filter((memory) => !this.#index.has(memory));
    const superseded = changes.superseded.filter((memory) => !this.#index.hasSuperseded(memory));
    // The same read may return a memory and its deletion.
    const added = new Set([...newer, ...older, ...superseded].map(({ memoryId }) => memoryId));
    const deletions = changes.deletions.filter(
      (deletion) => added.has(deletion.memoryId) || this.#index.isConcernedBy(deletion),
    );
    return { newer, older, superseded, deletions, progress: changes.progress };
  }
}

/** Whether nothing is left to be read. */
const isComplete = ({ gap, supersededGap = null }: Progress): boolean =>
  gap === null && supersededGap === null;
