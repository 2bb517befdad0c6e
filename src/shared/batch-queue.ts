interface Waiting<Request, Outcome> {
  readonly request: Request;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (error: unknown) => void;
  /** Ends the wait. */
  readonly timer: ReturnType<typeof setTimeout>;
}

export interface BatchQueueDeps<Request, Outcome> {
  /** Selects the requests of the next batch, at least one of those that wait. */
  readonly next: (waiting: readonly Request[]) => readonly Request[];
  /** Does the work of a batch, and returns an outcome for each of its requests, in their order. */
  readonly work: (batch: readonly Request[]) => Promise<readonly Outcome[]>;
  /** How long a request may wait for its batch to begin, in milliseconds. */
  readonly patienceMs: number;
  /** Returns the error of a request that has waited for too long. It has not been worked on, and will not be. */
  readonly late: () => Error;
}

/**
 * Works on one batch of requests after the other. A request is worked on at once if no batch is under way; those that arrive
 * meanwhile share the next one. All requests must belong to the same context of the platform, such as one Durable Object.
 */
export class BatchQueue<Request, Outcome> {
  readonly #next: BatchQueueDeps<Request, Outcome>["next"];
  readonly #work: BatchQueueDeps<Request, Outcome>["work"];
  readonly #patienceMs: number;
  readonly #late: () => Error;
  #waiting: Waiting<Request, Outcome>[] = [];
  #isWorking = false;

  constructor({ next, work, patienceMs, late }: BatchQueueDeps<Request, Outcome>) {
    this.#next = next;
    this.#work = work;
    this.#patienceMs = patienceMs;
    this.#late = late;
  }

  /** Returns the outcome of a request. Rejects if the work of its batch failed, or if it has not begun in time. */
  add(request: Request): Promise<Outcome> {
    const { promise, resolve, reject } = Promise.withResolvers<Outcome>();
    const timer = setTimeout(() => this.#giveUp(waiting), this.#patienceMs);
    const waiting = { request, resolve, reject, timer };
    this.#waiting.push(waiting);
    if (!this.#isWorking) void this.#workOff();
    return promise;
  }

  #giveUp(late: Waiting<Request, Outcome>): void {
    this.#waiting = this.#waiting.filter((waiting) => waiting !== late);
    late.reject(this.#late());
  }

  /** Never rejects: each failure belongs to the requests of its batch, or to the first one if no batch can be selected. */
  async #workOff(): Promise<void> {
    this.#isWorking = true;
    while (this.#waiting.length > 0) {
      await this.#settle(this.#takeBatch());
    }
    this.#isWorking = false;
  }

  /**
   * Removes the next batch from those that wait, and returns it. If none can be selected, removes and rejects the first request, which
   * would otherwise stop all that come after it, and returns an empty batch.
   */
  #takeBatch(): readonly Waiting<Request, Outcome>[] {
    try {
      const selected = new Set(this.#next(this.#waiting.map(({ request }) => request)));
      const batch = this.#waiting.filter(({ request }) => selected.has(request));
      if (batch.length === 0) throw new Error("No request was selected for a batch.");
      this.#waiting = this.#waiting.filter(({ request }) => !selected.has(request));
      for (const { timer } of batch) clearTimeout(timer);
      return batch;
    } catch (error) {
      const first = this.#waiting.shift();
      clearTimeout(first?.timer);
      first?.reject(error);
      return [];
    }
  }

  async #settle(batch: readonly Waiting<Request, Outcome>[]): Promise<void> {
    if (batch.length === 0) return;
    try {
      const outcomes = await this.#work(batch.map(({ request }) => request));
      for (const [index, { resolve }] of batch.entries()) {
        const outcome = outcomes[index];
        if (outcome === undefined) throw new Error("A request of the batch has no outcome.");
        resolve(outcome);
      }
    } catch (error) {
      // Those that have an outcome ignore this.
      for (const { reject } of batch) reject(error);
    }
  }
}
