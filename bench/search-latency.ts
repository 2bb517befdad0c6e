import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { agentIdOf } from "../src/shared/id-types.ts";
import { positiveNumbers } from "./arguments.ts";
import { startEmbeddingsServer } from "./embeddings-server.ts";
import { quantile } from "./speed/figures.ts";
import { plantMemories } from "./stand/planted.ts";
import { SEARCHER, SearchTimer } from "./stand/searches.ts";
import { openStand } from "./stand/stand.ts";

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { dimensions: { type: "string" } },
});
const DATABASE_MS = 5;
/** Numbers of memories; others may be named on the command line. */
const given = positiveNumbers(
  positionals,
  "Usage: npm run bench:search -- [numbers of memories] [--dimensions <length of the vectors>]",
);
const SIZES = given.length > 0 ? given : [100, 1_000, 10_000, 50_000];

await using running = new AsyncDisposableStack();
const embeddings = await startEmbeddingsServer();
running.defer(embeddings.stop);
/** With `--dimensions 512`, memories and queries get vectors of that length from a server that answers at once. */
const embedder = options.dimensions && {
  EMBEDDINGS_URL: embeddings.url,
  EMBEDDINGS_MODEL: "bench",
  EMBEDDINGS_DIMENSIONS: options.dimensions,
  EMBEDDINGS_PER_DAY: "0",
};
const { worker, table } = running.use(
  await openStand({
    behaviour: { delayMs: DATABASE_MS },
    config: "bench/stand/search-worker.toml",
    variables: { ...embedder },
  }),
);
const timer = new SearchTimer({ url: worker.url, hasVectors: Boolean(embedder) });

console.log(`${cpus()[0]?.model} × ${cpus().length}, database ${DATABASE_MS} ms; milliseconds, p50 / p95`);
console.log("memories | first build | warm | cold | warm within a minute of inserting them all");
for (const size of SIZES) {
  const [agent, fresh] = [agentIdOf(`agent-${size}`), agentIdOf(`agent-fresh-${size}`)];
  await plantMemories(table, { agentId: agent, userId: SEARCHER }, size, Date.now() - 24 * 60 * 60 * 1000);
  const build = await timer.buildMs(agent, size);
  const warm = span(await timer.searchMs(agent, { cold: false }));
  const cold = span(await timer.searchMs(agent, { cold: true }));

  // Ahead of time, because planting takes some of the minute.
  await plantMemories(table, { agentId: fresh, userId: SEARCHER }, size, Date.now() + 30_000);
  await timer.buildMs(fresh, size);
  const soon = span(await timer.searchMs(fresh, { cold: false }));
  console.log(`${size} | ${Math.round(build)} | ${warm} | ${cold} | ${soon}`);
}

function span(ms: readonly number[]): string {
  return `${Math.round(quantile(ms, 0.5))} / ${Math.round(quantile(ms, 0.95))}`;
}
