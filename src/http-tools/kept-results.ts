/** How many long results of a turn can be read on. */
const MAX_RESULTS = 20;

/** The results of a turn that are too long for one page, so that the model can read on without another request. */
export class KeptResults {
  readonly #results: string[] = [];

  /** Keeps a result, and returns its number; `undefined` if no more can be kept. */
  keep(result: string): number | undefined {
    return this.#results.length < MAX_RESULTS ? this.#results.push(result) : undefined;
  }

  /** Returns the result with this number, or `undefined` if there is none. */
  kept(number: number): string | undefined {
    return this.#results[number - 1];
  }
}
