import { AppError, type ErrorCode } from "../shared/errors.ts";
import type { ModelChunk, ModelRequest, OpenModel } from "./model.ts";

/** Failures that another provider may not have. A bad request, by contrast, fails everywhere. */
const WORTH_ANOTHER_TRY: readonly ErrorCode[] = [
  "provider-auth",
  "provider-quota",
  "provider-rate",
  "provider-unavailable",
  "provider-stalled",
  "provider-truncated",
  // The deployment answers no more turns at its own cost.
  "limit-exceeded",
];

/**
 * Returns a model that switches to `second` if `first` fails before it has answered anything. It does not switch back,
 * so later requests of a turn do not wait for `first` to fail again.
 */
export function withFallback(first: OpenModel, second: OpenModel): OpenModel {
  let current = first;

  async function* stream(request: ModelRequest, signal: AbortSignal): AsyncGenerator<ModelChunk, void, void> {
    let hasBegun = false;
    try {
      for await (const chunk of current.stream(request, signal)) {
        // The user has seen nothing yet, so a switch is still possible.
        hasBegun ||= chunk.type === "text" || chunk.type === "reasoning" || chunk.type === "call";
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
    get servedWindow() {
      return current.servedWindow;
    },
    contextTokens: Math.min(first.contextTokens, second.contextTokens),
    stream,
  };
}
