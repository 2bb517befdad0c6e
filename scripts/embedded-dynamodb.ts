import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

import { startChild } from "./child-process.ts";
import { freePort, isPortTaken } from "./free-port.ts";
import { field } from "./json.ts";

/** How long the database may take to answer, on a machine with other things to do. */
const START_MS = 60_000;

const PROJECT_FOLDER = join(import.meta.dirname, "..");

/** The package whose version the manifest pins; the other platforms' packages carry the same version. */
const PINNED_PACKAGE = "@dynoxide/linux-x64";

/** A DynamoDB-compatible database that runs on this machine. */
export interface EmbeddedDynamoDb {
  /** `http://127.0.0.1:PORT`. */
  readonly endpoint: string;
  /** The id of its process. */
  readonly pid: number | undefined;
  /** Ends the database and waits until it has ended. */
  readonly stop: () => Promise<void>;
  /** Settles when the database has ended: its exit code, or null if a signal ended it. */
  readonly exited: Promise<number | null>;
}

/**
 * Starts the embedded DynamoDB and waits until it answers.
 *
 * Takes the file it keeps its data in (in memory if absent; the folder is made) and the port (a free one
 * if absent). Rejects with a readable message when this platform has no embedded database, when the
 * database ends before it answers, or when it does not answer within a minute.
 */
export async function startEmbeddedDynamoDb(
  options: { readonly databaseFile?: string; readonly port?: number } = {},
): Promise<EmbeddedDynamoDb> {
  const binary = await findOrInstallBinary();
  if (options.databaseFile !== undefined) await mkdir(dirname(options.databaseFile), { recursive: true });

  const port = options.port ?? (await freePort());
  // Otherwise whatever else listens on the port would be mistaken for the new database.
  if (await isPortTaken(port)) throw new Error(`The embedded DynamoDB cannot start: port ${port} is taken.`);

  const file = options.databaseFile === undefined ? [] : ["--db-path", options.databaseFile];
  const child = startChild(binary, ["serve", "--host", "127.0.0.1", "--port", String(port), ...file]);
  const endpoint = `http://127.0.0.1:${port}`;

  const ended = child.exited.then(() => "ended" as const);
  const outcome = await Promise.race([ended, waitUntilItAnswers(endpoint)]);
  if (outcome !== "answers") {
    await child.stop();
    const what = outcome === "ended" ? "ended at once" : `did not answer within ${START_MS / 1000} s`;
    throw new Error(`The embedded DynamoDB ${what}. ${child.output()}`.trim());
  }

  return { endpoint, pid: child.pid, stop: child.stop, exited: child.exited };
}

async function waitUntilItAnswers(endpoint: string): Promise<"answers" | "silent"> {
  const deadline = Date.now() + START_MS;
  while (Date.now() < deadline) {
    try {
      const response = await fetch(endpoint, { signal: AbortSignal.timeout(1_000) });
      await response.arrayBuffer();
      return "answers";
    } catch {
      await sleep(25);
    }
  }
  return "silent";
}

async function findOrInstallBinary(): Promise<string> {
  const name = `@dynoxide/${process.platform}-${process.arch}`;
  const installed = findBinary(name);
  if (installed !== undefined) return installed;

  const specifier = `${name}@${pinnedVersion()}`;
  console.error(`fetching ${specifier}, the embedded database, which npm install has not installed …`);
  try {
    await install(specifier);
  } catch (error) {
    throw new Error(missingMessage(npmReason(error)), { cause: error });
  }
  const fresh = findBinary(name);
  if (fresh === undefined) throw new Error(missingMessage("npm has not installed it"));
  return fresh;
}

function findBinary(name: string): string | undefined {
  try {
    const manifest = createRequire(import.meta.url).resolve(`${name}/package.json`);
    return join(dirname(manifest), process.platform === "win32" ? "dynoxide.exe" : "dynoxide");
  } catch {
    return undefined;
  }
}

/** npm skips optional dependencies of other platforms, so this platform's package is installed by name. */
async function install(specifier: string): Promise<void> {
  await promisify(execFile)("npm", ["install", "--no-save", "--no-audit", specifier], {
    cwd: PROJECT_FOLDER,
    // On Windows only a shell finds npm's command file. That is safe, because all arguments are constants of this file.
    shell: process.platform === "win32",
  });
}

function pinnedVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(join(PROJECT_FOLDER, "package.json"), "utf8"));
  const version = field(field(manifest, "optionalDependencies"), PINNED_PACKAGE);
  if (typeof version !== "string") throw new Error(`package.json does not name ${PINNED_PACKAGE}.`);
  return version;
}

/** Returns npm's own words, without its prefix and its advice about log files. */
export function npmReason(error: unknown): string {
  const lines = String(field(error, "stderr") || field(error, "message") || error)
    .split("\n")
    .map((line) => line.replace(/^npm (?:error|ERR!|warn)\s*/u, "").trim())
    .filter((line) => line !== "" && !/complete log of this run|^code |^errno /u.test(line));
  return lines.slice(0, 3).join(" ");
}

function missingMessage(reason: string): string {
  return [
    `The embedded DynamoDB could not be fetched: ${reason}`,
    `There is no embedded DynamoDB for ${process.platform}-${process.arch}. Start DynamoDB Local ` +
      "(docker run -p 8000:8000 amazon/dynamodb-local) and use it: DYNAMODB_ENDPOINT=http://localhost:8000 npm run dev",
    "or use AWS with your credentials: " +
      "DYNAMODB_ENDPOINT=https://dynamodb.eu-west-2.amazonaws.com AWS_ACCESS_KEY_ID=… AWS_SECRET_ACCESS_KEY=… npm run dev",
  ].join("\n");
}
