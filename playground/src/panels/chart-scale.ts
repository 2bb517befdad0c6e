/** The axis of a chart, from 0 to `max`. */
export interface Axis {
  readonly max: number;
  /** The values that are labelled, from 0 to `max`. */
  readonly ticks: readonly number[];
}

/** A day of a report, with 0 for what the report leaves out. */
export interface DayOfTokens {
  /** The day, such as 2026-06-01. */
  readonly day: string;
  readonly input: number;
  /** The part of `input` that the provider had in its cache. */
  readonly cached: number;
  readonly output: number;
  readonly runs: number;
}

/** An item of `GET /usage/tokens`. */
export interface TokenRow {
  readonly key: string;
  readonly runs: number;
  readonly usage: {
    readonly input_tokens: number;
    readonly output_tokens: number;
    readonly cached_tokens: number;
  };
}

const DAY_MS = 86_400_000;
/** Steps between labels, multiplied by a power of ten. */
const STEPS = [1, 2, 2.5, 5, 10] as const;

/**
 * Returns an axis with round labels for values up to `greatest`, at most `count` of them above 0. Values are whole numbers, so
 * that labels are as well. Without values, the axis goes to 1.
 */
export function axisFor(greatest: number, count = 4): Axis {
  if (!(greatest > 0)) return { max: 1, ticks: [0, 1] };
  const rough = greatest / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = Math.max(1, (STEPS.find((one) => one * power >= rough) ?? 10) * power);
  const whole = Math.ceil(step);
  const labels = Math.ceil(greatest / whole);
  return { max: labels * whole, ticks: Array.from({ length: labels + 1 }, (_, index) => index * whole) };
}

/**
 * Returns every day from `from` to `to`, both included, with the tokens that a report has for it. Throws `RangeError` if one of
 * them is not a date.
 */
export function daysOf(from: string, to: string, rows: readonly TokenRow[]): readonly DayOfTokens[] {
  const known = new Map(rows.map((row) => [row.key, row]));
  const start = Date.parse(`${from}T00:00:00Z`);
  const length = Math.round((Date.parse(`${to}T00:00:00Z`) - start) / DAY_MS) + 1;
  return Array.from({ length }, (_, index) => {
    const day = new Date(start + index * DAY_MS).toISOString().slice(0, 10);
    const row = known.get(day);
    return {
      day,
      input: row?.usage.input_tokens ?? 0,
      cached: row?.usage.cached_tokens ?? 0,
      output: row?.usage.output_tokens ?? 0,
      runs: row?.runs ?? 0,
    };
  });
}
