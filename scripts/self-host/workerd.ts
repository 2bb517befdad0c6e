import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

import { startChild } from "../child-process.ts";
import type { Variables } from "../dev-variables.ts";
import { type LocalWorker, waitUntilHealthy } from "../wrangler-dev.ts";
import type { BuiltService } from "./built-service.ts";
import { runScheduled } from "./schedule.ts";
import { privateOrigins } from "./settings.ts";
import { workerdConfig } from "./workerd-config.ts";

const PROGRAM = join(import.meta.dirname, "../../node_modules/workerd/bin/workerd");

/** A service on workerd. */
export interface ServedService extends LocalWorker {
  /** Runs the scheduled handler. Rejects if it fails. */
  readonly schedule: (cron: string) => Promise<void>;
}

/**
 * Serves a built service with workerd. Takes the address of the network interface and the port to listen on, a folder for the
 * storage of Durable Objects, which is created, and the variables of the service. They travel in the environment of the process: a
 * command line and a file can be read by more people.
 */
export async function serveBuilt(options: {
  readonly service: BuiltService;
  readonly builtIn: string;
  readonly host: string;
  readonly port: number;
  readonly objectsIn: string;
  readonly variables: Variables;
  readonly clientAddressHeader: string | undefined;
  /** Gets each line that the service writes once it is ready. */
  readonly print: (line: string, stream: "stdout" | "stderr") => void;
}): Promise<ServedService> {
  const { host, port, objectsIn, variables, print } = options;
  await mkdir(objectsIn, { recursive: true });
  // Not among the data, whose path may be longer than that of a socket may be.
  const configIn = await mkdtemp(join(tmpdir(), "npm-start-"));
  const config = join(configIn, "service.capnp");
  const schedulerSocket = join(configIn, "scheduler");
  await writeFile(
    config,
    workerdConfig({
      ...options,
      builtIn: resolve(options.builtIn),
      configIn,
      address: host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`,
      schedulerSocket,
      variables: Object.keys(variables),
      privateOrigins: privateOrigins(variables),
    }),
  );

  let isReady = false;
  const child = startChild(PROGRAM, ["serve", "--experimental", config], {
    env: { ...process.env, ...variables },
    onLine: (line, stream) => isReady && print(line, stream),
  });

  return {
    pid: child.pid,
    exited: child.exited,
    async ready() {
      const failure = await Promise.race([
        child.exited.then(() => "The service did not start."),
        waitUntilHealthy(`http://${localAddressOf(host)}:${port}/health`),
      ]);
      if (failure !== undefined) throw new Error(`${failure}\n${child.output()}`.trim());
      isReady = true;
    },
    async stop() {
      await child.stop();
      await rm(configIn, { recursive: true, force: true });
    },
    schedule: (cron) => runScheduled(schedulerSocket, cron),
  };
}

/** Returns an address under which this machine reaches what listens on a host, in the form of a URL. */
function localAddressOf(host: string): string {
  if (host === "0.0.0.0" || host === "*") return "127.0.0.1";
  if (host === "::") return "[::1]";
  return host.includes(":") ? `[${host}]` : host;
}
