import type { EventSource } from "./live-run.ts";
import { PING, toFrame } from "./wire.ts";

/** Keeps proxies from closing a quiet stream. */
const PING_MS = 15_000;
/** At most so many events are handed over at once: a follower that is far behind does not get everything in one piece. */
const EVENTS_AT_ONCE = 200;

/** Nobody on the way may buffer, keep or change the stream. */
const HEADERS = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-store, no-transform",
  "x-accel-buffering": "no",
} as const;

/**
 * The events of a run behind a number, as server-sent events, and those to come. A follower reads at its own pace from
 * what the run keeps anyway: a slow one holds nothing up and holds nothing but its place.
 */
export function followRun(
  runId: string,
  source: EventSource,
  after: number,
  headers: Record<string, string> = {},
): Response {
  const encoder = new TextEncoder();
  let place = after;

  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      for (;;) {
        const events = source.read(place).slice(0, EVENTS_AT_ONCE);
        if (events.length > 0) {
          place = events.at(-1)?.seq ?? place;
          return controller.enqueue(
            encoder.encode(events.map(({ seq, event }) => toFrame(event, runId, seq)).join("")),
          );
        }

        if (source.isOver) return controller.close();
        if (await isQuiet(source)) return controller.enqueue(encoder.encode(PING));
      }
    },
  });
  return new Response(body, { headers: { ...HEADERS, ...headers } });
}

/** Waits for more; true where nothing came for as long as a connection may be silent. */
async function isQuiet(source: EventSource): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const quiet = new Promise<true>((resolve) => {
    timer = setTimeout(() => resolve(true), PING_MS);
  });

  try {
    return await Promise.race([quiet, source.changed().then(() => false)]);
  } finally {
    clearTimeout(timer);
  }
}
