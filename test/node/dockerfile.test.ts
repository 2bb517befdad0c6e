import { readFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { expect, it } from "vitest";
import { copiedFrom } from "./dockerfile.ts";

const PROJECT = join(import.meta.dirname, "../..");

/** The commands that docs/self-hosting.md names for a container. */
const COMMANDS = ["start", "demo", "doctor", "table"];

/** An import of a file by its relative path. Node removes those of types only. */
const IMPORT =
  /^(?:import|export) (?!type )[^"]*?from "(?<path>\.{1,2}\/[^"]+)"|import\("(?<lazy>\.{1,2}\/[^"]+)"\)/gmu;

/** Adds a file and everything that it imports, directly or not, as paths from the project's folder. */
async function addImports(file: string, known: Set<string>): Promise<void> {
  const name = relative(PROJECT, file);
  if (known.has(name)) return;
  known.add(name);
  for (const { groups } of (await readFile(file, "utf8")).matchAll(IMPORT))
    await addImports(join(dirname(file), groups?.["path"] ?? groups?.["lazy"] ?? ""), known);
}

it("copies every file into the image that the commands for it import", async () => {
  const { scripts } = JSON.parse(await readFile(join(PROJECT, "package.json"), "utf8")) as {
    readonly scripts: Readonly<Record<string, string>>;
  };
  const copied = copiedFrom(await readFile(join(PROJECT, "Dockerfile"), "utf8"));
  const needed = new Set<string>();
  for (const command of COMMANDS) {
    const script = /^node (?<file>\S+)/u.exec(scripts[command] ?? "")?.groups?.["file"];
    expect([command, script]).toEqual([command, expect.any(String)]);
    await addImports(join(PROJECT, script ?? ""), needed);
  }

  expect(needed.size).toBeGreaterThan(COMMANDS.length);
  const isCopied = (file: string) => copied.some((path) => file === path || file.startsWith(`${path}/`));
  expect([...needed].filter((file) => !isCopied(file))).toEqual([]);
});
