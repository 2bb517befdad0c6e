import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  createClock,
  formatTimestamp,
  monthOf,
  systemClock,
  timestampAfter,
  ttlAfter,
} from "../../src/shared/clock.ts";

const START = Date.parse("2026-01-29T11:51:36.123Z");
const FORMAT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00$/;

/** The timestamps of a clock at each of these times. */
function stampsAt(moments: Iterable<number>): string[] {
  let now = 0;
  const clock = createClock(() => now);
  return Array.from(moments, (moment) => {
    now = moment;
    return clock.timestamp();
  });
}

/** The timestamps that have another format, or that are not greater than the previous one. */
const misplaced = (stamps: readonly string[]): string[] =>
  stamps.filter((stamp, index) => !FORMAT.test(stamp) || (index > 0 && stamp <= (stamps[index - 1] ?? "")));

describe("the timestamps of a clock", () => {
  it("increase within a millisecond, and start again with the next", () => {
    expect(stampsAt([START, START, START, START + 1])).toEqual([
      "2026-01-29T11:51:36.123000+00:00",
      "2026-01-29T11:51:36.123001+00:00",
      "2026-01-29T11:51:36.123002+00:00",
      "2026-01-29T11:51:36.124000+00:00",
    ]);
  });

  it("are distinct, even if more than a thousand are taken in one millisecond", () => {
    const stamps = stampsAt([...Array<number>(2_500).fill(START), START + 1, START + 2, START + 3]);

    expect(misplaced(stamps)).toEqual([]);
    expect(stamps[999]).toBe("2026-01-29T11:51:36.123999+00:00");
    expect(stamps[1_000]).toBe("2026-01-29T11:51:36.124000+00:00");
    // The clock has caught up with the timestamps that were ahead of it.
    expect(stamps.at(-1)).toBe("2026-01-29T11:51:36.126000+00:00");
  });

  it("keep increasing if the clock is set back", () => {
    const stamps = stampsAt([START, START - 3_600_000, START - 3_600_000, START + 1]);

    expect(misplaced(stamps)).toEqual([]);
    expect(stamps[2]).toBe("2026-01-29T11:51:36.123002+00:00");
    expect(stamps[3]).toBe("2026-01-29T11:51:36.124000+00:00");
  });

  it("increase whatever the clock does", () => {
    const step = fc.oneof(
      fc.constant(0),
      fc.integer({ min: -5, max: 5 }),
      fc.integer({ min: -1e9, max: 1e9 }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 50 }), (steps) => {
        let now = START;
        expect(misplaced(stampsAt(steps.map((step) => (now += step))))).toEqual([]);
      }),
    );
  });

  it("of the isolate's own clock are the current time", () => {
    const before = Date.now();
    const stamps = Array.from({ length: 50 }, systemClock.timestamp);

    expect(misplaced(stamps)).toEqual([]);
    expect(Date.parse(stamps[0] ?? "")).toBeGreaterThanOrEqual(before);
    expect(Date.parse(stamps[0] ?? "")).toBeLessThanOrEqual(Date.now());
  });
});

describe("times", () => {
  it("are formatted with six digits of a second and the offset of UTC", () => {
    expect(formatTimestamp(START)).toBe("2026-01-29T11:51:36.123000+00:00");
    expect(formatTimestamp(START, 7)).toBe("2026-01-29T11:51:36.123007+00:00");
    expect(formatTimestamp(START, 999)).toBe("2026-01-29T11:51:36.123999+00:00");
  });

  it("belong to a month in UTC, to the millisecond", () => {
    const february = Date.parse("2026-02-01T00:00:00.000Z");

    expect(monthOf(february - 1)).toBe("2026-01");
    expect(monthOf(february)).toBe("2026-02");
  });

  it("end a time to live in whole seconds, and never early", () => {
    expect(ttlAfter(1_000, 2_000)).toBe(3);
    expect(ttlAfter(1_001, 2_000)).toBe(4);
  });
});

describe("the timestamp after another one", () => {
  const now = "2026-01-29T11:51:36.123456+00:00";

  it("is the current one if that is later", () => {
    expect(timestampAfter("2026-01-29T11:51:36.123455+00:00", now)).toBe(now);
  });

  it("is the next microsecond if a clock was ahead", () => {
    expect(timestampAfter(now, now)).toBe("2026-01-29T11:51:36.123457+00:00");
    expect(timestampAfter("2026-01-29T11:51:59.999999+00:00", now)).toBe("2026-01-29T11:52:00.000000+00:00");
    expect(timestampAfter("2026-01-29T11:51:59+00:00", now)).toBe("2026-01-29T11:51:59.000001+00:00");
  });

  it("is the current one if the other is no time", () => {
    expect(timestampAfter("unknown", now)).toBe(now);
  });
});
