import { agentIdOf, conversationIdOf } from "../../src/shared/id-types.ts";
import { SEARCHING, SHORT } from "../stand/model.ts";
import { plantMemories, plantMessages } from "../stand/planted.ts";
import { SEARCHER, SearchTimer } from "../stand/searches.ts";
import { ask, type Bench, converse, type Measure, type Measured, settle, withDelay } from "./bench.ts";
import { type Figure, figureOf, quantile, ratio, span } from "./figures.ts";

const SIZES = [10, 1_000, 10_000] as const;
const DAY_MS = 24 * 60 * 60 * 1000;
/** The first turns summarise the history and build the search index. */
const WARM_UP_TURNS = 3;

/** A turn that is repeated, with as much to look at as its size says. */
interface SizedTurn {
  readonly size: number;
  readonly hold: () => Promise<{ readonly endedMs: number }>;
}

/** What a turn costs with 10, 1,000 and 10,000 messages before it. */
export const measureHistory: Measure = async (bench) => {
  const turns = await mapInOrder(SIZES, async (size): Promise<SizedTurn> => {
    const conversation = await converse(bench);
    const place = { conversationId: conversationIdOf(conversation), createdBy: bench.client.email };
    await plantMessages(bench.stand.table, place, size);
    return { size, hold: () => ask(bench, conversation, SHORT) };
  });
  return compare(bench, "history", turns);
};

/** What a turn with a search costs with 10, 1,000 and 10,000 memories. */
export const measureMemories: Measure = async (bench) => {
  const { client, stand } = bench;
  const turns = await mapInOrder(SIZES, async (size): Promise<SizedTurn> => {
    const agentId = await client.createAgent("demo");
    const owner = { agentId: agentIdOf(agentId), userId: client.email };
    await plantMemories(stand.table, owner, size, Date.now() - DAY_MS);
    const [conversation = ""] = await client.converse(agentId, 1);
    return { size, hold: () => ask({ client, agentId }, conversation, SEARCHING) };
  });
  return compare(bench, "memories", turns);
};

/** What was seen of the turns of one size. */
interface SeenTurns {
  readonly size: number;
  readonly ms: number[];
  readonly requests: number[];
  readonly reads: number[];
}

/** Holds the turns of all sizes alternately, and compares each size with the smallest one. */
async function compare(bench: Bench, name: string, turns: readonly SizedTurn[]): Promise<Measured> {
  const { proxy } = bench.stand;
  const seen = turns.map(({ size }): SeenTurns => ({ size, ms: [], requests: [], reads: [] }));
  await withDelay(bench, 5, async () => {
    for (let round = -WARM_UP_TURNS; round < 3 * bench.rounds; round++)
      for (const [index, { hold }] of turns.entries()) {
        proxy.takeRequests();
        const { endedMs } = await hold();
        await settle();
        const requests = proxy.takeRequests();
        if (round < 0) continue;
        seen[index]?.ms.push(endedMs);
        seen[index]?.requests.push(requests.length);
        seen[index]?.reads.push(requests.reduce((sum, { reads }) => sum + reads, 0));
      }
  });

  const [smallest] = seen;
  const compared = seen.map((one) => ({
    ...one,
    latencyRatio: ratiosOf(one.ms, smallest?.ms ?? []),
    requestsPerTurn: quantile(one.requests, 0.5),
  }));
  return {
    rows: compared.map(({ size, ms, reads, latencyRatio, requestsPerTurn }) => [
      `turn, ${name} of ${size} (p50 / p95)`,
      `${span(ms)}, of the smallest: ${ratio(latencyRatio)}, ` +
        `${requestsPerTurn} requests, ${quantile(reads, 0.5)} read units`,
    ]),
    budgeted: Object.fromEntries(
      compared
        .slice(-1)
        .map(({ size, latencyRatio }) => [`turn, ${name} of ${size}, latency ratio`, latencyRatio]),
    ),
  };
}

/** Returns the figure of the ratios of values that were measured one after the other. */
const ratiosOf = (values: readonly number[], others: readonly number[]): Figure =>
  figureOf(values.map((value, index) => value / (others[index] ?? Number.NaN)));

/** How long a search takes by itself, without a turn, in the index of an agent with 1,000 and 10,000 memories. */
export const measureSearches: Measure = async (bench) => {
  const { stand } = bench;
  const worker = await stand.start("search", await stand.build("bench/stand/search-worker.toml"));
  const timer = new SearchTimer({ url: worker.url, hasVectors: false });
  const rows = await withDelay(bench, 5, () =>
    mapInOrder([1_000, 10_000], async (size) => {
      const agentId = agentIdOf(`searched-${size}`);
      await plantMemories(stand.table, { agentId, userId: SEARCHER }, size, Date.now() - DAY_MS);
      await timer.buildMs(agentId, size);
      const warm = await timer.searchMs(agentId, { cold: false });
      const cold = await timer.searchMs(agentId, { cold: true });
      return [`search, ${size} memories: warm, cold (p50 / p95)`, `${span(warm)}, ${span(cold)}`] as const;
    }),
  );
  await worker.stop();
  return { rows };
};

async function mapInOrder<From, To>(values: readonly From[], map: (value: From) => Promise<To>) {
  const results: To[] = [];
  for (const value of values) results.push(await map(value));
  return results;
}
