import { createParser } from "eventsource-parser";
import { bytesOf } from "./bytes.ts";
import { providerError } from "./errors.ts";

/** The longest unfinished line that is kept: a provider that never ends one must not fill the memory. */
const MAX_LINE_CHARS = 1_000_000;

/**
 * The data of each event of a server-sent event stream. Throws `provider-stalled` after `idleMs` without a byte.
 * Leaving the loop cancels the body.
 */
export async function* eventData(
  body: ReadableStream<Uint8Array>,
  idleMs: number,
  signal?: AbortSignal,
): AsyncGenerator<string, void, void> {
  const decoder = new TextDecoder();
  let ready: string[] = [];
  const parser = createParser({
    onEvent: ({ data }) => ready.push(data),
    maxBufferSize: MAX_LINE_CHARS,
    onError: (error) => {
      // Unknown fields and the like are to be passed over (the standard says so).
      if (error.type === "max-buffer-size-exceeded") throw providerError.unreadable(error);
    },
  });

  for await (const bytes of bytesOf(body, idleMs, signal)) {
    parser.feed(decoder.decode(bytes, { stream: true }));
    const events = ready;
    ready = [];
    yield* events;
  }

  // Some servers leave out the blank line behind their last event.
  parser.feed("\n\n");
  yield* ready;
}
