import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, vi } from "vitest";
import { freePort } from "../../scripts/free-port.ts";

const PROJECT = join(import.meta.dirname, "../..");

/** What a test has to undo at its end, in reverse order. */
export const cleanUps: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
});

/**
 * Starts the development server as a person does, and waits until it reports that it is ready. It gets none of this
 * machine's own variables: a developer's settings may point at a real table.
 */
export const startServer = (variables: Record<string, string>, ...args: readonly string[]) =>
  startServerIn(PROJECT, variables, ...args);

/** Like `startServer`, but in a copy of the project. */
export const startServerIn = (
  project: string,
  variables: Record<string, string>,
  ...args: readonly string[]
) => untilReady(beginServer(project, ["scripts/dev.ts", ...args], variables));

/** Starts the service as `npm start` does, and waits until it reports that it is ready. */
export const startService = (variables: Record<string, string>, ...args: readonly string[]) =>
  untilReady(beginServer(PROJECT, ["scripts/start.ts", ...args], variables));

/** Waits until a server reports that it is ready. Fails with what it has printed if it ends before. */
export async function untilReady(server: ReturnType<typeof beginServer>) {
  const { child, output } = server;
  // Either it is ready, or it has ended and printed the reason.
  const ended = () => child.exitCode !== null || child.signalCode !== null;
  // Hooks call it, too, where `expect.poll` is not allowed.
  await vi.waitUntil(() => output().includes("ready:") || ended(), { timeout: 300_000, interval: 100 });
  expect(output()).toContain("ready:");
  return server;
}

/** Runs a script that starts a server, without waiting for it; through another program, if one is named. */
export function beginServer(
  project: string,
  command: readonly string[],
  variables: Record<string, string>,
  through: readonly string[] = [],
) {
  const { PATH = "", HOME = "" } = process.env;
  // The Worker's types make its variables every process's; a process takes any.
  const env = { PATH, HOME, ...variables } as Record<string, string> as NodeJS.ProcessEnv;
  const [program = process.execPath, ...args] = [...through, process.execPath, ...command];
  const child = spawn(program, args, { cwd: project, env });
  const exited = once(child, "exit");
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  cleanUps.push(() => stop(child, exited));

  return { child, exited, output: () => output };
}

async function stop(child: ChildProcess, exited: Promise<unknown>): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) child.kill("SIGINT");
  await exited;
}

/** The processes that a process has started, and those that they have. */
export async function descendants(pid: number): Promise<{ pid: number; command: string }[]> {
  const processes = (await readdir("/proc")).filter((name) => /^\d+$/u.test(name));
  const children: { pid: number; command: string }[] = [];
  for (const name of processes) {
    const stat = await readFile(`/proc/${name}/stat`, "utf8").catch(() => "");
    const [, command = "", parent] = /^\d+ \((.*)\) \S (\d+)/u.exec(stat) ?? [];
    if (Number(parent) === pid) children.push({ pid: Number(name), command });
  }
  const below = await Promise.all(children.map((child) => descendants(child.pid)));
  return [...children, ...below.flat()];
}

/** Whether a process runs; one that has ended and waits to be noticed does not. */
export async function isAlive({ pid }: { pid: number }): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return stat !== "" && !/\) Z /u.test(stat);
}

/** Settings of a server that has a folder of its own and a free port. */
export async function workplace(): Promise<Record<string, string> & { DATA_DIR: string; PORT: string }> {
  const folder = await mkdtemp(join(tmpdir(), "dev-start-"));
  cleanUps.push(() => rm(folder, { recursive: true }));
  const port = await freePort();
  return { PORT: String(port), DATA_DIR: join(folder, "data"), DEV_VARS: join(folder, "vars") };
}

/** The exit code and the output of a development server, or of another script, that does not start. */
export async function refusal(
  variables: Record<string, string>,
  script = "scripts/dev.ts",
  through: readonly string[] = [],
) {
  const { exited, output } = beginServer(PROJECT, [script], variables, through);
  const [code] = await exited;
  return { code, output: output() };
}
