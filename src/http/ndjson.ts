/**
 * A response of JSON lines that is made as it is read: what its reader does not take is not asked for, and a reader who
 * leaves ends the making.
 */
export function ndjson(
  portions: AsyncGenerator<string, void, void>,
  headers: Record<string, string>,
): Response {
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const next = await portions.next();
        if (next.done) controller.close();
        else controller.enqueue(encoder.encode(next.value));
      },
      async cancel() {
        await portions.return();
      },
    },
    { highWaterMark: 0 },
  );
  return new Response(body, { headers: { ...headers, "content-type": "application/x-ndjson" } });
}
