import type { RunEvent } from "./api.ts";
import { ApiError, RunFailed } from "./errors.ts";
import { type ConnectionState, resuming } from "./event-stream.ts";
import type { OpenStream, Transport } from "./transport.ts";

/** How an answer is followed. */
export interface FollowOptions {
  /** Ends the answer: whoever reads it gets the signal's reason. What happens to the run is up to `onAbort`. */
  readonly signal?: AbortSignal | undefined;
  /**
   * What an abort does to the run: `cancel` stops it, and the text so far is kept; `leave` lets the agent finish its answer, which
   * is then found in the conversation. `cancel` by default for what was sent, `leave` for what is followed.
   */
  readonly onAbort?: "cancel" | "leave" | undefined;
  /** Called when the connection is lost, and when it has been resumed. */
  readonly onConnection?: ((state: ConnectionState) => void) | undefined;
  /** How often in succession a lost connection is opened again; 10 by default, which takes about a minute. */
  readonly reconnects?: number | undefined;
}

/** How a message is sent. */
export interface SendOptions extends FollowOptions {
  /** Whether to stream what the model thinks, as `REASONING` events. */
  readonly reasoning?: boolean | undefined;
  /** The user's IANA time zone, such as `Europe/Berlin`, which the agent's clock shows; UTC by default. */
  readonly timeZone?: string | undefined;
  /**
   * Identifies the message for 24 hours: sending it again with the same key follows the same run. The client makes a key for each
   * message by itself; set it to send a message again after a restart.
   */
  readonly idempotencyKey?: string | undefined;
}

/** How to open the stream of an answer for the first time, or again from its beginning. */
type Begin = (signal: AbortSignal) => Promise<OpenStream | undefined>;

/** @internal */
export interface AnswerInput extends FollowOptions {
  readonly transport: Transport;
  readonly conversationId: string;
  readonly begin: Begin;
  /** The number of the last event that the caller has; 0 for none. */
  readonly after: number;
}

const RECONNECTS = 10;

/** How long an aborted answer waits for the id of the run that it has to cancel, in milliseconds. */
const LONGEST_WAIT_FOR_RUN_MS = 10_000;

/**
 * The answer to a message, as it comes. Read it once, by a loop or by `text()`; only then the message is sent. A lost connection
 * is resumed: no event comes twice, and none is missing. Leaving the loop early leaves the run alone.
 *
 * @example
 * for await (const event of client.agents(agentId).send(conversationId, "Hello")) {
 *   if (event.event_type === "AGENT_RESPONSE_TO_USER") process.stdout.write(event.content);
 *   if (event.event_type === "ERROR") throw new Error(event.content);
 * }
 */
export class Answer implements AsyncIterable<RunEvent> {
  readonly #input: AnswerInput;
  readonly #closing = new AbortController();
  readonly #started: Promise<string | undefined>;
  #start: (runId: string | undefined) => void = () => undefined;
  #isRead = false;
  #runId: string | undefined;
  /** The number of the last event. */
  #seq: number;
  /** How many events with that number have arrived: two kinds repeat another event and share its number. */
  #atSeq = 0;
  /** How many of those a stream that was opened again still has to repeat. */
  #toSkip = 0;
  #cancelling: Promise<void> | undefined;

