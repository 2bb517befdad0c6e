import { globSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";

/** The end of a test or a hook with a deadline, or a deadline among the options of one. */
const DEADLINE =
  /\},\s+(?:\/\/.*\s+)*[\d_]{4,},?\s+\);$|^ *\}, [\d_]{4,}\);$|\{[^{}]*\btimeout: [^{}]*\},(?:\s+async)?\s+\(/mu;

it.each([
  ["as the last argument", "it('answers', async () => {\n  await answer();\n}, 120_000);"],
  ["on a line of its own", "it.each(CASES)(\n  '%s',\n  async () => {\n  },\n  // Slow.\n  20_000,\n);"],
  ["as an option", "it('answers', { timeout: 5_000 }, async () => {\n  await answer();\n});"],
  [
    "as an option on a line of its own",
    "it(\n  'answers',\n  { timeout: LONG_MS },\n  async () => {\n  },\n);",
  ],
])("recognizes a deadline %s", (_place, source) => {
  expect(source).toMatch(DEADLINE);
});

it("leaves the deadlines of tests to the configuration", () => {
  const files = globSync("test/**/*.test.ts").filter((file) => !file.endsWith("/deadlines.test.ts"));

  expect(files.length).toBeGreaterThan(300);
  expect(files.filter((file) => DEADLINE.test(readFileSync(file, "utf8")))).toEqual([]);
});
