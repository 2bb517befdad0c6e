import { AppError } from "../shared/errors.ts";

/** A stream of JSON values, one a line, made as fast as they are read. One that breaks off was not whole. */
export function ndjson(values: AsyncIterator<unknown>, requestId: string): Response {
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await values.next();
        if (done) return controller.close();
        controller.enqueue(encoder.encode(`${JSON.stringify(value)}\n`));
      } catch (thrown) {
        const { message, code, cause } = AppError.from(thrown);
        console.error({ message, requestId, code, cause });
        controller.error(new Error(message));
      }
    },
    async cancel() {
      await values.return?.();
    },
  });
  return new Response(body, {
    headers: { "content-type": "application/x-ndjson", "cache-control": "no-store" },
  });
}