  /** @internal */
  constructor(input: AnswerInput) {
    this.#input = input;
    this.#seq = input.after;
    this.#started = new Promise((resolve) => {
      this.#start = resolve;
    });
  }

  /** The run's id; undefined before the first event. */
  get runId(): string | undefined {
    return this.#runId;
  }

  /** The number of the last event that was read; 0 before. A page that is loaded again can follow the run behind it. */
  get seq(): number {
    return this.#seq;
  }

  /**
   * Reads the answer and returns its text; of a run that waits, the text so far. Throws `RunFailed` if the turn fails, and what a request throws. The text of a run that
   * was cancelled is what there was of it.
   */
  async text(): Promise<string> {
    const pieces: string[] = [];
    for await (const event of this) {
      if (event.event_type === "AGENT_RESPONSE_TO_USER") pieces.push(event.content);
      if (event.event_type === "ERROR") {
        const { content, code, retryable, run_id: runId } = event;
        throw new RunFailed(content, { code, retryable, runId, text: pieces.join("") });
      }
    }
    return pieces.join("");
  }

  /**
   * Stops the run. The text so far is kept, and the stream ends with `STREAM_COMPLETE`, so go on reading. Waits until the run has an
   * id; does nothing if it never gets one. Throws what a request throws, and an error if the answer is not being read.
   */
  async cancel(): Promise<void> {
    if (!this.#isRead) throw new Error("Nothing has been sent yet: read the answer first.");
    const runId = await this.#started;
    if (runId !== undefined) await this.#cancel(runId);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<RunEvent, void, void> {
    if (this.#isRead) throw new Error("An answer can be read only once. Follow its run to read it again.");
    this.#isRead = true;

    const { signal } = this.#input;
    const abort = (): void => this.#abort();
    signal?.addEventListener("abort", abort, { once: true });
    try {
      signal?.throwIfAborted();
      for await (const event of this.#events()) {
        if (signal?.aborted) break;
        yield event;
        if (signal?.aborted) break;
      }
    } catch (error) {
      // The caller must learn it if the run could not be cancelled.
      await this.#cancelling;
      signal?.throwIfAborted();
      throw error;
    } finally {
      signal?.removeEventListener("abort", abort);
      this.#start(this.#runId);
    }
    await this.#cancelling;
    signal?.throwIfAborted();
  }

  #events(): AsyncGenerator<RunEvent, void, void> {
    const { transport, reconnects = RECONNECTS, onConnection } = this.#input;
    return resuming<RunEvent>(
      {
        open: () => this.#open(),
        accept: (event) => this.#accept(event),
        isLast: ({ event_type: type }) =>
          type === "STREAM_COMPLETE" || type === "ERROR" || type === "RUN_WAITING",
      },
      { transport, signal: this.#closing.signal, reconnects, onConnection },
    );
  }

  /** Opens the stream: at first by what begins it, then behind the events that have arrived. */
  async #open(): Promise<OpenStream | undefined> {
    const { transport, conversationId, begin } = this.#input;
    const { signal } = this.#closing;
    this.#toSkip = this.#atSeq;
    if (this.#runId === undefined) return await begin(signal);

    // One number less, because the last one may belong to two events of which only one has arrived.
    const after = this.#atSeq > 0 ? this.#seq - 1 : this.#seq;
    try {
      return await openRun({ transport, conversationId, runId: this.#runId, after, signal });
    } catch (error) {
      // A program that may write but not read repeats its request, which is answered with the same run from its beginning.
      if (error instanceof ApiError && error.code === "forbidden") return await begin(signal);
      throw error;
    }
  }

  /** Whether an event has not arrived before. Remembers it. */
  #accept({ run_id: runId, seq }: RunEvent): boolean {
    if (this.#runId === undefined) {
      this.#runId = runId;
      this.#start(runId);
      if (this.#isCancelled) this.#cancelInBackground(runId);
    }

    if (seq < this.#seq) return false;
    if (seq === this.#seq && this.#toSkip > 0) {
      this.#toSkip -= 1;
      return false;
    }
    this.#toSkip = 0;
    this.#atSeq = seq === this.#seq ? this.#atSeq + 1 : 1;
    this.#seq = seq;
    return true;
  }

  /** Whether the caller has aborted, and the run is to be cancelled. */
  get #isCancelled(): boolean {
    const { signal, onAbort } = this.#input;
    return signal?.aborted === true && onAbort === "cancel";
  }

  #abort(): void {
    const reason: unknown = this.#input.signal?.reason;
    if (!this.#isCancelled) return this.#closing.abort(reason);
    if (this.#runId !== undefined) return this.#cancelInBackground(this.#runId);
    // The first event says which run to cancel. Until then, it is unknown whether there is one.
    setTimeout(() => {
      if (this.#runId === undefined) this.#closing.abort(reason);
    }, LONGEST_WAIT_FOR_RUN_MS);
  }

  #cancelInBackground(runId: string): void {
    this.#cancelling = this.#cancel(runId).finally(() => this.#closing.abort(this.#input.signal?.reason));
    // Whoever reads the answer gets the error; nobody has to read on.
    this.#cancelling.catch(() => undefined);
  }

  async #cancel(runId: string): Promise<void> {
    const { transport, conversationId } = this.#input;
    await transport.exchange("POST", "/conversations/{conversationId}/runs/{runId}/cancel", {
      path: { conversationId, runId },
      isRepeatable: true,
    });
  }
}

/** Opens the stream of a run behind an event. Returns undefined if nothing of it is left. */
export async function openRun({
  transport,
  conversationId,
  runId,
  after,
  signal,
}: {
  readonly transport: Transport;
  readonly conversationId: string;
  readonly runId: string;
  readonly after: number;
  readonly signal: AbortSignal;
}): Promise<OpenStream | undefined> {
  const path = "/conversations/{conversationId}/runs/{runId}/events";
  const stream = await transport.open("GET", path, {
    path: { conversationId, runId },
    query: { after },
    signal,
  });
  return stream.response.status === 204 ? undefined : stream;
}
