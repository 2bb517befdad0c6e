import { AppError } from "../shared/errors.ts";

/**
 * A response of JSON lines that is made as it is read: what its reader does not take is not asked for, and a reader who
 * leaves ends the making.
 */
export function ndjson(
  portions: AsyncGenerator<string, void, void>,
  headers: Readonly<Record<string, string>> = {},
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

/** Values as lines. Never throws: a failure is the last line, where otherwise the last value would be. */
export async function* linesOf(values: AsyncIterable<object>): AsyncGenerator<string, void, void> {
  try {
    for await (const value of values) yield `${JSON.stringify(value)}\n`;
  } catch (thrown) {
    yield `${JSON.stringify(failureLine(thrown))}\n`;
  }
}

/** What the last line of an export says that broke off. */
function failureLine(thrown: unknown): object {
  const error = AppError.from(thrown);
  console.error({ message: "An export broke off.", code: error.code, cause: error.cause ?? error });
  return { type: "error", code: error.code, detail: error.message, retryable: error.retryable };
}
