import type { ErrorCode } from "../shared/errors.ts";
import type { MemorySearchRequest, RecallRequest } from "./model.ts";

/** What is asked of a memory's search index, as JSON in the body of a request to it. */
export type SearchCall =
  | { readonly kind: "search"; readonly request: MemorySearchRequest }
  | { readonly kind: "recall"; readonly request: RecallRequest }
  /** The memory is being deleted: keep nothing. */
  | { readonly kind: "forget" };

/** What it answers. Errors travel as their parts, because a Durable Object can't throw an `AppError` across. */
export type SearchReply<Answer> =
  | { readonly answer: Answer }
  | {
      readonly error: {
        readonly code: ErrorCode;
        readonly message: string;
        readonly retryAfter: number | null;
      };
    };
