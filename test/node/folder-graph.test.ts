import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { problemsOf } from "../../scripts/folder-graph.ts";

const trees: string[] = [];

/** A source tree with these files. */
function tree(files: Readonly<Record<string, string>>): string {
  const src = mkdtempSync(join(tmpdir(), "folder-graph-"));
  trees.push(src);
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(src, file)), { recursive: true });
    writeFileSync(join(src, file), text);
  }
  return src;
}

afterEach(() => {
  for (const src of trees.splice(0)) rmSync(src, { recursive: true });
});

it("accepts features that import each other in one direction", () => {
  const src = tree({
    "runs/turn.ts": 'import { Agent } from "../agents/model.ts";\n',
    "agents/model.ts": 'import { key } from "../table/keys.ts";\n',
    "table/keys.ts": 'import { text } from "../shared/text.ts";\n',
    "shared/text.ts": "",
  });

  expect(problemsOf(src)).toEqual([]);
});

it("prints a ring of three folders with the imports that close it, types included", () => {
  const src = tree({
    "runs/turn.ts": 'import { Agent } from "../agents/model.ts";\n',
    "agents/model.ts": 'import {\n  Memory,\n} from "../memory/model.ts";\n',
    "memory/model.ts": 'import type { Turn } from "../runs/turn.ts";\n',
  });

  const [ring, ...steps] = problemsOf(src);

  expect(ring).toMatch(/^Folders import each other in a ring: (\w+) → \w+ → \w+ → \1$/u);
  expect(steps.toSorted()).toEqual([
    "  agents/model.ts → memory/model.ts",
    "  memory/model.ts → runs/turn.ts",
    "  runs/turn.ts → agents/model.ts",
  ]);
});

it("refuses a foundation that imports a feature", () => {
  const src = tree({ "table/keys.ts": 'export { x } from "../agents/model.ts";\n', "agents/model.ts": "" });

  expect(problemsOf(src)).toEqual(["table/ must not import agents: table/keys.ts → agents/model.ts"]);
});

it("refuses a feature that imports the composition root", () => {
  const src = tree({
    "agents/routes.ts": 'import { createDeps } from "../deps/request.ts";\n',
    "agents/service.ts": 'import { configFrom } from "../config.ts";\n',
    "deps/request.ts": "",
    "config.ts": "",
  });

  expect(problemsOf(src).toSorted()).toEqual([
    "agents/ must not import the root: agents/routes.ts → deps/request.ts",
    "agents/ must not import the root: agents/service.ts → config.ts",
  ]);
});
