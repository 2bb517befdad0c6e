import type { FrameWriter } from "../wires/wire.ts";
import { PING } from "../wires/native.ts";
import { resultWithin } from "../shared/async.ts";
import type { EventSource } from "./active-run.ts";

/** Keeps proxies from closing a quiet stream. */
const PING_MS = 15_000;
/** The maximum number of events per chunk. It bounds the memory for a follower that is far behind. */
const EVENTS_AT_ONCE = 200;

/** What ended a wait: there may be more events, the stream was quiet for too long, or the client has left. */
type News = "more" | "quiet" | "left";

interface EventStreamOptions {
  readonly source: EventSource;
  /** The number of the last event that is not sent. */
  readonly after: number;
  /** The number of the event `waiting` at which the stream ends, if it ends before the run. */
  readonly until?: number | undefined;
  readonly write: FrameWriter;
  /** After how many milliseconds without an event a ping is sent. */
  readonly pingMs?: number;
}

/**
 * Streams the events of a run after the number `after` as SSE frames, until the run ends or waits. Each follower reads at its
 * own pace from the shared events and stores only its position, so a slow follower costs no memory and delays nobody.
 */
export function eventStream({
  source,
  after,
  until = Number.POSITIVE_INFINITY,
  write,
  pingMs = PING_MS,
}: EventStreamOptions): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let position = after;
  let leave = (): void => undefined;

  return new ReadableStream({
    type: "bytes",
    async pull(controller) {
      for (;;) {
        const events = source
          .read(position)
          .slice(0, EVENTS_AT_ONCE)
          .filter(({ seq }) => seq <= until);
        if (events.length > 0) {
          position = events.at(-1)?.seq ?? position;
          const frames = events.map(({ seq, event }) =>
            event.type === "waiting" && seq !== until && !isLast(source, seq)
              ? ""
              : write(event, seq, () => answerBefore(source, seq)),
          );
          const text = frames.join("");
          // A wire may not show these events, and a stream of bytes takes no empty chunk.
          if (text === "") continue;
          return controller.enqueue(encoder.encode(text));
        }

        if (source.isOver || position >= until) return close(controller);
        const news = await wait();
        if (news === "quiet") return controller.enqueue(encoder.encode(PING));
        if (news === "left") return undefined;
      }
    },
    cancel: () => leave(),
  });

  /** Waits for more events, for at most `pingMs`. */
  async function wait(): Promise<News> {
    const { promise, resolve } = Promise.withResolvers<News>();
    leave = () => resolve("left");
    void source.changed().then(() => resolve("more"));
    return (await resultWithin(pingMs, promise)) ?? "quiet";
  }
}

/** Whether an event is the last one. A run that has gone on does not wait any more, so its stream must not say so. */
const isLast = (source: EventSource, seq: number): boolean => source.isOver && source.read(seq).length === 0;

/** Returns the text of the answer before the event with this number. */
function answerBefore(source: EventSource, seq: number): string {
  const texts: string[] = [];
  for (let after = 0; ;) {
    const page = source.read(after);
    for (const { seq: number, event } of page) {
      if (number >= seq) return texts.join("");
      if (event.type === "text") texts.push(event.text);
    }
    const last = page.at(-1);
    if (!last) return texts.join("");
    after = last.seq;
  }
}

/** Closes the stream. A pending BYOB read must be answered too, or it never ends. */
function close(controller: ReadableByteStreamController): void {
  controller.close();
  controller.byobRequest?.respond(0);
}
