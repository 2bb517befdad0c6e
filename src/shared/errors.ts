import type { RateLimit } from "./rate-limit.ts";
import { shortened } from "./unknown-names.ts";

/**
 * Every failure that a caller may see. The codes are public API: clients switch on them, in problem documents and in `ERROR`
 * events. `retryable` says whether the same request may succeed later.
 */
const CATALOGUE = {
  "malformed-request": { status: 400, title: "Malformed request", retryable: false },
  unauthenticated: { status: 401, title: "Authentication required", retryable: false },
  forbidden: { status: 403, title: "Not allowed", retryable: false },
  "not-found": { status: 404, title: "Not found", retryable: false },
  "method-not-allowed": { status: 405, title: "Method not allowed", retryable: false },
  conflict: { status: 409, title: "Conflict", retryable: false },
  "conversation-busy": { status: 409, title: "Conversation busy", retryable: true },
  "provider-not-configured": { status: 409, title: "Provider not configured", retryable: false },
  gone: { status: 410, title: "Gone", retryable: false },
  "precondition-failed": { status: 412, title: "Precondition failed", retryable: false },
  "payload-too-large": { status: 413, title: "Payload too large", retryable: false },
  "validation-failed": { status: 422, title: "Validation failed", retryable: false },
  "idempotency-mismatch": { status: 422, title: "Idempotency key reused", retryable: false },
  "limit-exceeded": { status: 429, title: "Limit reached", retryable: false },
  internal: { status: 500, title: "Internal error", retryable: false },
  "provider-auth": { status: 502, title: "Provider refused the key", retryable: false },
  "provider-quota": { status: 502, title: "Provider quota used up", retryable: false },
  "provider-rate": { status: 502, title: "Provider is rate limiting", retryable: true },
  "provider-overflow": { status: 502, title: "Context too long for the model", retryable: false },
  "provider-content": { status: 502, title: "Provider refused the content", retryable: false },
  "provider-unavailable": { status: 502, title: "Provider unavailable", retryable: true },
  "provider-truncated": { status: 502, title: "Answer cut off", retryable: true },
  "provider-stalled": { status: 504, title: "Provider stalled", retryable: true },
  "persist-failed": { status: 503, title: "Not saved", retryable: true },
  "not-configured": { status: 503, title: "Not set up", retryable: false },
  unavailable: { status: 503, title: "Temporarily unavailable", retryable: true },
} as const satisfies Record<string, { status: number; title: string; retryable: boolean }>;

export type ErrorCode = keyof typeof CATALOGUE;

export interface AppErrorOptions {
  /** The underlying error. Logged, never shown to the caller. */
  readonly cause?: unknown;
  /** Additional members of the problem document, shown to the caller. */
  readonly extensions?: Readonly<Record<string, unknown>>;
  /** Seconds after which a retry makes sense; becomes `Retry-After`. */
  readonly retryAfter?: number;
  /** The limit that was reached; becomes `RateLimit` and `RateLimit-Policy`. */
  readonly rateLimit?: RateLimit;
  /** The allowed methods; becomes `Allow`. */
  readonly allow?: readonly string[];
  /** Overrides the catalogue's value, for a case in which a retry is known to help or not to help. */
  readonly retryable?: boolean;
}

/** The only error class for callers. `message` is a sentence for them; put everything else into `cause`. */
export class AppError extends Error {
  override readonly name: string = "AppError";
  readonly code: ErrorCode;
  readonly extensions: Readonly<Record<string, unknown>>;
  readonly retryAfter: number | undefined;
  readonly rateLimit: RateLimit | undefined;
  readonly allow: readonly string[] | undefined;
  readonly retryable: boolean;

  constructor(code: ErrorCode, message: string, options: AppErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.code = code;
    this.extensions = options.extensions ?? {};
    this.retryAfter = options.retryAfter;
    this.rateLimit = options.rateLimit;
    this.allow = options.allow;
    this.retryable = options.retryable ?? CATALOGUE[code].retryable;
  }

  get status() {
    return CATALOGUE[this.code].status;
  }

  get title() {
    return CATALOGUE[this.code].title;
  }

  /** Returns an `AppError` as it is, and anything else thrown as the cause of an `internal` one. */
  static from(thrown: unknown): AppError {
    if (thrown instanceof AppError) return thrown;
    return new AppError("internal", "Something went wrong on our side.", { cause: thrown });
  }
}

/** The same error for absent, malformed and foreign ids, so that strangers learn nothing from it. */
export const notFound = (what: string): AppError => new AppError("not-found", `${what} not found`);

/** One violation of a schema or another rule. */
export interface Issue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly code?: string | undefined;
}

/** Enough for any form. Limits the answer to a long list whose every element is invalid. */
const MAX_ERRORS = 50;

/** Returns the error for invalid input. It names paths and reasons, never values. */
export const invalidInput = (target: string, issues: readonly Issue[]): AppError =>
  new AppError(
    "validation-failed",
    `The ${target === "json" ? "body" : target} is not valid: ${summary(issues)}`,
    {
      extensions: {
        errors: issues
          .slice(0, MAX_ERRORS)
          .map(({ path, message, code }) => ({ path: namesIn(path), message, code })),
      },
    },
  );

/** The members of a path. Their names come from outside, and may be as long as the body. */
const namesIn = (path: Issue["path"]): string[] => path.map((member) => shortened(String(member)));

/** The first reason in one sentence, with the member's name once. `errors` has all of them. */
function summary([first, ...more]: readonly Issue[]): string {
  const name = namesIn(first?.path ?? []).join(".");
  const reason = first?.message ?? "unknown";
  const others = more.length > 0 ? ` (and ${more.length} more)` : "";
  return `${name === "" || reason.startsWith(`${name} `) ? "" : `${name}: `}${reason}${others}`;
}
