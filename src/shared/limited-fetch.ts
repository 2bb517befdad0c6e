/** A response body exceeds its size limit. */
export class BodyTooLong extends Error {
  override readonly name = "BodyTooLong";

  constructor(maxBytes: number) {
    super(`The body is longer than ${maxBytes} bytes.`);
  }
}

/**
 * Returns a `fetch` for external services. Reading more than `maxBytes` of a body, counted after decompression, throws
 * `BodyTooLong` and closes the connection. Redirects are not followed, because requests carry secrets. There is no timeout:
 * pass a signal.
 */
export function limitedFetch(send: typeof fetch, maxBytes: number): typeof fetch {
  return async (input, init) => {
    const response = await send(input, { ...init, redirect: "manual" });
    if (!response.body || statesAtMost(response.headers, maxBytes)) return response;
    return new Response(response.body.pipeThrough(byteLimit(maxBytes)), response);
  };
}

/**
 * Whether a body can't be longer than `maxBytes`, because its `Content-Length` says so and HTTP ends it there. Counting the
 * bytes of such a body would only cost CPU. The length of a compressed body says nothing about what it unpacks to.
 */
function statesAtMost(headers: Headers, maxBytes: number): boolean {
  const length = headers.get("content-length");
  return length !== null && !headers.has("content-encoding") && Number(length) <= maxBytes;
}

function byteLimit(maxBytes: number): TransformStream<Uint8Array, Uint8Array> {
  let left = maxBytes;
  return new TransformStream({
    transform(bytes, controller) {
      left -= bytes.byteLength;
      if (left < 0) controller.error(new BodyTooLong(maxBytes));
      else controller.enqueue(bytes);
    },
  });
}
