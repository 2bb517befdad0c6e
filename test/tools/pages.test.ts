import * as fc from "fast-check";
import { expect, it } from "vitest";
import { estimateTokens } from "../../src/llm/token-estimate.ts";
import { pageOfRows, partsOf } from "../../src/tools/native/pages.ts";
import { SAMPLES } from "../llm/token-samples.ts";

const rows = fc.array(
  fc
    .tuple(fc.constantFrom(...Object.values(SAMPLES)), fc.nat(15))
    .map(([sample, times]) => sample.replaceAll("\n", " ").repeat(times)),
  { maxLength: 8 },
);

it("shows every row once, on pages that fit", () => {
  fc.assert(
    fc.property(rows, fc.integer({ min: 100, max: 2_000 }), (all, maxTokens) => {
      const { pages } = pageOfRows(all, 1, maxTokens);

      const shown = Array.from({ length: pages }, (_, index) => pageOfRows(all, index + 1, maxTokens).rows);

      expect(shown.flat().join("")).toBe(all.join(""));
      for (const page of shown) expect(estimateTokens(page.join("\n"))).toBeLessThanOrEqual(maxTokens * 1.05);
    }),
  );
});

it.each([
  ["emoji", "😀"],
  ["joined emoji", "👨‍👩‍👧‍👦"],
  ["rare ideographs", "𠮷野"],
])("divides %s without losing half of one", (_case, unit) => {
  for (const text of [unit.repeat(1_000), `x${unit.repeat(1_000)}`])
    for (const maxTokens of [100, 101, 333]) {
      const parts = partsOf(text, maxTokens);

      expect(parts.join("")).toBe(text);
      expect(parts.every((part) => part.isWellFormed())).toBe(true);
    }
});

it("shows the nearest page if the requested one is out of range", () => {
  const long = Array.from({ length: 50 }, (_, n) => `Row ${n} ${"word ".repeat(20)}`);
  const { pages } = pageOfRows(long, 1, 200);

  expect(pageOfRows(long, -3, 200).page).toBe(1);
  expect(pageOfRows(long, 1_000, 200).page).toBe(pages);
});
