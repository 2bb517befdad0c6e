import type { BaselineTurn } from "../stand/baseline-worker.ts";
import { LONG, LONG_ONLY, SHORT } from "../stand/model.ts";
import type { ProxiedRequest } from "../stand/proxy.ts";
import { ask, type Bench, converse, cpuOf, type Measure, settle, withDelay } from "./bench.ts";
import { figureOf, ms, quantile, ratio, sequentialWaits, span } from "./figures.ts";

const SHORT_TURNS = 40;

/** What a turn waits for, with a database that takes 0, 5 and 20 ms. */
export const measureLatency: Measure = async (bench) => {
  const delays = bench.isQuick ? [5] : [0, 5, 20];
  const rows: [string, string][] = [];
  for (const delayMs of delays) {
    const seen = await withDelay(bench, delayMs, () => turnsOf(bench, bench.isQuick ? 10 : 40));
    const name = `turn, database ${delayMs} ms:`;
    rows.push(
      [`${name} model asked (p50 / p95)`, span(seen.map(({ askedMs }) => askedMs))],
      [`${name} first text (p50 / p95)`, span(seen.map(({ firstTextMs }) => firstTextMs))],
      [`${name} end (p50 / p95)`, span(seen.map(({ endedMs }) => endedMs))],
    );
  }
  return { rows };
};

/** How many requests a turn sends to the database, how many of them wait for each other, and what DynamoDB charges for them. */
export const measureRequests: Measure = async (bench) => {
  const seen = await withDelay(bench, 5, () => turnsOf(bench, 5));
  const typical = (count: (turn: (typeof seen)[number]) => number) => quantile(seen.map(count), 0.5);
  const unitsOf = (kind: "reads" | "writes") =>
    typical(({ requests }) => requests.reduce((sum, request) => sum + request[kind], 0));
  const figures = {
    "turn, database requests": typical(({ requests }) => requests.length),
    "turn, waits in a row": typical(({ requests }) => sequentialWaits(requests)),
    "turn, waits before the model": typical(({ requests, askedAt }) =>
      sequentialWaits(requests.filter(({ to }) => to <= askedAt)),
    ),
    "turn, read units": unitsOf("reads"),
    "turn, write units": unitsOf("writes"),
  };
  return {
    rows: Object.entries(figures).map(([name, count]) => [name, String(count)] as const),
    budgeted: figures,
  };
};

interface SeenTurn {
  readonly askedAt: number;
  readonly askedMs: number;
  readonly firstTextMs: number;
  readonly endedMs: number;
  readonly requests: readonly ProxiedRequest[];
}

/** Holds short turns in one conversation, one after the other. */
async function turnsOf(bench: Bench, count: number): Promise<readonly SeenTurn[]> {
  const { model, stand } = bench;
  const conversation = await converse(bench);
  await ask(bench, conversation, SHORT);
  await settle();
  const seen: SeenTurn[] = [];
  for (let turn = 0; turn < count; turn++) {
    stand.proxy.takeRequests();
    const sentAt = performance.now();
    const { firstTextMs, endedMs } = await ask(bench, conversation, SHORT);
    await settle();
    const askedAt = model.askedAt();
    const requests = stand.proxy.takeRequests();
    seen.push({ askedAt, askedMs: askedAt - sentAt, firstTextMs, endedMs, requests });
  }
  return seen;
}

/** The CPU time of short turns, their conversations included, alternately with turns of the baseline. */
export const measureShortTurns: Measure = async (bench) => {
  const one = async () => ask(bench, await converse(bench), SHORT);
  const least = baselineTurn(bench, SHORT);
  const rows: { readonly cpuMs: number; readonly ratio: number }[] = [];

  // The first round warms up.
  for (let round = 0; round <= bench.rounds; round++) {
    const cpuMs = (await cpuOf(bench.stand.worker, () => repeated(SHORT_TURNS, one))) / SHORT_TURNS;
    const leastMs = (await cpuOf(bench.baseline, () => repeated(SHORT_TURNS, least))) / SHORT_TURNS;
    if (round > 0) rows.push({ cpuMs, ratio: cpuMs / leastMs });
  }
  const cpuRatio = figureOf(rows.map((row) => row.ratio));
  return {
    rows: [
      ["short turn with its conversation: CPU", ms(figureOf(rows.map(({ cpuMs }) => cpuMs)))],
      ["short turn with its conversation: CPU, of the baseline's", ratio(cpuRatio)],
    ],
    budgeted: { "short turn, CPU ratio": cpuRatio },
  };
};

/**
 * The CPU time of turns with a tool call and 500 words at 100 a second, side by side with a baseline that reads four
 * items and passes the same stream on without looking at it. Both run at the same time, so that the machine slows both down.
 */
export const measureLongTurns: Measure = async (bench) => {
  const least = baselineTurn(bench, LONG_ONLY);
  const rows: { readonly cpuMs: number; readonly ratio: number }[] = [];
  for (let round = 0; round <= bench.rounds; round++) {
    const [cpuMs, leastMs] = await Promise.all([
      cpuOf(bench.stand.worker, async () => ask(bench, await converse(bench), LONG)),
      cpuOf(bench.baseline, least),
    ]);
    if (round > 0) rows.push({ cpuMs, ratio: cpuMs / leastMs });
  }
  const cpuRatio = figureOf(rows.map((row) => row.ratio));
  return {
    rows: [
      ["500 words with a tool call: CPU", ms(figureOf(rows.map(({ cpuMs }) => cpuMs)))],
      ["500 words with a tool call: CPU, of the baseline's", ratio(cpuRatio)],
    ],
    budgeted: { "long turn, CPU ratio": cpuRatio },
  };
};

/** How long a word takes from the model to the client. Words that arrive within 25 ms are sent together. */
export const measureChunks: Measure = async (bench) => {
  const delays: number[] = [];
  await ask(bench, await converse(bench), LONG_ONLY, (text) => {
    const now = performance.now();
    for (const word of text.trim().split(" ")) delays.push(now - bench.model.saidAt(word));
  });
  return { rows: [["500 words: from the model to the client (p50 / p95)", span(delays)]] };
};

/** Returns a function that has the baseline read four items and pass the model's answer to `content` on. */
function baselineTurn({ baseline, client, agentId }: Bench, content: string) {
  const turn: BaselineTurn = {
    key: { pk: { S: `User#${client.email}` }, sk: { S: `Agent#${agentId}` } },
    chat: { model: "demo", stream: true, messages: [{ role: "user", content }] },
  };
  return async () => {
    const response = await fetch(`${baseline.url}/turn`, { method: "POST", body: JSON.stringify(turn) });
    await response.arrayBuffer();
  };
}

async function repeated(times: number, work: () => Promise<unknown>): Promise<void> {
  for (let time = 0; time < times; time++) await work();
}
