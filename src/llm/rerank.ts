import { jsonFrom } from "./exchange.ts";
import { textOf } from "./bytes.ts";
import { providerError } from "./errors.ts";
import { withoutTrailing } from "../shared/text.ts";

/** Says how well documents answer a query. */
export interface Reranker {
  /**
   * Returns how relevant each document is, in the order of the documents: the higher, the better. `undefined` for those that
   * the server left out. Throws `AppError`, or the signal's reason.
   */
  relevances(
    query: string,
    documents: readonly string[],
    signal: AbortSignal,
  ): Promise<readonly (number | undefined)[]>;
}

export interface RerankConfig {
  /** The API's base URL, such as `https://api.jina.ai/v1`. */
  readonly url: string;
  readonly apiKey: string | undefined;
  readonly model: string;
}

/** The maximum wait for the body, even if the signal allows more. */
const ANSWER_MS = 10_000;
/** Some servers repeat the documents in their answer, so this is more than the longest request. */
const MAX_ANSWER_BYTES = 1_000_000;

/**
 * Returns a reranker that calls the API of Cohere, Jina or Voyage, or any compatible server. Their parameter for the number of
 * results has different names, so it is left out: without it, all of them return all documents. There is no retry, because a
 * search does not wait that long.
 */
export function httpReranker({ url, apiKey, model }: RerankConfig, send: typeof fetch): Reranker {
  const endpoint = `${withoutTrailing(url, "/")}/rerank`;
  const headers = {
    "content-type": "application/json",
    ...(apiKey !== undefined && { authorization: `Bearer ${apiKey}` }),
  };

  return {
    async relevances(query, documents, signal) {
      const body = JSON.stringify({ model, query, documents });
      // Security: following a redirect would send the key to another server.
      const init = { method: "POST", headers, body, signal, redirect: "manual" } as const;
      const response = await send(endpoint, init).catch((cause: unknown) => {
        signal.throwIfAborted();
        throw providerError.unavailable(cause);
      });
      if (!response.ok) {
        await response.body?.cancel();
        // Security: the server's message may quote the key or the texts, so only the status is kept.
        throw providerError.unavailable(new Error(`The reranking server answered ${response.status}.`));
      }
      const bounds = { ms: ANSWER_MS, maxBytes: MAX_ANSWER_BYTES, signal };
      return relevancesFrom(jsonFrom(await textOf(response, bounds)), documents.length);
    },
  };
}

/** Returns the relevances of an answer in the order of the documents. Throws if it has none, or one of no document. */
function relevancesFrom(answer: unknown, count: number): readonly (number | undefined)[] {
  const results = member(answer, "results") ?? member(answer, "data");
  if (!Array.isArray(results) || results.length === 0) throw unreadable("The answer has no results.");

  const relevances: (number | undefined)[] = Array.from({ length: count });
  for (const result of results) {
    const [index, relevance] = [member(result, "index"), member(result, "relevance_score")];
    if (typeof index !== "number" || !Number.isInteger(index) || index < 0 || index >= count)
      throw unreadable("A result is about none of the documents.");
    if (typeof relevance !== "number" || !Number.isFinite(relevance))
      throw unreadable("The relevance of a result is not a number.");
    relevances[index] = relevance;
  }
  return relevances;
}

const member = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;

const unreadable = (why: string) => providerError.unreadable(new Error(why));
