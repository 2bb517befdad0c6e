import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";

/** A process that was running at some time. Ids are used again; the same id with another start is another process. */
export interface ProcessMark {
  readonly pid: number;
  /** When it started, in the terms of the operating system. */
  readonly startedAt: string;
}

/** Returns the mark of a running process, or `undefined` if there is none with this id. */
export async function markOf(pid: number): Promise<ProcessMark | undefined> {
  const startedAt = (await startInProc(pid)) ?? (await startByPs(pid));
  return startedAt === undefined || startedAt === "" ? undefined : { pid, startedAt };
}

/** Returns whether the process of a mark still runs. */
export const isRunning = async ({ pid, startedAt }: ProcessMark): Promise<boolean> =>
  (await markOf(pid))?.startedAt === startedAt;

/** Reads the start from Linux's /proc: an empty text if the process has ended, `undefined` without /proc. */
async function startInProc(pid: number): Promise<string | undefined> {
  if (process.platform !== "linux") return undefined;
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  // The name of the program, in parentheses, may contain anything. Its state and, 19 fields later, its start follow.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields[0] === "Z" ? "" : (fields[19] ?? "");
}

async function startByPs(pid: number): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)("ps", ["-o", "lstart=", "-p", String(pid)]);
    return stdout.trim();
  } catch {
    return undefined;
  }
}
