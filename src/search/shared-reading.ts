/** Readings of the table, of which callers of the same moment share one. */
export class SharedReading {
  readonly #read: () => Promise<void>;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  constructor(read: () => Promise<void>) {
    this.#read = read;
  }

  /**
   * Reads what the table holds at this moment. A reading that has already begun may have missed what this caller knows
   * of, so the next one is waited for.
   */
  catchUp(): Promise<void> {
    if (!this.#running) return this.#start();

    this.#next ??= this.#running
      .catch(() => undefined)
      .then(() => {
        this.#next = undefined;
        return this.#start();
      });
    return this.#next;
  }

  /** Waits until nothing is being read. */
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
