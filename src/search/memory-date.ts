/** What time a memory is about, as the index uses it. */
export interface MemoryDate {
  /** Milliseconds since the epoch; 0 where nothing readable is stored. */
  readonly moment: number;
  /** As people write dates, so that a search can name the month or the weekday. */
  readonly text: string;
}

const format = new Intl.DateTimeFormat("en-GB", { dateStyle: "full", timeZone: "UTC" });

/** The date of the event, else of the memory: `Monday 8 May 2023`. By UTC, as all dates here are stored. */
export function memoryDate(occurredAt: string | null, createdAt: string): MemoryDate {
  const moment = [occurredAt, createdAt]
    .map((time) => Date.parse(time ?? ""))
    .find((ms) => !Number.isNaN(ms));
  return moment === undefined ? { moment: 0, text: "" } : { moment, text: format.format(moment) };
}
