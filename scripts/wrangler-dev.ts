import { mkdir, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { stripVTControlCharacters } from "node:util";

import { startChild } from "./child-process.ts";
import type { Variables } from "./dev-variables.ts";
import { field } from "./json.ts";
import { createLogReader } from "./log-lines.ts";

/** How long the Worker may say nothing. A busy machine takes more than a minute; it only ends a start that hangs. */
const START_MS = 180_000;
/** How long the Worker may answer its health check with a failure before that counts as its answer. */
const UNHEALTHY_MS = 10_000;
const POLL_MS = 100;
/** How long one health check may take. On a slow machine, the first one loads the whole Worker. */
const ANSWER_MS = 20_000;
/** How long to wait for the details of a failed build. */
const LAST_LINES_MS = 300;
const SHOWN_ERROR_LINES = 15;

/** wrangler's own folder in the project, which git ignores. */
const SCRATCH = ".wrangler";

/** Secrets that a Worker may have but need not: wrangler.toml can only declare required ones. */
export const OPTIONAL_SECRETS: readonly string[] = [
  "AWS_SESSION_TOKEN",
  "CONTACT_WEBHOOK_URL",
  "EMBEDDINGS_API_KEY",
  "GOOGLE_CLIENT_SECRET",
  "LEGACY_ENCRYPTION_SECRET",
  "RERANK_API_KEY",
  "STRIPE_SECRET_KEY",
  "STRIPE_WEBHOOK_SECRET",
];

/** wrangler's own lines among the Worker's: one for each request, and advice about itself. */
const WRANGLERS_OWN = /^\[wrangler:info\]|^If you think this is a bug|^Note that there is a newer version/;

/** With several Workers, wrangler begins each of their lines with the name of the Worker. */
const WORKER_NAME = /^\[[\w-]+\] /u;

/** A Worker that runs on this machine. */
export interface LocalWorker {
  /** The id of its process. */
  readonly pid: number | undefined;
  /** Settles when it has ended: its exit code, or null if a signal ended it. */
  readonly exited: Promise<number | null>;
  /**
   * Waits until `GET /health` answers 200; from then on what the Worker writes is shown. Rejects with the
   * reason.
   */
  readonly ready: () => Promise<void>;
  /** Ends it together with everything it started, and waits for it. */
  readonly stop: () => Promise<void>;
}

/**
 * Starts the Worker with `wrangler dev` in the current folder.
 *
 * Takes the port of 127.0.0.1, the folder for its Durable Objects, and the variables it gets. They travel in
 * the environment of the process: a command line can be read by every user of the machine.
 */
export async function startWorker(options: {
  readonly port: number;
  readonly persistTo: string;
  readonly variables: Variables;
}): Promise<LocalWorker> {
  const args = [
    wranglerBinary(),
    "dev",
    `--config=${await configFile(options.variables, options.port)}`,
    // The first one gets the port. Others are started beside it, for its service bindings.
    "--config=wrangler.pdf.toml",
    `--env-file=${await emptyEnvFile()}`,
    "--ip=127.0.0.1",
    `--port=${options.port}`,
    // Any free one. wrangler looks for one before it takes it, so two servers that start together would choose the same.
    "--inspector-port=0",
    `--persist-to=${options.persistTo}`,
    "--show-interactive-dev-session=false",
  ];

  const print = createPrinter(options.variables);
  let show = false;
  const errors: string[] = [];
  const brokenBuild = Promise.withResolvers<void>();
  const child = startChild(process.execPath, args, {
    env: { ...process.env, ...options.variables, ...WRANGLER_SETTINGS },
    onLine: (line, stream) => {
      if (show) return print(line, stream);
      if (stream === "stderr") errors.push(line);
      // wrangler then waits for a file change and answers no requests.
      if (line.includes("Build failed")) brokenBuild.resolve();
    },
  });

  const ready = async () => {
    const notStarted = Promise.race([child.exited, brokenBuild.promise.then(() => sleep(LAST_LINES_MS))]);
    const failure = await Promise.race([
      notStarted.then(() => "The Worker did not start."),
      waitUntilHealthy(`http://127.0.0.1:${options.port}/health`),
    ]);
    if (failure !== undefined) throw new Error(`${failure}\n${readableErrors(errors)}`.trim());
    show = true;
  };
  const stop = () => {
    show = false;
    return child.stop();
  };
  return { pid: child.pid, exited: child.exited, ready, stop };
}

/** Keeps wrangler quiet, in this folder, and off the network. */
const WRANGLER_SETTINGS = {
  WRANGLER_SEND_METRICS: "false",
  WRANGLER_SEND_ERROR_REPORTS: "false",
  WRANGLER_HIDE_BANNER: "true",
  WRANGLER_WRITE_LOGS: "false",
  WRANGLER_LOG_PATH: `${SCRATCH}/logs`,
  WRANGLER_REGISTRY_PATH: `${SCRATCH}/registry`,
  XDG_CONFIG_HOME: resolve(SCRATCH, "config"),
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
  X_LOCAL_OBSERVABILITY: "false",
  // The build command has nothing to do: `scripts/dev.ts` builds the assets itself, and again after edits.
  ASSETS_ARE_BUILT: "1",
};

function wranglerBinary(): string {
  return join(dirname(createRequire(import.meta.url).resolve("wrangler/package.json")), "bin", "wrangler.js");
}

/**
 * With an `--env-file` wrangler reads the process's environment instead of `.dev.vars`, which would win over
 * it. Node itself insists on the file too, so it has to be there.
 */
async function emptyEnvFile(): Promise<string> {
  const file = join(SCRATCH, "dev.env");
  await mkdir(SCRATCH, { recursive: true });
  try {
    // Written once: other servers of this checkout watch the file, and restart when it is written.
    const content = "# Empty on purpose: the variables come from the environment of `npm run dev`.\n";
    await writeFile(file, content, { flag: "wx" });
  } catch (error) {
    if (field(error, "code") !== "EEXIST") throw error;
  }
  return file;
}

/**
 * Where wrangler.toml lists required secrets, wrangler hands the Worker those and no others. So when an
 * optional one is set, a copy of the configuration declares it.
 */
async function configFile(variables: Variables, port: number): Promise<string> {
  const wanted = OPTIONAL_SECRETS.filter((name) => variables[name] !== undefined);
  if (wanted.length === 0) return "wrangler.toml";

  // Loaded only here: it takes half a second.
  const { experimental_readRawConfig: readConfig } = await import("wrangler");
  const { rawConfig } = readConfig({ config: "wrangler.toml" });
  // Each server has a copy of its own, because wrangler watches it.
  const file = join(SCRATCH, `dev-${port}.json`);
  const { assets } = rawConfig;
  // Its paths are those of the original, which is in this folder.
  const declared = {
    ...rawConfig,
    main: resolve(rawConfig.main ?? "src/index.ts"),
    ...(assets && { assets: { ...assets, directory: resolve(assets.directory ?? "dist/assets") } }),
    secrets: { required: [...(rawConfig.secrets?.required ?? []), ...wanted] },
  };
  await mkdir(SCRATCH, { recursive: true });
  await writeFile(file, JSON.stringify(declared));
  return file;
}

/** Returns `undefined` as soon as the Worker is healthy, or a sentence that says why it is not. */
export async function waitUntilHealthy(url: string): Promise<string | undefined> {
  const deadline = Date.now() + START_MS;
  let unhealthySince: number | undefined;
  while (Date.now() < deadline) {
    const failure = await healthFailure(url);
    if (failure === undefined) return undefined;

    if (failure !== "silent") {
      unhealthySince ??= Date.now();
      if (Date.now() - unhealthySince > UNHEALTHY_MS)
        return `The Worker is not well: /health answers ${failure}`;
    }
    await sleep(POLL_MS);
  }
  return `The Worker did not answer within ${START_MS / 1000} s.`;
}

/** Returns `undefined` for a healthy Worker, `silent` for none, otherwise what it answers. */
async function healthFailure(url: string): Promise<string | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS) });
    const text = await response.text();
    return response.status === 200 ? undefined : `${response.status} ${text.slice(0, 300)}`;
  } catch {
    return "silent";
  }
}

