import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";

const FOLDER = join(import.meta.dirname, "../scenarios");
const SCENARIOS = 34;

/** The table's rows: the number of the scenario, and the files that prove it. */
const rows = [
  ...readFileSync(join(FOLDER, "README.md"), "utf8").matchAll(/^\| (\d+) +\|.*\| (.+?) +\|$/gmu),
].map(([, number = "", proof = ""]) => ({
  number: Number(number),
  files: [...proof.matchAll(/\]\((.+?)\)/gu)].map(([, file = ""]) => join(FOLDER, file)),
}));

it("lists every scenario once, in order", () => {
  expect(rows.map(({ number }) => number)).toEqual(
    Array.from({ length: SCENARIOS }, (_, index) => index + 1),
  );
});

it.each(rows.filter(({ files }) => files.length > 0))(
  "has tests for scenario $number",
  ({ number, files }) => {
    expect(files.filter((file) => !numbersIn(file).includes(number))).toEqual([]);
  },
);

it("lists every test that names a scenario", () => {
  const root = join(import.meta.dirname, "../..");
  const files = globSync("test/**/*.test.ts", { cwd: root }).map((file) => join(root, file));
  const unlisted = files.filter((file) =>
    numbersIn(file).some((number) => !rows.find((row) => row.number === number)?.files.includes(file)),
  );
  expect(unlisted).toEqual([]);
});

/** The scenarios that comments of a file name. */
function numbersIn(file: string): readonly number[] {
  const comments = readFileSync(file, "utf8").matchAll(/^\s*(?:\/\/|\*) .*\bScenario \d+\..*$/gmu);
  return [...comments].flatMap(([comment]) =>
    [...comment.matchAll(/\bScenario (\d+)\./gu)].map(([, number]) => Number(number)),
  );
}
