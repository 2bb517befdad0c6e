import { describe, expect, test } from "vitest";
import { axisFor, daysOf } from "../../playground/src/panels/chart-scale.ts";
import {
  counted,
  dateOf,
  formatDay,
  formatMonth,
  formatShare,
  formatShort,
} from "../../playground/src/panels/formats.ts";

describe("axisFor", () => {
  test.each([
    [0, [0, 1]],
    [1, [0, 1]],
    [3, [0, 1, 2, 3]],
    [10, [0, 3, 6, 9, 12]],
    [97, [0, 25, 50, 75, 100]],
    [1_234, [0, 500, 1_000, 1_500]],
    [51_200, [0, 20_000, 40_000, 60_000]],
  ])("labels values up to %d", (greatest, ticks) => {
    expect(axisFor(greatest)).toEqual({ max: ticks.at(-1), ticks });
  });

  test("has whole labels up to at least the greatest value, for any value", () => {
    for (let greatest = 1; greatest < 1e9; greatest = Math.ceil(greatest * 1.37)) {
      const { max, ticks } = axisFor(greatest);
      expect(max).toBeGreaterThanOrEqual(greatest);
      expect(max).toBe(ticks.at(-1));
      expect(ticks.every(Number.isInteger)).toBe(true);
      expect(ticks.length).toBeLessThanOrEqual(6);
    }
  });

  test("goes to 1 if nothing was counted", () => {
    expect(axisFor(Number.NEGATIVE_INFINITY)).toEqual({ max: 1, ticks: [0, 1] });
  });
});

describe("daysOf", () => {
  const usage = { input_tokens: 10, output_tokens: 4, cached_tokens: 3 };

  test("adds the days that the report leaves out, over the end of a month", () => {
    const days = daysOf("2026-02-27", "2026-03-02", [{ key: "2026-03-01", runs: 2, usage }]);
    expect(days.map(({ day }) => day)).toEqual(["2026-02-27", "2026-02-28", "2026-03-01", "2026-03-02"]);
    expect(days[2]).toEqual({ day: "2026-03-01", input: 10, cached: 3, output: 4, runs: 2 });
    expect(days[1]).toMatchObject({ input: 0, runs: 0 });
  });

  test("returns one day if the report is about one", () => {
    expect(daysOf("2026-03-01", "2026-03-01", [])).toHaveLength(1);
  });
});

test("numbers, days and months are written for people", () => {
  expect(counted(1, "page")).toBe("1 page");
  expect(counted(1_200, "memory", "memories")).toBe("1,200 memories");
  expect(formatShort(12_345)).toBe("12.3K");
  expect(formatShare(0.001)).toBe("1 %");
  expect(formatShare(0)).toBe("0 %");
  expect(formatDay("2026-06-01")).toBe("Jun 1");
  expect(formatDay("2026-06-01T23:30:00Z")).toBe("Jun 1");
  expect(formatDay("soon")).toBe("soon");
  expect(formatMonth("2026-06")).toBe("June 2026");
  expect(dateOf("2026-06-01T09:30:00Z")).toBe("2026-06-01");
});
