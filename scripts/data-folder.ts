import { link, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { startChild } from "./child-process.ts";
import { field, parseJson } from "./json.ts";
import { isRunning, markOf, type ProcessMark } from "./processes.ts";

/** How long the folder's file system may take to answer. */
const ANSWER_MS = 10_000;

/** How long killed processes may take to end. Where nobody collects them, they never vanish, but hold nothing. */
const END_MS = 5_000;

/** The file that says which process has the folder. */
export const LOCK_FILE = "dev.lock";

/** What people can do about the usual errors of a file system. */
const REASONS: Readonly<Record<string, string>> = {
  EACCES: "this user may not read and write it",
  EPERM: "this user may not read and write it",
  EROFS: "its file system is read-only",
  ENOSPC: "its disk is full",
  EDQUOT: "this user's disk quota is used up",
  ENOTDIR: "a part of it is a file",
  EEXIST: "it is a file",
};

/** A folder that no other instance uses meanwhile. */
export interface ClaimedFolder {
  /** Remembers a process that this instance has started, so that the next one can end it if this one is killed. */
  readonly remember: (pid: number) => Promise<void>;
  readonly release: () => Promise<void>;
}

/** Who has a folder, and what that process has started. */
interface Lock {
  readonly owner: ProcessMark;
  readonly children: readonly ProcessMark[];
}

/**
 * Claims the folder for this process and makes it if it is missing. Ends what a killed instance has left running, and tells
 * `say` so. Throws with a sentence that names the folder if it is in use, or cannot be used.
 */
export async function claimDataFolder(folder: string, say: (line: string) => void): Promise<ClaimedFolder> {
  await check(folder);
  const owner = await markOf(process.pid);
  if (!owner) throw new Error("This system does not tell which processes are running.");

  const file = join(folder, LOCK_FILE);
  const own = `${file}.${process.pid}`;
  let lock: Lock = { owner, children: [] };
  await writeFile(own, JSON.stringify(lock));
  try {
    while (!(await isLinked(own, file))) await removeStale(folder, file, say);
  } finally {
    await rm(own, { force: true });
  }

  return {
    remember: async (pid) => {
      const child = await markOf(pid);
      if (!child) return;
      lock = { owner, children: [...lock.children, child] };
      await writeFile(own, JSON.stringify(lock));
      await rename(own, file);
    },
    release: () => rm(file, { force: true }),
  };
}

/** Throws if the folder cannot be used. */
async function check(folder: string): Promise<void> {
  const probe = startChild(process.execPath, [join(import.meta.dirname, "check-folder.ts"), folder]);
  const timer = new AbortController();
  const code = await Promise.race([
    probe.exited,
    sleep(ANSWER_MS, "silent" as const, { signal: timer.signal }),
  ]);
  if (code === "silent") {
    // Not awaited: a process that waits for a file system may not end.
    void probe.stop();
    throw new Error(`DATA_DIR=${folder} cannot be used: its file system does not answer.`);
  }
  timer.abort();
  if (code === 0) return;
  const reason = probe.output();
  throw new Error(`DATA_DIR=${folder} cannot be used: ${REASONS[reason] ?? reason}.`);
}

/** Makes the lock by a link, which succeeds for one process only. */
async function isLinked(own: string, file: string): Promise<boolean> {
  try {
    await link(own, file);
    return true;
  } catch (error) {
    if (field(error, "code") === "EEXIST") return false;
    throw error;
  }
}

/** Removes the lock of an instance that has ended, and what it has left running. Throws if it still runs. */
async function removeStale(folder: string, file: string, say: (line: string) => void): Promise<void> {
  const text = await readFile(file, "utf8").catch(() => "");
  const lock = lockFrom(text);
  if (lock && (await isRunning(lock.owner)))
    throw new Error(
      `DATA_DIR=${folder} is in use by another instance (process ${lock.owner.pid}). ` +
        "End it, or choose another folder and another port with DATA_DIR and PORT.",
    );

  // Another instance may find the same lock: the one that moves it away goes on, if it has not moved a newer one.
  const moved = `${file}.stale-${process.pid}`;
  try {
    await rename(file, moved);
  } catch (error) {
    if (field(error, "code") === "ENOENT") return;
    throw error;
  }
  const isNewer = (await readFile(moved, "utf8")) !== text;
  if (isNewer) await isLinked(moved, file);
  await rm(moved, { force: true });
  if (!isNewer && lock) await endChildren(lock, say);
}

async function endChildren({ owner, children }: Lock, say: (line: string) => void): Promise<void> {
  const left: ProcessMark[] = [];
  for (const child of children) if (await isRunning(child)) left.push(child);
  if (left.length === 0) return;

  // Each leads a process group of its own.
  for (const { pid } of left) process.kill(-pid, "SIGKILL");
  // What they have started may hold the port a moment longer.
  const deadline = Date.now() + END_MS;
  while (left.some(({ pid }) => hasGroup(pid)) && Date.now() < deadline) await sleep(20);
  say(`an earlier instance (pid ${owner.pid}) is still running: ended it`);
}

function hasGroup(group: number): boolean {
  try {
    return process.kill(-group, 0);
  } catch {
    return false;
  }
}

/** Reads a lock; `undefined` if it is not one, such as half a file. */
function lockFrom(text: string): Lock | undefined {
  const value = parseJson(text);
  const owner = markFrom(field(value, "owner"));
  const children = field(value, "children");
  if (!owner || !Array.isArray(children)) return undefined;
  return { owner, children: children.map(markFrom).filter((mark) => mark !== undefined) };
}

function markFrom(value: unknown): ProcessMark | undefined {
  const pid = field(value, "pid");
  const startedAt = field(value, "startedAt");
  return typeof pid === "number" && typeof startedAt === "string" ? { pid, startedAt } : undefined;
}
