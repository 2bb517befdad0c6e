/** Waits `ms` milliseconds. Rejects with the signal's reason as soon as it is aborted. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  if (!signal) return new Promise((resolve) => setTimeout(resolve, ms));
  if (signal.aborted) return Promise.reject(toError(signal.reason));

  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer);
      reject(toError(signal.reason));
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", abort);
      resolve();
    }, ms);
    signal.addEventListener("abort", abort, { once: true });
  });
}

/** How `withTimeout` ends work that takes too long. */
export interface TimeoutOptions {
  /** Also aborts the work. */
  readonly signal?: AbortSignal | undefined;
  /** Returns the error that the work is aborted with; by default a `TimeoutError`. */
  readonly reason?: () => Error;
}

/**
 * Runs work for at most `ms` milliseconds. After that, or if the caller's signal is aborted, aborts the work's signal and rejects with the
 * reason, even if the work ignores its signal. Unlike `AbortSignal.timeout`, it leaves no timer behind.
 *
 * @example await withTimeout(5_000, (signal) => fetch(url, { signal }));
 */
export async function withTimeout<T>(
  ms: number,
  work: (signal: AbortSignal) => Promise<T>,
  { signal, reason = timeoutError }: TimeoutOptions = {},
): Promise<T> {
  const timeout = new AbortController();
  const either = signal ? AbortSignal.any([signal, timeout.signal]) : timeout.signal;
  const ended = Promise.withResolvers<never>();
  const end = () => ended.reject(toError(either.reason));
  const timer = setTimeout(() => timeout.abort(reason()), ms);
  either.addEventListener("abort", end, { once: true });

  try {
    return await Promise.race([work(either), ended.promise]);
  } finally {
    clearTimeout(timer);
    either.removeEventListener("abort", end);
  }
}

/**
 * Returns a function that runs work, at most `limit` pieces of it at the same time. Others wait for their turn, in the order in which
 * they came. The function returns or throws what the work does.
 */
export function turnsOf(limit: number): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let free = limit;
  return async (work) => {
    // A piece of work that ends hands its turn on, so that nobody who comes just then gets it first.
    if (free > 0) free--;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free++;
    }
  };
}

/** Returns what the promise resolves to, or `undefined` if that takes longer than `ms` milliseconds. */
export async function resultWithin<T>(ms: number, promise: Promise<T>): Promise<T | undefined> {
  const late = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => late.resolve(undefined), ms);

  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Maps items with at most `limit` concurrent calls, and returns the results in the order of the items. After the first
 * failure no further call starts. Rejects with that failure once the running calls have ended, so that no work outlives the
 * promise.
 */
export async function mapConcurrent<T, R>(
  items: readonly T[],
  limit: number,
  map: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  const failures: unknown[] = [];
  // All workers share one iterator.
  const pending = items.entries();
  const work = async () => {
    for (const [index, item] of pending) {
      if (failures.length > 0) return;
      try {
        results[index] = await map(item);
      } catch (error) {
        failures.push(error);
      }
    }
  };

  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, work));
  if (failures.length > 0) throw failures[0];
  return results;
}

const timeoutError = (): Error => new DOMException("It took too long.", "TimeoutError");

const toError = (reason: unknown): Error => (reason instanceof Error ? reason : new Error(String(reason)));
