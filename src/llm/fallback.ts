import { AppError, type ErrorCode } from "../shared/errors.ts";
import type { ModelChunk, ModelRequest, OpenModel } from "./model.ts";

/** Failures of one provider that say nothing about another. What is wrong with the request is wrong everywhere. */
const WORTH_ANOTHER_TRY: readonly ErrorCode[] = [
  "provider-auth",
  "provider-quota",
  "provider-rate",
  "provider-unavailable",
  "provider-stalled",
  "provider-truncated",
];

/**
 * A model with another one behind it, which answers when the first fails before it has said anything. It then goes on
 * answering: the rest of a turn does not wait for the first one to fail again.
 */
export function withFallback(first: OpenModel, second: OpenModel): OpenModel {
  let current = first;

  async function* stream(request: ModelRequest, signal: AbortSignal): AsyncGenerator<ModelChunk, void, void> {
    let hasBegun = false;
    try {
      for await (const chunk of current.stream(request, signal)) {
        // Nobody sees what it has cost.
        hasBegun ||= chunk.type !== "usage";
        yield chunk;
      }
    } catch (error) {
      const isOver = hasBegun || signal.aborted || current === second;
      if (isOver || !(error instanceof AppError) || !WORTH_ANOTHER_TRY.includes(error.code)) throw error;
      current = second;
      yield* second.stream(request, signal);
    }
  }

  return {
    get id() {
      return current.id;
    },
    get provider() {
      return current.provider;
    },
    contextWords: Math.min(first.contextWords, second.contextWords),
    stream,
  };
}
