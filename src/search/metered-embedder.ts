import type { Embedder } from "../llm/embeddings.ts";
import { AppError } from "../shared/errors.ts";

/** Counts texts before they are embedded. Resolves to false if they exceed today's limit. */
export type CountTexts = (texts: number) => Promise<boolean>;

/**
 * Wraps an embedder whose cost an account is charged for. Texts are counted before they are sent. Throws
 * `limit-exceeded` without sending anything if they exceed today's limit.
 */
export function meteredEmbedder(embedder: Embedder, count: CountTexts): Embedder {
  const { ofModel } = embedder;
  return {
    id: embedder.id,
    ...(ofModel && { ofModel: (id: string) => meteredEmbedder(ofModel(id), count) }),
    async embed(texts, signal) {
      if (!(await orAborted(count(texts.length), signal)))
        throw new AppError("limit-exceeded", "The account's embedding limit for today is used up.");
      return embedder.embed(texts, signal);
    },
  };
}

/** Settles like `work`, or rejects with the signal's reason as soon as it is aborted. */
function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    work.then(resolve, reject);
  });
}
