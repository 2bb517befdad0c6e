import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";

import { claimDataFolder } from "./data-folder.ts";
import { isAws, prepareTable, startDatabase, withCredentials } from "./database.ts";
import { demoResponder } from "./demo-model.ts";
import { readDevVariables, type Variables } from "./dev-variables.ts";
import { choosePort } from "./free-port.ts";
import { firstToEnd, runUntilStopped, type Watched } from "./instance.ts";
import { startModelServer } from "./model-server.ts";
import { readBuiltService } from "./self-host/built-service.ts";
import { keepSchedules, periodOf } from "./self-host/schedule.ts";
import { EMBEDDED, settingsFrom } from "./self-host/settings.ts";
import { serveBuilt } from "./self-host/workerd.ts";
import { TableError } from "./table.ts";
import { createPrinter } from "./wrangler-dev.ts";

/** How long a database that is starting beside the service may take to answer. */
const DATABASE_MS = 60_000;
const POLL_MS = 1_000;

await runUntilStopped(run);

/** Builds and starts the service, says so, and then fails as soon as a part of it ends. */
async function run(running: AsyncDisposableStack): Promise<never> {
  // Refuses before anything is started.
  const { isTrial, given } = settingsFrom(process.env);
  const own = ownSettings(process.env);
  const port = await choosePort(own, "PORT", 8000, "npm start");
  const dataFolder = own["DATA_DIR"] ?? ".data/start";

  say(`starting: ${isTrial ? "a trial" : "in production"}, data in ${dataFolder}`);
  const claimed = await claimDataFolder(dataFolder, say);
  running.defer(claimed.release);
  const watched: Watched[] = [];

  const builtIn = await provideBuild(dataFolder);
  const service = await readBuiltService(builtIn);
  for (const cron of service.crons) periodOf(cron);

  let endpoint = given["DYNAMODB_ENDPOINT"] ?? (isTrial ? EMBEDDED : undefined);
  if (endpoint === EMBEDDED) {
    say("starting: the embedded database");
    const embedded = await startDatabase(dataFolder, running);
    watched.push(embedded);
    if (embedded.pid !== undefined) await claimed.remember(embedded.pid);
    ({ endpoint } = embedded);
  }
  const variables = {
    ...(isTrial ? await trialVariables(dataFolder, port, running) : { ENVIRONMENT: "production" }),
    ...given,
    ...(endpoint !== undefined && (await databaseVariables(endpoint, given))),
  };

  say(`starting: the service on port ${port}`);
  const worker = await serveBuilt({
    service,
    builtIn,
    host: own["HOST"] ?? "127.0.0.1",
    port,
    objectsIn: join(dataFolder, "objects"),
    variables,
    clientAddressHeader: own["CLIENT_ADDRESS_HEADER"],
    print: createPrinter(own),
  });
  running.defer(worker.stop);
  if (worker.pid !== undefined) await claimed.remember(worker.pid);
  await worker.ready();
  watched.push({ name: "The service", exited: worker.exited });

  const schedules = new AbortController();
  running.defer(() => schedules.abort());
  void keepSchedules(service.crons, worker.schedule, say, schedules.signal);

  if (isTrial) say(trialNotice(dataFolder));
  say(`ready: http://localhost:${port}`);
  return await firstToEnd(watched);
}

function say(line: string): void {
  console.log(line);
}

/** Returns the settings of `npm start` itself, which the service does not read; empty ones count as absent. */
function ownSettings(env: Readonly<Record<string, string | undefined>>): Variables {
  const names = ["CLIENT_ADDRESS_HEADER", "DATA_DIR", "HOST", "LOG", "PORT"];
  return Object.fromEntries(names.flatMap((name) => (env[name] ? [[name, env[name]]] : [])));
}

/** Returns the folder of the built service: the one that `--built` names; without it, the service is built now. */
async function provideBuild(dataFolder: string): Promise<string> {
  const { built } = parseArgs({ options: { built: { type: "string" } } }).values;
  if (built !== undefined) return built;

  say("starting: bundling the service");
  // Loaded only here: where a service has been built, there need not be a wrangler.
  const { buildService } = await import("./self-host/build.ts");
  const folder = join(dataFolder, "build");
  await buildService(folder);
  return folder;
}

/** Returns the variables of a trial: as in development, with secrets that are made once and kept among the data. */
async function trialVariables(
  dataFolder: string,
  port: number,
  running: AsyncDisposableStack,
): Promise<Variables> {
  const model = await startModelServer({ respond: demoResponder });
  running.defer(model.stop);
  return {
    ...(await readDevVariables({}, secretsOf(dataFolder))),
    ENVIRONMENT: "local",
    PUBLIC_URL: `http://localhost:${port}`,
    DEMO_MODEL_URL: model.url,
    SUPERUSER_EMAILS: "*",
  };
}

function secretsOf(dataFolder: string): string {
  return join(dataFolder, "trial-secrets.env");
}

/**
 * Returns the variables for a database. Creates the table unless it is at AWS, where the service has no right to and
 * `npm run table` does it. Waits for a database that does not answer yet. Throws `TableError` if it never does.
 */
async function databaseVariables(endpoint: string, given: Variables): Promise<Variables> {
  if (isAws(endpoint)) return withCredentials(endpoint, { ...given, DYNAMODB_ENDPOINT: endpoint });

  const deadline = Date.now() + DATABASE_MS;
  for (;;) {
    try {
      return await prepareTable(endpoint, given);
    } catch (error) {
      const isStarting = error instanceof TableError && error.code === "Unreachable";
      if (!isStarting || Date.now() > deadline) throw error;
      await sleep(POLL_MS);
    }
  }
}

function trialNotice(dataFolder: string): string {
  return [
    "This is a TRIAL: anybody who reaches it can sign up with any name and password, no plan limits apply, and the",
    `demo model has no intelligence. Its secrets are in ${secretsOf(dataFolder)}. As soon as a setting of production`,
    "is set, the service runs in production: docs/self-hosting.md.",
  ].join("\n");
}
