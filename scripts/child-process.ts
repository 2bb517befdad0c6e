import { spawn } from "node:child_process";
import { join } from "node:path";
import type { Socket } from "node:net";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";

/** How long a program may take to end after SIGTERM before it is killed. */
const STOP_MS = 5_000;

/** How long to wait for the remaining output of a program that has ended. */
const LAST_OUTPUT_MS = 500;

/** How many of a program's last lines are kept for an error message. */
const KEPT_LINES = 40;

/** A program that runs in its own process group, so that a Ctrl-C in the terminal reaches only its parent. */
export interface ChildProcessHandle {
  /** The id of the process and of its group; `undefined` if it could not start. */
  readonly pid: number | undefined;
  /**
   * Settles when the program has ended: its exit code, or null if a signal ended it or it could not start.
   */
  readonly exited: Promise<number | null>;
  /** The last lines that the program wrote, oldest first. */
  readonly output: () => string;
  /** Ends the program and everything it started, and waits for it. Safe to call more than once. */
  readonly stop: () => Promise<void>;
}

/** Options of `startChild`. */
export interface ChildOptions {
  /** The whole environment of the program; this process's own if absent. */
  readonly env?: NodeJS.ProcessEnv;
  /** Called for every line that the program writes. */
  readonly onLine?: (line: string, stream: "stdout" | "stderr") => void;
}

/**
 * Starts a program without a shell and without standard input. If this process is killed, the program ends as well.
 *
 * Takes the program, its arguments and options; returns its handle at once. A program that cannot be started
 * shows as `exited: null` with the reason in `output()`.
 */
export function startChild(
  command: string,
  args: readonly string[],
  options: ChildOptions = {},
): ChildProcessHandle {
  const child = spawn(command, args, {
    env: options.env ?? process.env,
    detached: true,
    windowsHide: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const kept: string[] = [];
  const keep = (line: string) => {
    kept.push(line);
    if (kept.length > KEPT_LINES) kept.shift();
  };

  const readLines = (from: Readable, stream: "stdout" | "stderr") =>
    createInterface({ input: from }).on("line", (line) => {
      keep(line);
      options.onLine?.(line, stream);
    });
  readLines(child.stdout, "stdout");
  readLines(child.stderr, "stderr");

  const killGroup = (signal: NodeJS.Signals) => signalGroup(child.pid, signal);
  const killAtExit = () => killGroup("SIGKILL");
  process.on("exit", killAtExit);
  watch("+", child.pid);

  const exited = new Promise<number | null>((resolve) => {
    child.on("error", (error) => {
      keep(error.message);
      if (child.pid === undefined) resolve(null);
    });
    // A grandchild may hold the pipes open, so that "close" alone could be awaited forever.
    child.on("exit", (code) => void sleep(LAST_OUTPUT_MS).then(() => resolve(code)));
    child.on("close", (code) => resolve(code));
  });
  // Otherwise the group's id could be another group's by the time that this process is killed.
  void exited.then(() => watch("-", child.pid));

  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGTERM");
    await Promise.race([exited, sleep(STOP_MS, undefined, { ref: false })]);

    killGroup("SIGKILL");
    await exited;
    process.off("exit", killAtExit);
    watch("-", child.pid);
  };

  return { pid: child.pid, exited, output: () => kept.join("\n").trim(), stop };
}

function signalGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;

  try {
    process.kill(process.platform === "win32" ? pid : -pid, signal);
  } catch {
    // The process group is gone already.
  }
}

/** Where the watchdog is told about groups. It is started with the first program, and ends with this process. */
let toWatchdog: Writable | undefined;

/** Has the watchdog kill a group when this process has gone (`+`), or forget it (`-`). */
function watch(sign: "+" | "-", group: number | undefined): void {
  if (group === undefined) return;
  toWatchdog ??= startWatchdog();
  toWatchdog.write(`${sign}${group}\n`);
}

function startWatchdog(): Writable {
  // In a group of its own, so that a Ctrl-C in the terminal does not end it first.
  const watchdog = spawn(process.execPath, [join(import.meta.dirname, "watchdog.ts")], {
    detached: true,
    windowsHide: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  // Without a watchdog, the next start ends what a killed one has left; see data-folder.ts.
  watchdog.on("error", () => undefined);
  watchdog.stdin.on("error", () => undefined);
  watchdog.unref();
  // A pipe to a process is a socket. It must not keep this process alive.
  (watchdog.stdin as Socket).unref();
  return watchdog.stdin;
}
