/** Reads a body piece by piece up to a number of bytes, counted after decompression, and closes the connection then. */
export async function* boundedBody(
  body: ReadableStream<Uint8Array>,
  maxBytes: number,
): AsyncGenerator<Uint8Array, void, void> {
  const reader = body.getReader();
  let bytesLeft = maxBytes;
  try {
    while (bytesLeft > 0) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value.length <= bytesLeft ? value : value.subarray(0, bytesLeft);
      bytesLeft -= value.length;
    }
  } finally {
    // Fails on a broken body, where nothing is left to cancel.
    await reader.cancel().catch(() => undefined);
  }
}

/** The bytes of a body, and whether there were more than `maxBytes`. */
export interface BoundedBytes {
  readonly bytes: Uint8Array;
  readonly isCut: boolean;
}

/** Reads a body as a whole. If it is longer than `maxBytes` bytes after decompression, returns the first ones. */
export async function readBounded(
  body: ReadableStream<Uint8Array> | null,
  maxBytes: number,
): Promise<BoundedBytes> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  // One more byte shows whether the body goes on.
  if (body)
    for await (const piece of boundedBody(body, maxBytes + 1)) {
      pieces.push(piece);
      length += piece.length;
    }

  const bytes = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return { bytes: bytes.subarray(0, maxBytes), isCut: length > maxBytes };
}
