/**
 * Measures the service from outside: its production bundle on bare `workerd`, next to a Worker that does the least that is
 * possible, with the embedded database behind a delay and a scripted model.
 *
 * `npm run bench` prints a table and writes `bench/results/<date>-<commit>.json`. `--quick` takes fewer rounds, leaves out what takes
 * long, and writes nothing. `--check` fails if a budget of `bench/budgets.json` is exceeded by more than the noise, twice in a row.
 */
import { execFileSync } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { cpus, loadavg } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Measure, openBench } from "./speed/bench.ts";
import { type Budgeted, exceeding, readBudgets, unmeasured } from "./speed/budgets.ts";
import { measureMemory, measureThroughput } from "./speed/crowds.ts";
import { measureGet } from "./speed/get.ts";
import { measureHistory, measureMemories, measureSearches } from "./speed/sizes.ts";
import { measureBundle, measureStart } from "./speed/start.ts";
import {
  measureChunks,
  measureLatency,
  measureLongTurns,
  measureRequests,
  measureShortTurns,
} from "./speed/turns.ts";

const { values: flags } = parseArgs({
  options: { check: { type: "boolean", default: false }, quick: { type: "boolean", default: false } },
});
const QUICK: readonly Measure[] = [
  measureBundle,
  measureStart,
  measureGet,
  measureRequests,
  measureShortTurns,
  measureLongTurns,
  measureMemory,
];
const WHOLE: readonly Measure[] = [
  ...QUICK,
  measureLatency,
  measureChunks,
  measureThroughput,
  measureHistory,
  measureMemories,
  measureSearches,
];
/** The width of the first column of the table. */
const COLUMN = 58;

await using running = new AsyncDisposableStack();
const bench = await openBench(running, flags.quick);
const budgets = flags.check ? await readBudgets({ isQuick: flags.quick }) : {};
const machine = `${cpus()[0]?.model} × ${cpus().length}, load ${loadavg()[0]?.toFixed(1)}`;
console.log(machine);

const rows: (readonly [string, string])[] = [];
const problems: string[] = [];
let figures: Budgeted = {};
for (const measure of flags.quick ? QUICK : WHOLE) {
  let measured = await measure(bench);
  // A second time, because another program may have been in the way.
  if (exceeding(measured.budgeted ?? {}, budgets).length > 0) measured = await measure(bench);
  for (const [what, value] of measured.rows) console.log(`${what.padEnd(COLUMN)} ${value}`);
  rows.push(...measured.rows);
  problems.push(...exceeding(measured.budgeted ?? {}, budgets));
  figures = { ...figures, ...measured.budgeted };
}
if (!flags.quick) await save();
if (flags.check) report([...problems, ...unmeasured(figures, budgets)]);

async function save(): Promise<void> {
  const results = join(import.meta.dirname, "results");
  await mkdir(results, { recursive: true });
  const commit = execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();
  const date = new Date().toISOString().slice(0, 10);
  const result = { date, commit, machine, rows: Object.fromEntries(rows) };
  await writeFile(join(results, `${date}-${commit}.json`), `${JSON.stringify(result, null, 2)}\n`);
}

/** Says which budgets are broken, and how many are kept, in the words of Vitest. */
function report(broken: readonly string[]): void {
  for (const sentence of broken) console.error(sentence);
  const kept = Object.keys(budgets).length - broken.length;
  console.log(`Budgets  ${broken.length > 0 ? `${broken.length} failed | ` : ""}${kept} passed`);
  if (broken.length > 0) process.exitCode = 1;
}
