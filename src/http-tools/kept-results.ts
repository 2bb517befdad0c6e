/** How many long results of a turn can be read on. */
const MAX_RESULTS = 20;

/**
 * The results of a turn that are too long for one page, so that the model can read on without another request. Their numbers begin
 * after `earlier`: how many the turn may have kept before it paused. Those are gone.
 */
export class KeptResults {
  readonly #earlier: number;
  readonly #results: string[] = [];

  constructor(earlier = 0) {
    this.#earlier = earlier;
  }

  /** Keeps a result, and returns its number; `undefined` if no more can be kept. */
  keep(result: string): number | undefined {
    return this.#results.length < MAX_RESULTS ? this.#earlier + this.#results.push(result) : undefined;
  }

  /** Returns the result with this number, or `undefined` if there is none. */
  kept(number: number): string | undefined {
    return this.#results[number - 1 - this.#earlier];
  }
}
