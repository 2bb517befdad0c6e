import { withTimeout } from "../shared/async.ts";
import { AppError } from "../shared/errors.ts";
import { BUDGETS } from "./budgets.ts";
import { providerError, UnknownModel } from "./errors.ts";
import type { ChatModel, ModelChunk, ModelRequest } from "./model.ts";
import type { ModelInfo } from "./provider.ts";

/** How many names are suggested. */
const MAX_NAMES = 3;
/** Anti-DoS: the list may come from a user's own server. */
const MAX_COMPARED = 1_000;
/** Names that may be shown: without spaces, markup and control characters. */
const SHOWN = /^[\w.:/@+-]{1,100}$/u;

/**
 * Returns a model whose error for an unknown model names similar ones from the provider's list. The list is requested
 * only then, and its failure changes nothing.
 */
export function withSimilarNames(
  model: ChatModel,
  list: (signal: AbortSignal) => Promise<readonly ModelInfo[]>,
): ChatModel {
  async function explain(error: unknown, signal: AbortSignal): Promise<never> {
    if (!(error instanceof AppError) || !(error.cause instanceof UnknownModel)) throw error;
    const names = await listedNames(signal);
    throw providerError.unknownModel(error.cause.cause, similarNames(model.id, names));
  }

  async function listedNames(signal: AbortSignal): Promise<readonly string[]> {
    try {
      const models = await withTimeout(BUDGETS.listMs, list, { signal });
      return models.map(({ id }) => id);
    } catch {
      signal.throwIfAborted();
      return [];
    }
  }

  return explaining(model, explain);
}

/** Returns a model whose error for an unknown model names no others, for callers that must not know what the account may use. */
export const withoutSimilarNames = <Model extends ChatModel>(model: Model): Model =>
  explaining(model, (error) => {
    if (!(error instanceof AppError) || !(error.cause instanceof UnknownModel)) throw error;
    throw providerError.unknownModel(error.cause.cause);
  });

/** Returns a model whose errors pass through `explain`, which throws them or others. */
function explaining<Model extends ChatModel>(
  model: Model,
  explain: (error: unknown, signal: AbortSignal) => Promise<never> | never,
): Model {
  /** Not a generator: that would cost another turn of the event loop for each chunk. */
  function stream(request: ModelRequest, signal: AbortSignal): AsyncIterableIterator<ModelChunk, void, void> {
    const chunks = model.stream(request, signal)[Symbol.asyncIterator]();
    return {
      [Symbol.asyncIterator]() {
        return this;
      },
      next: () => chunks.next().catch((error: unknown) => explain(error, signal)),
      return: async () => (await chunks.return?.()) ?? { done: true, value: undefined },
    };
  }
  return { ...model, stream };
}

/**
 * Returns the names that share the most pairs of characters with a name, the most similar first. At most three, and only names
 * that can be shown.
 */
export function similarNames(wanted: string, names: readonly string[]): readonly string[] {
  const pairs = pairsOf(wanted);
  return (
    names
      .slice(0, MAX_COMPARED)
      // A provider may list a model that the account has no access to.
      .filter((name) => SHOWN.test(name) && name !== wanted)
      .map((name) => ({ name, score: similarity(pairs, pairsOf(name)) }))
      .filter(({ score }) => score > 0)
      .toSorted((one, other) => other.score - one.score)
      .slice(0, MAX_NAMES)
      .map(({ name }) => name)
  );
}

function pairsOf(name: string): ReadonlySet<string> {
  const text = name.toLowerCase();
  return new Set(Array.from({ length: Math.max(0, text.length - 1) }, (_, at) => text.slice(at, at + 2)));
}

/** The share of common pairs, from 0 to 1. */
function similarity(one: ReadonlySet<string>, other: ReadonlySet<string>): number {
  const common = [...one].filter((pair) => other.has(pair)).length;
  return (2 * common) / (one.size + other.size || 1);
}
