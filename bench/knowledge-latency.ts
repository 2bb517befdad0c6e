import { mkdtemp, rm } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { unstable_startWorker } from "wrangler";
import type { IndexedPage } from "../src/search/passage-model.ts";
import { pageIdOf } from "../src/shared/id-types.ts";
import { positiveNumbers } from "./arguments.ts";
import type { BenchCall, BenchReply } from "./knowledge-worker.ts";

/** Numbers of passages; others may be named on the command line. */
const given = positiveNumbers(
  process.argv.slice(2),
  "Usage: npm run bench:knowledge -- [numbers of passages]",
);
const SIZES = given.length > 0 ? given : [1_000, 10_000, 100_000];
const SEARCHES = 100;
const REMOVALS = 40;
/** A documentation page has about so many passages, and a passage so many words. */
const PASSAGES_PER_PAGE = 12;
const WORDS_PER_PASSAGE = 90;
const PAGES_PER_CALL = 50;

/** A vocabulary in which, as in language, a word's frequency falls with its rank (Zipf). */
const VOCABULARY = 30_000;
const WORDS = Array.from({ length: VOCABULARY }, (_, rank) => `w${rank.toString(36)}`);
/** The most frequent words stand for stop words: texts have them, questions are not about them. */
const STOP_WORDS = 60;

await using running = new AsyncDisposableStack();
const folder = await mkdtemp(join(tmpdir(), "bench-knowledge-"));
running.defer(() => rm(folder, { recursive: true, force: true }));
const worker = await unstable_startWorker({
  config: join(import.meta.dirname, "knowledge-worker.toml"),
  dev: { persist: folder, server: { port: 0 }, watch: false, logLevel: "none" },
});
running.defer(() => worker.dispose());
await worker.ready;
const url = await worker.url;

console.log(`${cpus()[0]?.model} × ${cpus().length}; milliseconds, p10 / p50 / p95`);
console.log("passages | build | MB | empty call | search | removal of a page");
for (const size of SIZES) {
  const base = `base-${size}`;
  const pages = Math.ceil(size / PASSAGES_PER_PAGE);
  const startedAt = performance.now();
  for (let from = 0; from < pages; from += PAGES_PER_CALL) {
    const part = Array.from({ length: Math.min(PAGES_PER_CALL, pages - from) }, (_, n) => pageOf(from + n));
    await ask({ kind: "fill", base, pages: part });
  }
  const buildMs = performance.now() - startedAt;

  await ask({ kind: "search", base, queries: questions(10) });
  const idle = await ask({ kind: "idle", base, times: SEARCHES });
  const searches = await ask({ kind: "search", base, queries: questions(SEARCHES) });
  const removed = Array.from({ length: Math.min(REMOVALS, pages) }, (_, n) => pageIdOf(`page-${n}`));
  const removals = await ask({ kind: "remove", base, pages: removed });
  console.log(
    [
      searches.passages,
      Math.round(buildMs),
      (searches.bytes / 1e6).toFixed(1),
      percentiles(idle.ms),
      percentiles(searches.ms),
      percentiles(removals.ms),
    ].join(" | "),
  );
}

function pageOf(number: number): IndexedPage {
  const title = wordsOf(4);
  return {
    pageId: pageIdOf(`page-${number}`),
    version: 1,
    url: `https://example.com/page-${number}`,
    title,
    passages: Array.from({ length: PASSAGES_PER_PAGE }, (_, index) => ({
      id: `page-${number}-${index}`,
      headings: [title, wordsOf(3)],
      text: wordsOf(WORDS_PER_PASSAGE),
    })),
  };
}

/** Questions of five words that are not stop words. */
function questions(count: number): readonly string[] {
  return Array.from({ length: count }, () => Array.from({ length: 5 }, () => word(STOP_WORDS)).join(" "));
}

function wordsOf(count: number): string {
  return Array.from({ length: count }, () => word(1)).join(" ");
}

/** Returns a word whose rank is at least `first`, by Zipf's law. */
function word(first: number): string {
  return WORDS[Math.floor(first * (VOCABULARY / first) ** Math.random()) - 1] ?? "";
}

async function ask(call: BenchCall): Promise<BenchReply> {
  const response = await fetch(url, { method: "POST", body: JSON.stringify(call) });
  if (!response.ok) throw new Error(await response.text());
  // The benchmark's own Worker.
  return (await response.json()) as BenchReply;
}

/** The tenth of the calls that was disturbed least tells what a search takes on a machine that others use, too. */
function percentiles(ms: readonly number[]): string {
  const sorted = ms.toSorted((a, b) => a - b);
  const at = (share: number) => (sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(1);
  return `${at(0.1)} / ${at(0.5)} / ${at(0.95)}`;
}
