import { join } from "node:path";

import { demoResponder } from "./demo-model.ts";
import { readDevVariables } from "./dev-variables.ts";
import type { Variables } from "./dev-variables.ts";
import { startEmbeddedDynamoDb } from "./embedded-dynamodb.ts";
import { isPortTaken } from "./free-port.ts";
import { startModelServer } from "./model-server.ts";
import { onNpmGone } from "./npm-parent.ts";
import { startOpenIdServer } from "./openid-server.ts";
import { startSignInPage } from "./sign-in-page.ts";
import { ensureTable, tableTargetFrom } from "./table.ts";
import { startWorker } from "./wrangler-dev.ts";

/** Settles when the named part of the system ends by itself, which it never should. */
interface Watched {
  readonly name: string;
  readonly exited: Promise<number | null>;
}

await main();

async function main(): Promise<void> {
  process.chdir(join(import.meta.dirname, ".."));
  // A reader that has gone, such as `| head`, is no reason to end.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);

  const running = new AsyncDisposableStack();
  let code = 0;
  try {
    await Promise.race([stopSignal(), run(running)]);
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    code = 1;
  }

  process.exitCode = code;
  await running.disposeAsync();
  // Whatever was still starting is killed as the process exits.
  process.exit(code);
}

/**
 * Settles at the first signal, or when npm has gone. Later signals change nothing: a Ctrl-C arrives twice,
 * from the terminal and from npm.
 */
function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    onNpmGone(resolve);
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => resolve());
  });
}

/** Starts everything, says so, and then fails as soon as a part of it ends. */
async function run(running: AsyncDisposableStack): Promise<never> {
  const given = await readDevVariables(process.env, process.env["DEV_VARS"] ?? ".dev.vars");
  const port = await chosenPort(given);
  const dataFolder = given["DATA_DIR"] ?? ".data";
  const watched: Watched[] = [];

  const database = await provideDatabase(given, dataFolder, running, watched);
  const demoModelUrl = given["DEMO_MODEL_URL"] ?? (await provideDemoModel(running));

  const api = `http://localhost:${port}`;
  const signIn = process.argv.includes("--oidc") ? await provideSignIn(api, given, running) : undefined;
  const variables = {
    ENVIRONMENT: "local",
    PUBLIC_URL: api,
    // On one's own machine no plan stands in the way, unless somebody wants to see that.
    SUPERUSER_EMAILS: "*",
    ...given,
    ...database,
    ...signIn?.variables,
    DEMO_MODEL_URL: demoModelUrl,
  };
  const worker = await startWorker({ port, persistTo: join(dataFolder, "wrangler"), variables });
  running.defer(worker.stop);
  await worker.ready();
  watched.push({ name: "The Worker", exited: worker.exited });

  console.log(greeting(port));
  if (signIn) console.log(`sign in: ${signIn.page}`);
  return await firstToEnd(watched);
}

async function chosenPort(given: Variables): Promise<number> {
  const text = given["PORT"] ?? "8787";
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new Error(`PORT has to be 1 to 65535, not "${text}".`);

  if (await isPortTaken(port)) {
    const other = port === 65_535 ? 8787 : port + 1;
    throw new Error(`Port ${port} is taken. Choose another one: PORT=${other} npm run dev`);
  }
  return port;
}

/** Gives the variables that lead the Worker to a database that answers and has the table. */
async function provideDatabase(
  given: Variables,
  dataFolder: string,
  running: AsyncDisposableStack,
  watched: Watched[],
): Promise<Variables> {
  let endpoint = given["DYNAMODB_ENDPOINT"];
  if (endpoint === undefined) {
    const database = await startEmbeddedDynamoDb({ databaseFile: join(dataFolder, "dynamodb.sqlite") });
    running.defer(database.stop);
    watched.push({ name: "The embedded DynamoDB", exited: database.exited });
    endpoint = database.endpoint;
  }

  const target = tableTargetFrom({ ...credentialsFor(endpoint, given), DYNAMODB_ENDPOINT: endpoint });
  await ensureTable(target);
  return {
    DYNAMODB_ENDPOINT: endpoint,
    DYNAMODB_TABLE: target.table,
    AWS_REGION: target.region,
    AWS_ACCESS_KEY_ID: target.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: target.credentials.secretAccessKey,
  };
}

