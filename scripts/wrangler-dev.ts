import { mkdir, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { stripVTControlCharacters } from "node:util";

import { startChild } from "./child-process.ts";
import type { Variables } from "./dev-variables.ts";
import { field } from "./json.ts";

const START_MS = 60_000;
/** How long the Worker may answer its health check with a failure before that counts as its answer. */
const UNHEALTHY_MS = 10_000;
const POLL_MS = 100;
/** How long the details of a failed build are waited for. */
const LAST_LINES_MS = 300;
const SHOWN_ERROR_LINES = 15;

/** wrangler's own folder in the project, which git ignores. */
const SCRATCH = ".wrangler";

/** Secrets that a Worker may have but need not: wrangler.toml can only declare required ones. */
const OPTIONAL_SECRETS = [
  "AWS_SESSION_TOKEN",
  "EMBEDDINGS_API_KEY",
  "GOOGLE_CLIENT_SECRET",
  "LEGACY_ENCRYPTION_SECRET",
  "STRIPE_SECRET_KEY",
  "STRIPE_WEBHOOK_SECRET",
];

/** wrangler's own lines among the Worker's: one for each request, and advice about itself. */
const WRANGLERS_OWN = /^\[wrangler:info\]|^If you think this is a bug|^Note that there is a newer version/;

/** A Worker that runs on this machine. */
export interface LocalWorker {
  /** Settles when it has ended: its exit code, or null when a signal ended it. */
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
    ...(await configArgs(options.variables)),
    `--env-file=${await emptyEnvFile()}`,
    "--ip=127.0.0.1",
    `--port=${options.port}`,
    `--persist-to=${options.persistTo}`,
    "--show-interactive-dev-session=false",
  ];

  let show = false;
  const errors: string[] = [];
  const brokenBuild = Promise.withResolvers<void>();
  const child = startChild(process.execPath, args, {
    env: { ...process.env, ...options.variables, ...WRANGLER_SETTINGS },
    onLine: (line, stream) => {
      if (show) return pass(line, stream);
      if (stream === "stderr") errors.push(line);
      // wrangler waits for a file to change then, and answers nobody.
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
  return { exited: child.exited, ready, stop };
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
  await writeFile(file, "# Empty on purpose: the variables come from the environment of `npm run dev`.\n");
  return file;
}

/**
 * Where wrangler.toml lists required secrets, wrangler hands the Worker those and no others. So when an
 * optional one is set, a copy of the configuration declares it.
 */
async function configArgs(variables: Variables): Promise<readonly string[]> {
  const wanted = OPTIONAL_SECRETS.filter((name) => variables[name] !== undefined);
  if (wanted.length === 0) return [];

  // Loaded only here: it takes half a second.
  const { experimental_readRawConfig: readConfig } = await import("wrangler");
  const { rawConfig } = readConfig({ config: "wrangler.toml" });
  const file = join(SCRATCH, "dev.json");
  const declared = {
    ...rawConfig,
    main: resolve(rawConfig.main ?? "src/index.ts"),
    secrets: { required: [...(rawConfig.secrets?.required ?? []), ...wanted] },
  };
  await mkdir(SCRATCH, { recursive: true });
  await writeFile(file, JSON.stringify(declared));
  return [`--config=${file}`];
}

/** Gives undefined as soon as the Worker is healthy, or a sentence that says why it is not. */
async function waitUntilHealthy(url: string): Promise<string | undefined> {
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

/** Gives undefined for a healthy Worker, `silent` for none, otherwise what it answers. */
async function healthFailure(url: string): Promise<string | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(5_000) });
    const text = await response.text();
    return response.status === 200 ? undefined : `${response.status} ${text.slice(0, 300)}`;
  } catch (error) {
    return field(error, "name") === "TimeoutError" ? "nothing within 5 s" : "silent";
  }
}

/** Gives the lines from the first error on, without colours, blank lines and wrangler's advice. */
function readableErrors(lines: readonly string[]): string {
  const plain = lines.map((line) => stripVTControlCharacters(line).trimEnd());
  const first = plain.findIndex((line) => line.includes("[ERROR]"));
  return plain
    .slice(Math.max(0, first))
    .filter((line) => line !== "" && !WRANGLERS_OWN.test(line))
    .slice(0, SHOWN_ERROR_LINES)
    .join("\n");
}

function pass(line: string, stream: "stdout" | "stderr"): void {
  const plain = stripVTControlCharacters(line);
  // wrangler sets every console.error off with blank lines.
  if (WRANGLERS_OWN.test(plain) || (stream === "stderr" && plain.trim() === "")) return;

  const target = process[stream];
  target.write(`${target.isTTY ? line : plain}\n`);
}
