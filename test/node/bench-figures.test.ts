import { describe, expect, it } from "vitest";
import { exceeding, readBudgets, unmeasured } from "../../bench/speed/budgets.ts";
import { figureOf, quantile, sequentialWaits } from "../../bench/speed/figures.ts";

describe("figures of the benchmark", () => {
  it("are the median of the rounds, with half the distance of the quartiles as noise", () => {
    expect(figureOf([5, 1, 2, 3, 4])).toEqual({ median: 3, noise: 1 });
  });

  it("include percentiles", () => {
    const values = Array.from({ length: 100 }, (_, index) => index);

    expect([quantile(values, 0.5), quantile(values, 0.95), quantile(values, 1)]).toEqual([50, 95, 99]);
  });

  it("count sequential requests, not parallel ones", () => {
    const wave = [
      { from: 0, to: 5 },
      { from: 1, to: 9 },
    ];

    expect(sequentialWaits(wave)).toBe(1);
    expect(sequentialWaits([...wave, { from: 10, to: 12 }, { from: 12, to: 13 }])).toBe(3);
  });
});

describe("budgets of the benchmark", () => {
  it("are broken by a count above them, and by a ratio above them and its noise", () => {
    const figures = { count: 3, noisy: { median: 1.3, noise: 0.2 }, clear: { median: 1.3, noise: 0.1 } };

    expect(exceeding(figures, { count: 2, noisy: 1.1, clear: 1.1 })).toEqual([
      "count is 3.00 ± 0.00, and its budget is 2.",
      "clear is 1.30 ± 0.10, and its budget is 1.1.",
    ]);
  });

  it("are broken by a figure that is not a number", () => {
    expect(exceeding({ count: Number.NaN }, { count: 2 })).toEqual([
      "count is NaN ± 0.00, and its budget is 2.",
    ]);
  });

  it("are not broken by a figure without a budget", () => {
    expect(exceeding({ count: 3 }, {})).toEqual([]);
  });

  it("are broken if they were not measured", () => {
    expect(unmeasured({ waits: 1 }, { count: 2, waits: 1 })).toEqual([
      "count has a budget, but was not measured.",
    ]);
  });

  it("are fewer in a quick run", async () => {
    const [quick, whole] = await Promise.all([
      readBudgets({ isQuick: true }),
      readBudgets({ isQuick: false }),
    ]);

    expect(Object.keys(whole)).toEqual(expect.arrayContaining(Object.keys(quick)));
    expect(Object.keys(whole).length).toBeGreaterThan(Object.keys(quick).length);
  });
});
