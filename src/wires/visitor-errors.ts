import { AppError, type ErrorCode } from "../shared/errors.ts";

/** What visitors read in place of sentences that tell the agent's owner what to do. */
const SENTENCE = "The chat can't answer at the moment. Please try again later.";

/** What only the agent's owner can do something about: the plan, the provider and its credentials. */
const OWNERS_MATTERS: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "limit-exceeded",
  "not-configured",
  "provider-auth",
  "provider-not-configured",
  "provider-quota",
]);

/** Returns the sentence about a failure that visitors may read, given its code and its own sentence. */
export const sentenceForVisitors = (code: ErrorCode, sentence: string): string =>
  OWNERS_MATTERS.has(code) ? SENTENCE : sentence;

/**
 * Throws an error of a turn as visitors may see it. Privacy: visitors are strangers, who must not learn which plan the agent's owner
 * has, how much of it is used, or what is wrong at the owner's provider. The code and the time to wait stay.
 */
export function throwForVisitors(thrown: unknown): never {
  const error = AppError.from(thrown);
  if (!OWNERS_MATTERS.has(error.code)) throw error;
  const { code, retryable, retryAfter } = error;
  throw new AppError(code, SENTENCE, {
    cause: error,
    retryable,
    ...(retryAfter !== undefined && { retryAfter }),
  });
}
