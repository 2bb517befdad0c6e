import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Bundle, buildBundle } from "../../scripts/bundle.ts";
import { startEmbeddedDynamoDb } from "../../scripts/embedded-dynamodb.ts";
import { type Responder, startModelServer } from "../../scripts/model-server.ts";
import { ensureTable } from "../../scripts/table.ts";
import { TableClient } from "../../src/table/client.ts";
import { createTransport } from "../../src/table/transport.ts";
import { type Proxy, type ProxyBehaviour, startProxy } from "./proxy.ts";
import { startWorker, type Worker, type WorkerOptions } from "./worker.ts";

const REGION = "us-east-1";
const TABLE = "stand";
const credentials = { accessKeyId: "local", secretAccessKey: "local" };

/** A short answer in three words, 30 ms apart. */
const shortAnswer: Responder = () => [
  { text: "One " },
  { wait: 30 },
  { text: "two " },
  { wait: 30 },
  { text: "three." },
];

export interface StandOptions {
  /** What the proxy in front of the database adds to it; by default a delay of 5 ms. */
  readonly behaviour?: Partial<ProxyBehaviour>;
  /** What the model answers; by default three words. */
  readonly respond?: Responder;
  /** The configuration of the Worker, relative to the project; by default the service's own. */
  readonly config?: string;
  /** Variables besides those that the service needs, or in place of them. */
  readonly variables?: Readonly<Record<string, string>>;
}

/** Everything that a measurement needs. It ends when it is disposed of. */
export interface Stand extends AsyncDisposable {
  readonly worker: Worker;
  readonly bundle: Bundle;
  readonly proxy: Proxy;
  /** The table as it is, past the proxy. */
  readonly table: TableClient;
  /** Builds the production bundle of another Worker. */
  readonly build: (config: string) => Promise<Bundle>;
  /** Starts another Worker with the same variables, and storage of its own. The stand stops it at its end. */
  readonly start: (
    name: string,
    bundle: Bundle,
    options?: Pick<WorkerOptions, "isInspected">,
  ) => Promise<Worker>;
}

/**
 * Starts the production bundle on bare workerd, the embedded database behind a proxy, and a model that answers as written, which
 * the provider Demo leads to. No plan limits the accounts.
 */
export async function openStand(options: StandOptions = {}): Promise<Stand> {
  const { behaviour, respond = shortAnswer, config = "wrangler.toml", variables } = options;
  await using starting = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "stand-"));
  starting.defer(() => rm(folder, { recursive: true, force: true }));
  const database = await startEmbeddedDynamoDb({ databaseFile: join(folder, "table.sqlite") });
  starting.defer(database.stop);
  await ensureTable({ endpoint: database.endpoint, region: REGION, table: TABLE, credentials });
  const proxy = await startProxy(database.endpoint, {
    delayMs: 5,
    conflicts: false,
    faults: 0,
    ...behaviour,
  });
  starting.defer(proxy.stop);
  const model = await startModelServer({ respond });
  starting.defer(model.stop);

  const running = new AsyncDisposableStack();
  starting.use(running);
  const start: Stand["start"] = async (name, bundle, more) => {
    const worker = await startWorker({
      ...more,
      name,
      bundle,
      folder,
      variables: {
        ENVIRONMENT: "local",
        JWT_SECRET: "stand-secret-of-more-than-thirty-two-bytes",
        ENCRYPTION_KEY: "c3RhbmQta2V5LW9mLWV4YWN0bHktMzItYnl0ZXMtISE=",
        AWS_ACCESS_KEY_ID: credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
        AWS_REGION: REGION,
        DYNAMODB_TABLE: TABLE,
        DYNAMODB_ENDPOINT: proxy.url,
        DEMO_MODEL_URL: model.url,
        FRONTEND_URL: "http://localhost:3000",
        PUBLIC_URL: "http://localhost:8787",
        SUPERUSER_EMAILS: "*",
        ...variables,
      },
    });
    running.defer(worker.stop);
    return worker;
  };
  const build = (file: string) => buildBundle(join(folder, file.replaceAll("/", "-")), file);
  const bundle = await build(config);
  const worker = await start("service", bundle);
  const table = new TableClient({
    send: createTransport({ endpoint: database.endpoint, region: REGION, credentials }),
    table: TABLE,
    now: Date.now,
  });

  const all = starting.move();
  return {
    worker,
    bundle,
    proxy,
    table,
    build,
    start,
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}