/** Returns the lines from the first error on, without colours, blank lines and wrangler's advice. */
function readableErrors(lines: readonly string[]): string {
  const plain = lines.map((line) => stripVTControlCharacters(line).trimEnd());
  const first = plain.findIndex((line) => line.includes("[ERROR]"));
  return plain
    .slice(Math.max(0, first))
    .filter((line) => line !== "" && !WRANGLERS_OWN.test(line))
    .slice(0, SHOWN_ERROR_LINES)
    .join("\n");
}

/**
 * Returns what shows the Worker's lines: as lines for people in a terminal, and as they are otherwise. `LOG` chooses one of
 * them: `text` or `json`.
 */
export function createPrinter(variables: Variables): (line: string, stream: "stdout" | "stderr") => void {
  const format = variables["LOG"] ?? (process.stdout.isTTY ? "text" : "json");
  const color = process.stdout.isTTY && !process.env["NO_COLOR"];
  const read = createLogReader({ color, time: () => new Date().toTimeString().slice(0, 8) });

  return (line, stream) => {
    const plain = stripVTControlCharacters(line).replace(WORKER_NAME, "");
    // wrangler sets every console.error off with blank lines.
    if (WRANGLERS_OWN.test(plain) || (stream === "stderr" && plain.trim() === "")) return;
    const target = process[stream];
    if (format === "json") target.write(`${plain}\n`);
    else for (const shown of read(plain.trimEnd())) target.write(`${shown}\n`);
  };
}
