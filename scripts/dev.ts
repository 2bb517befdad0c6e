import { join } from "node:path";

import { buildAssets } from "./assets.ts";
import { rebuildAfterEdits } from "./asset-rebuilds.ts";
import { claimDataFolder } from "./data-folder.ts";
import { prepareTable, startDatabase } from "./database.ts";
import { demoResponder } from "./demo-model.ts";
import { startDemoSite } from "./demo-site.ts";
import { readDevVariables, type Variables } from "./dev-variables.ts";
import { choosePort, freePort, isPortTaken } from "./free-port.ts";
import { greeting } from "./greeting.ts";
import { firstToEnd, runUntilStopped, type Watched } from "./instance.ts";
import { startModelServer } from "./model-server.ts";
import { startSignInPage } from "./sign-in-page.ts";
import { restartAfterEdits } from "./worker-restarts.ts";
import { startWorker } from "./wrangler-dev.ts";

const REMINDER_MS = 5_000;
/** What people type to start it. */
const COMMAND = "npm run dev";

await runUntilStopped(run);

/** Starts everything, says so, and then fails as soon as a part of it ends. */
async function run(running: AsyncDisposableStack): Promise<never> {
  const given = await readDevVariables(process.env, process.env["DEV_VARS"] ?? ".dev.vars");
  const dataFolder = given["DATA_DIR"] ?? ".data";
  say(`starting: data in ${dataFolder}`);
  const claimed = await claimDataFolder(dataFolder, say);
  running.defer(claimed.release);
  const port = await choosePort(given, "PORT", 8787, COMMAND);
  const watched: Watched[] = [];

  let endpoint = given["DYNAMODB_ENDPOINT"];
  if (endpoint === undefined) {
    say("starting: the embedded database");
    const embedded = await startDatabase(dataFolder, running);
    watched.push(embedded);
    if (embedded.pid !== undefined) await claimed.remember(embedded.pid);
    ({ endpoint } = embedded);
  }
  const database = await prepareTable(endpoint, given);
  const demoModelUrl = given["DEMO_MODEL_URL"] ?? (await provideDemoModel(running));

  const api = `http://localhost:${port}`;
  const signIn = process.argv.includes("--oidc")
    ? await provideSignIn(api, port + 1, given, running)
    : undefined;
  const variables = {
    ENVIRONMENT: "local",
    PUBLIC_URL: api,
    // Locally everybody is exempt from plan limits, unless the variable is set.
    SUPERUSER_EMAILS: "*",
    ...given,
    ...database,
    ...signIn?.variables,
    DEMO_MODEL_URL: demoModelUrl,
  };
  await buildAssets();
  running.defer(rebuildAfterEdits(say));
  say(`starting: the Worker on port ${port}`);
  const start = async () => {
    const worker = await startWorker({ port, persistTo: join(dataFolder, "wrangler"), variables });
    if (worker.pid !== undefined) await claimed.remember(worker.pid);
    return worker;
  };
  const first = await start();
  running.defer(first.stop);
  await whileSaying("starting: still waiting for the Worker", first.ready());
  const worker = restartAfterEdits(first, { sources: "src", start, say });
  running.defer(worker.stop);
  watched.push({ name: "The Worker", exited: worker.exited });

  const site = await startDemoSite(api, await demoSitePort(given, port + 2));
  running.defer(site.stop);
  say(greeting(port, { demoSite: site.url, signInPage: signIn?.page }));
  return await firstToEnd(watched);
}

function say(line: string): void {
  console.log(line);
}

/** Waits for something slow, and says so every few seconds. */
async function whileSaying(line: string, work: Promise<void>): Promise<void> {
  const timer = setInterval(() => say(line), REMINDER_MS);
  try {
    await work;
  } finally {
    clearInterval(timer);
  }
}

/** Returns the port that a variable names, otherwise the usual one, or any if that is taken: nobody waits for this page. */
async function demoSitePort(given: Variables, usual: number): Promise<number> {
  const isChosen = given["DEMO_SITE_PORT"] !== undefined || (usual <= 65_535 && !(await isPortTaken(usual)));
  return isChosen ? await choosePort(given, "DEMO_SITE_PORT", usual, COMMAND) : await freePort();
}

async function provideDemoModel(running: AsyncDisposableStack): Promise<string> {
  const server = await startModelServer({ respond: demoResponder });
  running.defer(server.stop);
  return server.url;
}

/** Returns the variables that lead the Worker to a local issuer, and to a page to sign in from. */
async function provideSignIn(api: string, usual: number, given: Variables, running: AsyncDisposableStack) {
  const pagePort = await choosePort(given, "SIGN_IN_PORT", usual, COMMAND);
  // Loaded only here: it takes long.
  const { startOpenIdServer } = await import("./openid-server.ts");
  const issuer = await startOpenIdServer();
  running.defer(issuer.stop);
  const page = await startSignInPage(api, pagePort);
  running.defer(page.stop);

  const others = given["FRONTEND_URL"];
  const variables = {
    OIDC_ISSUER: issuer.url,
    GOOGLE_CLIENT_ID: "local",
    GOOGLE_CLIENT_SECRET: "local",
    // People return to the first one.
    FRONTEND_URL: others === undefined ? page.url : `${page.url},${others}`,
  };
  return { variables, page: page.url };
}
