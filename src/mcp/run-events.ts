import { objectFrom, type Json } from "../shared/json.ts";

/** Something that a client of a run is told: an event of the native stream, or that nothing has happened for a while. */
export type RunNews = { readonly type: "event"; readonly event: Json } | { readonly type: "ping" };

/**
 * Reads the frames of a run (see `docs/stream-protocol.md`). They come from this service, so each is one `data:` line with JSON or
 * a comment. Takes time in proportion to their length. Ends the stream when the reader stops.
 */
export async function* runNews(frames: ReadableStream<Uint8Array>): AsyncGenerator<RunNews, void, void> {
  const reader = frames.getReader();
  const decoder = new TextDecoder();
  /** The pieces of the frame that has not ended yet. */
  let pieces: string[] = [];
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const [first = "", ...others] = decoder.decode(value, { stream: true }).split("\n");
      pieces.push(first);
      for (const next of others) {
        const line = pieces.join("");
        pieces = [next];
        if (line.startsWith(":")) yield { type: "ping" };
        const event = line.startsWith("data:") ? objectFrom(line.slice("data:".length)) : undefined;
        if (event) yield { type: "event", event };
      }
    }
  } finally {
    // Fails on a broken stream, where nothing is left to cancel.
    await reader.cancel().catch(() => undefined);
  }
}
