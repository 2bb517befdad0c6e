import { type Json, objectFrom, textAt } from "../shared/json.ts";

/** The part of Cloudflare's `AI` binding that is used. Its answers count as text from outside. */
export interface AiBinding {
  run(
    model: string,
    inputs: Json,
    options: { readonly returnRawResponse: true; readonly signal?: AbortSignal },
  ): Promise<unknown>;
  models(params: { readonly task: string; readonly per_page: number }): Promise<unknown>;
}

/** The HTTP status for each internal code that Workers AI documents. Requests with any other code are at fault. */
const STATUS: Readonly<Record<string, number>> = {
  "3006": 413,
  "3007": 408,
  "3008": 408,
  "3023": 403,
  "3036": 429,
  "3040": 429,
  "3041": 403,
  "3042": 404,
  "5016": 403,
  "5018": 403,
};

/**
 * Returns a `fetch` that passes the body of an OpenAI-compatible request (chat or embeddings) to the binding instead of
 * the network. Failures that the binding throws become responses, so that callers treat them like any server's.
 */
export const workersAiFetch =
  (ai: AiBinding): typeof fetch =>
  async (_input, init) => {
    const { model, input, ...rest } = objectFrom(typeof init?.body === "string" ? init.body : "") ?? {};
    const signal = init?.signal ?? undefined;
    const inputs = input === undefined ? rest : { text: input };
    try {
      const running = ai.run(String(model), inputs, { returnRawResponse: true, ...(signal && { signal }) });
      const answer = await settled(running, signal);
      return answer instanceof Response ? answer : Response.json(answer);
    } catch (cause) {
      signal?.throwIfAborted();
      return responseOf(cause);
    }
  };

/**
 * Settles like `work`, or rejects with the signal's reason as soon as it is aborted, because a binding may ignore the
 * signal. A response that arrives later is cancelled.
 */
export async function settled<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work;
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => {
    aborted.reject(signal.reason);
    work
      .then((late) => (late instanceof Response ? late.body?.cancel() : undefined))
      // Nobody waits for this failure any more: of the work, or of a body that the signal has ended already.
      .catch(() => undefined);
  };
  signal.addEventListener("abort", abort, { once: true });
  try {
    if (signal.aborted) abort();
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/** The binding's errors are `code: sentence`. One without a code is a failure of the connection. */
function responseOf(cause: unknown): Response {
  const message = cause instanceof Error ? cause.message : textAt({ cause }, "cause");
  const code = /^(?:[A-Za-z]{1,40}: )?(\d{4}): /u.exec(message)?.[1];
  const status = code === undefined ? 503 : (STATUS[code] ?? 400);
  return Response.json({ error: { message } }, { status });
}
