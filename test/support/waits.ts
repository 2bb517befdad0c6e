import type { Fault, LoggedRequest } from "./control-protocol.ts";

/** Makes the database slow, so that requests which do not wait for each other overlap, also on a busy machine. */
export const SLOW: Fault = { kind: "delay", ms: 300 };

/** The number of sequential requests: the longest chain of requests that did not overlap. */
export function sequentialWaits(requests: readonly LoggedRequest[]): number {
  let waits = 0;
  let endOfWave = 0;
  for (const { startedAt, endedAt } of requests.toSorted((a, b) => a.startedAt - b.startedAt)) {
    if (startedAt >= endOfWave) {
      waits++;
      endOfWave = endedAt;
    } else {
      endOfWave = Math.min(endOfWave, endedAt);
    }
  }
  return waits;
}
