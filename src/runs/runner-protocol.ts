import type { Attachment } from "../messages/attachments.ts";
import type { Space } from "../users/space.ts";

/** What the Worker asks of a conversation's runner, as JSON in the body of a request to it. */
export type RunnerRequest =
  | {
      readonly kind: "send";
      readonly agentId: string;
      readonly content: string;
      readonly attachments: readonly Attachment[];
      /** The caller's idempotency key, and what it was used with. */
      readonly key: { readonly key: string; readonly bodyHash: string } | null;
      /** Wait and answer with JSON instead of a stream. */
      readonly wantsJson: boolean;
    }
  /** `runId` may be `active`. `after` is what the caller wrote. */
  | { readonly kind: "events"; readonly runId: string; readonly after: string }
  | { readonly kind: "cancel"; readonly runId: string }
  | { readonly kind: "get"; readonly runId: string }
  /** The conversation is being deleted: end what runs, and keep nothing. */
  | { readonly kind: "forget" };

/** Whose conversation the runner has, and which request it serves. */
export interface RunnerCall {
  readonly space: Space;
  readonly conversationId: string;
  readonly instance: string;
  readonly requestId: string;
  readonly request: RunnerRequest;
}