/** A local database takes any credentials but wants some; AWS is never asked with invented ones. */
function credentialsFor(endpoint: string, given: Variables): Variables {
  const isAws = /\.amazonaws\.com(?:\.cn)?$/.test(hostOf(endpoint));
  if (isAws || (given["AWS_ACCESS_KEY_ID"] !== undefined && given["AWS_SECRET_ACCESS_KEY"] !== undefined))
    return given;
  return { ...given, AWS_ACCESS_KEY_ID: "local", AWS_SECRET_ACCESS_KEY: "local" };
}

function hostOf(endpoint: string): string {
  if (!URL.canParse(endpoint)) throw new Error(`DYNAMODB_ENDPOINT has to be a URL, not "${endpoint}".`);
  return new URL(endpoint).hostname;
}

async function provideDemoModel(running: AsyncDisposableStack): Promise<string> {
  const server = await startModelServer({ respond: demoResponder });
  running.defer(server.stop);
  return server.url;
}

/** Gives the variables that lead the Worker to a local issuer, and to a page to sign in from. */
async function provideSignIn(api: string, given: Variables, running: AsyncDisposableStack) {
  const issuer = await startOpenIdServer();
  running.defer(issuer.stop);
  const page = await startSignInPage(api);
  running.defer(page.stop);

  const others = given["FRONTEND_URL"];
  const variables = {
    OIDC_ISSUER: issuer.url,
    GOOGLE_CLIENT_ID: "local",
    GOOGLE_CLIENT_SECRET: "local",
    // The first one is where people come back to.
    FRONTEND_URL: others === undefined ? page.url : `${page.url},${others}`,
  };
  return { variables, page: page.url };
}

async function firstToEnd(watched: readonly Watched[]): Promise<never> {
  const ended = await Promise.race(
    watched.map(async ({ name, exited }) => {
      const code = await exited;
      return `${name} ended (${code === null ? "killed" : `code ${code}`}).`;
    }),
  );
  throw new Error(ended);
}

/** The ready line and three lines to paste; each may be pasted again, and after a restart. */
function greeting(port: number): string {
  const api = `localhost:${port}`;
  const json = "-H 'content-type: application/json'";
  const token = '-H "authorization: Bearer $TOKEN"';
  const pick = (field: string) => `sed 's/.*"${field}":"\\([^"]*\\)".*/\\1/'`;

  const account = `'{"username":"ada","password":"correct-horse"}'`;
  const agent =
    `'{"agent_name":"Ada","agent_architecture":"krishna-memgpt","agent_provider":"Demo","agent_model":"demo",` +
    `"agent_persona":"A friendly assistant"}'`;
  const conversation = `"{\\"title\\":\\"Hello\\",\\"agent_id\\":\\"$AGENT\\"}"`;
  const message = `'{"content":"My name is Alice and I work at Google."}'`;

  return [
    `ready: http://${api}`,
    // Signing up fails from the second time on, logging in before the first; the last token is taken.
    `TOKEN=$(for step in signup login; do curl -s ${api}/auth/local/$step ${json} -d ${account}; done | ` +
      `${pick("token")}); echo "token: $TOKEN"`,
    `AGENT=$(curl -s ${api}/agents ${token} ${json} -d ${agent} | ${pick("agent_id")}); echo "agent: $AGENT"`,
    `CONVERSATION=$(curl -s ${api}/conversations ${token} ${json} -d ${conversation} | ${pick("conversation_id")}); ` +
      `curl -sN -X POST ${api}/agents/$AGENT/$CONVERSATION/send-message ${token} ${json} -d ${message}`,
  ].join("\n");
}
