import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import { field } from "../../../scripts/json.ts";

const CLI = join(
  import.meta.dirname,
  "../../../node_modules/@modelcontextprotocol/conformance/dist/index.js",
);

/** What the suite has found in a scenario. */
export interface Finding {
  /** The ids of the checks that failed or warned, sorted. */
  readonly faults: readonly string[];
  /** What the command has printed, for scenarios about clients. */
  readonly said: string;
}

/** Returns the names of the suite's scenarios of a kind with the revisions that they are about; `extension` for none. */
export async function scenariosOf(
  kind: "server" | "client" | "authorization",
): Promise<ReadonlyMap<string, readonly string[]>> {
  const { stdout } = await promisify(execFile)(process.execPath, [CLI, "list", `--${kind}`]);
  const lines = [...stdout.matchAll(/^ {2}- (\S+) \[(.+)\]$/gmu)];
  return new Map(lines.map(([, name = "", revisions = ""]) => [name, revisions.split(",")]));
}

/**
 * Runs the suite with its arguments, and returns what it has found, by scenario. `onLine` gets each line that it prints. Throws if the suite itself
 * fails.
 */
export async function runSuite(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  onLine: (line: string) => Promise<void> = () => Promise.resolve(),
): Promise<ReadonlyMap<string, Finding>> {
  const folder = await mkdtemp(join(tmpdir(), "conformance-"));
  try {
    const suite = spawn(process.execPath, [CLI, ...args, "--output-dir", folder], {
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const ended = once(suite, "close");
    const complaints = text(suite.stderr);
    for await (const line of createInterface(suite.stdout)) await onLine(line);
    const [code] = await ended;
    // It ends with 1 if a check has failed.
    if (code !== 0 && code !== 1) throw new Error(`The suite has ended with ${code}: ${await complaints}`);
    const files = await readdir(folder, { recursive: true });
    const results = files.filter((file) => basename(file) === "checks.json").map((file) => dirname(file));
    if (results.length === 0) throw new Error(`The suite has run nothing: ${await complaints}`);
    return new Map(
      await Promise.all(results.map(async (at) => [nameIn(at), await findingIn(join(folder, at))] as const)),
    );
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Returns the scenario's name in the path of its results: `server-tools-list-2026-11-30T04-45-09-217Z`. */
const nameIn = (path: string): string =>
  path.replace(/^(?:authorization-server|server)-(?=.)/u, "").replace(/-\d{4}-\d\d-\d\dT[\d-]+Z$/u, "");

async function findingIn(folder: string): Promise<Finding> {
  const checks: unknown = JSON.parse(await readFile(join(folder, "checks.json"), "utf8"));
  const faults = (Array.isArray(checks) ? checks : [])
    .filter((check) => ["FAILURE", "WARNING"].includes(String(field(check, "status"))))
    .map((check) => String(field(check, "id")));
  const files = await readdir(folder);
  const said = files.includes("stdout.txt") ? await readFile(join(folder, "stdout.txt"), "utf8") : "";
  return { faults: [...new Set(faults)].toSorted(), said: said.trim() };
}
