import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Bundle, objectsIn } from "../../scripts/bundle.ts";
import { type ChildProcessHandle, startChild } from "../../scripts/child-process.ts";
import { freePort } from "../../scripts/free-port.ts";
import { namespacesOf, objectBindingsOf, text } from "../../scripts/self-host/workerd-config.ts";
import { type Inspector, openInspector } from "./inspector.ts";

const PROGRAM = join(import.meta.dirname, "../../node_modules/workerd/bin/workerd");
/** How long a Worker may take to answer its first request. */
const START_MS = 120_000;
/** How often a Worker is asked whether it is up. */
const POLL_MS = 2;

/** What runs in a `workerd` process of its own, without Miniflare in front of it. */
export interface WorkerOptions {
  /** Names its files. */
  readonly name: string;
  readonly bundle: Bundle;
  /** A folder for its configuration and the storage of its objects. */
  readonly folder: string;
  readonly variables: Readonly<Record<string, string>>;
  /** Whether its heap can be measured, which makes it slower. */
  readonly isInspected?: boolean;
}

/** What a process has used so far, and what it holds. */
export interface Usage {
  /** CPU time in milliseconds, user and system time of all threads. */
  readonly cpuMs: number;
  /** Resident memory in bytes. */
  readonly memoryBytes: number;
  /** Open file descriptors. */
  readonly files: number;
}

/** A running Worker. */
export interface Worker {
  /** `http://127.0.0.1:PORT`, the same after every restart. */
  readonly url: string;
  /** How long its process took at first until it had answered `/health`, in milliseconds. */
  readonly startMs: number;
  /** Rejects while the process restarts. */
  readonly usage: () => Promise<Usage>;
  /** Connects to its inspector. Throws if the Worker is not inspected. */
  readonly inspect: () => Promise<Inspector>;
  /** Kills the process as a crash does, and starts it again with the same storage. */
  readonly restart: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** Starts a Worker and waits until it answers. Throws its last output if it does not. Needs Linux, for its `/proc`. */
export async function startWorker(options: WorkerOptions): Promise<Worker> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const config = join(options.folder, `${options.name}.capnp`);
  await mkdir(join(options.folder, `${options.name}-objects`), { recursive: true });
  await writeFile(config, configOf(options, port));

  const inspector = options.isInspected ? `127.0.0.1:${await freePort()}` : undefined;
  const args = inspector === undefined ? [config] : [`--inspector-addr=${inspector}`, config];

  const startedAt = performance.now();
  let child = await startProcess(args, url);
  return {
    url,
    startMs: performance.now() - startedAt,
    usage: () => usageOf(pidOf(child)),
    async inspect() {
      if (inspector === undefined) throw new Error(`${options.name} is not inspected.`);
      return openInspector(url, inspector);
    },
    async restart() {
      process.kill(pidOf(child), "SIGKILL");
      await child.stop();
      child = await startProcess(args, url);
    },
    stop: () => child.stop(),
  };
}

async function startProcess(args: readonly string[], url: string): Promise<ChildProcessHandle> {
  const child = startChild(PROGRAM, ["serve", "--experimental", ...args]);
  const deadline = performance.now() + START_MS;
  while (!(await isUp(url))) {
    if (performance.now() > deadline) {
      await child.stop();
      throw new Error(`workerd did not start with ${args.join(" ")}.\n${child.output()}`);
    }
    await sleep(POLL_MS);
  }
  return child;
}

async function isUp(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/health`);
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}

function pidOf({ pid }: ChildProcessHandle): number {
  if (pid === undefined) throw new Error("workerd has no process.");
  return pid;
}

async function usageOf(pid: number): Promise<Usage> {
  const [cpuMs, status, files] = await Promise.all([
    cpuMsOf(pid),
    readFile(`/proc/${pid}/status`, "utf8"),
    readdir(`/proc/${pid}/fd`),
  ]);
  const memoryBytes = Number(/VmRSS:\s+(\d+) kB/u.exec(status)?.[1]) * 1024;
  return { cpuMs, memoryBytes, files: files.length };
}

/** Sums the threads up: `schedstat` counts nanoseconds, while the `stat` of a process counts hundredths of a second. */
async function cpuMsOf(pid: number): Promise<number> {
  const threads = await readdir(`/proc/${pid}/task`);
  const times = await Promise.all(
    threads.map(async (thread) => {
      // A thread may end in the meantime.
      const text = await readFile(`/proc/${pid}/task/${thread}/schedstat`, "utf8").catch(() => "0");
      return Number(text.split(" ")[0]) / 1e6;
    }),
  );
  return times.reduce((sum, ms) => sum + ms, 0);
}

function configOf({ name, bundle, folder, variables }: WorkerOptions, port: number): string {
  const { config, file } = bundle;
  const objects = objectsIn(config);
  const bound = [
    ...Object.entries(variables).map(([key, value]) => `(name = ${text(key)}, text = ${text(value)})`),
    ...objectBindingsOf(objects),
  ];

  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .worker),
    (name = "internet", network = (allow = ["public", "private"])),
    (name = "store", disk = (path = ${text(join(folder, `${name}-objects`))}, writable = true)),
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
);
const worker :Workerd.Worker = (
  modules = [(name = "index.js", esModule = embed ${text(relative(folder, file))})],
  compatibilityDate = ${text(config.compatibility_date ?? "")},
  compatibilityFlags = [${config.compatibility_flags.map(text).join(", ")}],
  durableObjectNamespaces = [${namespacesOf(objects)}],
  durableObjectStorage = (localDisk = "store"),
  bindings = [${bound.join(", ")}],
);
`;
}
