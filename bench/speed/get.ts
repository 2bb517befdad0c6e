import { requestsPerSecond } from "../stand/client.ts";
import { cpuOf, type Measure } from "./bench.ts";
import { figureOf, ms, ratio } from "./figures.ts";

const LOAD = { count: 1_500, connections: 32 };

/** Compares an authenticated GET of one item with a Worker that only signs and sends one GetItem; alternately. */
export const measureGet: Measure = async ({ stand, baseline, client, agentId, rounds }) => {
  const { worker, proxy } = stand;
  const itemUrl = `${worker.url}/agents/${agentId}`;
  const key = new URLSearchParams({ pk: `User#${client.email}`, sk: `Agent#${agentId}` });
  const rows: { readonly cpuMs: number; readonly cpuRatio: number; readonly throughputRatio: number }[] = [];

  // The first round warms up.
  for (let round = 0; round <= rounds; round++) {
    let [appRate, baselineRate] = [0, 0];
    const baselineCpu = await cpuOf(baseline, async () => {
      baselineRate = await requestsPerSecond(`${baseline.url}/item?${key}`, {}, LOAD);
    });
    const appCpu = await cpuOf(worker, async () => {
      appRate = await requestsPerSecond(itemUrl, client.headers, LOAD);
    });
    if (round > 0)
      rows.push({
        cpuMs: appCpu / LOAD.count,
        cpuRatio: appCpu / baselineCpu,
        throughputRatio: appRate / baselineRate,
      });
  }

  proxy.takeRequests();
  await requestsPerSecond(itemUrl, client.headers, { count: 1, connections: 1 });
  const requests = proxy.takeRequests();
  const units = requests.reduce((sum, { reads }) => sum + reads, 0);
  const cpuRatio = figureOf(rows.map((row) => row.cpuRatio));
  const cpuMs = figureOf(rows.map((row) => row.cpuMs));
  return {
    rows: [
      ["GET of an item: CPU", ms(cpuMs)],
      ["GET of an item: requests per second per core", (1_000 / cpuMs.median).toFixed(0)],
      ["GET of an item: CPU, of the baseline's", ratio(cpuRatio)],
      [
        "GET of an item: throughput, of the baseline's",
        ratio(figureOf(rows.map(({ throughputRatio }) => throughputRatio))),
      ],
      ["GET of an item: requests to the database, read units", `${requests.length}, ${units}`],
    ],
    budgeted: {
      "GET, CPU ratio": cpuRatio,
      "GET, database requests": requests.length,
      "GET, read units": units,
    },
  };
};
