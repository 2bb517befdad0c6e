import { mkdtemp, rm } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { unstable_startWorker } from "wrangler";
import { startEmbeddedDynamoDb } from "../scripts/embedded-dynamodb.ts";
import { ensureTable } from "../scripts/table.ts";
import { formatTimestamp } from "../src/shared/clock.ts";
import { TableClient } from "../src/table/client.ts";
import { createTransport } from "../src/table/transport.ts";
import { startDelayProxy } from "./delay-proxy.ts";
import type { BenchCall, BenchReply } from "./search-worker.ts";

const DATABASE_MS = 5;
/** Numbers of memories; others may be named on the command line. */
const SIZES = process.argv.length > 2 ? process.argv.slice(2).map(Number) : [100, 1_000, 10_000, 50_000];
const SEARCHES = 60;
const REGION = "us-east-1";
const TABLE = "bench";
const USER = "bench@example.com";

const credentials = { accessKeyId: "local", secretAccessKey: "local" };
/** A vocabulary in which, as in language, few words are frequent and most are rare. */
const WORDS = Array.from({ length: 8_000 }, (_, index) => `w${index.toString(36)}`);

await using running = new AsyncDisposableStack();
const database = await startEmbeddedDynamoDb({});
running.defer(database.stop);
const proxy = await startDelayProxy(database.endpoint, DATABASE_MS);
running.defer(proxy.stop);
await ensureTable({ endpoint: database.endpoint, region: REGION, table: TABLE, credentials });
const table = new TableClient({
  send: createTransport({ endpoint: database.endpoint, region: REGION, credentials }),
  table: TABLE,
  now: Date.now,
});

const folder = await mkdtemp(join(tmpdir(), "bench-search-"));
running.defer(() => rm(folder, { recursive: true, force: true }));
const worker = await unstable_startWorker({
  config: join(import.meta.dirname, "search-worker.toml"),
  dev: { persist: folder, server: { port: 0 }, watch: false, logLevel: "none" },
  bindings: Object.fromEntries(
    Object.entries({
      ENVIRONMENT: "local",
      JWT_SECRET: "bench-secret-of-more-than-thirty-two-bytes",
      ENCRYPTION_KEY: "YmVuY2gta2V5LW9mLWV4YWN0bHktMzItYnl0ZXMtISE=",
      AWS_REGION: REGION,
      DYNAMODB_TABLE: TABLE,
      DYNAMODB_ENDPOINT: proxy.url,
    }).map(([name, value]) => [name, { type: "plain_text" as const, value }]),
  ),
});
running.defer(() => worker.dispose());
await worker.ready;
const url = await worker.url;

console.log(`${cpus()[0]?.model} × ${cpus().length}, database ${DATABASE_MS} ms; milliseconds, p50 / p95`);
console.log("memories | first build | warm | cold | warm within a minute of inserting them all");
for (const size of SIZES) {
  const [agent, fresh] = [`agent-${size}`, `agent-fresh-${size}`];
  await plant(agent, size, Date.now() - 24 * 60 * 60 * 1000);
  const build = await buildMs(agent, size);
  const warm = await measured(agent, false);
  const cold = await measured(agent, true);

  // Ahead of time, because planting takes some of the minute.
  await plant(fresh, size, Date.now() + 30_000);
  await buildMs(fresh, size);
  const soon = await measured(fresh, false);
  console.log(`${size} | ${Math.round(build)} | ${warm} | ${cold} | ${soon}`);
}

/** Memories of about 35 words, a tenth of a millisecond apart. */
async function plant(agentId: string, size: number, start: number): Promise<void> {
  const pk = `Agent#${agentId}#User#${USER}`;
  const items = Array.from({ length: size }, (_, index) => {
    const time = formatTimestamp(start + Math.floor(index / 10), index % 10);
    const content = Array.from({ length: 35 }, randomWord).join(" ");
    return { pk, sk: `Archival#${time}#m${index}`, memory_id: `m${index}`, content, created_at: time };
  });
  await table.batchWrite(items.map((item) => ({ put: item })));
}

async function buildMs(agentId: string, size: number): Promise<number> {
  const startedAt = performance.now();
  for (;;) {
    const { notes, total } = await ask({ requests: [requestOf(agentId, "")], cold: false });
    if (notes.includes("index-building")) continue;
    if (total !== size) throw new Error(`The index holds ${total} of ${size} memories.`);
    return performance.now() - startedAt;
  }
}

async function measured(agentId: string, cold: boolean): Promise<string> {
  const requests = Array.from({ length: SEARCHES }, () =>
    requestOf(agentId, Array.from({ length: 5 }, randomWord).join(" ")),
  );
  const { ms } = await ask({ requests, cold });
  const sorted = ms.toSorted((a, b) => a - b);
  const at = (share: number) => Math.round(sorted[Math.floor(sorted.length * share)] ?? 0);
  return `${at(0.5)} / ${at(0.95)}`;
}

async function ask(call: BenchCall): Promise<BenchReply> {
  const response = await fetch(url, { method: "POST", body: JSON.stringify(call) });
  if (!response.ok) throw new Error(await response.text());
  // The benchmark's own Worker.
  return (await response.json()) as BenchReply;
}

function requestOf(agentId: string, query: string) {
  return { agentId, userId: USER, account: USER, query, limit: 5, offset: 0 };
}

function randomWord(): string {
  // The first words come up in about every third memory, the last ones hardly ever.
  return WORDS[Math.floor(WORDS.length * Math.random() ** 4)] ?? "";
}
