import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import type { Page } from "playwright-core";

/** The rules that a page is checked against: WCAG 2.0 to 2.2, levels A and AA, and what axe recommends beyond them. */
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** What axe reports of a rule that a page violates. */
interface Violation {
  readonly id: string;
  readonly help: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
}

let source: Promise<string> | undefined;

/**
 * Returns what keeps people from using a page as it is shown now, one line for each element; empty if axe finds nothing. Animations
 * should be off, because colours are judged as they are at this moment. `known` names rules that are not checked.
 */
export async function violationsIn(page: Page, known: readonly string[] = []): Promise<readonly string[]> {
  source ??= readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
  // Evaluated by the debugger, not by a script of the page: its content security policy stays as it is.
  await page.evaluate(`if (!window.axe) { ${await source} }`);
  const off = Object.fromEntries(known.map((rule) => [rule, { enabled: false }]));
  const run = `axe.run(document, { runOnly: ${JSON.stringify(RULES)}, rules: ${JSON.stringify(off)}, resultTypes: ["violations"] })`;
  // The shape is that of axe's documentation.
  const { violations } = await page.evaluate<{ readonly violations: readonly Violation[] }>(run);
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ html, failureSummary = "" }) => `${id}: ${help}: ${html.slice(0, 200)} (${failureSummary})`),
  );
}
