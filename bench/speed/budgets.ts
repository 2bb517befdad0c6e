import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { field, parseJson } from "../../scripts/json.ts";
import type { Figure } from "./figures.ts";

/** Figures that have a budget: counts, bytes and ratios, by name. Milliseconds depend on the machine and have none. */
export type Budgeted = Readonly<Record<string, number | Figure>>;

/** The largest values that figures may have, by name. */
export type Budgets = Readonly<Record<string, number>>;

/** Reads the budgets from `bench/budgets.json`: those of all runs, or of runs that are not quick as well. */
export async function readBudgets({ isQuick }: { readonly isQuick: boolean }): Promise<Budgets> {
  const file: unknown = parseJson(await readFile(join(import.meta.dirname, "../budgets.json"), "utf8"));
  // Our own file, which maps names to numbers.
  const named = (name: string) => field(file, name) as Budgets;
  return { ...named("max"), ...(!isQuick && named("maxOfWholeRuns")) };
}

/** Returns a sentence for each figure that exceeds its budget by more than its noise. */
export function exceeding(figures: Budgeted, budgets: Budgets): readonly string[] {
  return Object.entries(figures).flatMap(([name, figure]) => {
    const max = budgets[name];
    if (max === undefined) return [];
    const { median, noise } = typeof figure === "number" ? { median: figure, noise: 0 } : figure;
    const isKept = median - noise <= max;
    return isKept ? [] : [`${name} is ${median.toFixed(2)} ± ${noise.toFixed(2)}, and its budget is ${max}.`];
  });
}

/** Returns a sentence for each budget whose figure was not measured. */
export const unmeasured = (figures: Budgeted, budgets: Budgets): readonly string[] =>
  Object.keys(budgets)
    .filter((name) => figures[name] === undefined)
    .map((name) => `${name} has a budget, but was not measured.`);
