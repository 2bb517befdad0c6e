/** A number of the benchmark: the median of its rounds, and how far they were apart. */
export interface Figure {
  readonly median: number;
  /** Half of the distance between the first and the third quartile, in the unit of the figure. */
  readonly noise: number;
}

/** Returns the figure of the values of several rounds. */
export function figureOf(values: readonly number[]): Figure {
  return {
    median: quantile(values, 0.5),
    noise: (quantile(values, 0.75) - quantile(values, 0.25)) / 2,
  };
}

/** Returns the value below which a share of the values lies. */
export function quantile(values: readonly number[], share: number): number {
  const ordered = values.toSorted((a, b) => a - b);
  return ordered[Math.min(ordered.length - 1, Math.floor(ordered.length * share))] ?? Number.NaN;
}

/** Returns the length of the longest chain of requests of which none began before the one before it was answered. */
export function sequentialWaits(requests: readonly { readonly from: number; readonly to: number }[]): number {
  let waits = 0;
  let end = Number.NEGATIVE_INFINITY;
  for (const { from, to } of requests.toSorted((a, b) => a.to - b.to)) {
    if (from < end) continue;
    waits++;
    end = to;
  }
  return waits;
}

/** Writes a figure in milliseconds for people. */
export const ms = ({ median, noise }: Figure): string => `${median.toFixed(1)} ± ${noise.toFixed(1)} ms`;

/** Writes a ratio for people. */
export const ratio = ({ median, noise }: Figure): string => `${median.toFixed(2)} ± ${noise.toFixed(2)}`;

/** Writes the median and the 95th percentile of values in milliseconds for people. */
export const span = (values: readonly number[]): string =>
  `${quantile(values, 0.5).toFixed(0)} / ${quantile(values, 0.95).toFixed(0)} ms`;
