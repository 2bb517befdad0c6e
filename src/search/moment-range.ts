import type { MomentRange } from "./model.ts";

/** A year, a month, a day, or a time, which is in UTC unless it names an offset. */
const ISO_TIME =
  /^\d{4}(?:-\d{2}(?:-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})?)?)?)?$/u;

/** Returns the beginning of a date in milliseconds since the epoch, or `undefined` if it is not an ISO 8601 date. */
export function momentFrom(text: string): number | undefined {
  const match = ISO_TIME.exec(text.trim());
  if (!match) return undefined;

  const [whole, offset] = match;
  if (!isRealDay(whole.slice(0, "2024-05-31".length))) return undefined;

  const moment = Date.parse(
    whole.length > 10 && offset === undefined ? `${whole.replace(" ", "T")}Z` : whole,
  );
  return Number.isNaN(moment) ? undefined : moment;
}

/**
 * Returns the last millisecond of a year, month or day, or the moment of a time, in milliseconds since the epoch. Returns
 * `undefined` if the text is not an ISO 8601 date.
 */
export function endFrom(text: string): number | undefined {
  const moment = momentFrom(text);
  if (moment === undefined) return undefined;

  const next = new Date(moment);
  const { length } = text.trim();
  if (length === "2024".length) next.setUTCFullYear(next.getUTCFullYear() + 1);
  else if (length === "2024-05".length) next.setUTCMonth(next.getUTCMonth() + 1);
  else if (length === "2024-05-31".length) next.setUTCDate(next.getUTCDate() + 1);
  else return moment;
  return next.getTime() - 1;
}

/** Whether a day is in the calendar. `Date` takes February 30 for March 1. */
const isRealDay = (day: string): boolean => {
  const moment = Date.parse(day);
  return !Number.isNaN(moment) && new Date(moment).toISOString().startsWith(day);
};

/** Returns the range from `after`, inclusive, to `before`, exclusive. Either may be absent. */
export const rangeOf = (after: number | undefined, before: number | undefined): MomentRange => ({
  ...(after !== undefined && { from: after }),
  ...(before !== undefined && { to: before - 1 }),
});
