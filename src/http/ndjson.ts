import type { TypedResponse } from "hono";
import { AppError } from "../shared/errors.ts";

/**
 * Returns a response of JSON lines that is generated as the client reads it. Nothing is read ahead, and the generator ends
 * when the client disconnects.
 */
export function ndjson(
  portions: AsyncGenerator<string, void, void>,
  headers: Readonly<Record<string, string>> = {},
): Response & TypedResponse<string, 200, "text"> {
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
  const response = new Response(body, { headers: { ...headers, "content-type": "application/x-ndjson" } });
  // The cast only adds the type that Hono's typed client reads.
  return response as typeof response & TypedResponse<string, 200, "text">;
}

/** Yields each value as a line of JSON. Never throws: a failure becomes the last line. */
export async function* linesOf(values: AsyncIterable<object>): AsyncGenerator<string, void, void> {
  try {
    for await (const value of values) yield `${JSON.stringify(value)}\n`;
  } catch (thrown) {
    yield `${JSON.stringify(failureLine(thrown))}\n`;
  }
}

/** The last line of an export that failed. */
function failureLine(thrown: unknown): object {
  const error = AppError.from(thrown);
  console.error({
    message: "An export failed before its end.",
    code: error.code,
    cause: error.cause ?? error,
  });
  return { type: "error", code: error.code, detail: error.message, retryable: error.retryable };
}
