/** A body that repeats a piece up to a number of bytes, and counts the bytes that were read. */
export function fatBody(piece: Uint8Array, bytes: number) {
  const count = { given: 0 };
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (count.given >= bytes) return controller.close();
      count.given += piece.length;
      controller.enqueue(piece.slice());
    },
  });
  return { body, count };
}
