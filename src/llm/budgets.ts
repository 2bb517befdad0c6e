import { MODEL_TIMEOUTS } from "./model.ts";

/** All limits on requests to providers. Some can be configured; see `ModelTimeouts`. */
export const BUDGETS = {
  ...MODEL_TIMEOUTS,
  /** Attempts per request: one retry, and only before the first byte of the answer. */
  attempts: 2,
  retryWaitMs: 500,
  /** After the stop reason, for the token usage. */
  usageMs: 2_000,
  /** For a list of models. Short, because a form waits for it. */
  listMs: 10_000,
  listBytes: 4_000_000,
  /**
   * For a streamed answer including its protocol. The longest answer of a model has half a million characters, and some
   * protocols wrap every few of them in two hundred bytes.
   */
  answerBytes: 16_000_000,
  /** How much of an error response is read. */
  errorBytes: 64_000,
  /** For looking up a host's addresses, and how long the result is cached. */
  resolveMs: 3_000,
  resolvedForMs: 60_000,
} as const;
