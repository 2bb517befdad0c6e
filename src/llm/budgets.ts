import { MODEL_TIMEOUTS } from "./model.ts";

/** Every bound of what goes to a provider, in one place. The first four can be configured; see `ModelTimeouts`. */
export const BUDGETS = {
  ...MODEL_TIMEOUTS,
  /** One retry, and only before the first byte of the answer. */
  attempts: 2,
  retryWaitMs: 500,
  /** A list of models: nobody waits long for a form. */
  listMs: 10_000,
  listBytes: 4_000_000,
  /** What is read of an answer that is an error. */
  errorBytes: 64_000,
  /** Looking a host's addresses up, and how long they are believed. */
  resolveMs: 3_000,
  resolvedForMs: 60_000,
} as const;
