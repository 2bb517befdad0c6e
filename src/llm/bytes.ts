import { providerError } from "./errors.ts";
import { IdleTimer } from "./idle-timer.ts";

/** Limits for reading a body. */
export interface ReadBounds {
  readonly maxBytes: number;
  readonly idleTimer: IdleTimer;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reads a body piece by piece. One timer watches the whole body: it looks at the time that is left, and cancels the
 * body if there is none, which ends the pending read. `close` must be called in any case.
 */
export class BodyReader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #idleTimer: IdleTimer;
  readonly #signal: AbortSignal | undefined;
  #bytesLeft: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** When the pending read began; `undefined` between reads. */
  #readAt: number | undefined;
  #hasStalled = false;

  constructor(body: ReadableStream<Uint8Array>, { maxBytes, idleTimer, signal }: ReadBounds) {
    this.#reader = body.getReader();
    this.#idleTimer = idleTimer;
    this.#signal = signal;
    this.#bytesLeft = maxBytes;
    // The request's own signal is not enough: some response bodies do not listen to it.
    signal?.addEventListener("abort", this.#cancel);
  }

  /**
   * Returns the next piece, or `undefined` at the end. Throws `provider-truncated` if there are more than `maxBytes`, after
   * the last piece that fits; `provider-stalled` if the time runs out; and the signal's reason if it is aborted.
   */
  async read(): Promise<Uint8Array | undefined> {
    if (this.#bytesLeft < 0) throw providerError.tooLong();
    if (this.#idleTimer.leftMs <= 0) throw providerError.stalled();

    const readAt = Date.now();
    this.#readAt = readAt;
    this.#timer ??= setTimeout(this.#check, this.#idleTimer.leftMs);
    try {
      const { done, value } = await this.#reader.read();
      this.#throwIfOver();
      return done ? undefined : this.#fitting(value);
    } catch (error) {
      // A cancelled read ends normally or fails, depending on the body.
      this.#throwIfOver();
      throw error;
    } finally {
      this.#readAt = undefined;
      this.#idleTimer.received(Date.now() - readAt);
    }
  }

  /** Call it once the answer has ended, so that the timer learns of the shorter wait. */
  ended(): void {
    this.#idleTimer.ended();
    this.#stopTimer();
  }

  /** Cancels the rest of the body. */
  close(): void {
    this.#stopTimer();
    this.#signal?.removeEventListener("abort", this.#cancel);
    this.#cancel();
  }

  #throwIfOver(): void {
    this.#signal?.throwIfAborted();
    if (this.#hasStalled) throw providerError.stalled();
  }

  #fitting(piece: Uint8Array): Uint8Array {
    const fits = piece.length <= this.#bytesLeft ? piece : piece.subarray(0, this.#bytesLeft);
    this.#bytesLeft -= piece.length;
    return fits;
  }

  readonly #check = (): void => {
    this.#timer = undefined;
    // Between reads, nobody waits for the provider. The next read starts the timer again.
    if (this.#readAt === undefined) return;
    const leftMs = this.#idleTimer.leftMs - (Date.now() - this.#readAt);
    if (leftMs > 0) {
      this.#timer = setTimeout(this.#check, leftMs);
      return;
    }
    this.#hasStalled = true;
    this.#cancel();
  };

  /** Fails on a broken body, where nothing is left to cancel. */
  readonly #cancel = (): void => void this.#reader.cancel().catch(() => undefined);

  #stopTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

/**
 * Returns a body as text, cut off at `maxBytes`, because an error page or a list may be endless. Throws
 * `provider-stalled` if the total wait for the body exceeds `ms` milliseconds, and the signal's reason if it is
 * aborted.
 */
export async function textOf(
  { body }: Response,
  { ms, maxBytes, signal }: { readonly ms: number; readonly maxBytes: number; readonly signal?: AbortSignal },
): Promise<string> {
  if (!body) return "";
  const decoder = new TextDecoder();
  const reader = new BodyReader(body, {
    maxBytes,
    idleTimer: new IdleTimer({ headersMs: 0, idleMs: ms }),
    signal,
  });
  let text = "";
  let bytesLeft = maxBytes;

  try {
    for (let bytes = await reader.read(); bytes; bytes = await reader.read()) {
      text += decoder.decode(bytes, { stream: true });
      bytesLeft -= bytes.length;
      if (bytesLeft <= 0) break;
    }
    return text;
  } finally {
    reader.close();
  }
}
