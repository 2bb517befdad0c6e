import { formatNumber } from "../format.ts";

const SHORT = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const DAY = new Intl.DateTimeFormat("en", { day: "numeric", month: "short", timeZone: "UTC" });
const MONTH = new Intl.DateTimeFormat("en", { month: "long", year: "numeric", timeZone: "UTC" });

/** Returns a number in few characters: `12.3K`. */
export const formatShort = (count: number): string => SHORT.format(count);

/** Returns a number with a noun, whose plural ends in "s" unless it is given: `1 word`, `2 words`. */
export const counted = (count: number, noun: string, plural = `${noun}s`): string =>
  `${formatNumber(count)} ${count === 1 ? noun : plural}`;

/** Returns a share between 0 and 1 as a percentage. What is more than nothing is at least `1 %`. */
export function formatShare(share: number): string {
  const percent = Math.round(share * 100);
  return `${share > 0 ? Math.max(1, percent) : 0} %`;
}

/** Returns the day of a date or a time as `Jun 1`, and what is not a date unchanged. */
export const formatDay = (date: string): string => formatted(DAY, date, `${dateOf(date)}T00:00:00Z`);

/** Returns a month such as 2026-06 as `June 2026`, and what is not a month unchanged. */
export const formatMonth = (month: string): string => formatted(MONTH, month, `${month}-01T00:00:00Z`);

/** Returns the date of a time, as the service stores it: `2026-06-01`. */
export const dateOf = (time: string): string => time.slice(0, 10);

function formatted(format: Intl.DateTimeFormat, text: string, time: string): string {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? text : format.format(date);
}
