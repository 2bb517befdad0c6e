/** The time that a memory is about. */
export interface MemoryDate {
  /** Milliseconds since the epoch; 0 if no valid time is stored. */
  readonly moment: number;
  /** The date in words, so that a search can name the month or the weekday. */
  readonly text: string;
}

const format = new Intl.DateTimeFormat("en-GB", { dateStyle: "full", timeZone: "UTC" });

/**
 * Returns the date of the event, or else of the memory's creation, such as `Monday 8 May 2023`. It is the day at the place
 * of the event if its time has an offset: `2023-05-08T23:30:00-05:00` is on 8 May, although it is 9 May in UTC.
 */
export function memoryDate(occurredAt: string | null, createdAt: string): MemoryDate {
  for (const time of [occurredAt ?? "", createdAt]) {
    const moment = Date.parse(time);
    if (!Number.isNaN(moment)) return { moment, text: format.format(localDayOf(time) ?? moment) };
  }
  return { moment: 0, text: "" };
}

/** Returns the start of the day that a time names, as if it were in UTC; `undefined` if it begins with no day. */
function localDayOf(time: string): number | undefined {
  const day = Date.parse(time.slice(0, "2023-05-08".length));
  return Number.isNaN(day) ? undefined : day;
}
