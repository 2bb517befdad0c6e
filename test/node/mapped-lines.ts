import { SourceMap } from "node:module";
import type { Reporter, SerializedError, TestCase, TestModule, TestProject, TestSuite } from "vitest/node";

/** The query of a module that keeps its source map. */
const MAPPED = "?mapped";

/**
 * A plugin of Vite that removes source maps. In workerd, nothing reads them, and they are two thirds of what each workerd is sent.
 * `MappedLines` asks for them when a test has failed.
 */
export const WITHOUT_SOURCE_MAPS = {
  name: "without-source-maps",
  enforce: "post",
  transform: (code: string, id: string) =>
    id.endsWith(MAPPED) ? undefined : { code, map: { mappings: "" } },
} as const;

/**
 * A reporter that prints nothing. Errors in workerd have the lines of modules as they were run; it gives them the lines of the sources,
 * before other reporters print them at the end of the run. `--reporter` on the command line replaces it.
 */
export class MappedLines implements Reporter {
  readonly #projects: readonly string[];

  /** `projects` are the names of the projects that run in workerd. */
  constructor(projects: readonly string[]) {
    this.#projects = projects;
  }

  onTestCaseResult(test: TestCase): Promise<void> {
    return this.#map(test.project, test.result().errors);
  }

  onTestSuiteResult(suite: TestSuite): Promise<void> {
    return this.#map(suite.project, suite.errors());
  }

  onTestModuleEnd(module: TestModule): Promise<void> {
    return this.#map(module.project, module.errors());
  }

  async #map(project: TestProject, errors: readonly SerializedError[] = []): Promise<void> {
    if (!this.#projects.includes(project.name)) return;
    for (const { stacks } of errors) for (const frame of stacks ?? []) await mapFrame(project, frame);
  }
}

type Frame = NonNullable<SerializedError["stacks"]>[number];

/** Changes the line and the column of a frame, which both count from 1, to those of the source. */
async function mapFrame({ vite }: TestProject, frame: Frame): Promise<void> {
  const { ssr } = vite.environments;
  // A package is bundled by Vite, and not one file of its own.
  if (frame.file.includes("/node_modules/") || !ssr.moduleGraph.getModuleById(frame.file)) return;
  const module = await ssr.transformRequest(frame.file + MAPPED);
  if (!module?.map || !("version" in module.map)) return;
  const map = new SourceMap({ ...module.map, file: frame.file, sourceRoot: "" });
  const entry = map.findEntry(frame.line - 1, frame.column - 1);
  if (!("originalLine" in entry)) return;
  frame.line = entry.originalLine + 1;
  frame.column = entry.originalColumn + 1;
}
