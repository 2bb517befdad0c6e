import { execFile } from "node:child_process";
import { promisify } from "node:util";

const CHECK_MS = 250;

/**
 * Calls back once when the npm that runs this script has gone; never when there is none.
 *
 * At best, npm passes a signal to the shell between itself and the script, and that shell ends without passing it on.
 */
export function onNpmGone(callback: () => void): void {
  if (process.env["npm_lifecycle_event"] === undefined) return;

  const shell = process.ppid;
  let npm: number | undefined;
  void npmAbove(shell).then((pid) => (npm = pid));

  const timer = setInterval(() => {
    if (process.ppid === shell && (npm === undefined || isAlive(npm))) return;
    clearInterval(timer);
    callback();
  }, CHECK_MS);
  timer.unref();
}

async function npmAbove(shell: number): Promise<number | undefined> {
  try {
    const pid = Number(await ps("ppid=", shell));
    return /^npm |npm-cli/.test(await ps("args=", pid)) ? pid : undefined;
  } catch {
    // No `ps`, or no such process: the shell alone is watched.
    return undefined;
  }
}

async function ps(column: string, pid: number): Promise<string> {
  const { stdout } = await promisify(execFile)("ps", ["-o", column, "-p", String(pid)]);
  return stdout.trim();
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
