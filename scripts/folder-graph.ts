/**
 * Checks how the folders of `src/` import each other: none imports from a higher layer, and there are no cycles.
 * Type imports count, because a reader follows them too. Prints what is wrong, and exits with 1 if anything is.
 *
 * @example node scripts/folder-graph.ts
 */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize, relative, sep } from "node:path";
import { pathToFileURL } from "node:url";

/** An import from one folder to another. */
export interface FolderImport {
  readonly from: string;
  readonly to: string;
  /** The importing file and the imported one, relative to `src/`. */
  readonly files: readonly [string, string];
}

/** The folders below all features, and what each of them may import. Every other folder is a feature. */
const FOUNDATIONS: Readonly<Record<string, readonly string[]>> = {
  shared: [],
  table: ["shared"],
  llm: ["shared"],
  http: ["shared"],
  access: ["shared", "table", "http"],
  search: ["shared", "table", "llm"],
};

/** The composition root: the files outside all folders and those in `deps/`. Only the files listed below may import it. */
const ROOT = "";
const COMPOSITION = "deps";
const MAY_IMPORT_ROOT = new Map([
  // For the types of the handlers' context.
  ["access/env.ts", ["deps/request.ts"]],
  ["access/access-log.ts", ["config.ts"]],
  ["access/app-origins.ts", ["config.ts"]],
  ["access/known-origin.ts", ["config.ts"]],
  // Classes of Durable Objects construct their own dependencies.
  ["accounts/account-deletion.ts", ["deps/ports.ts", "deps/objects.ts"]],
  ["deletions/deletion-runner.ts", ["deps/ports.ts", "deps/request.ts"]],
  ["knowledge/document-index.ts", ["deps/ports.ts", "deps/objects.ts"]],
  ["knowledge/crawling/crawl-runner.ts", ["deps/ports.ts", "deps/objects.ts"]],
  ["runs/conversation-runner.ts", ["deps/ports.ts", "deps/objects.ts"]],
  ["runs/account-meter.ts", ["deps/ports.ts", "deps/objects.ts"]],
  ["search/search-index.ts", ["deps/ports.ts", "deps/objects.ts"]],
  ["webhooks/webhook-sender.ts", ["deps/ports.ts", "deps/objects.ts"]],
]);

const IMPORT = /(?:\bfrom|\bimport)\s*\(?\s*"(\.{1,2}\/[^"]+)"/gu;

/** Returns all imports between different folders of a source tree. */
export function importsOf(src: string): readonly FolderImport[] {
  const files = readdirSync(src, { recursive: true, encoding: "utf8" }).filter((file) =>
    file.endsWith(".ts"),
  );
  return files.flatMap((file) =>
    [...readFileSync(join(src, file), "utf8").matchAll(IMPORT)].flatMap(([, path = ""]) => {
      const target = normalize(join(dirname(file), path));
      const [from, to] = [folderOf(file), folderOf(target)];
      return from === to || target.startsWith("..") ? [] : [{ from, to, files: [file, target] as const }];
    }),
  );
}

/** Returns the imports that the layers forbid. */
export const forbiddenAmong = (imports: readonly FolderImport[]): readonly FolderImport[] =>
  imports.filter(({ from, to, files: [file, target] }) => {
    if (from === ROOT) return false;
    if (to === ROOT) return !MAY_IMPORT_ROOT.get(file)?.includes(target);
    return Object.hasOwn(FOUNDATIONS, from) && !FOUNDATIONS[from]?.includes(to);
  });

/** Returns the folders of one cycle, with the first one repeated at the end, or `undefined` if there is none. */
export function findCycle(imports: readonly FolderImport[]): readonly string[] | undefined {
  const targets = new Map<string, Set<string>>();
  for (const { from, to } of imports)
    if (from !== ROOT && to !== ROOT) targets.set(from, (targets.get(from) ?? new Set()).add(to));

  const finished = new Set<string>();
  const visit = (folder: string, path: readonly string[]): readonly string[] | undefined => {
    if (path.includes(folder)) return [...path.slice(path.indexOf(folder)), folder];
    if (finished.has(folder)) return undefined;
    for (const target of targets.get(folder) ?? []) {
      const cycle = visit(target, [...path, folder]);
      if (cycle) return cycle;
    }
    finished.add(folder);
    return undefined;
  };
  return [...targets.keys()].map((folder) => visit(folder, [])).find((cycle) => cycle !== undefined);
}

/** Returns the problems of a source tree, one per line; empty if there are none. */
export function problemsOf(src: string): readonly string[] {
  const imports = importsOf(src);
  const problems = forbiddenAmong(imports).map(
    ({ from, to, files: [file, target] }) =>
      `${from}/ must not import ${to || "the root"}: ${file} → ${target}`,
  );
  const cycle = findCycle(imports);
  if (!cycle) return problems;

  const steps = cycle.slice(1).map((to, index) => {
    const step = imports.find((one) => one.from === cycle[index] && one.to === to);
    return `  ${step?.files.join(" → ") ?? ""}`;
  });
  return [...problems, `Folders import each other in a ring: ${cycle.join(" → ")}`, ...steps];
}

function folderOf(file: string): string {
  const [folder = ROOT, ...rest] = file.split(sep);
  return rest.length === 0 || folder === COMPOSITION ? ROOT : folder;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const src = join(import.meta.dirname, "..", "src");
  const problems = problemsOf(src);
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) process.exit(1);
  console.log(`No cycle among the folders of ${relative(process.cwd(), src) || "src"}.`);
}
