import { HELD, SHORT } from "../stand/model.ts";
import { LoadClient } from "../stand/client.ts";
import type { Inspector } from "../stand/inspector.ts";
import type { Worker } from "../stand/worker.ts";
import { ask, type Bench, type Measure, settle, withDelay } from "./bench.ts";

const THROUGHPUT_MS = 5_000;
/** How many turns begin at one time while memory is measured. */
const AT_ONCE = 10;
/** Turns that load the code. */
const WARM_UP_TURNS = 20;

/**
 * How much memory an open stream takes, while 100 and 500 of them wait for their models in the middle of an answer: in the isolate
 * after a collection, and in the whole process, which includes garbage and what its allocator keeps.
 */
export const measureMemory: Measure = async (bench) => {
  const worker = await bench.stand.start(`streams-${crypto.randomUUID()}`, bench.stand.bundle, {
    isInspected: true,
  });
  const client = new LoadClient(worker.url);
  await client.signUp(`streams-${crypto.randomUUID().slice(0, 8)}`);
  const talkers = { client, agentId: await client.createAgent("demo") };
  // What the first turns leave behind is not the subject.
  const [first = ""] = await client.converse(talkers.agentId, 1);
  for (let turn = 0; turn < WARM_UP_TURNS; turn++) await ask(talkers, first, SHORT);
  const inspector = await worker.inspect();

  const seen: { readonly streams: number; readonly heap: number; readonly process: number }[] = [];
  for (const streams of bench.isQuick ? [100] : [100, 500])
    seen.push({ streams, ...(await bytesPerStream(bench, { worker, inspector, ...talkers }, streams)) });
  inspector.close();
  client.close();
  await worker.stop();
  const kb = (bytes: number) => Math.round(bytes / 1_000);
  return {
    rows: seen.map(({ streams, heap, process }) => [
      `memory per stream, ${streams} streams: isolate, process`,
      `${kb(heap)} KB, ${kb(process)} KB`,
    ]),
    budgeted: { "isolate's memory per stream KB": kb(seen[0]?.heap ?? Number.NaN) },
  };
};

/** A Worker whose heap is measured, and who talks to it. */
interface Inspected extends Pick<Bench, "client" | "agentId"> {
  readonly worker: Worker;
  readonly inspector: Inspector;
}

async function bytesPerStream(
  { model }: Bench,
  { worker, inspector, client, agentId }: Inspected,
  streams: number,
) {
  const conversations = await client.converse(agentId, streams);
  const before = { heap: await inspector.heapBytes(), process: (await worker.usage()).memoryBytes };
  const turns: Promise<unknown>[] = [];
  try {
    // Not all at once, because a slow machine would refuse some of them.
    for (let first = 0; first < streams; first += AT_ONCE)
      await Promise.all(
        conversations.slice(first, first + AT_ONCE).map(async (id) => {
          const begun = Promise.withResolvers<void>();
          const turn = ask({ client, agentId }, id, HELD, () => begun.resolve());
          turns.push(turn);
          await Promise.race([begun.promise, turn]);
        }),
      );
    await settle();
    const { memoryBytes } = await worker.usage();
    const heap = await inspector.heapBytes();
    return { heap: (heap - before.heap) / streams, process: (memoryBytes - before.process) / streams };
  } finally {
    model.release();
    await Promise.allSettled(turns);
  }
}

/** How many short turns are answered in a second, if each of 1, 10 and 100 conversations sends one message after the other. */
export const measureThroughput: Measure = async (bench) => {
  const rows: [string, string][] = [];
  for (const count of [1, 10, 100]) {
    const conversations = await bench.client.converse(bench.agentId, count);
    const rate = await withDelay(bench, 5, () => turnsPerSecond(bench, conversations));
    rows.push([`turns per second, ${count} conversations, database 5 ms`, rate.toFixed(1)]);
  }
  return { rows };
};

async function turnsPerSecond(bench: Bench, conversations: readonly string[]): Promise<number> {
  const startedAt = performance.now();
  const end = startedAt + THROUGHPUT_MS;
  let turns = 0;
  await Promise.all(
    conversations.map(async (id) => {
      while (performance.now() < end) {
        await ask(bench, id, SHORT);
        turns++;
      }
    }),
  );
  return turns / ((performance.now() - startedAt) / 1_000);
}
