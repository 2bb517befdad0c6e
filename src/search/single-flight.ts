/** Runs at most one read at a time. Concurrent callers share reads. */
export class SingleFlight {
  readonly #read: () => Promise<void>;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  constructor(read: () => Promise<void>) {
    this.#read = read;
  }

  /**
   * Reads the current content of the table. A read in progress may have missed changes that the caller knows of, so the
   * caller gets the next one.
   */
  run(): Promise<void> {
    if (!this.#running) return this.#start();

    this.#next ??= this.#running
      .catch(() => undefined)
      .then(() => {
        this.#next = undefined;
        return this.#start();
      });
    return this.#next;
  }

  /** Waits until no read is in progress. Never rejects. */
  async rest(): Promise<void> {
    while (this.#running) await (this.#next ?? this.#running).catch(() => undefined);
  }

  #start(): Promise<void> {
    this.#running = this.#read().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }
}
