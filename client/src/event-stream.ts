import { dataOf, linesOf, parse } from "./body.ts";
import { ConnectionError } from "./errors.ts";
import type { OpenStream, Transport } from "./transport.ts";
import { sleep } from "./waiting.ts";

/**
 * How long a stream may be silent, in milliseconds. The service sends a comment after 15 seconds without an event: three that are
 * missing mean that the connection is dead, which otherwise nobody would notice.
 */
const LONGEST_SILENCE_MS = 45_000;

/** Yields the JSON values of a stream of server-sent events or of lines. Throws a `ConnectionError` if it is silent for too long. */
export async function* valuesOf(
  { response, signal, close }: OpenStream,
  longestSilenceMs = LONGEST_SILENCE_MS,
): AsyncGenerator<unknown, void, void> {
  const silent = new ConnectionError("timeout", `Nothing arrived for ${longestSilenceMs / 1_000} seconds.`);
  let timer: ReturnType<typeof setTimeout> | undefined;
  // A consumer may take longer for an event than the service for the next one, so only waiting counts.
  const wait = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => close(silent), longestSilenceMs);
  };

  try {
    wait();
    const lines = linesOf(response, signal, wait);
    const isSse = response.headers.get("content-type")?.startsWith("text/event-stream") ?? false;
    for await (const text of isSse ? dataOf(lines) : lines) {
      if (text === "") continue;
      clearTimeout(timer);
      yield parse(text);
      wait();
    }
  } finally {
    clearTimeout(timer);
    close(new Error("The stream is not read any more."));
  }
}

/** What the caller may show while a stream has lost its connection. */
export type ConnectionState = "lost" | "resumed";

/** A stream that can be opened again at the place where it was lost. */
export interface Resumable<Event> {
  /** Opens it behind the last accepted event. Returns undefined if nothing is left. */
  readonly open: () => Promise<OpenStream | undefined>;
  /** Whether an event is new. Remembers its place. Throws to have the stream opened again. */
  readonly accept: (event: Event) => boolean;
  readonly isLast: (event: Event) => boolean;
}

export interface ResumeSettings {
  readonly transport: Transport;
  readonly signal: AbortSignal;
  /** How often in succession a stream that has begun is opened again without a new event. */
  readonly reconnects: number;
  readonly onConnection: ((state: ConnectionState) => void) | undefined;
}

/**
 * Yields the events of a stream up to its last one, and opens it again whenever the connection is lost. A stream that has not begun
 * is opened as often as a request is repeated. Throws what opening it throws, and a `ConnectionError` if the connection is lost for
 * good.
 */
export async function* resuming<Event>(
  stream: Resumable<Event>,
  { transport, signal, reconnects, onConnection }: ResumeSettings,
): AsyncGenerator<Event, void, void> {
  let failures = 0;
  let hasBegun = false;
  let isLost = false;
  for (;;) {
    try {
      const opened = await stream.open();
      if (!opened) {
        if (!hasBegun) return;
        throw new ConnectionError("incomplete", "The stream is over, and its last events are gone.");
      }

      for await (const value of valuesOf(opened)) {
        // The service's description says what its streams consist of.
        const event = value as Event;
        if (!stream.accept(event)) continue;
        if (isLost) onConnection?.("resumed");
        failures = 0;
        isLost = false;
        hasBegun = true;
        yield event;
        if (stream.isLast(event)) return;
      }
      throw new ConnectionError("incomplete", "The stream ended before its last event.");
    } catch (error) {
      signal.throwIfAborted();
      failures += 1;
      const pause = transport.pauseAfter(error, failures);
      if (pause === undefined || failures > (hasBegun ? reconnects : transport.retries)) throw error;
      if (!isLost) onConnection?.("lost");
      isLost = true;
      await sleep(pause, signal);
    }
  }
}
