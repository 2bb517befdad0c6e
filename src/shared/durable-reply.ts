import { AppError, type ErrorCode } from "./errors.ts";
import type { RateLimit } from "./rate-limit.ts";

/** An `AppError` as plain data, because remote calls lose classes. Without the cause, which the Durable Object logs itself. */
export interface Refusal {
  readonly code: ErrorCode;
  readonly message: string;
  readonly retryable: boolean;
  /** In seconds; null if there is no known waiting time. */
  readonly retryAfter: number | null;
  readonly rateLimit: RateLimit | null;
  readonly extensions: Readonly<Record<string, unknown>>;
}

/** The return value of a Durable Object method: an answer or an error. A thrown error would lose its class on the way. */
export type Reply<Answer> = { readonly answer: Answer } | { readonly error: Refusal };

/** Returns the error as data that can cross to the caller of a Durable Object. */
export const refusalOf = (error: AppError): Refusal => ({
  code: error.code,
  message: error.message,
  retryable: error.retryable,
  retryAfter: error.retryAfter ?? null,
  rateLimit: error.rateLimit ?? null,
  extensions: error.extensions,
});

/** Runs the work of a Durable Object's method. Logs server errors with their cause, which the caller does not learn. */
export async function replying<Answer>(work: () => Promise<Answer>): Promise<Reply<Answer>> {
  try {
    return { answer: await work() };
  } catch (thrown) {
    const error = AppError.from(thrown);
    if (error.status >= 500)
      console.error({ message: error.message, code: error.code, cause: error.cause ?? error });
    return { error: refusalOf(error) };
  }
}
