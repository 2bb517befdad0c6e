import { providerError } from "./errors.ts";

/**
 * The bytes of a body as they come. Throws `provider-stalled` after `idleMs` without any, and the signal's reason when
 * it is aborted. Leaving the loop cancels the body.
 */
export async function* bytesOf(
  body: ReadableStream<Uint8Array>,
  idleMs: number,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, void, void> {
  const reader = body.getReader();
  // Also ends the request when the loop is left early; a body that is already broken has nothing left to cancel.
  const cancel = () => void reader.cancel().catch(() => undefined);
  // The signal of the request does this as well, but not every body that stands for a response listens to it.
  signal?.addEventListener("abort", cancel);

  try {
    for (;;) {
      const { done, value } = await withinIdleTime(reader.read(), idleMs);
      signal?.throwIfAborted();
      if (done) return;
      yield value;
    }
  } finally {
    signal?.removeEventListener("abort", cancel);
    cancel();
  }
}

/** A body as text, or as much of it as `maxBytes` allows: what a provider says beside its protocol may have no end. */
export async function textOf(response: Response, idleMs: number, maxBytes: number): Promise<string> {
  if (!response.body) return "";
  const decoder = new TextDecoder();
  let text = "";
  let room = maxBytes;

  for await (const bytes of bytesOf(response.body, idleMs)) {
    text += decoder.decode(bytes.subarray(0, room), { stream: true });
    room -= bytes.length;
    if (room <= 0) break;
  }

  return text;
}

async function withinIdleTime<T>(read: Promise<T>, idleMs: number): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stalled = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(providerError.stalled()), idleMs);
  });

  try {
    return await Promise.race([read, stalled]);
  } finally {
    clearTimeout(timer);
  }
}
