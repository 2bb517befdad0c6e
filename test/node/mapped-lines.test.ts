import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { createViteServer, type SerializedError, type TestCase } from "vitest/node";
import { MappedLines, WITHOUT_SOURCE_MAPS } from "./mapped-lines.ts";

const SOURCE = `import { readFile } from "node:fs";

/** Vite removes this type. */
interface Gone {
  readonly file: typeof readFile;
}

export const fails = (gone?: Gone): void => {
  if (!gone) throw new Error("gone");
};
`;
/** The place of `Error` in the source. */
const PLACE = { line: 9, column: 24 };

/** Returns the server of a folder with the source above, and the module that it makes of it. */
async function servedSource() {
  const root = await mkdtemp(join(tmpdir(), "mapped-lines-"));
  onTestFinished(() => rm(root, { recursive: true }));
  const file = join(root, "fails.ts");
  await writeFile(file, SOURCE);
  const vite = await createViteServer({
    root,
    configFile: false,
    logLevel: "error",
    server: { middlewareMode: true, ws: false, watch: null },
    optimizeDeps: { noDiscovery: true },
    plugins: [WITHOUT_SOURCE_MAPS],
  });
  onTestFinished(() => vite.close());
  const module = await vite.environments.ssr.transformRequest(file);
  if (!module) throw new Error("Vite has no such module.");
  return { file, vite, module };
}

/** Returns the place of `Error` in code, as a frame of a stack. */
function frameIn(code: string, file: string) {
  const lines = code.split("\n");
  const line = lines.findIndex((text) => text.includes("new Error"));
  return { method: "fails", file, line: line + 1, column: (lines[line] ?? "").indexOf("new Error") + 5 };
}

it.each([
  ["workerd", true],
  ["node", false],
])("reports the lines of the source of an error in the project %s: %s", async (name, isMapped) => {
  const { file, vite, module } = await servedSource();
  const frame = frameIn(module.code, file);
  expect(frame.line).not.toBe(PLACE.line);
  const before = { ...frame };
  const errors = [{ message: "gone", stacks: [frame] }] satisfies SerializedError[];
  const test = { project: { name, vite }, result: () => ({ errors }) } as unknown as TestCase;

  await new MappedLines(["workerd"]).onTestCaseResult(test);

  expect(frame).toEqual(isMapped ? { ...before, ...PLACE } : before);
});

it("leaves frames as they are that are in no module", async () => {
  const { vite } = await servedSource();
  const frame = { method: "run", file: "cloudflare:test-internal", line: 7, column: 3 };
  const errors = [{ message: "gone", stacks: [frame] }] satisfies SerializedError[];
  const test = { project: { name: "workerd", vite }, result: () => ({ errors }) } as unknown as TestCase;

  await new MappedLines(["workerd"]).onTestCaseResult(test);

  expect(frame).toMatchObject({ line: 7, column: 3 });
});

it("sends no source map with a module", async () => {
  const { module } = await servedSource();

  expect(module.map).toMatchObject({ mappings: "" });
  expect(module.code).not.toContain("sourceMappingURL");
});
